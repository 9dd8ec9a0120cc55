"""Outside parties for tests, over real sockets: they do what a test's script says."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ANSWERED_AT = "2026-06-01T12:00:00Z"


@dataclass(frozen=True)
class Seen:
    """A request that came in. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        """The token in the Authorization header, decoded from Base64; "" where it is none."""
        try:
            return base64.b64decode(self.headers["authorization"].removeprefix("Token ")).decode()
        except ValueError:
            return ""


@dataclass(frozen=True)
class Reply:
    """An answer: bytes as they are, anything else as JSON."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Script = Callable[[Seen], Reply | None]


def envelope(data: Any = None, status_code: int = 1000, **more: Any) -> dict[str, Any]:
    """Wrap data as OCPI does."""
    return {"data": data, "status_code": status_code, "timestamp": ANSWERED_AT, **more}


class FakeCpo:
    """A CPO that speaks OCPI 2.2.1 properly, except where a script answers in its place.

    ``scripts`` maps a path to a function that gets the request and returns a Reply, or None to let
    the proper answer stand.
    """

    def __init__(self, *, page_size: int = 50) -> None:
        self.page_size = page_size
        self.token_a = "token-a-of-the-fake"
        self.token_c = "token-c-of-the-fake"
        self.locations: list[Any] = []
        self.tariffs: list[Any] = []
        self.modules = ["credentials", "locations", "tariffs"]
        self.scripts: dict[str, Script] = {}
        self.seen: list[Seen] = []
        self.called_back: list[Any] = []
        self.their_token = ""
        # What its clock shows on every page.
        self.answered_at = ANSWERED_AT
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                fake._answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.versions_url = f"{self.url}/ocpi/versions"
        self.locations_path = "/ocpi/cpo/2.2.1/locations"
        self.tariffs_path = "/ocpi/cpo/2.2.1/tariffs"

    @contextmanager
    def serving(self) -> Iterator[FakeCpo]:
        """Serve until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def list_calls(self, path: str, method: str = "GET") -> list[Seen]:
        """List the requests that came in for a path."""
        return [seen for seen in self.seen if (seen.path, seen.method) == (path, method)]

    def give_page(self, seen: Seen, objects: list[Any], **headers: str) -> Reply:
        """Answer one page of a list, as the specification wants it."""
        since = seen.query.get("date_from", "")
        found = [each for each in objects if not since or each.get("last_updated", "") >= since]
        offset = int(seen.query.get("offset", "0"))
        limit = min(int(seen.query.get("limit", self.page_size)), self.page_size)
        paging = {"X-Total-Count": str(len(found)), "X-Limit": str(self.page_size)}
        if offset + limit < len(found):
            more = f"&date_from={since}" if since else ""
            url = f"{self.url}{seen.path}?offset={offset + limit}&limit={limit}{more}"
            paging["Link"] = f'<{url}>; rel="next"'
        body = envelope(found[offset : offset + limit], timestamp=self.answered_at)
        return Reply(body, headers=paging | headers)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        seen = Seen(
            method=handler.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=handler.rfile.read(length),
        )
        self.seen.append(seen)
        script = self.scripts.get(seen.path)
        reply = (script and script(seen)) or self._answer_properly(seen)
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        try:
            handler.send_response(reply.status)
            for name, value in reply.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            # The client has had enough, which some tests are about.
            handler.close_connection = True

    def _answer_properly(self, seen: Seen) -> Reply:
        if seen.token not in {self.token_a, self.token_c}:
            return Reply(envelope(status_code=2000), status=401)
        answers: dict[str, Callable[[Seen], Reply]] = {
            "/ocpi/versions": self._list_versions,
            "/ocpi/2.2.1": self._show_details,
            "/ocpi/2.2.1/credentials": self._take_credentials,
            self.locations_path: lambda seen: self.give_page(seen, self.locations),
            self.tariffs_path: lambda seen: self.give_page(seen, self.tariffs),
        }
        answer = answers.get(seen.path)
        return answer(seen) if answer else Reply(envelope(status_code=2000), status=404)

    def _list_versions(self, _seen: Seen) -> Reply:
        versions = [
            {"version": "2.1.1", "url": f"{self.url}/ocpi/2.1.1"},
            {"version": "2.2.1", "url": f"{self.url}/ocpi/2.2.1"},
        ]
        return Reply(envelope(versions))

    def _show_details(self, _seen: Seen) -> Reply:
        paths = {
            "credentials": "/ocpi/2.2.1/credentials",
            "locations": self.locations_path,
            "tariffs": self.tariffs_path,
        }
        endpoints = [
            {"identifier": name, "role": "SENDER", "url": f"{self.url}{paths[name]}"}
            for name in self.modules
        ]
        return Reply(envelope({"version": "2.2.1", "endpoints": endpoints}))

    def _take_credentials(self, seen: Seen) -> Reply:
        """Call the other party back before answering, as the specification asks."""
        theirs = json.loads(seen.body)
        self.their_token = theirs["token"]
        versions = self.call_back(theirs["url"])
        details = self.call_back(versions["data"][0]["url"])
        self.called_back = [versions, details]
        return Reply(envelope(self.write_credentials()))

    def write_credentials(self, **changes: Any) -> dict[str, Any]:
        """Write this CPO's Credentials object."""
        role = {
            "role": "CPO",
            "country_code": "NL",
            "party_id": "FAK",
            "business_details": {"name": "Fake Charging"},
        }
        return {"token": self.token_c, "url": self.versions_url, "roles": [role]} | changes

    def call_back(self, url: str) -> Any:
        """GET an address of the other party with the token that it gave."""
        shown = base64.b64encode(self.their_token.encode()).decode()
        request = urllib.request.Request(url, headers={"Authorization": f"Token {shown}"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return json.load(response)
