"""The guarded client against peers that are slow, huge, lying or hostile."""

from __future__ import annotations

import gzip
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from emsp.kernel.http import (
    AddressRefused,
    DeadlineExceeded,
    GuardedClient,
    HttpFailure,
    HttpResponse,
    PeerUnreachable,
    RedirectRefused,
    ResponseTooLarge,
    ResponseUnreadable,
    is_public,
)

DEADLINE_S = 0.6
MAX_BYTES = 100_000
OK = b"HTTP/1.1 200 OK\r\n"

Answer = Callable[[socket.socket], None]


class Peer:
    """A server that answers each request by the next of its answers (the last one again)."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.answers: list[Answer] = []
        peer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                peer.connections += 1
                with suppress(OSError):
                    while request := read_request(self.request):
                        peer.requests.append(request)
                        number = min(len(peer.requests), len(peer.answers)) - 1
                        peer.answers[number](self.request)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def port(self) -> int:
        port: int = self.server.server_address[1]
        return port

    def url(self, path: str = "/") -> str:
        return f"http://user:secret@127.0.0.1:{self.port}{path}?token=secret"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def read_request(connection: socket.socket) -> bytes:
    """Read a request with its body; nothing at the end of the connection."""
    request = b""
    while b"\r\n\r\n" not in request:
        received = connection.recv(65_536)
        if not received:
            return b""
        request += received
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def send(content: bytes) -> Answer:
    """Answer with these bytes, to the letter."""
    return lambda connection: connection.sendall(content)


def send_and_close(content: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def send_body(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return send("\r\n".join(lines).encode() + body)


def drip(start: bytes, drop: bytes, *, pause_s: float = 0.02) -> Answer:
    """Begin an answer, and never end it."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(pause_s)

    return answer


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


def request(
    peer: Peer, *answers: Answer, method: str = "GET", deadline_s: float = 10.0
) -> HttpResponse:
    peer.answers = list(answers)
    with GuardedClient(
        deadline_s=deadline_s, max_body_bytes=MAX_BYTES, allow_private=True
    ) as client:
        return client.request(method, peer.url("/ocpi"))


class TestRequest:
    def test_gives_any_status_as_an_answer(self, peer: Peer) -> None:
        answer = request(peer, send_body(b'{"a": 1}', "X-Total-Count: 7", status="404 Not Found"))
        assert (answer.status, answer.headers["x-total-count"]) == (404, "7")
        assert answer.read_json() == {"a": 1}

    def test_sends_json_and_headers_and_keeps_the_connection(self, peer: Peer) -> None:
        peer.answers = [send_body(b"{}")]
        with GuardedClient(allow_private=True) as client:
            client.request("POST", peer.url("/a"), json_body={"x": "é"}, headers={"X-Id": "7"})
            client.request("PUT", peer.url("/b"), json_body=[])
        post, put = peer.requests
        assert post.startswith(b"POST /a?token=secret HTTP/1.1\r\n")
        assert b"\r\nX-Id: 7\r\n" in post
        assert b"\r\nContent-Type: application/json\r\n" in post
        assert post.endswith(b'\r\n\r\n{"x": "\\u00e9"}')
        assert put.endswith(b"\r\n\r\n[]")
        assert peer.connections == 1

    def test_unpacks_gzip(self, peer: Peer) -> None:
        packed = gzip.compress(b'{"a": 1}')
        assert request(peer, send_body(packed, "Content-Encoding: gzip")).read_json() == {"a": 1}

    def test_takes_gzip_without_content_for_no_content(self, peer: Peer) -> None:
        assert request(peer, send_body(b"", "Content-Encoding: gzip")).body == b""

    def test_reads_as_much_as_it_may(self, peer: Peer) -> None:
        assert len(request(peer, send_body(b"x" * MAX_BYTES)).body) == MAX_BYTES


class TestDeadline:
    @pytest.mark.parametrize(
        "answer",
        [
            drip(b"", b""),
            drip(OK, b"X-Slow: 1\r\n"),
            drip(OK + b"Content-Length: 90000\r\n\r\n", b" "),
            drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
            drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ],
        ids=["silence", "headers", "body", "chunks", "interim answers"],
    )
    def test_holds_for_the_whole_exchange(self, peer: Peer, answer: Answer) -> None:
        begun_at_s = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"within 0\.6 s") as failed:
            request(peer, answer, deadline_s=DEADLINE_S)
        assert time.monotonic() - begun_at_s < DEADLINE_S + 2
        assert failed.value.retryable
        assert "secret" not in str(failed.value)

    def test_is_shared_by_a_redirect_and_what_follows(self, peer: Peer) -> None:
        begun_at_s = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            request(
                peer,
                send_body(b"", "Location: /ocpi/", status="307 Temporary Redirect"),
                drip(OK, b"X-Slow: 1\r\n"),
                deadline_s=DEADLINE_S,
            )
        assert time.monotonic() - begun_at_s < DEADLINE_S + 2
        assert len(peer.requests) == 2


class TestBounds:
    @pytest.mark.parametrize(
        "answer",
        [
            send_body(b"x" * (MAX_BYTES + 1)),
            drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"x" * 10_000 + b"\r\n"),
            send_body(gzip.compress(bytes(50_000_000), 9), "Content-Encoding: gzip"),
            drip(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(bytes(50_000_000))[:20_000]),
            send_body(b"{}", *(f"X-Header-{number}: 1" for number in range(101))),
        ],
        ids=["length", "endless chunks", "gzip bomb", "endless gzip", "headers"],
    )
    def test_end_the_reading(self, peer: Peer, answer: Answer) -> None:
        with pytest.raises(ResponseTooLarge) as failed:
            request(peer, answer)
        assert not failed.value.retryable
        assert "secret" not in str(failed.value)

    def test_hold_for_what_follows_the_end_of_gzip(self, peer: Peer) -> None:
        packed = OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")
        with pytest.raises(ResponseUnreadable, match="after the end of its gzip"):
            request(peer, drip(packed, b"x" * 10_000))

    def test_hold_for_the_size_of_headers(self, peer: Peer) -> None:
        with pytest.raises(PeerUnreachable, match="RemoteProtocolError"):
            request(peer, drip(OK, b"X-Long: " + b"x" * 10_000 + b"\r\n"))


class TestGarbage:
    @pytest.mark.parametrize(
        "answer",
        [
            send_and_close(b""),
            send_and_close(b"SSH-2.0-OpenSSH_9.2\r\n"),
            send_and_close(OK + b"Content-Length: 10\r\n\r\n{}"),
            send_and_close(OK + b"Content-Length: -1\r\n\r\n{}"),
            send_and_close(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            send_and_close(b"HTTP/1.1 99999 Odd\r\n\r\n"),
        ],
        ids=["nothing", "no HTTP", "short body", "negative length", "no chunks", "odd status"],
    )
    def test_on_the_wire_is_a_broken_connection(self, peer: Peer, answer: Answer) -> None:
        with pytest.raises(PeerUnreachable, match="cannot be reached") as failed:
            request(peer, answer)
        assert failed.value.retryable
        assert "secret" not in str(failed.value)

    @pytest.mark.parametrize(
        ("answer", "problem"),
        [
            (send_body(b"no gzip", "Content-Encoding: gzip"), "sends broken gzip"),
            (send_body(gzip.compress(b"{}" * 99)[:-4], "Content-Encoding: gzip"), "ends early"),
            (send_body(gzip.compress(b"")[:8], "Content-Encoding: gzip"), "ends early"),
            (send_body(b"{}", "Content-Encoding: br"), "answers in encoding 'br'"),
            (send_body(b"{}", "Content-Encoding: gzip, gzip"), "answers in encoding 'gzip, gzip'"),
        ],
    )
    def test_in_the_packing_is_named(self, peer: Peer, answer: Answer, problem: str) -> None:
        with pytest.raises(ResponseUnreadable, match=problem):
            request(peer, answer)

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"{", b'"\xff"', b"[" * 50_000, b"1" * 5_000], ids=range(6)
    )
    def test_in_the_body_is_not_json(self, peer: Peer, body: bytes) -> None:
        answer = request(peer, send_body(body))
        with pytest.raises(ResponseUnreadable, match="the answer of HTTP 200 is not JSON"):
            answer.read_json()


class TestRedirects:
    @pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
    def test_to_the_same_origin_are_followed_once(self, peer: Peer, status: str) -> None:
        moved = send_body(b"", "Location: /ocpi/versions/?page=2", status=status)
        assert request(peer, moved, send_body(b"[1]")).read_json() == [1]
        assert peer.requests[1].startswith(b"GET /ocpi/versions/?page=2 HTTP/1.1\r\n")

    @pytest.mark.parametrize(
        ("method", "status", "location"),
        [
            ("GET", "301 Moved Permanently", "/ocpi/"),
            ("GET", "302 Found", "/ocpi/"),
            ("GET", "303 See Other", "/ocpi/"),
            ("GET", "300 Multiple Choices", "/ocpi/"),
            ("POST", "307 Temporary Redirect", "/ocpi/"),
            ("PUT", "308 Permanent Redirect", "/ocpi/"),
            ("GET", "307 Temporary Redirect", "http://127.0.0.1:1/ocpi/"),
            ("GET", "307 Temporary Redirect", "http://localhost/ocpi/"),
            ("GET", "307 Temporary Redirect", "https://127.0.0.1/ocpi/"),
            ("GET", "307 Temporary Redirect", "//metadata.example/"),
            ("GET", "307 Temporary Redirect", "file:///etc/passwd"),
        ],
    )
    def test_elsewhere_are_refused(
        self, peer: Peer, method: str, status: str, location: str
    ) -> None:
        moved = send_body(b"", f"Location: {location}", status=status)
        with pytest.raises(RedirectRefused, match="we do not follow") as failed:
            request(peer, moved, method=method)
        assert len(peer.requests) == 1
        assert not failed.value.retryable
        assert "secret" not in str(failed.value)

    def test_in_a_row_are_refused(self, peer: Peer) -> None:
        moved = send_body(b"", "Location: /ocpi/", status="307 Temporary Redirect")
        with pytest.raises(RedirectRefused, match="redirects more than once"):
            request(peer, moved)
        assert len(peer.requests) == 2

    @pytest.mark.parametrize("location", ["http://[::1", "http://host:99999/", "http://a b/"])
    def test_to_nowhere_are_refused(self, peer: Peer, location: str) -> None:
        moved = send_body(b"", f"Location: {location}", status="307 Temporary Redirect")
        with pytest.raises(HttpFailure):
            request(peer, moved)
        assert len(peer.requests) == 1

    def test_are_not_what_304_is(self, peer: Peer) -> None:
        assert request(peer, send(b"HTTP/1.1 304 Not Modified\r\n\r\n")).status == 304


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "ftp://cpo.example/",
            "cpo.example/ocpi",
            "http://",
            "",
            "http://[::1",
            "http://cpo.example:99999/",
            "http://cpo.example:port/",
            "http://cpo.example:0/",
            "http://cpo\x00.example/",
            "http://cpo.example/\r\nX-Evil: 1",
            "http://" + "a" * 70_000,
        ],
    )
    @pytest.mark.parametrize("allow_private", [False, True])
    def test_must_be_well_formed(self, url: str, allow_private: bool) -> None:
        with (
            GuardedClient(allow_private=allow_private) as client,
            pytest.raises(AddressRefused) as failed,
        ):
            client.request("GET", url)
        assert not failed.value.retryable

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",  # noqa: S104 - an address to refuse
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "[fd00::1]",
            "[fe80::1]",
            "2130706433",
            "0x7f.1",
        ],
    )
    def test_in_private_networks_are_refused(self, peer: Peer, host: str) -> None:
        with (
            GuardedClient(allow_private=False) as client,
            pytest.raises(AddressRefused, match="lies in a private network"),
        ):
            client.request("GET", f"http://{host}:{peer.port}/")
        assert peer.connections == 0

    def test_are_refused_when_one_of_several_is_private(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", Names(["8.8.8.8", "10.0.0.1"]))
        with GuardedClient(allow_private=False) as client, pytest.raises(AddressRefused):
            client.request("GET", "http://cpo.example/")

    def test_cannot_change_between_check_and_connection(
        self, peer: Peer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = Names(["8.8.8.8"], ["127.0.0.1"])
        monkeypatch.setattr(socket, "getaddrinfo", names)
        with (
            GuardedClient(allow_private=False) as client,
            # The tests' socket guard stops the attempt and names where it was going.
            pytest.RaisesGroup(pytest.RaisesExc(UserWarning, match=r'connect.*"8\.8\.8\.8"')),
        ):
            client.request("GET", f"http://cpo.example:{peer.port}/")
        assert peer.connections == 0
        assert names.asked == ["cpo.example"]

    def test_that_nobody_answers_are_unreachable(self) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            port = silent.getsockname()[1]
        with (
            GuardedClient(allow_private=True) as client,
            pytest.raises(PeerUnreachable, match=f"127.0.0.1:{port} cannot be reached") as failed,
        ):
            client.request("GET", f"http://127.0.0.1:{port}/secret")
        assert failed.value.retryable
        assert isinstance(failed.value, HttpFailure)


class Names:
    """A name server whose answers change from one question to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.real = socket.getaddrinfo

    def __call__(self, host: object, port: int, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(".example"):
            return self.real(name, port, *args, **kwargs)  # type: ignore[arg-type]
        self.asked.append(name)
        addresses = self.answers.pop(0)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses
        ]


class TestIsPublic:
    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("93.184.216.34", True),
            ("2606:2800:220:1::1", True),
            ("127.0.0.1", False),
            ("169.254.169.254", False),
            ("224.0.0.1", False),
            ("::1", False),
            ("fec0::1", False),
            ("fe80::1%eth0", False),
            ("::ffff:10.0.0.1", False),
            ("::127.0.0.1", False),
            ("64:ff9b::169.254.169.254", False),
            ("2002:7f00:1::", False),
        ],
    )
    def test_sees_through_what_wraps_a_private_address(self, address: str, expected: bool) -> None:
        assert is_public(address) is expected


class TestHangingResolver:
    def test_does_not_outlast_the_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        released = threading.Event()

        def hang(*_args: object, **_kwargs: object) -> None:
            released.wait(30)
            raise OSError

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        begun_s = time.monotonic()
        try:
            with (
                pytest.raises(DeadlineExceeded),
                GuardedClient(deadline_s=DEADLINE_S, allow_private=False) as client,
            ):
                client.request("GET", "http://cpo.example/")
            assert time.monotonic() - begun_s < 10
        finally:
            released.set()
