"""A tariff at a glance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from charging.tariffs.summary import PriceSpan, TariffSummary, summarise
from charging.tariffs.terms import read_terms


def component(kind: str, price: float, vat: float | None = 20) -> dict[str, Any]:
    part: dict[str, Any] = {"type": kind, "price": price, "step_size": 1}
    return part if vat is None else part | {"vat": vat}


def sum_up(*elements: dict[str, Any], **more: object) -> TariffSummary:
    return summarise(read_terms({"currency": "EUR", "elements": list(elements), **more}))


def span(low: str, high: str | None = None) -> PriceSpan:
    return PriceSpan(Decimal(low), Decimal(high or low))


class TestSummarise:
    def test_adds_vat_and_counts_times_by_the_minute(self) -> None:
        summary = sum_up(
            {
                "price_components": [
                    component("ENERGY", 0.5),
                    component("TIME", 6),
                    component("PARKING_TIME", 3),
                    component("FLAT", 1),
                ]
            }
        )
        assert summary == TariffSummary(
            currency="EUR",
            per_kwh=span("0.6000"),
            per_minute=span("0.1200"),
            per_parked_minute=span("0.0600"),
            per_session=span("1.2000"),
            vat_known=True,
            is_free=False,
        )

    def test_spans_the_prices_of_restricted_elements(self) -> None:
        summary = sum_up(
            {
                "price_components": [component("ENERGY", 0.25)],
                "restrictions": {"start_time": "22:00", "end_time": "06:00"},
            },
            {"price_components": [component("ENERGY", 0.5)]},
        )
        assert summary.per_kwh == span("0.3000", "0.6000")

    def test_leaves_out_what_can_never_apply(self) -> None:
        summary = sum_up(
            {"price_components": [component("ENERGY", 0.5)]},
            {"price_components": [component("ENERGY", 9), component("FLAT", 1)]},
        )
        assert summary.per_kwh == span("0.6000")
        assert summary.per_session == span("1.2000")

    def test_leaves_out_the_prices_of_reservations(self) -> None:
        summary = sum_up(
            {
                "price_components": [component("FLAT", 5)],
                "restrictions": {"reservation": "RESERVATION"},
            },
            {"price_components": [component("ENERGY", 0.5)]},
        )
        assert summary.per_session is None

    def test_says_where_the_vat_is_not_stated(self) -> None:
        summary = sum_up({"price_components": [component("ENERGY", 0.5, vat=None)]})
        assert (summary.per_kwh, summary.vat_known) == (span("0.5000"), False)

    def test_is_free_only_where_every_price_is_zero(self) -> None:
        assert sum_up({"price_components": [component("FLAT", 0)]}).is_free
        assert not sum_up({"price_components": [component("PARKING_TIME", 1)]}).is_free

    def test_is_not_free_where_zero_holds_at_some_times_only(self) -> None:
        at_night = {
            "price_components": [component("ENERGY", 0)],
            "restrictions": {"start_time": "02:00", "end_time": "04:00"},
        }
        assert not sum_up(at_night).is_free
        assert sum_up(at_night, {"price_components": [component("ENERGY", 0)]}).is_free

    def test_is_not_free_where_a_charge_has_a_least_price(self) -> None:
        free = {"price_components": [component("ENERGY", 0)]}
        assert not sum_up(free, min_price={"excl_vat": 5}).is_free
        assert not sum_up(free, min_price={"incl_vat": "0.01"}).is_free
        assert sum_up(free, min_price={"excl_vat": 0, "incl_vat": 0}).is_free
