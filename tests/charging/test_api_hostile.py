"""Bodies and addresses made to break: each is refused with a sentence, none is a 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

TOO_DEEP = "The body is nested deeper than 32 levels."


def send(client: Client, body: bytes, content_type: str = "application/json") -> tuple[int, str]:
    answer = client.post("/api/v1/plans", body, content_type=content_type)
    return answer.status_code, json.loads(answer.content)["detail"]


class TestHostileBody:
    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (
                b'{"origin": ',
                "The body is not valid JSON: Expecting value (line 1, column 12).",
            ),
            (
                b"{'origin': 1}",
                (
                    "The body is not valid JSON: Expecting property name enclosed in "
                    "double quotes (line 1, column 2)."
                ),
            ),
            (b"[" * 100_000, TOO_DEEP),
            (b'{"a":' * 100_000, TOO_DEEP),
            (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, TOO_DEEP),
            (b"[" * 33 + b"]" * 33, TOO_DEEP),
            (b'{"soc_start": NaN}', "The body holds NaN, which is not JSON. Send a number."),
            (
                b'{"soc_start": -Infinity}',
                "The body holds -Infinity, which is not JSON. Send a number.",
            ),
            (
                b'{"soc_start": 1e999}',
                "The body holds the number 1e999, which is too large or too long.",
            ),
            (
                b'{"soc_start": ' + b"1" * 5000 + b"}",
                "The body holds the number 111111111111…, which is too large or too long.",
            ),
            (
                b'{"origin": "a\\u0000b"}',
                "The body holds a NUL character (\\u0000). Remove it.",
            ),
            (
                b'{"a\\u0000b": 1}',
                "The body holds a NUL character (\\u0000). Remove it.",
            ),
            (
                b'{"origin": "\x00"}',
                "The body is not valid JSON: Invalid control character at (line 1, column 13).",
            ),
            (
                b'{"origin": "\\ud800"}',
                "The body holds half of a surrogate pair (like \\ud800). Remove it.",
            ),
            (
                b'{"origin": "\xff"}',
                "The body is not valid UTF-8 (byte 12). Encode it as UTF-8.",
            ),
            (
                '{"origin": "Köln"}'.encode("utf-16"),
                "The body is not valid UTF-8 (byte 0). Encode it as UTF-8.",
            ),
        ],
        ids=[
            "cut off",
            "not JSON",
            "100,000 open brackets",
            "100,000 open objects",
            "100,000 closed objects",
            "33 levels",
            "NaN",
            "infinity",
            "infinite exponent",
            "5,000 digits",
            "escaped NUL",
            "escaped NUL in a name",
            "raw NUL",
            "half a surrogate pair",
            "latin-1",
            "UTF-16",
        ],
    )
    def test_is_refused_with_a_sentence(self, client: Client, body: bytes, sentence: str) -> None:
        assert send(client, body) == (400, sentence)

    def test_is_not_read_beyond_a_megabyte(self, client: Client) -> None:
        body = b'{"origin": "' + b"x" * 1_000_000 + b'"}'
        assert send(client, body) == (413, "The body is larger than 1000000 bytes. Send less.")

    def test_may_name_a_field_twice(self, client: Client) -> None:
        status, sentence = send(client, b'{"origin": 1, "origin": 2}')
        assert (status, sentence) == (
            400,
            'origin must be a place like "Paris", or {"lon", "lat"}.',
        )

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
    )
    def test_must_be_json(self, client: Client, content_type: str) -> None:
        answer = client.post("/api/v1/plans", b"origin=Paris", content_type=content_type)
        assert answer.status_code == 415
        assert answer.json() == {
            "code": "unsupported_media_type",
            "detail": "Send the body as application/json.",
        }


class TestHostileAddress:
    @pytest.mark.parametrize(
        ("address", "sentence"),
        [
            (
                "/api/v1/stations/%00",
                "The address holds a NUL character (%00). Remove it.",
            ),
            (
                "/api/v1/places?q=Pa%00ris",
                "The query holds a NUL character (%00). Remove it.",
            ),
            (
                "/api/v1/places?q=K%F6ln",
                "The query is not valid UTF-8. Encode it as UTF-8.",
            ),
            (
                "/api/v1/stations?bbox=%FF",
                "The query is not valid UTF-8. Encode it as UTF-8.",
            ),
            ("/?q=%00", "The query holds a NUL character (%00). Remove it."),
            ("/plan/?origin=%FF", "The query is not valid UTF-8. Encode it as UTF-8."),
        ],
    )
    def test_is_refused_with_a_sentence(self, client: Client, address: str, sentence: str) -> None:
        answer = client.get(address)
        assert answer.status_code == 400
        assert answer.json() == {"code": "malformed_address", "detail": sentence}

    @pytest.mark.parametrize(
        "address",
        ["/api/", "/api/v2/stations", "/api/v1/stations/", "/api/v1/stations/-1"],
    )
    def test_leads_nowhere_in_the_api_s_own_shape(self, client: Client, address: str) -> None:
        answer = client.get(address)
        assert answer.status_code == 404
        assert answer.json() == {
            "code": "not_found",
            "detail": "There is nothing at this address.",
        }

    @pytest.mark.parametrize("address", ["/stations/%FF/", "/api/v1/stations/%FF"])
    def test_of_invalid_utf_8_is_named(self, client: Client, address: str) -> None:
        answer = client.get(address)
        assert answer.status_code == 400
        assert answer.json() == {
            "code": "malformed_address",
            "detail": "The address is not valid UTF-8. Encode it as UTF-8.",
        }

    def test_does_not_take_every_method(self, client: Client) -> None:
        answer = client.delete("/api/v1/plans")
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "POST, OPTIONS"
        assert answer.json() == {
            "code": "method_not_allowed",
            "detail": "DELETE is not possible at this address.",
        }

    def test_answers_in_json_only(self, client: Client) -> None:
        answer = client.get("/api/v1/vehicle-models", headers={"accept": "text/html"})
        assert answer.status_code == 406
        assert answer.json()["detail"] == "We answer in application/json only."
