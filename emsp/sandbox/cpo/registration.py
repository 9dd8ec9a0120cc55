"""The handshake: TOKEN_A in, a call back to the eMSP, TOKEN_C out; rotation and farewell."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emsp.sandbox.cpo.protocol import (
    CLIENT_ERROR,
    ENDPOINTS_MISSING,
    INVALID_PARAMETERS,
    UNSUPPORTED_VERSION,
    Party,
    Refused,
)
from emsp.sandbox.cpo.store import Registration, Store

VERSION = "2.2.1"
TOKEN_WIDTH = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a registered platform, or the bearer of TOKEN_A."""

    token: str
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class TheirApi:
    """What the other platform told about itself in its credentials."""

    token: str
    url: str
    roles: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ourselves:
    """What this CPO tells about itself."""

    versions_url: str
    roles: Mapping[Party, str]  # party -> name
    token_file: Path | None

    def credentials(self, token: str) -> dict[str, Any]:
        """Write our Credentials object around the token the other party shall show us."""
        roles = [
            {
                "role": "CPO",
                "party_id": party.party_id,
                "country_code": party.country_code,
                "business_details": {"name": name},
            }
            for party, name in self.roles.items()
        ]
        return {"token": token, "url": self.versions_url, "roles": roles}


def identify(store: Store, tokens: list[str]) -> Caller | None:
    """Find out who shows this token, read as Base64 or raw; None for a stranger."""
    for token in tokens:
        registration = store.registration_of(token)
        if registration is not None or store.is_invited(token):
            return Caller(token, registration)
    return None


async def register(store: Store, ourselves: Ourselves, caller: Caller, body: Any) -> dict[str, Any]:
    """Answer POST credentials: call back, then trade TOKEN_A for TOKEN_C.

    Raises: Refused with 405 when registered, 2001, 3001, 3002 or 3003.
    Source: OCPI 2.2.1, credentials, POST method.
    """
    if caller.registration is not None:
        raise Refused(405, CLIENT_ERROR, "you are registered already: use PUT")
    theirs = read_credentials(body)
    endpoints = await fetch_endpoints(theirs)
    token_c = new_token()
    with store.transaction():
        # Two handshakes may have called back side by side: the first to arrive here wins.
        if not store.spend_invitation(caller.token):
            raise Refused(401, CLIENT_ERROR, "this token was used up by another handshake")
        forget_former(store, theirs)
        store.add_registration(
            our_token=token_c,
            their_token=theirs.token,
            their_url=theirs.url,
            roles=theirs.roles,
            endpoints=endpoints,
        )
    return ourselves.credentials(token_c)


async def renew(store: Store, ourselves: Ourselves, caller: Caller, body: Any) -> dict[str, Any]:
    """Answer PUT credentials: fetch the endpoints again and rotate the token.

    Raises: Refused with 405 when not registered, 2001, 3001, 3002 or 3003.
    Source: OCPI 2.2.1, credentials, PUT method.
    """
    if caller.registration is None:
        raise Refused(405, CLIENT_ERROR, "you are not registered yet: use POST")
    theirs = read_credentials(body)
    endpoints = await fetch_endpoints(theirs)
    token_c = new_token()
    renewed = store.renew_registration(
        caller.token,
        our_token=token_c,
        their_token=theirs.token,
        their_url=theirs.url,
        roles=theirs.roles,
        endpoints=endpoints,
    )
    if not renewed:
        raise Refused(401, CLIENT_ERROR, "this token was replaced by another request")
    return ourselves.credentials(token_c)


def unregister(store: Store, ourselves: Ourselves, caller: Caller) -> None:
    """Answer DELETE credentials: forget the platform; a token file gets a fresh TOKEN_A.

    Raises: Refused with 405 when not registered.
    Source: OCPI 2.2.1, credentials, DELETE method.
    """
    if caller.registration is None:
        raise Refused(405, CLIENT_ERROR, "you are not registered")
    store.drop_registration(caller.registration.number)
    if ourselves.token_file is not None:
        store.invite(write_token_file(ourselves.token_file))


def new_token() -> str:
    """Make a credentials token."""
    return secrets.token_urlsafe(32)


def write_token_file(path: Path) -> str:
    """Write a fresh TOKEN_A into a file only its owner can read, and give it."""
    token = new_token()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(token + "\n", encoding="ascii")
    return token


def read_credentials(body: Any) -> TheirApi:
    """Check a Credentials object.

    Raises: Refused with 2001, naming the field.
    """
    if not isinstance(body, dict):
        raise Refused(200, INVALID_PARAMETERS, "the body is no Credentials object")
    token, url, roles = body.get("token"), body.get("url"), body.get("roles")
    if not is_token(token):
        raise _invalid("token: 1 to 64 printable ASCII characters without blanks")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or len(url) > 255:
        raise _invalid("url: an address of at most 255 characters")
    if not isinstance(roles, list) or not roles or not all(_is_role(role) for role in roles):
        raise _invalid("roles: at least one, each with role, party_id, country_code and a name")
    return TheirApi(token=str(token), url=url, roles=json.dumps(roles, ensure_ascii=False))


def is_token(token: Any) -> bool:
    """Say whether this may be a credentials token.

    Source: OCPI 2.2.1, credentials, Credentials object.
    """
    return (
        isinstance(token, str)
        and 1 <= len(token) <= TOKEN_WIDTH
        and all("\u0021" <= letter <= "\u007e" for letter in token)
    )


async def fetch_endpoints(theirs: TheirApi) -> str:
    """Call the other platform's versions and details with the token it gave; give its endpoints.

    Raises: Refused with 3001 when it cannot be used, 3002 without a common version, 3003
    without a credentials endpoint.
    """
    # Imported late: httpx takes half a second at the start where its command line is installed.
    from emsp.sandbox.cpo.calls import get_data

    versions = await get_data(theirs.url, theirs.token)
    details_url = _pick(versions, "version", VERSION, "url")
    if details_url is None:
        raise Refused(200, UNSUPPORTED_VERSION, f"your versions do not list {VERSION}")
    details = await get_data(details_url, theirs.token)
    endpoints = details.get("endpoints") if isinstance(details, dict) else None
    found = json.dumps(endpoints, ensure_ascii=False)
    credentials_endpoint(found)
    return found


def credentials_endpoint(endpoints: str) -> str:
    """Pick the credentials endpoint of a platform; its interface role means nothing.

    Raises: Refused with 3003 when there is none.
    """
    url = _pick(json.loads(endpoints), "identifier", "credentials", "url")
    if url is None:
        raise Refused(200, ENDPOINTS_MISSING, "your version details name no credentials endpoint")
    return url


def _pick(rows: Any, key: str, value: str, wanted: str) -> str | None:
    if not isinstance(rows, list):
        return None
    for row in rows:
        if isinstance(row, dict) and row.get(key) == value and isinstance(row.get(wanted), str):
            return str(row[wanted])
    return None


def _is_role(role: Any) -> bool:
    if not isinstance(role, dict):
        return False
    checks: list[tuple[str, Callable[[str], bool]]] = [
        ("role", bool),
        ("party_id", lambda text: 1 <= len(text) <= 3),
        ("country_code", lambda text: len(text) == 2),
    ]
    if not all(isinstance(role.get(key), str) and fits(role[key]) for key, fits in checks):
        return False
    details = role.get("business_details")
    return isinstance(details, dict) and isinstance(details.get("name"), str)


def _invalid(what: str) -> Refused:
    return Refused(200, INVALID_PARAMETERS, f"invalid or missing {what}")


def forget_former(store: Store, theirs: TheirApi) -> None:
    """Drop an older registration of the same platform: it came back with a new invitation."""
    parties = _parties(theirs.roles)
    for former in store.registrations():
        if parties & _parties(former.roles):
            store.drop_registration(former.number)


def _parties(roles: str) -> set[tuple[str, str, str]]:
    return {
        (role["role"], role["country_code"].upper(), role["party_id"].upper())
        for role in json.loads(roles)
    }
