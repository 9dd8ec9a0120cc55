"""The Celery application. It executes jobs; the outbox in the database is the truth."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emsp.settings")

TRANSPORT_ALIASES["filesystem"] = "emsp.kernel.file_broker:Transport"

app = Celery("voltway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Neither the file-system broker nor beat makes its own folders; without them beat dies unseen.
_transport = app.conf.broker_transport_options
for _folder in (_transport.get("data_folder_in"), _transport.get("control_folder")):
    if _folder:
        Path(_folder).mkdir(parents=True, exist_ok=True)
Path(app.conf.beat_schedule_filename).parent.mkdir(parents=True, exist_ok=True)
