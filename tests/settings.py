"""Settings for the tests: the product's own, fed by an environment of their own."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

# What lies in the developer's .env must not change what the tests see.
os.environ["ENV_FILE"] = str(_ROOT / "tests" / "no.env")
os.environ["SECRET_KEY"] = "tests-only-not-a-secret"
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
os.environ["PUBLIC_URL"] = "http://127.0.0.1:8000"
os.environ["DATA_DIR"] = str(_ROOT / "var" / "test")
os.environ["ALLOW_PRIVATE_ADDRESSES"] = "1"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or "sqlite:///:memory:"
os.environ["CELERY_BROKER_URL"] = os.environ.get("TEST_BROKER_URL") or "filesystem://"

from emsp.settings import *  # noqa: E402, F403

if "memory" in str(DATABASES["default"]["NAME"]):  # noqa: F405
    # Each worker has its own memory; pytest-django knows this of Django's own engine only.
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # noqa: F405

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
