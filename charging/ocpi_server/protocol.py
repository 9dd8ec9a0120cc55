"""What every OCPI door has in common: Token header, message ids, envelope, errors.

Source: OCPI 2.2.1, 4.1 JSON / HTTP implementation guide, and 5 Status codes.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from charging.ocpi.v2_2_1 import format_datetime
from charging.partners import find_partner_by_tokens
from emsp.kernel import clock

if TYPE_CHECKING:
    from django.http import HttpRequest

    from charging.models import Partner

log = structlog.get_logger(__name__)

SUCCESS = 1000
CLIENT_ERROR = 2000
INVALID_PARAMETERS = 2001
SERVER_ERROR = 3000
CLIENT_API_UNUSABLE = 3001
UNSUPPORTED_VERSION = 3002
ENDPOINTS_MISSING = 3003

MESSAGE_IDS = ("X-Request-ID", "X-Correlation-ID")
MESSAGE_ID_WIDTH = 200


class Refused(Exception):
    """The request ends here, with this HTTP status and this OCPI status code."""

    def __init__(self, http_status: int, status_code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.http_status = http_status
        self.status_code = status_code


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the token that was shown."""

    partner: Partner
    token: str = field(repr=False)

    @property
    def is_registered(self) -> bool:
        return self.partner.registered_at is not None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: data for the envelope (left out when None)."""

    data: object = None
    http_status: int = 200


Handler: TypeAlias = Callable[["HttpRequest", Caller], Reply]
Door: TypeAlias = Callable[["HttpRequest"], HttpResponse]


def open_door(**handlers: Handler) -> Door:
    """Make a view of handlers by HTTP method: ``open_door(get=..., put=...)``."""
    by_method = {method.upper(): handler for method, handler in handlers.items()}

    @csrf_exempt
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            caller = _authenticate(request)
            handler = by_method.get(str(request.method), _refuse_method)
            response = _write_success(handler(request, caller))
        except Refused as refused:
            response = _write_refusal(refused)
            if refused.http_status == 405:
                response["Allow"] = ", ".join(sorted(by_method))
        except Exception:
            log.exception("OCPI request failed", path=request.path)
            response = _write_refusal(Refused(500, SERVER_ERROR, "an error of ours; it is logged"))
        for name in MESSAGE_IDS:
            response[name] = _read_message_id(request, name)
        return response

    return answer


def read_body(request: HttpRequest) -> object:
    """Parse the request's JSON.

    Raises
    ------
    Refused
        With HTTP 400 when it is no JSON, 413 when it is too large.
    """
    try:
        return json.loads(request.body)
    except RequestDataTooBig as error:
        raise Refused(413, INVALID_PARAMETERS, "the body is too large") from error
    except (ValueError, RecursionError) as error:
        raise Refused(400, INVALID_PARAMETERS, "the body is no valid JSON") from error


def read_tokens(authorization: str) -> list[str]:
    """List what a Token header may mean: decoded from Base64 first, then as it stands.

    Old implementations do not encode; some encode a trailing newline, as the specification's own
    example does.

    >>> read_tokens("Token ZXhhbXBsZS10b2tlbgo=")
    ['example-token', 'ZXhhbXBsZS10b2tlbgo=']
    >>> read_tokens("Basic abc")
    []
    """
    scheme, _, shown = authorization.strip().partition(" ")
    shown = shown.strip()
    if scheme.lower() != "token" or not shown:
        return []
    try:
        decoded = base64.b64decode(shown, validate=True).decode().rstrip("\r\n")
    except ValueError:  # no Base64, or not of UTF-8
        return [shown]
    return [decoded, shown] if decoded else [shown]


def _refuse_method(request: HttpRequest, _caller: Caller) -> Reply:
    raise Refused(405, CLIENT_ERROR, f"{request.method} is not possible here")


def _authenticate(request: HttpRequest) -> Caller:
    tokens = read_tokens(request.headers.get("Authorization", ""))
    for token in tokens:
        partner = find_partner_by_tokens([token])
        if partner is not None:
            return Caller(partner, token)
    raise Refused(401, CLIENT_ERROR, "the credentials token is missing or unknown")


def _write_success(reply: Reply) -> HttpResponse:
    data = {} if reply.data is None else {"data": reply.data}
    return _write_envelope({**data, "status_code": SUCCESS}, http_status=reply.http_status)


def _write_refusal(refused: Refused) -> HttpResponse:
    envelope = {"status_code": refused.status_code, "status_message": str(refused)}
    response = _write_envelope(envelope, http_status=refused.http_status)
    if refused.http_status == 401:
        response["WWW-Authenticate"] = "Token"
    return response


def _write_envelope(envelope: Mapping[str, object], *, http_status: int) -> HttpResponse:
    timestamp = format_datetime(clock.now().replace(microsecond=0))
    return JsonResponse({**envelope, "timestamp": timestamp}, status=http_status)


def _read_message_id(request: HttpRequest, name: str) -> str:
    shown = request.headers.get(name, "")[:MESSAGE_ID_WIDTH]
    # What is echoed must be a clean header.
    return shown if shown and shown.isascii() and shown.isprintable() else str(uuid.uuid4())
