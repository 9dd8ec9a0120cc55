"""Estimating a planned charge's cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from charging.tariffs.estimate import CostEstimate, PlannedCharge, estimate_cost
from charging.tariffs.terms import TariffUnreadable, read_terms

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MONDAY_NOON = datetime(2026, 6, 1, 12, tzinfo=AMSTERDAM)


def component(dimension: str, price: object, **more: object) -> dict[str, object]:
    return {"type": dimension, "price": price, "step_size": 1, **more}


def tariff(*elements: dict[str, Any], **more: object) -> dict[str, object]:
    return {"currency": "EUR", "elements": list(elements), **more}


def element(*components: dict[str, object], **restrictions: object) -> dict[str, Any]:
    return {"price_components": list(components), "restrictions": restrictions or None}


def cost(
    raw: dict[str, object],
    *,
    starts_at: datetime = MONDAY_NOON,
    minutes: int = 30,
    kwh: str = "40",
) -> CostEstimate | None:
    charge = PlannedCharge(starts_at, Decimal(minutes * 60), Decimal(kwh))
    return estimate_cost(read_terms(raw), charge)


def amount(*args: Any, **kwargs: Any) -> Decimal:
    estimate = cost(*args, **kwargs)
    assert estimate is not None
    return estimate.amount.quantize(Decimal("0.0001"))


class TestEstimateCost:
    def test_adds_energy_time_and_flat_parts(self) -> None:
        raw = tariff(
            element(component("FLAT", 0.5), component("ENERGY", "0.45"), component("TIME", 3))
        )
        assert amount(raw) == Decimal("20.0000")  # 0.50 + 40 x 0.45 + half an hour at 3.00

    def test_adds_the_stated_vat(self) -> None:
        estimate = cost(tariff(element(component("ENERGY", 0.5, vat=21))))
        assert estimate is not None
        assert estimate.amount.quantize(Decimal("0.01")) == Decimal("24.20")
        assert (estimate.currency, estimate.vat_known) == ("EUR", True)

    def test_says_when_the_tariff_states_no_vat(self) -> None:
        estimate = cost(tariff(element(component("ENERGY", 0.5, vat=None))))
        assert estimate is not None
        assert estimate.vat_known is False

    def test_takes_the_first_element_that_applies_per_dimension(self) -> None:
        raw = tariff(
            element(component("ENERGY", 0.9), start_time="18:00", end_time="22:00"),
            element(component("ENERGY", 0.4)),
            element(component("ENERGY", 0.1), component("FLAT", 1)),
        )
        assert amount(raw) == Decimal("17.0000")

    def test_changes_price_at_the_minute_in_local_time(self) -> None:
        raw = tariff(
            element(component("ENERGY", 1), start_time="12:15", end_time="18:00"),
            element(component("ENERGY", "0.5")),
        )
        assert amount(raw) == Decimal("30.0000")  # 20 kWh at 0.50, 20 kWh at 1.00

    def test_reads_a_window_that_wraps_midnight(self) -> None:
        raw = tariff(
            element(component("ENERGY", "0.2"), start_time="23:00", end_time="05:00"),
            element(component("ENERGY", 1)),
        )
        late = datetime(2026, 6, 1, 22, 45, tzinfo=AMSTERDAM)
        assert amount(raw, starts_at=late) == Decimal("24.0000")

    def test_keeps_to_weekdays_and_dates(self) -> None:
        raw = tariff(
            element(component("ENERGY", 3), day_of_week=["SUNDAY"]),
            element(component("ENERGY", 2), end_date="2026-06-01"),
            element(component("ENERGY", 1), start_date="2026-06-01"),
        )
        assert amount(raw, kwh="1") == Decimal("1.0000")

    def test_prices_only_what_comes_after_a_minimum_duration(self) -> None:
        raw = tariff(
            element(component("ENERGY", "0.5")),
            element(component("TIME", 6), min_duration=1200),
        )
        assert amount(raw) == Decimal("21.0000")  # 20.00 and ten minutes at 6.00 an hour

    def test_fills_the_last_step_once(self) -> None:
        raw = tariff(element(component("TIME", 6, step_size=900), component("ENERGY", 0)))
        assert amount(raw, minutes=31) == Decimal("4.5000")  # 45 minutes

    def test_fills_a_step_that_has_only_just_begun(self) -> None:
        raw = tariff(element(component("ENERGY", 1, step_size=1000)))
        assert amount(raw, kwh="1.0000000001") == Decimal("2.0000")
        assert amount(raw, kwh="1") == Decimal("1.0000")

    def test_takes_the_step_of_the_component_that_applied_last(self) -> None:
        raw = tariff(
            element(component("TIME", 60), start_time="12:10", end_time="12:20"),
            element(component("TIME", 6, step_size=900)),
        )
        # Ten minutes at 60.00 an hour; 21 minutes at 6.00, and 14 that fill the third quarter.
        assert amount(raw, minutes=31) == Decimal("13.5000")

    def test_changes_price_at_the_very_kwh(self) -> None:
        raw = tariff(
            element(component("ENERGY", 1), max_kwh="10.5"), element(component("ENERGY", 2))
        )
        assert amount(raw) == Decimal("69.5000")

    def test_changes_price_at_the_very_second(self) -> None:
        raw = tariff(element(component("TIME", 3600), min_duration=1217))
        assert amount(raw) == Decimal("583.0000")

    def test_counts_real_seconds_when_the_clocks_change(self) -> None:
        raw = tariff(
            element(component("TIME", 60), start_time="02:00", end_time="03:00"),
            element(component("TIME", 6)),
        )
        before = datetime(2026, 10, 25, 1, 30, tzinfo=AMSTERDAM)
        # From 2 to 3 twice: half an hour at 6.00, two hours at 60.00, half an hour at 6.00.
        assert amount(raw, starts_at=before, minutes=180) == Decimal("126.0000")

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            ({"min_price": {"excl_vat": 50}}, "60.0000"),
            ({"min_price": {"excl_vat": 10, "incl_vat": 55}}, "55.0000"),
            ({"max_price": {"excl_vat": 20}}, "24.0000"),
            ({"max_price": {"excl_vat": 50, "incl_vat": 30}}, "30.0000"),
        ],
    )
    def test_compares_limits_with_and_without_vat(
        self, limits: dict[str, object], expected: str
    ) -> None:
        raw = tariff(element(component("ENERGY", 1, vat=20)), **limits)  # 40.00, with VAT 48.00
        assert amount(raw) == Decimal(expected)

    def test_is_unknown_where_the_price_hangs_on_the_current(self) -> None:
        by_current = element(component("ENERGY", 9), min_current=100)
        for_all = element(component("ENERGY", 1))
        assert cost(tariff(by_current, for_all)) is None
        assert amount(tariff(for_all, by_current)) == Decimal("40.0000")
        assert amount(
            tariff(element(component("PARKING_TIME", 9), max_current=1), for_all)
        ) == Decimal("40.0000")

    def test_is_unknown_before_and_after_the_tariff_is_in_force(self) -> None:
        energy = element(component("ENERGY", 1))
        assert cost(tariff(energy, end_date_time="2026-06-01T10:00:00Z")) is None
        assert cost(tariff(energy, start_date_time="2026-06-01T10:00:01")) is None
        assert amount(tariff(energy, start_date_time="2026-06-01T10:00:00")) == Decimal("40.0000")

    def test_is_unknown_for_a_charge_of_more_than_two_days(self) -> None:
        energy = tariff(element(component("ENERGY", 1)))
        assert amount(energy, minutes=48 * 60) == Decimal("40.0000")
        assert cost(energy, minutes=48 * 60 + 1) is None

    def test_keeps_to_minimum_and_maximum_price(self) -> None:
        energy = element(component("ENERGY", 1))
        assert amount(tariff(energy, min_price={"excl_vat": 50})) == Decimal("50.0000")
        limit = {"excl_vat": "20", "incl_vat": "24.2"}
        assert amount(tariff(energy, max_price=limit)) == Decimal("24.2000")

    def test_does_not_charge_for_a_reservation(self) -> None:
        raw = tariff(
            element(component("FLAT", 5), reservation="RESERVATION"),
            element(component("ENERGY", 1)),
        )
        assert amount(raw) == Decimal("40.0000")

    def test_is_unknown_when_no_element_applies(self) -> None:
        assert (
            cost(tariff(element(component("ENERGY", 1), start_time="01:00", end_time="02:00")))
            is None
        )

    def test_is_free_only_when_the_tariff_says_so(self) -> None:
        assert amount(tariff(element(component("ENERGY", 0)))) == Decimal("0.0000")


class TestReadTerms:
    @pytest.mark.parametrize(
        ("raw", "sentence"),
        [
            ({"currency": "EURO", "elements": [1]}, "currency is 'EURO'"),
            ({"currency": "EUR", "elements": []}, "elements is missing or empty"),
            (tariff({"price_components": None}), "price_components is missing or empty"),
            (tariff(element(component("LENGTH", 1))), "type 'LENGTH' is unknown"),
            (tariff(element(component("ENERGY", None))), "a price component has no price"),
            (tariff(element(component("ENERGY", "NaN"))), "price is not finite"),
            (tariff(element(component("ENERGY", True))), "price is not a number"),
            (tariff(element(component("ENERGY", 1), start_time="25:00")), "start_time is '25:00'"),
            (tariff(element(component("ENERGY", 1), end_date="June")), "end_date is 'June'"),
            ("free", "the tariff is not an object"),
            (tariff(element(component("ENERGY", 1))) | {"currency": "ÄÖÜ"}, "currency is 'ÄÖÜ'"),
            (tariff(element(component("ENERGY", 1))) | {"currency": "ßA"}, "currency is 'ßA'"),
            (tariff(element(component("ENERGY", 1e25))), "price is not between"),
            (tariff(element(component("ENERGY", "1e999999999"))), "price is not between"),
            (
                tariff(element(component("ENERGY", 1, vat="9e999999"))),
                "vat is not between 0 and 100",
            ),
            (tariff(element(component("ENERGY", 1, vat=-1))), "vat is not between 0 and 100"),
            (tariff(element(component("ENERGY", 1, step_size="1e30"))), "step_size is not between"),
            (tariff(element(component("ENERGY", 1), max_kwh=-1e7)), "max_kwh is not between"),
            (tariff(element(component("TIME", 1), min_duration=-1)), "min_duration is not between"),
            (tariff(element(component("ENERGY", 1)), min_price={"excl_vat": 1e9}), "min_price is"),
            (tariff(element(component("ENERGY", 1)), end_date_time="soon"), "end_date_time is"),
            (tariff(*[element(component("ENERGY", 1))] * 201), "there are 201 elements"),
            (tariff(element(*[component("ENERGY", 1)] * 11)), "there are 11 price components"),
        ],
    )
    def test_names_the_field_at_fault(self, raw: object, sentence: str) -> None:
        with pytest.raises(TariffUnreadable, match=sentence):
            read_terms(raw)

    def test_reads_a_number_of_very_many_digits(self) -> None:
        terms = read_terms(tariff(element(component("ENERGY", "1e-999999"))))
        assert terms.elements[0].components[0].price == 0
        terms = read_terms(tariff(element(component("ENERGY", 0.1 + 0.2))))
        assert terms.elements[0].components[0].price == Decimal("0.3")

    def test_takes_no_step_size_and_zero_for_one(self) -> None:
        for step_size in (None, 0, 1):
            terms = read_terms(tariff(element(component("ENERGY", 1, step_size=step_size))))
            assert terms.elements[0].components[0].step_size == 1
