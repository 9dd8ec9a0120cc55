"""The charging curve: times, their inverse, and what is refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.planner import ChargingCurve, CurveInvalid
from charging.planner.curve import (
    charge_time_s,
    make_charge_table,
    power_kw_at,
    soc_after_charge,
)
from tests.charging.planner_world import REAL_CURVE

HALVING = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 50.0))
SHARES = st.floats(0.0, 1.0)
POWERS_KW = st.floats(1.0, 400.0)


@st.composite
def curves(draw: st.DrawFn) -> ChargingCurve:
    inner = sorted(draw(st.sets(st.integers(1, 99), max_size=6)))
    soc = (0.0, *(percent / 100 for percent in inner), 1.0)
    return ChargingCurve(soc_fraction=soc, power_kw=tuple(draw(POWERS_KW) for _ in soc))


class TestChargeTime:
    def test_is_a_logarithm_where_power_falls_in_a_line(self) -> None:
        table = make_charge_table(HALVING, usable_kwh=50.0)
        # t = integral of 3600 * 50 / (100 - 50 s) ds = 3600 ln 2 from empty to full.
        assert charge_time_s(table, from_soc=0.0, to_soc=1.0) == pytest.approx(3600 * math.log(2))

    def test_is_constant_power_below_the_site_limit(self) -> None:
        table = make_charge_table(HALVING, usable_kwh=50.0, site_kw=75.0)
        # The curve crosses 75 kW at half charge: 25 kWh at 75 kW, then 3600 ln(75 / 50).
        assert charge_time_s(table, from_soc=0.0, to_soc=0.5) == pytest.approx(1200.0)
        assert charge_time_s(table, from_soc=0.5, to_soc=1.0) == pytest.approx(3600 * math.log(1.5))

    def test_keeps_its_digits_where_power_hardly_changes(self) -> None:
        curve = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 100.0 + 1e-10))
        table = make_charge_table(curve, usable_kwh=50.0)
        assert charge_time_s(table, from_soc=0.0, to_soc=1.0) == pytest.approx(1800.0, rel=1e-11)

    @given(curve=curves(), site_kw=POWERS_KW, shares=st.tuples(SHARES, SHARES, SHARES))
    def test_adds_up_over_any_split(
        self, curve: ChargingCurve, site_kw: float, shares: tuple[float, float, float]
    ) -> None:
        low, middle, high = sorted(shares)
        table = make_charge_table(curve, usable_kwh=60.0, site_kw=site_kw)
        whole = charge_time_s(table, from_soc=low, to_soc=high)
        parts = charge_time_s(table, from_soc=low, to_soc=middle)
        parts += charge_time_s(table, from_soc=middle, to_soc=high)
        assert parts == pytest.approx(whole, abs=1e-6)

    @given(curve=curves(), site_kw=POWERS_KW, shares=st.tuples(SHARES, SHARES))
    def test_is_bounded_by_the_least_and_most_power(
        self, curve: ChargingCurve, site_kw: float, shares: tuple[float, float]
    ) -> None:
        low, high = sorted(shares)
        table = make_charge_table(curve, usable_kwh=60.0, site_kw=site_kw)
        seconds = charge_time_s(table, from_soc=low, to_soc=high)
        energy_ws = (high - low) * 60.0 * 3600
        assert energy_ws / table.power_kw.max() <= seconds + 1e-6
        assert seconds - 1e-6 <= energy_ws / table.power_kw.min()

    @given(curve=curves(), site_kw=POWERS_KW, shares=st.tuples(SHARES, SHARES))
    def test_is_undone_by_soc_after_charge(
        self, curve: ChargingCurve, site_kw: float, shares: tuple[float, float]
    ) -> None:
        low, high = sorted(shares)
        table = make_charge_table(curve, usable_kwh=60.0, site_kw=site_kw)
        seconds = charge_time_s(table, from_soc=low, to_soc=high)
        assert soc_after_charge(table, from_soc=low, charge_s=seconds) == pytest.approx(
            high, abs=1e-9
        )

    @pytest.mark.parametrize(
        ("low", "high"), [(0.5, 0.4), (-0.1, 0.5), (0.5, 1.1), (0.5, math.nan)]
    )
    def test_refuses_what_is_no_charge(self, low: float, high: float) -> None:
        table = make_charge_table(HALVING, usable_kwh=50.0)
        with pytest.raises(CurveInvalid):
            charge_time_s(table, from_soc=low, to_soc=high)


class TestSocAfterCharge:
    def test_stops_at_full(self) -> None:
        table = make_charge_table(HALVING, usable_kwh=50.0)
        assert soc_after_charge(table, from_soc=0.9, charge_s=1e6) == 1.0

    @pytest.mark.parametrize(("soc", "charge_s"), [(0.5, -1.0), (0.5, math.inf), (1.5, 1.0)])
    def test_refuses_what_is_no_charge(self, soc: float, charge_s: float) -> None:
        table = make_charge_table(HALVING, usable_kwh=50.0)
        with pytest.raises(CurveInvalid):
            soc_after_charge(table, from_soc=soc, charge_s=charge_s)


class TestPowerKwAt:
    @pytest.mark.parametrize(
        ("soc_fraction", "power_kw"), [(0.0, 60.0), (0.05, 100.0), (0.1, 120.0), (0.65, 115.0)]
    )
    def test_is_the_smaller_of_curve_and_site(self, soc_fraction: float, power_kw: float) -> None:
        table = make_charge_table(REAL_CURVE, usable_kwh=60.0, site_kw=120.0)
        assert power_kw_at(table, soc_fraction=soc_fraction) == pytest.approx(power_kw)


class TestChargingCurve:
    @pytest.mark.parametrize(
        ("soc_fraction", "power_kw"),
        [
            ((0.0,), (50.0,)),
            ((0.0, 1.0), (50.0, 40.0, 30.0)),
            ((0.0, 0.5), (50.0, 40.0)),
            ((0.1, 1.0), (50.0, 40.0)),
            ((0.0, 0.6, 0.5, 1.0), (50.0, 40.0, 30.0, 20.0)),
            ((0.0, math.nan, 1.0), (50.0, 40.0, 30.0)),
            ((0.0, 1.0), (50.0, 0.0)),
            ((0.0, 1.0), (50.0, math.nan)),
            ((0.0, 1.0), (math.inf, 50.0)),
        ],
    )
    def test_refuses_what_is_no_curve(
        self, soc_fraction: tuple[float, ...], power_kw: tuple[float, ...]
    ) -> None:
        with pytest.raises(CurveInvalid):
            ChargingCurve(soc_fraction=soc_fraction, power_kw=power_kw)

    @pytest.mark.parametrize(("usable_kwh", "site_kw"), [(50.0, 0.0), (0.0, 50.0), (math.nan, 1.0)])
    def test_makes_no_table_without_power_or_battery(
        self, usable_kwh: float, site_kw: float
    ) -> None:
        with pytest.raises(CurveInvalid):
            make_charge_table(HALVING, usable_kwh=usable_kwh, site_kw=site_kw)
