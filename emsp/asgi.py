"""ASGI entry: the demo's one server, and /live/ in production."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emsp.settings")
application = get_asgi_application()
