"""Credentials module: show, make, renew and end a registration.

Source: OCPI 2.2.1, 7. Credentials module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from charging import partners
from charging.ocpi import v2_2_1 as wire
from charging.ocpi.client import OcpiFailure
from charging.ocpi_server.protocol import (
    CLIENT_API_UNUSABLE,
    CLIENT_ERROR,
    ENDPOINTS_MISSING,
    INVALID_PARAMETERS,
    UNSUPPORTED_VERSION,
    Caller,
    Refused,
    Reply,
    open_door,
    read_body,
)
from emsp.kernel import clock
from emsp.kernel.http import HttpFailure

if TYPE_CHECKING:
    from django.http import HttpRequest


def _show(_request: HttpRequest, caller: Caller) -> Reply:
    return Reply(partners.write_credentials(caller.token))


def _register(request: HttpRequest, caller: Caller) -> Reply:
    if caller.is_registered:
        raise Refused(405, CLIENT_ERROR, "you are registered already: use PUT")
    return _renew_with(request, caller, http_status=201)


def _renew(request: HttpRequest, caller: Caller) -> Reply:
    if not caller.is_registered:
        raise Refused(405, CLIENT_ERROR, "you are not registered yet: use POST")
    return _renew_with(request, caller, http_status=200)


def _unregister(_request: HttpRequest, caller: Caller) -> Reply:
    try:
        partners.end_registration(caller.partner)
    except partners.NotRegistered as error:
        raise Refused(405, CLIENT_ERROR, str(error)) from error
    return Reply()


def _renew_with(request: HttpRequest, caller: Caller, *, http_status: int) -> Reply:
    body = read_body(request)
    try:
        credentials = wire.read_wire(body, kind=wire.Credentials)
        ours = partners.renew_registration(caller.partner, credentials=credentials, now=clock.now())
    except (wire.WireInvalid, partners.CredentialsInvalid) as error:
        raise Refused(200, INVALID_PARAMETERS, f"invalid credentials: {error}") from error
    except partners.VersionMissing as error:
        raise Refused(200, UNSUPPORTED_VERSION, str(error)) from error
    except partners.EndpointsMissing as error:
        raise Refused(200, ENDPOINTS_MISSING, str(error)) from error
    except (OcpiFailure, HttpFailure) as error:
        raise Refused(200, CLIENT_API_UNUSABLE, f"your API cannot be used: {error}") from error
    return Reply(ours, http_status=http_status)


credentials = open_door(get=_show, post=_register, put=_renew, delete=_unregister)
