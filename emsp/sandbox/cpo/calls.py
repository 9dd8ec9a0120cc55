"""Calls to other platforms: one GET or POST, the envelope checked, its data given."""

import ssl
import uuid
from functools import cache
from typing import Any

import httpx

from emsp.sandbox.cpo.protocol import CLIENT_API_UNUSABLE, Refused, token_header

CALL_TIMEOUT_S = 10.0
# Their POST stays open while they call us back.
POST_TIMEOUT_S = 30.0


async def get_data(url: str, token: str) -> Any:
    """Fetch what a platform answers to GET.

    Raises: Refused with 3001 when it cannot be reached or does not answer success.
    """
    return await _call("GET", url, token, body=None, timeout_s=CALL_TIMEOUT_S)


async def post_data(url: str, token: str, body: dict[str, Any]) -> Any:
    """Send an object by POST and give what the platform answers.

    Raises: Refused with 3001 when it cannot be reached or does not answer success.
    """
    return await _call("POST", url, token, body=body, timeout_s=POST_TIMEOUT_S)


async def _call(method: str, url: str, token: str, *, body: Any, timeout_s: float) -> Any:
    headers = {
        "Authorization": token_header(token),
        "X-Request-ID": str(uuid.uuid4()),
        "X-Correlation-ID": str(uuid.uuid4()),
    }
    try:
        async with httpx.AsyncClient(timeout=timeout_s, verify=_trust(), trust_env=False) as client:
            response = await client.request(method, url, headers=headers, json=body)
        envelope = response.json() if response.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        sentence = f"the API at {url} cannot be used: {type(error).__name__}"
        raise Refused(200, CLIENT_API_UNUSABLE, sentence) from error
    if not isinstance(envelope, dict) or not _is_success(envelope.get("status_code")):
        code = envelope.get("status_code") if isinstance(envelope, dict) else "none"
        sentence = f"{url} answered HTTP {response.status_code}, OCPI status code {code}"
        raise Refused(200, CLIENT_API_UNUSABLE, sentence)
    return envelope.get("data")


@cache
def _trust() -> ssl.SSLContext:
    """Load the certificate authorities once: that takes 40 ms."""
    return httpx.create_ssl_context(trust_env=False)


def _is_success(status_code: Any) -> bool:
    return isinstance(status_code, int) and 1000 <= status_code < 2000
