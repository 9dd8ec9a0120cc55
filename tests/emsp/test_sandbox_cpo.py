"""The sandbox CPO as its clients see it: lists, deltas, single objects, headers, refusals."""

from __future__ import annotations

import base64
import gzip
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.emsp.sandbox_cpo import (
    TOKEN_A,
    Cpo,
    all_pages,
    call,
    data_of,
    registered_client,
    running_cpo,
    running_emsp,
    token_header,
)


def location(number: int) -> dict[str, Any]:
    """Write a location of a dump, with a null and without party_id where number is odd."""
    party = {"party_id": "AAA"} if number % 2 == 0 else {}
    return {
        "country_code": "NL",
        **party,
        "id": f"Loc-{number}",
        "publish": True,
        "name": None,
        "address": "Teststraat 1",
        "evses": [
            {
                "uid": "E1",
                "status": "AVAILABLE",
                "connectors": [{"id": "1", "standard": "CHADEMO", "max_voltage": 500}],
                "last_updated": "2026-01-01T00:00:00Z",
            }
        ],
        "operator": {"name": "Operator of AAA"},
        "last_updated": f"2026-01-01T00:00:{number:02d}{'.500' if number == 4 else ''}Z",
    }


LOCATIONS = [location(number) for number in range(25)]
# Its numbers keep their digits: 0.10 is not to become 0.1.
TARIFF_TEXT = (
    '{"id": "T1", "currency": "EUR", "type": null, "elements": [{"price_components":'
    ' [{"type": "ENERGY", "price": 0.10, "step_size": 1}]}], "last_updated": null}'
)


@pytest.fixture(scope="module")
def cpo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cpo]:
    folder = tmp_path_factory.mktemp("cpo")
    first, second, third = folder / "a.json", folder / "b.json.gz", folder / "c.json.xz"
    first.write_text(json.dumps(LOCATIONS[:10], indent=1), "utf-8")
    envelope = {"status_code": 1000, "data": LOCATIONS[10:], "timestamp": "2026-01-01T00:00:00Z"}
    second.write_bytes(gzip.compress(json.dumps(envelope).encode()))
    third.write_bytes(lzma.compress(f"[{TARIFF_TEXT}]".encode()))
    with running_cpo(folder, "--data", first, second, third, "--page-limit", "10") as cpo:
        yield cpo


@pytest.fixture(scope="module")
def client(cpo: Cpo) -> Iterator[httpx.Client]:
    with running_emsp() as emsp, registered_client(cpo, emsp) as client:
        yield client


class TestPages:
    def test_hold_every_object_once_in_the_order_of_the_files(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        pages = all_pages(client, cpo.locations)
        assert [len(page.json()["data"]) for page in pages] == [10, 10, 5]
        assert data_of(pages) == LOCATIONS

    def test_tell_total_and_the_servers_limit_on_every_page(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        pages = all_pages(client, cpo.locations)
        assert [page.headers["X-Total-Count"] for page in pages] == ["25", "25", "25"]
        assert [page.headers["X-Limit"] for page in pages] == ["10", "10", "10"]

    def test_link_to_the_next_page_until_the_last(self, cpo: Cpo, client: httpx.Client) -> None:
        first = client.get(cpo.locations, params={"limit": "2000"})
        assert first.headers["Link"] == f'<{cpo.locations}?offset=10&limit=10>; rel="next"'
        last = client.get(cpo.locations, params={"offset": "20"})
        assert "Link" not in last.headers

    def test_end_without_a_link_when_the_last_page_is_full(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        assert "Link" not in client.get(cpo.locations, params={"offset": "15"}).headers
        assert "Link" in client.get(cpo.locations, params={"offset": "14"}).headers

    def test_begin_at_the_offset_and_end_at_the_limit(self, cpo: Cpo, client: httpx.Client) -> None:
        page = client.get(cpo.locations, params={"offset": "7", "limit": "3"})
        assert page.json()["data"] == LOCATIONS[7:10]

    def test_keep_the_filters_in_the_link(self, cpo: Cpo, client: httpx.Client) -> None:
        page = client.get(
            cpo.locations,
            params={
                "limit": "2",
                "date_from": "2026-01-01T00:00:03",
                "date_to": "2026-01-01T00:00:09Z",
            },
        )
        assert page.headers["Link"] == (
            f"<{cpo.locations}?offset=2&limit=2&date_from=2026-01-01T00:00:03"
            '&date_to=2026-01-01T00:00:09Z>; rel="next"'
        )

    def test_are_empty_beyond_the_end(self, cpo: Cpo, client: httpx.Client) -> None:
        page = client.get(cpo.locations, params={"offset": "25"})
        assert page.json()["data"] == []
        assert "Link" not in page.headers

    @pytest.mark.parametrize(
        ("name", "value"),
        [("offset", "-1"), ("limit", "0"), ("limit", "many"), ("date_from", "yesterday")],
    )
    def test_refuse_a_parameter_that_is_none(
        self, cpo: Cpo, client: httpx.Client, name: str, value: str
    ) -> None:
        answer = client.get(cpo.locations, params={name: value})
        assert (answer.status_code, answer.json()["status_code"]) == (200, 2001)
        assert value in answer.json()["status_message"]


class TestDelta:
    def test_includes_date_from_and_excludes_date_to(self, cpo: Cpo, client: httpx.Client) -> None:
        pages = all_pages(
            client, cpo.locations, date_from="2026-01-01T00:00:03Z", date_to="2026-01-01T00:00:06Z"
        )
        assert [found["id"] for found in data_of(pages)] == ["Loc-3", "Loc-4", "Loc-5"]
        assert pages[0].headers["X-Total-Count"] == "3"

    @pytest.mark.parametrize(
        "date_from",
        ["2026-01-01T00:00:04.5Z", "2026-01-01T00:00:04.500", "2026-01-01T00:00:04.5+00:00"],
    )
    def test_compares_fractions_and_takes_every_way_to_write_utc(
        self, cpo: Cpo, client: httpx.Client, date_from: str
    ) -> None:
        page = client.get(
            cpo.locations, params={"date_from": date_from, "date_to": "2026-01-01T00:00:06Z"}
        )
        assert [found["id"] for found in page.json()["data"]] == ["Loc-4", "Loc-5"]

    def test_leaves_out_what_has_no_last_updated(self, cpo: Cpo, client: httpx.Client) -> None:
        page = client.get(cpo.tariffs, params={"date_from": "1970-01-01T00:00:00Z"})
        assert page.json()["data"] == []


class TestDump:
    def test_is_served_to_the_letter(self, cpo: Cpo, client: httpx.Client) -> None:
        assert f'"data":[{TARIFF_TEXT}]' in client.get(cpo.tariffs).text

    def test_adds_its_parties_to_our_roles(self, cpo: Cpo, client: httpx.Client) -> None:
        roles = client.get(cpo.credentials).json()["data"]["roles"]
        assert [(role["party_id"], role["business_details"]["name"]) for role in roles] == [
            ("SBX", "Voltway Demo Grid"),
            ("AAA", "Operator of AAA"),
        ]

    @pytest.mark.real_data
    def test_of_the_real_world_comes_back_unchanged(self, real_data: Path, tmp_path: Path) -> None:
        files = [
            real_data / "chargers" / f"nl_dcfast50_{part}.json.gz"
            for part in ("locations", "tariffs")
        ]
        with (
            running_cpo(tmp_path, "--data", *files) as cpo,
            running_emsp() as emsp,
            registered_client(cpo, emsp) as client,
        ):
            served = [data_of(all_pages(client, url)) for url in (cpo.locations, cpo.tariffs)]
        locations, tariffs = (json.loads(gzip.decompress(file.read_bytes())) for file in files)
        assert served == [locations, tariffs]
        assert (len(locations), len(tariffs)) == (1690, 1285)


class TestSingleObject:
    def test_is_the_location_its_evse_or_its_connector(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        evse = LOCATIONS[3]["evses"][0]
        assert client.get(f"{cpo.locations}/Loc-3").json()["data"] == LOCATIONS[3]
        assert client.get(f"{cpo.locations}/Loc-3/E1").json()["data"] == evse
        assert client.get(f"{cpo.locations}/Loc-3/E1/1").json()["data"] == evse["connectors"][0]

    def test_is_found_without_regard_to_case(self, cpo: Cpo, client: httpx.Client) -> None:
        assert client.get(f"{cpo.locations}/LOC-3/e1").json()["data"]["uid"] == "E1"

    @pytest.mark.parametrize("path", ["Loc-99", "Loc-3/E9", "Loc-3/E1/9"])
    def test_is_404_when_unknown(self, cpo: Cpo, client: httpx.Client, path: str) -> None:
        answer = client.get(f"{cpo.locations}/{path}")
        assert (answer.status_code, answer.json()["status_code"]) == (404, 2003)


class TestHeaders:
    def test_echo_the_message_ids(self, cpo: Cpo, client: httpx.Client) -> None:
        ids = {"X-Request-ID": "request-1", "X-Correlation-ID": "correlation-1"}
        for url in (cpo.versions, cpo.locations, f"{cpo.locations}/nowhere", f"{cpo.url}/nowhere"):
            answer = client.get(url, headers=ids)
            assert {name: answer.headers[name] for name in ids} == ids

    def test_route_the_answer_back_to_the_sender(self, cpo: Cpo, client: httpx.Client) -> None:
        routing = {
            "OCPI-from-country-code": "FR",
            "OCPI-from-party-id": "XYZ",
            "OCPI-to-country-code": "nl",
            "OCPI-to-party-id": "aaa",
        }
        answer = client.get(cpo.tariffs, headers=routing)
        assert answer.headers["OCPI-to-country-code"] == "FR"
        assert answer.headers["OCPI-to-party-id"] == "XYZ"
        assert answer.headers["OCPI-from-country-code"] == "NL"
        assert answer.headers["OCPI-from-party-id"] == "AAA"

    def test_address_the_registered_emsp_when_the_request_names_nobody(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        answer = client.get(cpo.tariffs)
        assert answer.headers["OCPI-to-party-id"] == "VOL"
        assert answer.headers["OCPI-from-party-id"] == "SBX"

    def test_refuse_a_party_that_is_not_hosted_here(self, cpo: Cpo, client: httpx.Client) -> None:
        wrong = {"OCPI-to-country-code": "NL", "OCPI-to-party-id": "ZZZ"}
        assert client.get(cpo.tariffs, headers=wrong).json()["status_code"] == 2001

    def test_leave_routing_out_of_configuration_modules(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        for url in (cpo.versions, cpo.credentials):
            names = client.get(url).headers.keys()
            assert not [name for name in names if name.lower().startswith("ocpi-")]


class TestTokenHeader:
    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Token",
            "Bearer abc",
            token_header("stranger")["Authorization"],
            token_header(TOKEN_A)["Authorization"],
        ],
    )
    def test_opens_nothing_to_strangers_and_spent_tokens(
        self, cpo: Cpo, client: httpx.Client, header: str
    ) -> None:
        for url in (cpo.versions, cpo.credentials, cpo.locations, cpo.tariffs):
            answer = call("GET", url, headers={"Authorization": header} if header else {})
            assert (answer.status_code, answer.json()["status_code"]) == (401, 2000)
            assert "timestamp" in answer.json()

    def test_may_be_raw_or_end_in_an_encoded_newline(self, cpo: Cpo, client: httpx.Client) -> None:
        token = base64.b64decode(client.headers["Authorization"].removeprefix("Token ")).decode()
        newline = base64.b64encode(f"{token}\n".encode()).decode()
        for header in (f"Token {token}", f"Token {newline}", f"token {newline}"):
            assert call("GET", cpo.versions, headers={"Authorization": header}).status_code == 200


class TestDoors:
    def test_list_one_version_and_three_modules_as_sender(
        self, cpo: Cpo, client: httpx.Client
    ) -> None:
        (version,) = client.get(cpo.versions).json()["data"]
        assert version == {"version": "2.2.1", "url": f"{cpo.url}/ocpi/2.2.1"}
        details = client.get(version["url"]).json()["data"]
        assert details["version"] == "2.2.1"
        assert {end["identifier"]: (end["role"], end["url"]) for end in details["endpoints"]} == {
            "credentials": ("SENDER", cpo.credentials),
            "locations": ("SENDER", cpo.locations),
            "tariffs": ("SENDER", cpo.tariffs),
        }

    def test_answer_with_and_without_a_trailing_slash(self, cpo: Cpo, client: httpx.Client) -> None:
        for url in (cpo.versions, cpo.credentials, cpo.tariffs, f"{cpo.locations}/Loc-1"):
            assert client.get(f"{url}/").json()["data"] == client.get(url).json()["data"]

    def test_refuse_methods_of_receivers(self, cpo: Cpo, client: httpx.Client) -> None:
        answer = client.put(f"{cpo.locations}/Loc-1", json={})
        assert (answer.status_code, answer.json()["status_code"]) == (405, 2000)

    def test_say_3000_when_the_cpo_itself_fails(self, tmp_path: Path) -> None:
        file = tmp_path / "odd.json"
        file.write_text('[{"id": "1", "evses": ["no object"]}]')
        with (
            running_cpo(tmp_path, "--data", file) as cpo,
            running_emsp() as emsp,
            registered_client(cpo, emsp) as client,
        ):
            answer = client.get(f"{cpo.locations}/1/E1", headers={"X-Request-ID": "r"})
            assert (answer.status_code, answer.json()["status_code"]) == (500, 3000)
            assert answer.headers["X-Request-ID"] == "r"
            assert client.get(f"{cpo.locations}/1").json()["data"]["evses"] == ["no object"]

    def test_show_health_to_everybody(self, cpo: Cpo, client: httpx.Client) -> None:
        assert call("GET", f"{cpo.url}/healthz").json() == {
            "status": "ok",
            "locations": 25,
            "tariffs": 1,
            "registered": 1,
        }
