"""The handshake the other way round: this CPO registers at an eMSP that handed out a TOKEN_A."""

from emsp.sandbox.cpo.calls import post_data
from emsp.sandbox.cpo.registration import (
    Ourselves,
    TheirApi,
    credentials_endpoint,
    fetch_endpoints,
    forget_former,
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
        answered = await post_data(
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
