"""The Celery application. It executes jobs; the outbox in the database is the truth."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emsp.settings")

app = Celery("voltway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

for _folder in ("data_folder_in", "control_folder"):
    # The filesystem broker does not make its own folders.
    if _path := app.conf.broker_transport_options.get(_folder):
        Path(_path).mkdir(parents=True, exist_ok=True)
