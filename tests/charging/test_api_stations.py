"""GET /api/v1/stations and /api/v1/stations/{id}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from charging.models import Connector, Evse, Location, Partner, Tariff
from tests.small_world import UPDATED_AT, SmallWorld, make_location, make_partner

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

AREA = "2,49,15,51"


@pytest.fixture
def partner(db: None) -> Partner:
    return make_partner()


def ask(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get("/api/v1/stations", {"bbox": AREA, **query})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def ask_names(client: Client, **query: str) -> list[str]:
    return [station["name"] for station in ask(client, **query)["results"]]


class TestStationList:
    def test_tells_status_counts_connectors_and_price(
        self, client: Client, partner: Partner
    ) -> None:
        location = make_location(partner, number=1, lon=8.0)
        assert ask(client) == {
            "count": 1,
            "next": None,
            "results": [
                {
                    "id": location.pk,
                    "name": "Straight Road 1",
                    "operator": "Straight Road Charging",
                    "address": "Rest area 1",
                    "postal_code": "",
                    "city": "Roadside",
                    "country": "DEU",
                    "lon": 8.0,
                    "lat": 50.0,
                    "status": "available",
                    "available": 2,
                    "unknown": 0,
                    "total": 3,
                    "max_power_kw": 150.0,
                    "connectors": [
                        {
                            "standard": "IEC_62196_T2_COMBO",
                            "name": "CCS 2",
                            "power_kw": 150.0,
                            "available": 1,
                            "total": 2,
                        },
                        {
                            "standard": "IEC_62196_T2",
                            "name": "Type 2",
                            "power_kw": 22.0,
                            "available": 1,
                            "total": 1,
                        },
                    ],
                    "price": {
                        "currency": "EUR",
                        "per_kwh": {"low": "0.5950", "high": "0.5950"},
                        "per_minute": None,
                        "per_parked_minute": None,
                        "per_session": {"low": "1.1900", "high": "1.1900"},
                        "vat_included": True,
                    },
                }
            ],
        }

    def test_leaves_out_what_lies_outside_of_the_area(
        self, client: Client, partner: Partner
    ) -> None:
        for number, lon in enumerate((7.9, 8.0, 9.0, 9.1), start=1):
            make_location(partner, number=number, lon=lon)
        assert ask_names(client, bbox="8,50,9,50") == ["Straight Road 2", "Straight Road 3"]

    def test_counts_and_prices_only_what_fits_the_filter(
        self, client: Client, partner: Partner
    ) -> None:
        make_location(partner, number=1, lon=8.0)
        [station] = ask(client, connector="IEC_62196_T2_COMBO", min_power_kw="100")["results"]
        assert (station["available"], station["total"]) == (1, 2)
        assert [group["standard"] for group in station["connectors"]] == ["IEC_62196_T2_COMBO"]

    def test_asks_one_evse_to_fulfil_all_filters(self, client: Client, partner: Partner) -> None:
        make_location(partner, number=1, lon=8.0, statuses=("CHARGING",))
        make_location(partner, number=2, lon=8.5, statuses=("AVAILABLE",))
        # Both have a free plug, but only one a free fast one.
        assert len(ask_names(client, available="true")) == 2
        assert ask_names(client, available="true", min_power_kw="50") == ["Straight Road 2"]
        assert ask_names(client, available="false", min_power_kw="50") == [
            "Straight Road 1",
            "Straight Road 2",
        ]

    def test_filters_nothing_by_empty_values(self, client: Client, partner: Partner) -> None:
        make_location(partner, number=1, lon=8.0)
        assert ask_names(client, connector="", min_power_kw="", available="") == ["Straight Road 1"]

    @pytest.mark.parametrize("name", ["IEC_62196_T2_COMBO", "ccs2", "CCS 2", "chademo,ccs"])
    def test_knows_connectors_by_their_everyday_names(
        self, client: Client, partner: Partner, name: str
    ) -> None:
        make_location(partner, number=1, lon=8.0)
        assert ask(client, connector=name)["results"][0]["max_power_kw"] == 150.0

    def test_hides_what_drivers_may_not_see(self, client: Client, partner: Partner) -> None:
        hidden = [make_location(partner, number=number, lon=8.0) for number in range(1, 7)]
        Location.objects.filter(pk=hidden[0].pk).update(publish=False)
        Location.objects.filter(pk=hidden[1].pk).update(removed_at=UPDATED_AT)
        Evse.objects.filter(location=hidden[2]).update(status="REMOVED")
        Evse.objects.filter(location=hidden[3]).update(status="PLANNED")
        Connector.objects.filter(evse__location=hidden[4]).delete()
        suspended = make_partner("suspended")
        Location.objects.filter(pk=hidden[5].pk).update(partner=suspended)
        Partner.objects.filter(pk=suspended.pk).update(state=Partner.State.SUSPENDED)
        assert ask(client) == {"count": 0, "next": None, "results": []}
        statuses = {client.get(f"/api/v1/stations/{row.pk}").status_code for row in hidden}
        assert statuses == {404}

    @pytest.mark.parametrize(
        ("statuses", "status"),
        [
            (("CHARGING", "AVAILABLE"), "available"),
            (("UNKNOWN", "CHARGING"), "in_use"),
            (("OUTOFORDER", "RESERVED"), "reserved"),
            (("UNKNOWN", "OUTOFORDER"), "unknown"),
            (("INOPERATIVE", "BLOCKED"), "out_of_order"),
            (("SOMETHING_NEW",), "unknown"),
        ],
    )
    def test_sums_the_statuses_up_to_the_best_one(
        self, client: Client, partner: Partner, statuses: tuple[str, ...], status: str
    ) -> None:
        make_location(partner, number=1, lon=8.0, statuses=statuses)
        [station] = ask(client, connector="ccs2")["results"]
        assert station["status"] == status

    def test_gives_no_price_where_none_is_known(self, client: Client, partner: Partner) -> None:
        make_location(partner, number=1, lon=8.0, tariff_ids=("gone",))
        make_location(partner, number=2, lon=8.1, tariff_ids=())
        Tariff.objects.update(raw={"currency": "EUR", "elements": "broken"})
        make_location(partner, number=3, lon=8.2)
        assert [station["price"] for station in ask(client)["results"]] == [None, None, None]

    def test_pages_through_all_stations_once_in_the_order_of_ids(
        self, client: Client, partner: Partner
    ) -> None:
        ids = [make_location(partner, number=n, lon=8 + n / 100).pk for n in range(1, 6)]
        seen, address = [], f"/api/v1/stations?{urlencode({'bbox': AREA, 'limit': 2})}"
        while address:
            page = client.get(address).json()
            assert page["count"] == 5
            seen.append([station["id"] for station in page["results"]])
            address = page["next"]
        assert seen == [ids[:2], ids[2:4], ids[4:]]

    def test_asks_the_database_as_often_for_many_as_for_one(
        self,
        client: Client,
        partner: Partner,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        make_location(partner, number=1, lon=8.0)
        with django_assert_num_queries(4):
            ask(client)
        for number in range(2, 20):
            make_location(partner, number=number, lon=8.0)
        with django_assert_num_queries(4):
            ask(client)

    @pytest.mark.parametrize(
        ("query", "code", "sentence"),
        [
            ({}, "missing", "bbox is missing. Send bbox=west,south,east,north in degrees."),
            (
                {"bbox": "1,2,3"},
                "bbox_invalid",
                "bbox must be four numbers, west,south,east,north in degrees, not 3.",
            ),
            (
                {"bbox": "a,2,3,4"},
                "not_a_number",
                "bbox holds “a”, which is not a finite number.",
            ),
            (
                {"bbox": "nan,2,3,4"},
                "not_a_number",
                "bbox holds “nan”, which is not a finite number.",
            ),
            (
                {"bbox": "1,2,inf,4"},
                "not_a_number",
                "bbox holds “inf”, which is not a finite number.",
            ),
            (
                {"bbox": "1_0,2,30,4"},
                "not_a_number",
                "bbox holds “1_0”, which is not a finite number.",
            ),
            (
                {"bbox": "9,50,8,51"},
                "bbox_reversed",
                "bbox is reversed. Its order is west,south,east,north.",
            ),
            (
                {"bbox": "8,51,9,50"},
                "bbox_reversed",
                "bbox is reversed. Its order is west,south,east,north.",
            ),
            (
                {"bbox": "-180,-90,180,90"},
                "bbox_too_large",
                (
                    "bbox is 360° wide and 180° high. Ask for an area of at most 40° by 40°, "
                    "or for several."
                ),
            ),
            (
                {"bbox": "170,50,190,51"},
                "bbox_invalid",
                "bbox leaves the earth: longitudes lie in -180 to 180, latitudes -90 to 90.",
            ),
        ],
    )
    def test_refuses_an_area_that_makes_no_sense(
        self, client: Client, query: dict[str, str], code: str, sentence: str
    ) -> None:
        answer = client.get("/api/v1/stations", query)
        assert answer.status_code == 400
        assert answer.json() == {"code": code, "detail": sentence, "field": "bbox"}

    @pytest.mark.parametrize(
        ("query", "field", "sentence"),
        [
            (
                {"min_power_kw": "-1"},
                "min_power_kw",
                "min_power_kw is -1. Send a number from 0 to 10000.",
            ),
            (
                {"min_power_kw": "fast"},
                "min_power_kw",
                "min_power_kw holds “fast”, which is not a finite number.",
            ),
            ({"available": "maybe"}, "available", "available is “maybe”. Send true or false."),
            ({"limit": "0"}, "limit", "limit is “0”. Send a whole number from 1 to 200."),
            ({"limit": "²"}, "limit", "limit is “²”. Send a whole number from 1 to 200."),
            (
                {"after": "9" * 30},
                "after",
                f"after is “{'9' * 30}”. Send a whole number from 0 to {2**63 - 1}.",
            ),
        ],
    )
    def test_names_the_parameter_that_it_does_not_understand(
        self, client: Client, query: dict[str, str], field: str, sentence: str
    ) -> None:
        answer = client.get("/api/v1/stations", {"bbox": AREA, **query})
        assert answer.status_code == 400
        assert (answer.json()["field"], answer.json()["detail"]) == (field, sentence)

    def test_names_the_known_connectors_for_an_unknown_one(self, client: Client) -> None:
        answer = client.get("/api/v1/stations", {"bbox": AREA, "connector": "chadmo"})
        assert answer.status_code == 400
        refusal = answer.json()
        assert refusal["detail"] == (
            "connector: “chadmo” is no connector that we know. "
            "Use an OCPI standard like IEC_62196_T2_COMBO."
        )
        assert refusal["suggestions"] == ["CHADEMO", "CHAOJI"]
        assert "IEC_62196_T2" in refusal["details"]["known"]

    def test_names_parameters_that_do_not_exist(self, client: Client) -> None:
        answer = client.get("/api/v1/stations", {"bbox": AREA, "conector": "ccs2"})
        assert answer.status_code == 400
        assert answer.json() == {
            "code": "unknown_parameter",
            "detail": "There is no parameter “conector” here. Known are: bbox, connector, "
            "min_power_kw, available, limit, after.",
            "field": "conector",
            "suggestions": ["connector"],
        }

    def test_refuses_a_parameter_that_is_given_twice(self, client: Client) -> None:
        answer = client.get(f"/api/v1/stations?bbox={AREA}&bbox={AREA}")
        assert answer.status_code == 400
        assert answer.json()["detail"] == "bbox is given more than once. Send it once."


class TestStation:
    def test_tells_each_evse_with_its_connectors(self, client: Client, partner: Partner) -> None:
        location = make_location(partner, number=1, lon=8.0, statuses=("CHARGING",))
        station = client.get(f"/api/v1/stations/{location.pk}").json()
        assert (station["id"], station["available"], station["total"]) == (location.pk, 1, 2)
        assert station["evses"][0] == {
            "uid": "1-1",
            "evse_id": "DE*STR*E1*1",
            "status": "in_use",
            "ocpi_status": "CHARGING",
            "last_updated": "2026-06-01T08:00:00Z",
            "connectors": [
                {
                    "id": "1",
                    "standard": "IEC_62196_T2_COMBO",
                    "name": "CCS 2",
                    "format": "CABLE",
                    "power_type": "DC",
                    "power_kw": 150.0,
                    "price": station["price"],
                }
            ],
        }
        assert station["opening_hours"] == {
            "always": True,
            "regular": [],
            "openings": [],
            "closings": [],
        }
        assert (station["open_now"], station["time_zone"]) == (True, "Europe/Berlin")

    def test_tells_regular_hours_in_the_stations_own_time(
        self, client: Client, partner: Partner
    ) -> None:
        location = make_location(partner, number=1, lon=8.0)
        location.raw = {
            "opening_times": {
                "twentyfourseven": False,
                "regular_hours": [
                    {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"},
                    {"weekday": "?", "period_begin": "08:00", "period_end": "20:00"},
                ],
                "exceptional_closings": [
                    {
                        "period_begin": "2026-12-25T00:00:00Z",
                        "period_end": "2026-12-26T00:00:00Z",
                    }
                ],
            },
            "facilities": ["CAFE"],
        }
        location.save(update_fields=["raw"])
        station = client.get(f"/api/v1/stations/{location.pk}").json()
        assert station["opening_hours"] == {
            "always": False,
            "regular": [{"weekday": 1, "begin": "08:00", "end": "20:00"}],
            "openings": [],
            "closings": [
                {"begin_at": "2026-12-25T00:00:00+00:00", "end_at": "2026-12-26T00:00:00+00:00"}
            ],
        }
        assert station["facilities"] == ["CAFE"]

    def test_needs_few_queries(
        self,
        client: Client,
        partner: Partner,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        location = make_location(partner, number=1, lon=8.0, statuses=("AVAILABLE",) * 12)
        with django_assert_num_queries(5):
            client.get(f"/api/v1/stations/{location.pk}")

    @pytest.mark.parametrize("station_id", [12345, 2**63, 10**40])
    def test_says_that_there_is_no_such_station(
        self, client: Client, db: None, station_id: int
    ) -> None:
        answer = client.get(f"/api/v1/stations/{station_id}")
        assert answer.status_code == 404
        assert answer.json() == {
            "code": "station_unknown",
            "detail": f"There is no station {station_id}. It may have been removed.",
            "field": "id",
        }

    def test_takes_no_parameters(self, client: Client, small_world: SmallWorld) -> None:
        answer = client.get(f"/api/v1/stations/{small_world.locations[0].pk}?fields=name")
        assert answer.status_code == 400
        assert answer.json()["detail"] == ("There is no parameter “fields” here. Known are: none.")
