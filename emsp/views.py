"""The roof's own pages: the brand's colours, and what goes wrong outside of any room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

_INK = "#0e1b2c"
_WHITE = "#ffffff"


@require_safe
@cache_control(max_age=3600, public=True)
def show_brand_colours(request: HttpRequest) -> HttpResponse:
    """Give the operator's accent to the style sheets; inline styles are forbidden to us."""
    accent = settings.BRAND_ACCENT
    on_accent = max((_INK, _WHITE), key=lambda colour: measure_contrast(colour, accent))
    css = f":root {{ --accent: {accent}; --on-accent: {on_accent}; }}\n"
    return HttpResponse(css, content_type="text/css; charset=utf-8")


def measure_contrast(one: str, other: str) -> float:
    """Return the contrast of two colours like ``#c8f031``, from 1 to 21.

    Source: WCAG 2.2, definition of contrast ratio.

    >>> round(measure_contrast("#0e1b2c", "#c8f031"), 1)
    13.2
    """
    dark, light = sorted((_measure_luminance(one), _measure_luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _measure_luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class UnknownApiView(APIView):
    """Any address under /api/ that leads nowhere: an error in the API's shape, not a page."""

    authentication_classes = []
    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise Http404


def explain_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _explain(
        request, status=400, code="bad_request", detail=_("The request cannot be understood.")
    )


def explain_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _explain(request, status=403, code="forbidden", detail=_("You may not see this."))


def explain_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _explain(
        request, status=404, code="not_found", detail=_("There is nothing at this address.")
    )


def explain_failure(request: HttpRequest) -> HttpResponse:
    """The page is plain: what broke may be what the other pages are made with."""
    return _explain(
        request,
        status=500,
        code="internal_error",
        detail=_("Something broke on our side. It is logged. Try again."),
    )


def _explain(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": code, "detail": detail}, status=status)
    if status == 500:
        return render(None, "500.html", status=500)
    return render(request, f"{status}.html", status=status)
