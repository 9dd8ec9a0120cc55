"""The handshake the other way round: this CPO registers at an eMSP that handed out a TOKEN_A."""

import uuid
from typing import Any

import httpx

from emsp.sandbox.cpo.protocol import CLIENT_API_UNUSABLE, Refused, token_header
from emsp.sandbox.cpo.registration import (
    CALL_TIMEOUT_S,
    Ourselves,
    TheirApi,
    credentials_endpoint,
    fetch_endpoints,
    forget_former,
    is_success,
    new_token,
    read_credentials,
)
from emsp.sandbox.cpo.store import Store


async def introduce(store: Store, ourselves: Ourselves, *, versions_url: str, token_a: str) -> bool:
    """Register at an eMSP unless that was done before; say whether it was done now.

    Raises: Refused when the eMSP cannot be used or does not accept.
    Source: OCPI 2.2.1, credentials, Registration.
    """
    if any(known.their_url == versions_url for known in store.registrations()):
        return False
    endpoints = await fetch_endpoints(TheirApi(token=token_a, url=versions_url, roles="[]"))
    token_b = new_token()
    # The eMSP calls back with this token while our POST is still open.
    store.invite(token_b)
    try:
        answered = await _post(
            credentials_endpoint(endpoints), token_a, ourselves.credentials(token_b)
        )
        theirs = read_credentials(answered)
    finally:
        store.spend_invitation(token_b)
    with store.transaction():
        forget_former(store, theirs)
        store.add_registration(
            our_token=token_b,
            their_token=theirs.token,
            their_url=versions_url,
            roles=theirs.roles,
            endpoints=endpoints,
        )
    return True


async def _post(url: str, token: str, credentials: dict[str, Any]) -> Any:
    headers = {
        "Authorization": token_header(token),
        "X-Request-ID": str(uuid.uuid4()),
        "X-Correlation-ID": str(uuid.uuid4()),
    }
    try:
        async with httpx.AsyncClient(timeout=3 * CALL_TIMEOUT_S, trust_env=False) as client:
            response = await client.post(url, headers=headers, json=credentials)
        envelope = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        sentence = f"the credentials endpoint {url} cannot be used: {type(error).__name__}"
        raise Refused(200, CLIENT_API_UNUSABLE, sentence) from error
    if not isinstance(envelope, dict) or not is_success(envelope.get("status_code")):
        status = envelope.get("status_code") if isinstance(envelope, dict) else None
        sentence = f"{url} answered HTTP {response.status_code}, status code {status}"
        raise Refused(200, CLIENT_API_UNUSABLE, sentence)
    return envelope.get("data")
