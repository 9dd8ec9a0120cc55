"""Versions module: which versions we speak, and where each one's modules are.

Source: OCPI 2.2.1, 6. Versions module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from charging.ocpi.v2_2_1 import VERSION
from charging.ocpi_server.protocol import Caller, Reply, open_door

if TYPE_CHECKING:
    from django.http import HttpRequest


def _list_versions(_request: HttpRequest, _caller: Caller) -> Reply:
    return Reply([{"version": VERSION, "url": _write_url("ocpi:details")}])


def _show_details(_request: HttpRequest, _caller: Caller) -> Reply:
    endpoints = [
        # The role says nothing for this module; the specification advises SENDER.
        {"identifier": "credentials", "role": "SENDER", "url": _write_url("ocpi:credentials")}
    ]
    return Reply({"version": VERSION, "endpoints": endpoints})


def _write_url(name: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name)}"


list_versions = open_door(get=_list_versions)
show_details = open_door(get=_show_details)
