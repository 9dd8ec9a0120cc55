"""Register with charge point operators, and let them register, renew and leave.

The handshake of OCPI: we read their versions with their registration token (A), POST our
credentials with a fresh token for them (B), they call our versions back with it before they
answer, and answer with the token that we use from then on (C). No network call happens inside a
transaction; B's hash is committed before the POST, or the call back would find a closed door.

Source: OCPI 2.2.1, 7. Credentials module.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Case, Value, When

from charging import sync_schedule
from charging.models import Partner
from charging.ocpi import v2_2_1 as wire
from charging.ocpi.client import (
    HandshakeRefused,
    OcpiClient,
    OcpiFailure,
    Party,
    RequestRefused,
    TokenRefused,
)
from charging.ocpi.storable import make_storable
from emsp.kernel.jobs import Priority

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

HANDSHAKE_DEADLINE_S = 30.0
# The partner waits for our answer while we call it back.
CALL_BACK_DEADLINE_S = 10.0
TOKEN_WIDTH = 64
URL_WIDTH = 255
_SUPERSEDED = "the partner was registered by somebody else meanwhile"


class RegistrationFailed(OcpiFailure):
    """The partner cannot be registered; the message says why and what to do."""


class VersionMissing(RegistrationFailed):
    """The partner does not speak OCPI 2.2.1."""


class EndpointsMissing(RegistrationFailed):
    """The partner does not offer the modules that we need."""


class RegistrationSuperseded(RegistrationFailed):
    """Another handshake with the same partner was faster."""


class NotRegistered(OcpiFailure):
    """The partner asks for what only registered partners may."""


class CredentialsInvalid(OcpiFailure):
    """The credentials that a partner sent are not complete."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a handshake has brought. ``their_token`` is what they gave us to show them."""

    endpoints: dict[str, str]
    roles: list[dict[str, str]]
    raw_token: bool
    their_token: str = field(repr=False)


def register_partner(partner: Partner, *, now: datetime) -> bool:
    """Register with a partner and ask for its first pull; return False if that was done before.

    ``partner.token_out`` holds the registration token (A). Safe to repeat after any failure: the
    token that we hand out is a new one each time.

    Raises
    ------
    OcpiFailure, HttpFailure
        The partner refuses or cannot be reached; ``retryable`` says whether to try again as is.
    """
    partner.refresh_from_db()
    if partner.registered_at is not None:
        return False
    if not partner.token_out:
        raise RegistrationFailed("the registration token is missing: enter what the partner gave")
    try:
        check_token(partner.token_out)
    except CredentialsInvalid as error:
        message = f"the registration {error}: enter it again as the partner gave it"
        raise RegistrationFailed(message) from error
    our_token = make_token()
    client = OcpiClient(
        token=partner.token_out, raw_token=partner.raw_token, deadline_s=HANDSHAKE_DEADLINE_S
    )
    with client:
        endpoints = _read_endpoints(client, partner.versions_url)
        with transaction.atomic(durable=True):
            # A slower handshake must not lock out the partner that a faster one has registered.
            is_first = Partner.objects.filter(pk=partner.pk, registered_at=None).update(
                token_in_hash=hash_token(our_token)
            )
        if not is_first:
            raise RegistrationSuperseded(_SUPERSEDED)
        theirs = _exchange_credentials(client, endpoints, our_token=our_token)
        registration = _accept(theirs, endpoints=endpoints, raw_token=client.raw_token)
    with transaction.atomic():
        won = Partner.objects.filter(pk=partner.pk, state=Partner.State.PLANNED).update(
            token_in_hash=hash_token(our_token), **_write_registration(registration, now=now)
        )
        if not won:
            raise RegistrationSuperseded(_SUPERSEDED)
        sync_schedule.request_sync(partner.pk, kind=sync_schedule.PullKind.FULL, now=now)
    partner.refresh_from_db()
    log.info("partner registered", partner_id=partner.pk)
    return True


def is_still_registered(partner: Partner) -> bool:
    """Ask an active partner whether it still knows the token that it gave us.

    Raises
    ------
    OcpiFailure, HttpFailure
        It cannot be asked.
    """
    with OcpiClient(token=partner.token_out, raw_token=partner.raw_token) as client:
        try:
            client.list_versions(partner.versions_url)
        except TokenRefused:
            return False
    return True


def renew_registration(
    partner: Partner, *, credentials: wire.Credentials, now: datetime
) -> dict[str, object]:
    """Take a partner's new credentials (PUT, or POST on its first visit); return ours.

    Reads the partner's endpoints with the token from the credentials before answering.

    Raises
    ------
    CredentialsInvalid
        A field is missing.
    OcpiFailure, HttpFailure
        The partner's API cannot be used with these credentials.
    """
    url = _check_url(credentials.url)
    their_token = check_token(credentials.token)
    with OcpiClient(token=their_token, deadline_s=CALL_BACK_DEADLINE_S) as client:
        endpoints = _read_endpoints(client, url)
        registration = _accept(credentials, endpoints=endpoints, raw_token=client.raw_token)
    our_token = make_token()
    with transaction.atomic():
        # Two renewals at once: the one whose token is still valid wins.
        won = Partner.objects.filter(pk=partner.pk, token_in_hash=partner.token_in_hash).update(
            token_in_hash=hash_token(our_token),
            versions_url=url,
            **_write_registration(registration, now=now),
        )
        if not won:
            raise RegistrationSuperseded("the token was replaced by another request")
        partner.refresh_from_db(fields=["state"])
        if partner.state == Partner.State.ACTIVE:
            sync_schedule.request_sync(
                partner.pk, kind=sync_schedule.PullKind.FULL, priority=Priority.BULK, now=now
            )
    log.info("partner renewed its registration", partner_id=partner.pk)
    return write_credentials(our_token)


def end_registration(partner: Partner) -> None:
    """Forget a partner's tokens and endpoints; its stations stay, its pulls end.

    Raises
    ------
    NotRegistered
        There is nothing to end.
    """
    ended = Partner.objects.filter(pk=partner.pk, registered_at__isnull=False).update(
        state=Partner.State.PLANNED,
        token_out="",
        token_in_hash="",
        endpoints={},
        registered_at=None,
    )
    if not ended:
        raise NotRegistered("you are not registered")
    log.info("partner unregistered", partner_id=partner.pk)


def suspend_partner(partner: Partner) -> None:
    """Stop pulling an active partner; its stations are no longer offered."""
    Partner.objects.filter(pk=partner.pk, state=Partner.State.ACTIVE).update(
        state=Partner.State.SUSPENDED
    )


def resume_partner(partner: Partner, *, now: datetime) -> None:
    """Make a suspended partner active again and pull what was missed."""
    with transaction.atomic():
        suspended = Partner.objects.filter(
            pk=partner.pk, state=Partner.State.SUSPENDED, registered_at__isnull=False
        )
        if suspended.update(state=Partner.State.ACTIVE):
            sync_schedule.request_sync(partner.pk, now=now)


def find_partner_by_tokens(tokens: list[str]) -> Partner | None:
    """Find who shows one of these tokens: a look-up by hash takes no longer for a near miss."""
    hashes = [hash_token(token) for token in tokens]
    return Partner.objects.filter(token_in_hash__in=hashes).first() if hashes else None


def write_credentials(token: str) -> dict[str, object]:
    """Write our Credentials around the token that the partner shall show us."""
    role = {
        "role": "EMSP",
        "country_code": settings.OCPI_COUNTRY_CODE,
        "party_id": settings.OCPI_PARTY_ID,
        "business_details": {"name": settings.BRAND_NAME},
    }
    return {"token": token, "url": f"{settings.PUBLIC_URL}/ocpi/versions", "roles": [role]}


def name_ourselves() -> Party:
    """Return our party, for routing headers."""
    return Party(settings.OCPI_COUNTRY_CODE, settings.OCPI_PARTY_ID)


def choose_their_party(partner: Partner) -> Party | None:
    """Return whom a pull is addressed to: the hub where there is one, else the first CPO.

    Source: OCPI 2.2.1, 4.1.7.5 GET All via Hubs.
    """
    for wanted in ("HUB", "CPO"):
        for role in partner.roles:
            if role.get("role") == wanted:
                return Party(role["country_code"], role["party_id"])
    return None


def make_token() -> str:
    """Make a credentials token of 64 characters."""
    return secrets.token_urlsafe(48)


def hash_token(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def check_token(token: str | None) -> str:
    """Return a credentials token that can be sent and kept.

    Raises
    ------
    CredentialsInvalid
        It is missing, too long or not of printable ASCII.

    Source: OCPI 2.2.1, 7.3.1 Credentials object: token is a string(64).
    """
    if not token or len(token) > TOKEN_WIDTH or not all("!" <= letter <= "~" for letter in token):
        message = f"token: 1 to {TOKEN_WIDTH} printable ASCII characters without blanks are needed"
        raise CredentialsInvalid(message)
    return token


def _check_url(url: str | None) -> str:
    if not url:
        raise CredentialsInvalid("url is missing")
    if len(url) > URL_WIDTH:
        message = f"url is longer than {URL_WIDTH} characters"
        raise CredentialsInvalid(message)
    return url


def _read_endpoints(client: OcpiClient, versions_url: str) -> dict[str, str]:
    """Read the partner's version 2.2.1 and return ``{"<module>/<role>": address}``."""
    versions = client.list_versions(versions_url)
    url = next((each.url for each in versions if str(each.version) == wire.VERSION), None)
    if not url:
        offered = ", ".join(str(each.version) for each in versions) or "nothing"
        message = f"the partner does not speak OCPI {wire.VERSION}; it offers {offered}"
        raise VersionMissing(message)
    details_url = urljoin(versions_url, url)
    details = client.get_version_details(details_url)
    endpoints = {
        f"{each.identifier.lower()}/{(each.role or 'SENDER').upper()}": urljoin(
            details_url, each.url
        )
        for each in details.endpoints or []
        if each.identifier and each.url
    }
    missing = [
        name
        for name, found in (
            ("credentials", _find_credentials_url(endpoints)),
            ("locations", endpoints.get("locations/SENDER")),
        )
        if not found
    ]
    if missing:
        message = f"the partner does not offer the modules that we need: {', '.join(missing)}"
        raise EndpointsMissing(message)
    return endpoints


def _find_credentials_url(endpoints: dict[str, str]) -> str:
    # The credentials module is symmetric: its role says nothing.
    urls = (url for name, url in endpoints.items() if name.startswith("credentials/"))
    return next(urls, "")


def _exchange_credentials(
    client: OcpiClient, endpoints: dict[str, str], *, our_token: str
) -> wire.Credentials:
    url = _find_credentials_url(endpoints)
    try:
        return client.send_credentials(url, method="POST", credentials=write_credentials(our_token))
    except TokenRefused as error:
        message = (
            f"{error}. The registration token is used up or wrong: an earlier attempt may have"
            " broken off after the partner took it. Ask the partner for a new one"
        )
        raise RegistrationFailed(message) from error
    except HandshakeRefused as error:
        message = (
            f"{error}. The partner must be able to reach our versions at"
            f" {settings.PUBLIC_URL}/ocpi/versions"
        )
        raise RegistrationFailed(message) from error
    except RequestRefused as error:
        message = (
            f"{error}. If the partner says that we are registered already, ask it to end that"
            " registration and to give a new token"
        )
        raise RegistrationFailed(message) from error


def _accept(
    credentials: wire.Credentials, *, endpoints: dict[str, str], raw_token: bool
) -> Registration:
    return Registration(
        endpoints=endpoints,
        roles=_read_roles(credentials.roles or []),
        raw_token=raw_token,
        their_token=check_token(credentials.token),
    )


def _read_roles(roles: list[wire.CredentialsRole]) -> list[dict[str, str]]:
    read = [
        {
            "role": (role.role or "").upper(),
            "country_code": (role.country_code or "").upper(),
            "party_id": str(role.party_id or "").upper(),
            "name": str((role.business_details and role.business_details.name) or ""),
        }
        for role in roles
    ]
    # Both go into routing headers: one that is no code would break every request.
    return [
        role
        for role in read
        if re.fullmatch("[A-Z]{2}", role["country_code"])
        and re.fullmatch("[A-Z0-9]{1,3}", role["party_id"])
    ]


def _write_registration(registration: Registration, *, now: datetime) -> dict[str, object]:
    return {
        # A partner does not lift its own suspension, also one of this very moment.
        "state": Case(
            When(state=Partner.State.SUSPENDED, then=Value(Partner.State.SUSPENDED)),
            default=Value(Partner.State.ACTIVE),
        ),
        "ocpi_version": wire.VERSION,
        "endpoints": make_storable(registration.endpoints),
        "roles": make_storable(registration.roles),
        "raw_token": registration.raw_token,
        "token_out": registration.their_token,
        "registered_at": now,
    }
