"""Drivers' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@login_required
@require_safe
def show_account(request: HttpRequest) -> HttpResponse:
    """Show who is logged in."""
    return render(request, "drivers/account.html", {"tab": "account"})
