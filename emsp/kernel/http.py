"""The guarded HTTP client: the only way out of the house.

A peer may be slow, huge, lying or hostile. Each exchange has one deadline for all of it (a peer
that drips a byte a second gains nothing), bounds on the bytes read and on what they unpack to,
and no redirects but a single 307/308 to the same origin on GET, which some OCPI servers use for a
trailing slash.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_HEADER_COUNT = 100
# NAT64 (RFC 6052) and IPv4-compatible addresses (RFC 4291, 2.5.5.1): the last 32 bits are IPv4.
_IPV4_IN_IPV6 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


class HttpFailure(Exception):
    """An exchange failed. ``retryable`` says whether the same request may work later."""

    retryable = True


class AddressRefused(HttpFailure):
    """The address is malformed or points where partners' addresses may not."""

    retryable = False


class DeadlineExceeded(HttpFailure):
    """The peer did not finish in time."""


class PeerUnreachable(HttpFailure):
    """No connection, or it broke."""


class ResponseTooLarge(HttpFailure):
    """The answer is larger than we are willing to read."""

    retryable = False


class ResponseUnreadable(HttpFailure):
    """The answer is not what its headers say, or is not JSON."""


class RedirectRefused(HttpFailure):
    """The peer redirects where we do not follow."""

    retryable = False


@dataclass(frozen=True)
class HttpResponse:
    """A whole answer, read and unpacked within the bounds."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str

    def read_json(self) -> Any:
        """Parse the body.

        Raises
        ------
        ResponseUnreadable
            The body is not UTF-8 JSON, or is nested too deeply to be honest.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            message = f"the answer of HTTP {self.status} is not JSON: {type(error).__name__}"
            raise ResponseUnreadable(message) from error


class GuardedClient:
    """A client for one conversation; connections are kept between its requests.

    Use as a context manager, from one thread, where no event loop runs (Django's synchronous
    views and Celery's workers).
    """

    def __init__(
        self,
        *,
        deadline_s: float = 30.0,
        max_body_bytes: int = MAX_BODY_BYTES,
        allow_private: bool | None = None,
    ) -> None:
        self.deadline_s = deadline_s
        self.max_body_bytes = max_body_bytes
        self.allow_private = (
            settings.ALLOW_PRIVATE_ADDRESSES if allow_private is None else allow_private
        )

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        self._runner.get_loop().set_default_executor(_UnwaitedExecutor())
        self._client = httpx.AsyncClient(
            transport=_Transport(allow_private=self.allow_private),
            follow_redirects=False,
            trust_env=False,
            timeout=self.deadline_s,
            headers={"Accept-Encoding": "gzip", "User-Agent": "Voltway"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._runner.run(self._client.aclose())
        finally:
            self._runner.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json_body: object | None = None,
    ) -> HttpResponse:
        """Make one exchange; any HTTP status is an answer, everything else raises.

        Raises
        ------
        HttpFailure
            One of this module's facts; its message names the host, never headers or query.
        """
        content = None if json_body is None else json.dumps(json_body).encode()
        sent = dict(headers or {})
        if content is not None:
            sent["Content-Type"] = "application/json"
        return self._runner.run(self._exchange(method, url, sent, content))

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None
    ) -> HttpResponse:
        host = name_host(url)
        try:
            async with asyncio.timeout(self.deadline_s):
                response = await self._follow_once(method, url, headers, content)
        except TimeoutError:
            message = f"{host} did not answer completely within {self.deadline_s:g} s"
            raise DeadlineExceeded(message) from None
        except httpx.TimeoutException:
            message = f"{host} did not answer within {self.deadline_s:g} s"
            raise DeadlineExceeded(message) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
            message = f"{host} is not an address that we can call"
            raise AddressRefused(message) from error
        except (httpx.TransportError, ssl.SSLError, OSError) as error:
            message = f"{host} cannot be reached ({type(error).__name__})"
            raise PeerUnreachable(message) from error
        return response

    async def _follow_once(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None
    ) -> HttpResponse:
        response = await self._fetch(method, url, headers, content)
        if not 300 <= response.status < 400 or response.status == 304:
            return response
        target = str(httpx.URL(url).join(response.headers.get("location", "")))
        host = name_host(url)
        if method != "GET" or response.status not in {307, 308}:
            message = f"{host} redirects a {method} with {response.status}; we do not follow"
            raise RedirectRefused(message)
        if find_origin(target) != find_origin(url):
            message = f"{host} redirects to another origin; we do not follow"
            raise RedirectRefused(message)
        second = await self._fetch(method, target, headers, content)
        if 300 <= second.status < 400 and second.status != 304:
            message = f"{host} redirects more than once; we do not follow"
            raise RedirectRefused(message)
        return second

    async def _fetch(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None
    ) -> HttpResponse:
        _check_form(url)
        async with self._client.stream(method, url, headers=headers, content=content) as response:
            if len(response.headers) > MAX_HEADER_COUNT:
                message = f"{name_host(url)} sends more than {MAX_HEADER_COUNT} headers"
                raise ResponseTooLarge(message)
            body = await self._read_body(response, host=name_host(url))
            return HttpResponse(response.status_code, response.headers, body, url)

    async def _read_body(self, response: httpx.Response, *, host: str) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity", "gzip"}:
            message = f"{host} answers in encoding {encoding[:20]!r}, which we did not ask for"
            raise ResponseUnreadable(message)
        unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
        body = bytearray()
        read_bytes = 0
        async for chunk in response.aiter_raw():
            read_bytes += len(chunk)
            room = self.max_body_bytes + 1 - len(body)
            try:
                # max_length bounds the memory: a gzip bomb unpacks a thousandfold.
                body += unpack.decompress(chunk, room) if unpack else chunk
            except zlib.error as error:
                message = f"{host} sends broken gzip"
                raise ResponseUnreadable(message) from error
            if max(read_bytes, len(body)) > self.max_body_bytes:
                message = f"{host} sends more than {self.max_body_bytes} bytes"
                raise ResponseTooLarge(message)
            if unpack is not None and unpack.unused_data:
                message = f"{host} sends more after the end of its gzip"
                raise ResponseUnreadable(message)
        if unpack is not None and read_bytes and not unpack.eof:
            message = f"{host} sends gzip that ends early"
            raise ResponseUnreadable(message)
        return bytes(body)


class _UnwaitedExecutor(ThreadPoolExecutor):
    """Looks names up without being waited for: a hanging resolver would outlast the deadline."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=True)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own transport, whose connections are checked where they are made."""

    def __init__(self, *, allow_private: bool) -> None:
        super().__init__(trust_env=False)
        if not allow_private:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=httpx.create_ssl_context(trust_env=False),
                network_backend=_PublicOnlyBackend(),
            )


class _PublicOnlyBackend(httpcore.AnyIOBackend):
    """Connects to public addresses only.

    It looks a name up once and connects to what it has checked. Checked beforehand, the name could
    lead elsewhere by the time of the connection (DNS rebinding).
    """

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = PeerUnreachable(f"{host} has no address")
        for address in await _find_public_addresses(host, port):
            try:
                return await super().connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


async def _find_public_addresses(host: str, port: int) -> list[str]:
    """Look a host up; one private address among its addresses refuses it."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        message = f"{host} cannot be found"
        raise PeerUnreachable(message) from error
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        if not is_public(address):
            message = f"{host} lies in a private network; partners' servers may not"
            raise AddressRefused(message)
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet, also where IPv6 wraps an IPv4 one.

    >>> is_public("93.184.216.34"), is_public("10.0.0.1"), is_public("64:ff9b::7f00:1")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    if ip.is_site_local:
        return False
    wrapped = ip.ipv4_mapped or ip.sixtofour
    if wrapped is None and any(ip in network for network in _IPV4_IN_IPV6):
        wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return wrapped is None or is_public(str(wrapped))


def _check_form(url: str) -> None:
    parts = urlsplit(url)
    # Reading the port raises ValueError where it is no port.
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        message = f"{name_host(url)}: an http or https address is needed"
        raise AddressRefused(message)


def name_host(url: str) -> str:
    """Return the host and port of an address for messages: no path, query or credentials.

    >>> name_host("https://user:secret@cpo.example:8443/ocpi?token=1")
    'cpo.example:8443'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "an unreadable address"
    host = parts.hostname or "an address without host"
    return f"{host}:{port}" if port else host


def find_origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, with the scheme's own port filled in.

    >>> find_origin("https://cpo.example/a") == find_origin("https://CPO.example:443/b")
    True
    """
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default
