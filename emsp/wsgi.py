"""WSGI entry for all pages in production."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emsp.settings")
application = get_wsgi_application()
