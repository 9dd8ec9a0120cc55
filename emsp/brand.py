"""The operator's brand for every template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def brand(request: HttpRequest) -> dict[str, object]:
    """Give templates the operator's name, logo address (or empty) and accent colour."""
    return {
        "brand": {
            "name": settings.BRAND_NAME,
            "logo": settings.BRAND_LOGO,
            "accent": settings.BRAND_ACCENT,
            "demo": settings.DEMO,
        }
    }
