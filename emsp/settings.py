"""All settings. Each variable is read here, through env.py, and stands in .env.example."""

from __future__ import annotations

from urllib.parse import quote

import structlog
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from emsp import env

BASE_DIR = env.ROOT
env.load_env_file(env.read_path("ENV_FILE", BASE_DIR / ".env"))

# --- What this installation is ------------------------------------------------------------------
DEMO = env.read_bool("DEMO", default=False)
DEBUG = env.read_bool("DEBUG", default=False)
SECRET_KEY = env.read_str("SECRET_KEY")
ALLOWED_HOSTS = env.read_list("ALLOWED_HOSTS", [])
PORT = env.read_int("PORT", 8000, minimum=1, maximum=65535)
PUBLIC_URL = env.read_str("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
DATA_DIR = env.read_path("DATA_DIR", BASE_DIR / "var")

# The operator's own brand, shown instead of ours.
BRAND_NAME = env.read_str("BRAND_NAME", "Voltway")
BRAND_LOGO = env.read_str("BRAND_LOGO", "")
BRAND_ACCENT = env.read_colour("BRAND_ACCENT", "#c8f031")

# Who we are towards charge point operators (OCPI role EMSP).
OCPI_COUNTRY_CODE = env.read_str("OCPI_COUNTRY_CODE", "NL")
OCPI_PARTY_ID = env.read_str("OCPI_PARTY_ID", "VWY")

# --- Django -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "emsp",
    "emsp.kernel",
    "emsp.backoffice",
    "drivers",
    "charging",
    "billing",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "emsp.middleware.RefuseMalformedAddress",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "emsp.urls"
WSGI_APPLICATION = "emsp.wsgi.application"
ASGI_APPLICATION = "emsp.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
                "emsp.brand.brand",
            ],
            "builtins": ["django.templatetags.static", "django_htmx.templatetags.django_htmx"],
        },
    }
]

DATABASES = {
    "default": env.read_database("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR))}/db.sqlite3")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "drivers.User"
LOGIN_URL = "drivers:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("fr", _("French")),
    ("de", _("German")),
    ("nl", _("Dutch")),
]
LOCALE_PATHS = [BASE_DIR / "emsp" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files: ours from static/, third parties from npm by an allow-list -------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "emsp.npm_files.NpmFinder",
    "emsp.icon_sprite.IconFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MIMETYPES = {".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
NODE_MODULES = BASE_DIR / "node_modules"
NPM_FILES = {
    "vendor/figtree/figtree.woff2": (
        "@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2"
    ),
    "vendor/figtree/figtree-ext.woff2": (
        "@fontsource-variable/figtree/files/figtree-latin-ext-wght-normal.woff2"
    ),
}

# --- Security -----------------------------------------------------------------------------------
HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.read_bool("SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
CONTENT_SECURITY_POLICY = {
    # django-unfold needs inline styles and Alpine's eval; the admin has no policy yet.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# --- The public API -----------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["emsp.kernel.rest.BoundedJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "emsp.kernel.rest.explain_error",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Voltway API",
    "DESCRIPTION": "Charging stations, places, vehicles and trip plans.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# --- Jobs ---------------------------------------------------------------------------------------
# The outbox in the database is the truth; Celery executes and beat only ticks (docs/adr).
CELERY_BROKER_URL = env.read_str("CELERY_BROKER_URL", "filesystem://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celery" / "beat")
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SCHEDULE = {
    "dispatch-due-jobs": {
        "task": "kernel.dispatch_due_jobs",
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    "purge-done-jobs": {"task": "kernel.purge_done_jobs", "schedule": 3600.0},
    "ensure-sync-schedules": {"task": "charging.ensure_sync_schedules", "schedule": 60.0},
}
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "data_folder_in": str(DATA_DIR / "celery" / "queue"),
        "data_folder_out": str(DATA_DIR / "celery" / "queue"),
        "control_folder": str(DATA_DIR / "celery" / "control"),
        "polling_interval": 0.2,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"unacked_restore_throttle": 1, "unacked_restore_interval": 2}
JOB_SLOTS = env.read_int("JOB_SLOTS", 4, minimum=1, maximum=256)

# --- Outside parties ----------------------------------------------------------------------------
# Partners' addresses may lie in private networks only where this is wished (demo, tests).
ALLOW_PRIVATE_ADDRESSES = env.read_bool("ALLOW_PRIVATE_ADDRESSES", default=False)
# How long a worker that pulls a partner may be silent before another takes its place.
SYNC_LEASE_S = env.read_int("SYNC_LEASE_S", 120, minimum=4, maximum=3600)

# --- Logs: constant messages and ids, never a token, name or position ---------------------------
LOG_LEVEL = env.read_str("LOG_LEVEL", "INFO")
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": [
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # httpx logs whole addresses at INFO.
    "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}

UNFOLD = {
    "SITE_TITLE": BRAND_NAME,
    "SITE_HEADER": BRAND_NAME,
    "SHOW_HISTORY": True,
}
