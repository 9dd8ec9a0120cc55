"""Speak OCPI to a partner: Token header, message ids, routing headers, envelope, status codes."""

from __future__ import annotations

import base64
import uuid
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self

from charging.ocpi import v2_2_1 as wire
from charging.ocpi.storable import make_storable
from emsp.kernel.http import GuardedClient, HttpFailure, name_host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from emsp.kernel.http import HttpResponse

MESSAGE_WIDTH = 200
# Two of them together fit into a column of 32 bits.
MOST_TOTAL = 10**9
TOO_MANY_REQUESTS = 429


class OcpiFailure(Exception):
    """A partner did not do as asked. ``retryable`` says whether the same may work later."""

    retryable = False


class TokenRefused(OcpiFailure):
    """The partner does not know our token, or does not let it in here."""


class RequestRefused(OcpiFailure):
    """The partner answers with an HTTP 4xx or an OCPI 2xxx: asking again changes nothing."""


class PartnerTroubled(OcpiFailure):
    """The partner answers with an HTTP 5xx or 429, or an OCPI 3xxx or 4xxx."""

    retryable = True


class HandshakeRefused(OcpiFailure):
    """The partner answers 3001, 3002 or 3003: our API or our versions do not suit it."""


class AnswerUnreadable(OcpiFailure):
    """What came is no OCPI answer, perhaps a proxy's error page."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Party:
    """A party by its country code and party id."""

    country_code: str
    party_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its data, and what its headers tell."""

    data: object
    headers: Mapping[str, str]
    url: str
    # By the partner's own clock; None where it does not tell.
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    objects: list[object]
    url: str
    link: str
    total: int | None
    answered_at: datetime | None


class OcpiClient:
    """One conversation with one partner. Use as a context manager, outside of transactions.

    ``raw_token`` tells whether the token travels without Base64, as before OCPI 2.2-d2. When the
    partner answers 401 the other way is tried once, and ``raw_token`` then holds what worked.
    """

    def __init__(
        self,
        *,
        token: str,
        raw_token: bool = False,
        ours: Party | None = None,
        theirs: Party | None = None,
        deadline_s: float = 30.0,
    ) -> None:
        self.raw_token = raw_token
        self._token = token
        # What no message may repeat: the token shown and those in bodies, in all forms.
        self._secrets = _list_forms(token)
        self._routing = _write_routing_headers(ours=ours, theirs=theirs)
        self._http = GuardedClient(deadline_s=deadline_s)
        self._token_form_known = False

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.__exit__(*exc)

    def list_versions(self, url: str) -> list[wire.Version]:
        """Read the versions module.

        Raises
        ------
        OcpiFailure, HttpFailure
            The list cannot be read.
        """
        data = self._call("GET", url).data
        return [_read(each, kind=wire.Version) for each in _read_list(data, url=url)]

    def get_version_details(self, url: str) -> wire.VersionDetails:
        """Read where a version's modules are.

        Raises
        ------
        OcpiFailure, HttpFailure
            The details cannot be read.
        """
        return _read(self._call("GET", url).data, kind=wire.VersionDetails)

    def send_credentials(
        self, url: str, *, method: str, credentials: Mapping[str, object]
    ) -> wire.Credentials:
        """POST or PUT our credentials and return theirs.

        Raises
        ------
        OcpiFailure, HttpFailure
            The partner did not take them.
        """
        data = self._call(method, url, body=credentials).data
        return _read(data, kind=wire.Credentials)

    def get_page(self, url: str) -> Page:
        """Read one page of a functional module's list.

        Raises
        ------
        OcpiFailure, HttpFailure
            The page cannot be read.
        """
        answer = self._call("GET", url, routed=True)
        return Page(
            objects=_read_list(answer.data, url=url),
            url=answer.url,
            link=answer.headers.get("link", ""),
            total=_read_total(answer.headers.get("x-total-count", "")),
            answered_at=answer.answered_at,
        )

    def _call(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, object] | None = None,
        routed: bool = False,
    ) -> Answer:
        response = self._send(method, url, body=body, routed=routed)
        if response.status == 401 and not self._token_form_known:
            self.raw_token = not self.raw_token
            response = self._send(method, url, body=body, routed=routed)
            if response.status == 401:
                self.raw_token = not self.raw_token
        self._token_form_known = self._token_form_known or response.status != 401
        return self._read_answer(response)

    def _send(
        self, method: str, url: str, *, body: Mapping[str, object] | None, routed: bool
    ) -> HttpResponse:
        shown = self._token if self.raw_token else base64.b64encode(self._token.encode()).decode()
        headers = {
            "Authorization": f"Token {shown}",
            "X-Request-ID": str(uuid.uuid4()),
            "X-Correlation-ID": str(uuid.uuid4()),
        }
        if routed:
            headers |= self._routing
        self._secrets |= _list_forms(str((body or {}).get("token") or ""))
        return self._http.request(method, url, headers=headers, json_body=body)

    def _read_answer(self, response: HttpResponse) -> Answer:
        host = name_host(response.url)
        envelope = _read_envelope(response)
        said = self._quote(envelope)
        if response.status in {401, 403}:
            message = f"{host} refuses our token (HTTP {response.status}{said})"
            raise TokenRefused(message)
        if response.status >= 500 or response.status == TOO_MANY_REQUESTS:
            message = f"{host} is in trouble (HTTP {response.status}{said})"
            raise PartnerTroubled(message)
        if not 200 <= response.status < 300:
            message = f"{host} refuses the request (HTTP {response.status}{said})"
            raise RequestRefused(message)
        if envelope is None:
            message = f"{host} answers HTTP {response.status} with something that is not OCPI"
            raise AnswerUnreadable(message)
        _check_status_code(envelope, host=host, said=said)
        return Answer(
            data=envelope.get("data"),
            headers=response.headers,
            url=response.url,
            answered_at=_find_answer_time(envelope, response),
        )

    def _quote(self, envelope: dict[str, object] | None) -> str:
        """Quote the partner's own words, without our tokens should they stand in them."""
        said = str(make_storable((envelope or {}).get("status_message") or ""))
        # Masked before it is cut: half a token is one too many. The longest first: one form may
        # be part of another.
        for secret in sorted(self._secrets, key=len, reverse=True):
            said = said.replace(secret, "***")
        return f": {said[:MESSAGE_WIDTH]}" if said else ""


def _list_forms(token: str) -> set[str]:
    """List the forms in which a partner may repeat a token: raw and in Base64."""
    encoded = base64.b64encode(token.encode()).decode()
    return {token, encoded, encoded.rstrip("=")} - {""}


def _read_total(header: str) -> int | None:
    text = header.strip()
    if not text.isascii() or not text.isdigit():
        return None
    # Python refuses to read numbers of thousands of digits.
    return min(int(text[:12]), MOST_TOTAL)


def _write_routing_headers(*, ours: Party | None, theirs: Party | None) -> dict[str, str]:
    headers = {}
    for direction, party in (("from", ours), ("to", theirs)):
        if party is not None:
            headers[f"OCPI-{direction}-country-code"] = party.country_code
            headers[f"OCPI-{direction}-party-id"] = party.party_id
    return headers


def _read_envelope(response: HttpResponse) -> dict[str, object] | None:
    try:
        parsed = response.read_json()
    except HttpFailure:
        return None
    is_envelope = isinstance(parsed, dict) and _read_status_code(parsed) is not None
    return parsed if is_envelope else None


def _read_status_code(envelope: dict[str, object]) -> int | None:
    code = envelope.get("status_code")
    text = str(code) if isinstance(code, int | str) and not isinstance(code, bool) else ""
    return int(text) if len(text) == 4 and text.isascii() and text.isdigit() else None


def _check_status_code(envelope: dict[str, object], *, host: str, said: str) -> None:
    """Judge by the code's class: 19xx is a success, 29xx a refusal, as the plain ones are.

    Source: OCPI 2.2.1, 5. Status codes.
    """
    code = _read_status_code(envelope) or 0
    message = f"{host} answers with OCPI status {code}{said}"
    if 1000 <= code < 2000:
        return
    if code in {3001, 3002, 3003}:
        raise HandshakeRefused(message)
    if 2000 <= code < 3000:
        raise RequestRefused(message)
    if 3000 <= code < 5000:
        raise PartnerTroubled(message)
    raise AnswerUnreadable(message)


def _find_answer_time(envelope: dict[str, object], response: HttpResponse) -> datetime | None:
    """Return the earlier of the envelope's timestamp and the Date header: both are their clock."""
    moments = []
    with suppress(wire.WireInvalid):
        moments.append(wire.parse_datetime(str(envelope.get("timestamp"))))
    with suppress(TypeError, ValueError):
        moments.append(parsedate_to_datetime(response.headers.get("date", "")))
    aware = [moment for moment in moments if moment.tzinfo is not None]
    return min(aware, default=None)


def _read_list(data: object, *, url: str) -> list[object]:
    if data is None:
        return []
    if not isinstance(data, list):
        message = f"{name_host(url)} answers with a {type(data).__name__} instead of a list"
        raise AnswerUnreadable(message)
    return data


def _read(value: object, *, kind: type[wire.T]) -> wire.T:
    try:
        return wire.read_wire(value, kind=kind)
    except wire.WireInvalid as error:
        message = f"the answer is no {kind.__name__}: {error}"
        raise AnswerUnreadable(message) from error
