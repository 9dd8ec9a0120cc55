"""What every request passes before it reaches a room."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from django.http import JsonResponse
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase


class RefuseMalformedAddress:
    """Answer 400 to a path or query that holds a NUL or is not UTF-8.

    PostgreSQL refuses NUL in text, and Django replaces bad UTF-8 silently: both would turn a
    client's mistake into a wrong answer or an error of ours.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        problem = find_address_problem(
            path=request.META.get("PATH_INFO", ""), query=request.META.get("QUERY_STRING", "")
        )
        if problem:
            return JsonResponse({"code": "malformed_address", "detail": problem}, status=400)
        return self.get_response(request)


def find_address_problem(*, path: str, query: str) -> str | None:
    """Say what is wrong with a request's path or raw query, or None."""
    if "\x00" in path:
        return _("The address holds a NUL character (%00). Remove it.")
    # ASGI servers replace broken bytes; Django under WSGI writes them as %FF into the path.
    if "\ufffd" in path or not is_utf_8(unquote_to_bytes(path)):
        return _("The address is not valid UTF-8. Encode it as UTF-8.")
    raw = unquote_to_bytes(query.replace("+", " "))
    if b"\x00" in raw:
        return _("The query holds a NUL character (%00). Remove it.")
    if not is_utf_8(raw):
        return _("The query is not valid UTF-8. Encode it as UTF-8.")
    return None


def is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
