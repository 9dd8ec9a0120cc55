"""Is the process alive, and can the service serve? For supervisors and load balancers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from charging import readiness

if TYPE_CHECKING:
    from django.http import HttpRequest


@require_safe
@never_cache
def show_alive(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process serves; touches nothing else."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def show_ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 only when drivers can be served, else 503 with what is missing."""
    missing = readiness.list_missing()
    status = "not_ready" if missing else "ready"
    return JsonResponse({"status": status, "missing": missing}, status=503 if missing else 200)
