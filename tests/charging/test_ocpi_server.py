"""Our own OCPI doors: versions and credentials."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from charging.models import Partner
from charging.ocpi.v2_2_1 import Credentials, read_wire
from charging.ocpi_server.protocol import Caller, Reply, open_door, read_tokens
from charging.partners import hash_token, renew_registration
from charging.sync_schedule import SYNC_PARTNER
from emsp.kernel.models import Job, Priority
from tests import fakes
from tests.charging.ocpi_helpers import NOON, make_active_partner
from tests.fakes import FakeCpo, envelope

pytestmark = pytest.mark.django_db

TOKEN_B = "token-b-of-ours"
CREDENTIALS = "/ocpi/2.2.1/credentials"


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo().serving() as cpo:
        yield cpo


@pytest.fixture
def partner(cpo: FakeCpo) -> Partner:
    return make_active_partner(cpo)


def authorize(token: str = TOKEN_B) -> dict[str, str]:
    return {"Authorization": f"Token {base64.b64encode(token.encode()).decode()}"}


def call(method: str, path: str, body: Any = None, token: str = TOKEN_B) -> tuple[int, Any, Any]:
    """Call one of our doors; return the HTTP status, the envelope and the response."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Client(enforce_csrf_checks=True).generic(
        method, path, content, content_type="application/json", headers=authorize(token)
    )
    return response.status_code, json.loads(response.content), response


class TestAuthorization:
    @pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1", CREDENTIALS])
    def test_refuses_who_shows_no_token_that_we_gave(self, partner: Partner, path: str) -> None:
        for header in (None, "Token", "Token wrong", f"Bearer {TOKEN_B}", "Token ====", "Token é"):
            headers = {"Authorization": header} if header else {}
            response = Client().get(path, headers=headers)
            assert response.status_code == 401
            assert json.loads(response.content)["status_code"] == 2000
            assert response["WWW-Authenticate"] == "Token"

    def test_refuses_the_empty_token_of_an_unregistered_partner(self, partner: Partner) -> None:
        Partner.objects.update(token_in_hash="")
        assert call("GET", "/ocpi/versions", token="")[0] == 401
        assert call("GET", "/ocpi/versions")[0] == 401

    @pytest.mark.parametrize(
        "shown",
        [
            base64.b64encode(TOKEN_B.encode()).decode(),
            base64.b64encode(f"{TOKEN_B}\n".encode()).decode(),
            TOKEN_B,
        ],
    )
    def test_reads_base64_a_trailing_newline_and_raw_tokens(
        self, partner: Partner, shown: str
    ) -> None:
        response = Client().get("/ocpi/versions", headers={"Authorization": f"Token {shown}"})
        assert response.status_code == 200

    def test_reads_a_raw_token_that_looks_like_base64(self) -> None:
        assert read_tokens("token YWJj") == ["abc", "YWJj"]


class TestVersions:
    def test_lists_our_version(self, partner: Partner) -> None:
        status, answer, _ = call("GET", "/ocpi/versions")
        assert status == 200
        assert answer["status_code"] == 1000
        assert answer["timestamp"].endswith("Z")
        assert answer["data"] == [{"version": "2.2.1", "url": "http://127.0.0.1:8000/ocpi/2.2.1"}]

    @pytest.mark.parametrize("path", ["/ocpi/2.2.1", "/ocpi/2.2.1/"])
    def test_names_the_modules_that_we_serve(self, partner: Partner, path: str) -> None:
        assert call("GET", path)[1]["data"] == {
            "version": "2.2.1",
            "endpoints": [
                {
                    "identifier": "credentials",
                    "role": "SENDER",
                    "url": "http://127.0.0.1:8000/ocpi/2.2.1/credentials",
                }
            ],
        }

    def test_are_open_while_the_handshake_is_under_way(self, partner: Partner) -> None:
        Partner.objects.update(state="planned", registered_at=None)
        assert call("GET", "/ocpi/versions")[0] == 200

    def test_answer_no_other_method(self, partner: Partner) -> None:
        status, answer, response = call("POST", "/ocpi/versions", {})
        assert (status, answer["status_code"], response["Allow"]) == (405, 2000, "GET")


class TestMessageIds:
    def test_are_echoed(self, partner: Partner) -> None:
        response = Client().get(
            "/ocpi/versions",
            headers=authorize() | {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"},
        )
        assert (response["X-Request-ID"], response["X-Correlation-ID"]) == ("r-1", "c-1")

    def test_are_made_where_none_or_garbage_came(self, partner: Partner) -> None:
        response = Client().get("/ocpi/versions", headers={"X-Request-ID": "a\x01b"})
        assert len(response["X-Request-ID"]) == 36
        assert len(response["X-Correlation-ID"]) == 36


class TestCredentials:
    def test_show_who_we_are_and_the_caller_s_own_token(self, partner: Partner) -> None:
        assert call("GET", CREDENTIALS)[1]["data"] == {
            "token": TOKEN_B,
            "url": "http://127.0.0.1:8000/ocpi/versions",
            "roles": [
                {
                    "role": "EMSP",
                    "country_code": "NL",
                    "party_id": "VWY",
                    "business_details": {"name": "Voltway"},
                }
            ],
        }

    def test_cannot_be_posted_twice(self, partner: Partner) -> None:
        status, answer, response = call("POST", CREDENTIALS, {"token": "x"})
        assert (status, answer["status_code"]) == (405, 2000)
        assert answer["status_message"] == "you are registered already: use PUT"
        assert "PUT" in response["Allow"]

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_cannot_be_changed_before_they_were_posted(self, partner: Partner, method: str) -> None:
        Partner.objects.update(state="planned", registered_at=None)
        assert call(method, CREDENTIALS, {})[0] == 405

    def test_are_renewed_by_put(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.token_c = "their-new-token"
        cpo.locations_path = "/ocpi/new/locations"
        status, answer, _ = call("PUT", CREDENTIALS, cpo.write_credentials())
        assert (status, answer["status_code"]) == (200, 1000)
        renewed = Partner.objects.get()
        assert renewed.token_out == "their-new-token"
        assert renewed.token_in_hash == hash_token(answer["data"]["token"])
        assert len(answer["data"]["token"]) == 64
        assert renewed.endpoints["locations/SENDER"] == f"{cpo.url}/ocpi/new/locations"
        assert [seen.path for seen in cpo.seen] == ["/ocpi/versions", "/ocpi/2.2.1"]
        assert {seen.token for seen in cpo.seen} == {"their-new-token"}
        assert Job.objects.get(kind=SYNC_PARTNER).payload["kind"] == "full"
        assert call("GET", CREDENTIALS)[0] == 401
        assert call("GET", CREDENTIALS, token=answer["data"]["token"])[0] == 200

    def test_that_are_renewed_do_not_lift_a_suspension(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        Partner.objects.update(state="suspended")
        status, answer, _ = call("PUT", CREDENTIALS, cpo.write_credentials())
        assert (status, answer["status_code"]) == (200, 1000)
        assert Partner.objects.get().state == "suspended"
        assert not Job.objects.exists()

    def test_that_are_renewed_do_not_lift_a_suspension_of_this_very_moment(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        # As an operator does while we call the partner back: what was read before is stale.
        Partner.objects.update(state="suspended")
        credentials = read_wire(cpo.write_credentials(), kind=Credentials)
        renew_registration(partner, credentials=credentials, now=NOON)
        renewed = Partner.objects.get()
        assert (renewed.state, renewed.registered_at) == ("suspended", NOON)
        assert not Job.objects.exists()

    def test_ask_for_a_pull_that_overtakes_nothing(self, partner: Partner, cpo: FakeCpo) -> None:
        call("PUT", CREDENTIALS, cpo.write_credentials())
        assert Job.objects.get(kind=SYNC_PARTNER).priority == Priority.BULK

    def test_may_name_odd_roles_which_are_left_out(self, partner: Partner, cpo: FakeCpo) -> None:
        roles = [
            {"role": "CPO", "country_code": "NL\r\n", "party_id": "FAK"},
            {"role": "CPO", "country_code": "NL", "party_id": "TOO LONG"},
            {"role": "cpo", "country_code": "nl", "party_id": "fak"},
        ]
        call("PUT", CREDENTIALS, cpo.write_credentials(roles=roles))
        assert Partner.objects.get().roles == [
            {"role": "CPO", "country_code": "NL", "party_id": "FAK", "name": ""}
        ]

    def test_may_come_from_a_partner_whom_we_invited(self, partner: Partner, cpo: FakeCpo) -> None:
        Partner.objects.update(state="planned", registered_at=None, token_out="")
        status, answer, _ = call("POST", CREDENTIALS, cpo.write_credentials())
        assert (status, answer["status_code"]) == (201, 1000)
        registered = Partner.objects.get()
        assert (registered.state, registered.token_out) == ("active", cpo.token_c)
        assert registered.registered_at is not None

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({}, "invalid credentials: url is missing"),
            (
                {"url": f"http://127.0.0.1:1/{'v' * 255}", "token": "t"},
                "invalid credentials: url is longer than 255 characters",
            ),
            (
                {"url": "http://127.0.0.1:1/v", "token": "with blank"},
                (
                    "invalid credentials: token: 1 to 64 printable ASCII characters without"
                    " blanks are needed"
                ),
            ),
            ([], "invalid credentials: Expected `object`, got `array`"),
            (
                {"url": "http://127.0.0.1:1/v", "token": 5},
                "invalid credentials: Expected `str | null`, got `int` - at `$.token`",
            ),
        ],
    )
    def test_that_are_invalid_are_refused_with_2001(
        self, partner: Partner, body: object, message: str
    ) -> None:
        status, answer, _ = call("PUT", CREDENTIALS, body)
        assert (status, answer["status_code"]) == (200, 2001)
        assert answer["status_message"] == message

    @pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff"])
    def test_that_are_no_json_are_refused_with_400(self, partner: Partner, body: bytes) -> None:
        status, answer, _ = call("PUT", CREDENTIALS, body)
        assert (status, answer["status_code"]) == (400, 2001)

    def test_that_are_too_large_are_refused(self, partner: Partner) -> None:
        assert call("PUT", CREDENTIALS, b" " * 1_000_001)[0] == 413

    def test_whose_address_does_not_answer_are_refused_with_3001(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.scripts["/ocpi/versions"] = lambda _: fakes.Reply(b"oops", status=500)
        status, answer, _ = call("PUT", CREDENTIALS, cpo.write_credentials())
        assert (status, answer["status_code"]) == (200, 3001)
        assert answer["status_message"].startswith("your API cannot be used: 127.0.0.1:")
        assert Partner.objects.get().token_in_hash == partner.token_in_hash

    def test_of_another_version_are_refused_with_3002(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.scripts["/ocpi/versions"] = lambda _: fakes.Reply(envelope([{"version": "2.1.1"}]))
        assert call("PUT", CREDENTIALS, cpo.write_credentials())[1]["status_code"] == 3002

    def test_without_locations_are_refused_with_3003(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.modules = ["credentials", "tariffs"]
        answer = call("PUT", CREDENTIALS, cpo.write_credentials())[1]
        assert answer["status_code"] == 3003
        assert answer["status_message"] == (
            "the partner does not offer the modules that we need: locations"
        )

    def test_end_with_delete(self, partner: Partner) -> None:
        status, answer, _ = call("DELETE", CREDENTIALS)
        assert (status, answer["status_code"]) == (200, 1000)
        ended = Partner.objects.get()
        assert (ended.state, ended.token_out, ended.token_in_hash) == ("planned", "", "")
        assert (ended.endpoints, ended.registered_at) == ({}, None)
        assert call("DELETE", CREDENTIALS)[0] == 401


class TestDoor:
    def test_hides_an_error_of_ours_behind_3000(
        self, partner: Partner, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_request: HttpRequest, _caller: Caller) -> Reply:
            raise ZeroDivisionError

        response = open_door(get=fail)(RequestFactory().get("/", headers=authorize()))
        assert (response.status_code, json.loads(response.content)["status_code"]) == (500, 3000)
        assert "ZeroDivisionError" in caplog.text
        assert TOKEN_B not in caplog.text
