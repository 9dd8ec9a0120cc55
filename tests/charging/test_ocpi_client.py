"""Speaking OCPI to a partner, over real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from charging.ocpi.client import (
    AnswerUnreadable,
    HandshakeRefused,
    OcpiClient,
    OcpiFailure,
    PartnerTroubled,
    Party,
    RequestRefused,
    TokenRefused,
)
from charging.ocpi.v2_2_1 import parse_datetime
from emsp.kernel.http import DeadlineExceeded, HttpFailure, PeerUnreachable, ResponseTooLarge
from tests.charging.ocpi_helpers import make_location
from tests.fakes import ANSWERED_AT, FakeCpo, Reply, Seen, envelope


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo().serving() as cpo:
        yield cpo


def make_client(cpo: FakeCpo, *, deadline_s: float = 5, token: str = "") -> OcpiClient:
    return OcpiClient(
        token=token or cpo.token_c,
        ours=Party("NL", "VWY"),
        theirs=Party("NL", "FAK"),
        deadline_s=deadline_s,
    )


def get_page_failing(cpo: FakeCpo, reply: Reply, *, deadline_s: float = 5) -> Exception:
    cpo.scripts[cpo.locations_path] = lambda _: reply
    with (
        make_client(cpo, deadline_s=deadline_s) as client,
        pytest.raises((OcpiFailure, HttpFailure)) as failure,
    ):
        client.get_page(cpo.url + cpo.locations_path)
    return failure.value


class TestHeaders:
    def test_carry_the_token_in_base64_and_fresh_message_ids(self, cpo: FakeCpo) -> None:
        with make_client(cpo) as client:
            client.list_versions(cpo.versions_url)
            client.list_versions(cpo.versions_url)
        first, second = cpo.seen
        assert first.headers["authorization"] == "Token dG9rZW4tYy1vZi10aGUtZmFrZQ=="
        assert len(first.headers["x-request-id"]) == 36
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]

    def test_name_both_parties_on_functional_modules_alone(self, cpo: FakeCpo) -> None:
        with make_client(cpo) as client:
            client.list_versions(cpo.versions_url)
            client.get_page(cpo.url + cpo.locations_path)
        versions, page = cpo.seen
        routing = {
            "ocpi-from-country-code": "NL",
            "ocpi-from-party-id": "VWY",
            "ocpi-to-country-code": "NL",
            "ocpi-to-party-id": "FAK",
        }
        assert {name: page.headers.get(name) for name in routing} == routing
        assert not [name for name in versions.headers if name.startswith("ocpi-")]


class TestToken:
    def test_is_sent_raw_to_a_partner_that_reads_no_base64(self, cpo: FakeCpo) -> None:
        def accept_raw_only(seen: Seen) -> Reply:
            known = seen.headers["authorization"] == f"Token {cpo.token_c}"
            return Reply(envelope([]), status=200 if known else 401)

        cpo.scripts[cpo.locations_path] = accept_raw_only
        with make_client(cpo) as client:
            client.get_page(cpo.url + cpo.locations_path)
            client.get_page(cpo.url + cpo.locations_path)
            assert client.raw_token
        assert len(cpo.seen) == 3

    def test_is_refused_after_both_forms_were_tried_once(self, cpo: FakeCpo) -> None:
        with (
            make_client(cpo, token="wrong") as client,
            pytest.raises(TokenRefused) as failure,
        ):
            client.list_versions(cpo.versions_url)
        assert not client.raw_token
        assert len(cpo.seen) == 2
        assert not failure.value.retryable

    def test_is_not_repeated_in_an_error_that_quotes_the_partner(self, cpo: FakeCpo) -> None:
        reply = Reply(envelope(status_code=2000, status_message=f"bad token {cpo.token_c}!"))
        error = get_page_failing(cpo, reply)
        assert str(error).endswith(" answers with OCPI status 2000: bad token ***!")

    @pytest.mark.parametrize("padding", ["", "="])
    def test_is_not_repeated_in_base64_either(self, cpo: FakeCpo, padding: str) -> None:
        encoded = "dG9rZW4tYy1vZi10aGUtZmFrZQ=" + padding
        reply = Reply(envelope(status_code=2000, status_message=f"Token {encoded}"))
        said = str(get_page_failing(cpo, reply))
        assert "dG9rZW4" not in said
        assert said.rstrip("=").endswith(": Token ***")

    def test_is_not_repeated_in_part_where_the_quote_is_cut(self, cpo: FakeCpo) -> None:
        message = "x" * 190 + cpo.token_c
        reply = Reply(envelope(status_code=2000, status_message=message))
        assert str(get_page_failing(cpo, reply)).endswith("x***")

    def test_of_the_partner_is_not_repeated_when_its_credentials_are_refused(
        self, cpo: FakeCpo
    ) -> None:
        path = "/ocpi/2.2.1/credentials"
        cpo.scripts[path] = lambda seen: Reply(
            envelope(status_code=2001, status_message=f"no: {seen.body.decode()}")
        )
        with make_client(cpo) as client, pytest.raises(RequestRefused) as failure:
            client.send_credentials(cpo.url + path, method="POST", credentials={"token": "theirs"})
        assert str(failure.value).endswith(': no: {"token": "***"}')


class TestAnswers:
    def test_give_the_data_the_total_the_link_and_the_partner_s_time(self, cpo: FakeCpo) -> None:
        cpo.locations = [make_location(f"LOC{n}") for n in range(3)]
        with make_client(cpo) as client:
            page = client.get_page(f"{cpo.url}{cpo.locations_path}?limit=2")
        assert [each["id"] for each in page.objects] == ["LOC0", "LOC1"]  # type: ignore[index]
        assert page.total == 3
        assert page.link == f'<{cpo.url}{cpo.locations_path}?offset=2&limit=2>; rel="next"'
        assert page.answered_at == parse_datetime(ANSWERED_AT)

    @pytest.mark.parametrize("total", ["2147483648", "9" * 5000])
    def test_bound_the_total_to_what_a_column_holds(self, cpo: FakeCpo, total: str) -> None:
        cpo.scripts[cpo.locations_path] = lambda _: Reply(
            envelope([]), headers={"X-Total-Count": total}
        )
        with make_client(cpo) as client:
            assert client.get_page(cpo.url + cpo.locations_path).total == 10**9

    @pytest.mark.parametrize("code", [1000, 1900, "1000"])
    def test_are_successes_by_the_class_of_their_code(self, cpo: FakeCpo, code: object) -> None:
        body = {"status_code": code, "timestamp": ANSWERED_AT}
        cpo.scripts[cpo.locations_path] = lambda _: Reply(body)
        with make_client(cpo) as client:
            assert client.get_page(cpo.url + cpo.locations_path).objects == []

    @pytest.mark.parametrize(
        ("reply", "kind", "retryable"),
        [
            (Reply(envelope(status_code=2001)), RequestRefused, False),
            (Reply(envelope(status_code=2999)), RequestRefused, False),
            (Reply(envelope(status_code=3000)), PartnerTroubled, True),
            (Reply(envelope(status_code=3900)), PartnerTroubled, True),
            (Reply(envelope(status_code=4003)), PartnerTroubled, True),
            (Reply(envelope(status_code=3001)), HandshakeRefused, False),
            (Reply(envelope(status_code=9999)), AnswerUnreadable, True),
            (Reply(envelope(), status=403), TokenRefused, False),
            (Reply(envelope(), status=404), RequestRefused, False),
            (Reply(b"busy", status=429), PartnerTroubled, True),
            (Reply(b"<html>Bad gateway</html>", status=502), PartnerTroubled, True),
            (Reply(b"<html>hello</html>"), AnswerUnreadable, True),
            (Reply(b""), AnswerUnreadable, True),
            (Reply(b"\xff\xfe"), AnswerUnreadable, True),
            (Reply([1, 2]), AnswerUnreadable, True),
            (Reply({"data": []}), AnswerUnreadable, True),
            (Reply({"data": [], "status_code": True}), AnswerUnreadable, True),
            (Reply(envelope({"id": "no list"})), AnswerUnreadable, True),
            (Reply(b'{"status_code":1000,"data":' + b"[" * 200_000), AnswerUnreadable, True),
            (Reply(b"9" * 5000), AnswerUnreadable, True),
        ],
    )
    def test_that_fail_say_whether_to_try_again(
        self, cpo: FakeCpo, reply: Reply, kind: type[Exception], retryable: bool
    ) -> None:
        error = get_page_failing(cpo, reply)
        assert type(error) is kind
        assert getattr(error, "retryable", None) is retryable

    def test_that_are_nested_too_deeply_are_unreadable(self, cpo: FakeCpo) -> None:
        deep = b"[" * 100_000 + b"]" * 100_000
        error = get_page_failing(cpo, Reply(b'{"status_code":1000,"data":' + deep + b"}"))
        assert isinstance(error, AnswerUnreadable)


class TestPeer:
    def test_that_is_slow_is_given_up_at_the_deadline(self, cpo: FakeCpo) -> None:
        def dawdle(_: Seen) -> Reply:
            time.sleep(1.5)
            return Reply(envelope([]))

        cpo.scripts[cpo.locations_path] = dawdle
        begun_s = time.monotonic()
        with make_client(cpo, deadline_s=0.3) as client, pytest.raises(DeadlineExceeded):
            client.get_page(cpo.url + cpo.locations_path)
        assert time.monotonic() - begun_s < 1.4

    def test_that_sends_too_much_is_cut_off(self, cpo: FakeCpo) -> None:
        error = get_page_failing(cpo, Reply(b" " * 40_000_000))
        assert isinstance(error, ResponseTooLarge)

    def test_that_is_not_there_cannot_be_reached(self) -> None:
        with FakeCpo().serving() as gone:
            pass
        with make_client(gone) as client, pytest.raises(PeerUnreachable) as failure:
            client.list_versions(gone.versions_url)
        assert failure.value.retryable


class TestCredentials:
    def test_are_sent_as_json_and_read_back(self, cpo: FakeCpo) -> None:
        path = "/ocpi/2.2.1/credentials"
        cpo.scripts[path] = lambda _: Reply(envelope(cpo.write_credentials()))
        with make_client(cpo) as client:
            theirs = client.send_credentials(
                cpo.url + path, method="PUT", credentials={"token": "abc"}
            )
        assert (theirs.token, theirs.url) == (cpo.token_c, cpo.versions_url)
        assert cpo.token_c not in repr(theirs)
        [seen] = cpo.seen
        assert (seen.method, seen.headers["content-type"]) == ("PUT", "application/json")
        assert json.loads(seen.body) == {"token": "abc"}
