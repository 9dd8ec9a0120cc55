"""What every OCPI answer has in common: envelope, message ids, routing headers, Token header."""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from emsp.sandbox.cpo.moments import format_moment

SUCCESS = 1000
CLIENT_ERROR = 2000
INVALID_PARAMETERS = 2001
UNKNOWN_LOCATION = 2003
SERVER_ERROR = 3000
CLIENT_API_UNUSABLE = 3001
UNSUPPORTED_VERSION = 3002
ENDPOINTS_MISSING = 3003

MESSAGE_IDS = ("X-Request-ID", "X-Correlation-ID")


@dataclass(frozen=True, slots=True)
class Party:
    """One role's party: a country code of two letters and a party id of three characters."""

    country_code: str
    party_id: str

    def matches(self, other: "Party") -> bool:
        """Compare as OCPI's CiString: without case."""
        return (
            self.country_code.upper() == other.country_code.upper()
            and self.party_id.upper() == other.party_id.upper()
        )


class Refused(Exception):
    """The request ends here, with this HTTP status and this OCPI status code."""

    def __init__(self, http_status: int, status_code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.http_status = http_status
        self.status_code = status_code
        self.sentence = sentence


def answer(
    data: Any, *, http_status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Wrap data into the envelope of a success."""
    return raw_answer(
        json.dumps(data, ensure_ascii=False), http_status=http_status, headers=headers
    )


def raw_answer(
    data: str | None, *, http_status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Wrap JSON text into the envelope of a success without parsing it; None leaves `data` out."""
    part = "" if data is None else f'"data":{data},'
    body = f'{{{part}"status_code":{SUCCESS},"timestamp":"{format_moment(_now())}"}}'
    return _json_response(body, http_status, headers)


def refusal(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """Turn a refusal into its envelope."""
    envelope = {
        "status_code": refused.status_code,
        "status_message": refused.sentence,
        "timestamp": format_moment(_now()),
    }
    extra = dict(headers or {})
    if refused.http_status == 401:
        extra["WWW-Authenticate"] = "Token"
    return _json_response(json.dumps(envelope, ensure_ascii=False), refused.http_status, extra)


def message_ids(request: Request) -> dict[str, str]:
    """Give the headers that echo the request's ids; a client that sent none gets new ones."""
    return {name: request.headers.get(name) or str(uuid.uuid4()) for name in MESSAGE_IDS}


def presented_tokens(authorization: str | None) -> list[str]:
    """List what the Authorization header may mean: Base64 first, then the raw text.

    A decoded trailing newline is dropped: the specification's own example carries one.
    Source: OCPI 2.2.1, transport_and_format, Authorization header.

    >>> presented_tokens("Token ZXhhbXBsZS10b2tlbgo=")
    ['example-token', 'ZXhhbXBsZS10b2tlbgo=']
    >>> presented_tokens("Bearer abc")
    []
    """
    scheme, _, encoded = (authorization or "").strip().partition(" ")
    encoded = encoded.strip()
    if scheme.lower() != "token" or not encoded:
        return []
    try:
        decoded = base64.b64decode(encoded, validate=True).decode("utf-8").rstrip("\r\n")
    except (binascii.Error, UnicodeDecodeError):
        return [encoded]
    return [decoded, encoded] if decoded else [encoded]


def token_header(token: str) -> str:
    """Write a credentials token as the value of an Authorization header."""
    return "Token " + base64.b64encode(token.encode("utf-8")).decode("ascii")


def addressed_party(headers: Mapping[str, str], direction: str) -> Party | None:
    """Read the OCPI-to or OCPI-from pair of a request, None where it is absent or half."""
    country_code = headers.get(f"OCPI-{direction}-country-code")
    party_id = headers.get(f"OCPI-{direction}-party-id")
    return Party(country_code, party_id) if country_code and party_id else None


def routing_headers(*, to: Party | None, sender: Party) -> dict[str, str]:
    """Give the routing headers of an answer: back to whom it came from."""
    headers = {
        "OCPI-from-country-code": sender.country_code,
        "OCPI-from-party-id": sender.party_id,
    }
    if to is not None:
        headers["OCPI-to-country-code"] = to.country_code
        headers["OCPI-to-party-id"] = to.party_id
    return headers


def _json_response(body: str, http_status: int, headers: Mapping[str, str] | None) -> Response:
    return Response(
        body, status_code=http_status, media_type="application/json", headers=dict(headers or {})
    )


def _now() -> datetime:
    return datetime.now(UTC)
