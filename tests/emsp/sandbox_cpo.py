"""What the tests of the sandbox CPO share: the real process, a client, a tiny eMSP."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_S = 30.0
TOKEN_A = "invitation-of-the-tests"
# Loaded once: httpx takes 40 ms for it at each new client.
TRUST = httpx.create_ssl_context(trust_env=False)


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Say whether somebody accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def token_header(token: str) -> dict[str, str]:
    """Write the Authorization header."""
    return {"Authorization": "Token " + base64.b64encode(token.encode()).decode()}


def client_with(token: str) -> httpx.Client:
    """Give a client that shows this token."""
    return httpx.Client(headers=token_header(token), verify=TRUST, trust_env=False)


def call(method: str, url: str, **options: Any) -> httpx.Response:
    """Send one request without any token but what the options hold."""
    with httpx.Client(verify=TRUST, trust_env=False) as client:
        return client.request(method, url, **options)


def command(*args: str | Path) -> list[str]:
    """Write the command line of the sandbox CPO."""
    return [sys.executable, "-m", "emsp.sandbox.cpo", *map(str, args)]


class Cpo:
    """A running sandbox CPO."""

    def __init__(self, process: subprocess.Popen[str], port: int, lines: list[str]) -> None:
        self.process = process
        self.port = port
        self.lines = lines
        self.url = f"http://127.0.0.1:{port}"
        self.versions = f"{self.url}/ocpi/versions"
        self.credentials = f"{self.url}/ocpi/2.2.1/credentials"
        self.locations = f"{self.url}/ocpi/cpo/2.2.1/locations"
        self.tariffs = f"{self.url}/ocpi/cpo/2.2.1/tariffs"


@contextmanager
def running_cpo(
    folder: Path, *args: str | Path, port: int | None = None, token_a: str | None = TOKEN_A
) -> Iterator[Cpo]:
    """Start the real process, wait for its ready line, end it."""
    port = port or free_port()
    token = ["--token-a", token_a] if token_a else []
    database = folder / "cpo.sqlite3"
    with subprocess.Popen(
        command("--port", str(port), "--database", database, *token, *args),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        # A process that never gets ready must not hold the tests up.
        watchdog = threading.Timer(READY_WITHIN_S, process.kill)
        watchdog.start()
        try:
            lines = _lines_until_ready(process)
            watchdog.cancel()
            yield Cpo(process, port, lines)
        finally:
            watchdog.cancel()
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()


def _lines_until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("sandbox CPO ready: "):
            return lines
    raise AssertionError(f"the sandbox CPO did not get ready: {lines}")


class Emsp:
    """A tiny eMSP over a real socket: versions, details, credentials; it can be made to fail."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = "token-b-of-the-stub"
        self.versions: list[dict[str, str]] = [
            {"version": "2.2.1", "url": f"{self.url}/ocpi/2.2.1"},
            {"version": "2.3.0", "url": f"{self.url}/ocpi/2.3.0"},
        ]
        self.modules = ["credentials", "locations", "tokens"]
        self.http_status = 200
        self.status_code = 1000
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.posted: dict[str, Any] | None = None
        self.called_back: list[dict[str, Any]] = []

    def credentials(self, **changes: Any) -> dict[str, Any]:
        """Write the eMSP's Credentials object."""
        role = {
            "role": "EMSP",
            "country_code": "DE",
            "party_id": "VOL",
            "business_details": {"name": "Test eMSP"},
        }
        return {"token": self.token, "url": f"{self.url}/versions", "roles": [role]} | changes

    async def answer_versions(self, request: Request) -> Response:
        """Answer GET versions."""
        return self._answer(request, self.versions)

    async def answer_details(self, request: Request) -> Response:
        """Answer GET version details."""
        endpoints = [
            {"identifier": name, "role": "RECEIVER", "url": f"{self.url}/ocpi/2.2.1/{name}"}
            for name in self.modules
        ]
        return self._answer(request, {"version": "2.2.1", "endpoints": endpoints})

    async def accept_credentials(self, request: Request) -> Response:
        """Answer POST credentials after calling the CPO back, as the specification asks."""
        self.posted = json.loads(await request.body())
        assert self.posted is not None
        headers = token_header(self.posted["token"])
        async with httpx.AsyncClient(verify=TRUST, trust_env=False) as client:
            listed = await client.get(self.posted["url"], headers=headers)
            details = await client.get(listed.json()["data"][0]["url"], headers=headers)
            self.called_back = [listed.json(), details.json()]
        return self._answer(request, self.credentials(token="token-c-of-the-stub"))

    def _answer(self, request: Request, data: Any) -> Response:
        self.seen.append((request.method, request.url.path, dict(request.headers)))
        envelope = {
            "data": data,
            "status_code": self.status_code,
            "timestamp": "2026-01-01T00:00:00Z",
        }
        return JSONResponse(envelope, status_code=self.http_status)


@contextmanager
def running_emsp() -> Iterator[Emsp]:
    """Serve a tiny eMSP from a thread."""
    emsp = Emsp()
    app = Starlette(
        routes=[
            Route("/versions", emsp.answer_versions),
            Route("/ocpi/2.2.1", emsp.answer_details),
            Route("/ocpi/2.2.1/credentials", emsp.accept_credentials, methods=["POST"]),
        ]
    )
    server = Server(
        app,
        port=emsp.port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    wait_until(lambda: is_listening(emsp.port))
    try:
        yield emsp
    finally:
        loops[0].call_soon_threadsafe(server.stop)
        thread.join(timeout=5)


def wait_until(holds: Any, *, within_s: float = 15.0) -> None:
    """Wait for a condition, at most so long."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come to hold"
        time.sleep(0.02)


def registered_token(cpo: Cpo, emsp: Emsp, *, token_a: str = TOKEN_A) -> str:
    """Go through the handshake and give TOKEN_C."""
    response = call("POST", cpo.credentials, headers=token_header(token_a), json=emsp.credentials())
    assert response.json()["status_code"] == 1000, response.text
    return str(response.json()["data"]["token"])


def registered_client(cpo: Cpo, emsp: Emsp, *, token_a: str = TOKEN_A) -> httpx.Client:
    """Go through the handshake and give a client that shows TOKEN_C."""
    return client_with(registered_token(cpo, emsp, token_a=token_a))


def all_pages(client: httpx.Client, url: str, **query: str) -> list[httpx.Response]:
    """Follow the Link header from the first page to the last."""
    pages = [client.get(url, params=query)]
    while "next" in pages[-1].links:
        pages.append(client.get(pages[-1].links["next"]["url"]))
        assert len(pages) < 1000
    return pages


def data_of(pages: list[httpx.Response]) -> list[dict[str, Any]]:
    """Put the pages' objects together."""
    return [found for page in pages for found in page.json()["data"]]
