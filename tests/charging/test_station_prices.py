"""Which tariff a connector is shown with, and what a partner's nonsense does: nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from charging.models import Connector, Partner, Tariff
from charging.station_prices import PriceBook
from charging.tariffs.summary import PriceSpan
from tests.small_world import UPDATED_AT, SmallWorld, make_location, make_partner

if TYPE_CHECKING:
    from django.test import Client

    from charging.tariffs.summary import TariffSummary

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def energy(price: object, **more: object) -> dict[str, object]:
    part = {"type": "ENERGY", "price": price, "step_size": 1}
    return {"currency": "EUR", "elements": [{"price_components": [part | more]}]}


def make_tariff(partner: Partner, name: str, raw: object) -> None:
    Tariff.objects.create(
        partner=partner,
        country_code="DE",
        party_id="STR",
        ocpi_id=name,
        currency="EUR",
        raw=raw,
        last_updated=UPDATED_AT,
        seen_at=UPDATED_AT,
    )


def find_price(partner: Partner, *names: str, at: datetime = NOON) -> TariffSummary | None:
    connector = Connector(tariff_ids=list(names))
    return PriceBook([(partner.pk, connector)]).find_price(
        partner_id=partner.pk, connector=connector, at=at
    )


class TestPriceBook:
    def test_passes_over_tariffs_that_are_not_in_force(self) -> None:
        partner = make_partner()
        make_tariff(partner, "old", energy("0.1") | {"end_date_time": "2026-06-01T12:00:00Z"})
        make_tariff(partner, "new", energy("0.2") | {"start_date_time": "2026-06-01T12:00:00Z"})
        noon = find_price(partner, "old", "new")
        before = find_price(partner, "new", "old", at=NOON - timedelta(microseconds=1))
        assert noon is not None
        assert before is not None
        assert noon.per_kwh == PriceSpan(Decimal("0.2000"), Decimal("0.2000"))
        assert before.per_kwh == PriceSpan(Decimal("0.1000"), Decimal("0.1000"))
        assert find_price(partner, "old") is None

    def test_knows_no_price_where_zero_holds_at_some_times_only(self) -> None:
        partner = make_partner()
        at_night = energy(0)
        at_night["elements"][0]["restrictions"] = {"end_time": "04:00"}  # type: ignore[index]
        make_tariff(partner, "night", at_night)
        make_tariff(partner, "least", energy(0) | {"min_price": {"excl_vat": 5}})
        make_tariff(partner, "free", energy(0))
        assert find_price(partner, "night") is None
        assert find_price(partner, "least") is None
        free = find_price(partner, "free")
        assert free is not None
        assert free.is_free

    def test_takes_the_tariff_for_paying_on_the_spot_last(self) -> None:
        partner = make_partner()
        make_tariff(partner, "spot", energy("0.9") | {"type": "AD_HOC_PAYMENT"})
        make_tariff(partner, "ours", energy("0.2"))
        found = find_price(partner, "spot", "ours")
        assert found is not None
        assert found.per_kwh == PriceSpan(Decimal("0.2000"), Decimal("0.2000"))


NONSENSE: list[Any] = [
    "x",
    [],
    7,
    energy(1e25),
    energy("1e999999999"),
    energy(1, vat="9e999999"),
    energy(1, step_size="1e30"),
    energy(1) | {"currency": "ÄÖÜ"},
    energy(1) | {"min_price": {"excl_vat": "1e400"}},
    energy(1) | {"end_date_time": ["x"]},
]


class TestNonsense:
    @pytest.mark.parametrize("raw", NONSENSE)
    def test_shows_the_price_as_unknown(
        self, client: Client, small_world: SmallWorld, raw: object
    ) -> None:
        Tariff.objects.update(raw=raw)
        station = small_world.locations[0].pk
        listed = client.get("/api/v1/stations?bbox=2,49,14,51").json()["results"]
        assert {found["price"] for found in listed} == {None}
        page = client.get("/", {"q": "Midtown"})
        assert (page.status_code, b"Price unknown" in page.content) == (200, True)
        assert client.get(f"/stations/{station}/").status_code == 200
        body = {
            "origin": "Westend",
            "destination": "Eastend",
            "vehicle_model": "test-car-60",
            "soc_start": 0.9,
        }
        answer = client.post("/api/v1/plans", json.dumps(body), content_type="application/json")
        [itinerary] = answer.json()["itineraries"]
        assert {stop["cost_note"] for stop in itinerary["stops"]} == {
            "The operator's price cannot be read."
        }

    def test_does_not_spoil_a_partner_s_other_stations(self, client: Client) -> None:
        partner = make_partner()
        make_tariff(partner, "broken", "x")
        make_location(partner, number=1, lon=8.0, tariff_ids=("broken",))
        make_location(partner, number=2, lon=8.1)
        listed = client.get("/api/v1/stations?bbox=7,49,9,51").json()["results"]
        assert [found["price"] is None for found in listed] == [True, False]
