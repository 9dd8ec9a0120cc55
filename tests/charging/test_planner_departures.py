"""Departures between two stops against a dense scan of the cost they minimise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.planner import ChargingCurve, Offers
from charging.planner.departures import find_departures
from charging.planner.kernels import charge_cost
from charging.planner.objectives import Objective, tabulate_charging
from tests.charging.planner_world import make_vehicle
from tests.charging.test_planner_curve import curves

HERE, THERE = 0, 1
PRICES = st.sampled_from((0.0, 0.0, 0.2, 0.45, 0.8))


def list_departures(
    curve: ChargingCurve,
    *,
    power_kw: tuple[float, float],
    least: float,
    lag_soc: float,
    charge_per_kwh: tuple[float, float] = (0.0, 0.0),
    most: float = 1.0,
) -> tuple[list[float], bool]:
    objective = Objective(
        drive_per_s=1.0,
        per_stop=np.zeros(2),
        charge_per_s=np.ones(2),
        charge_per_kwh=np.array(charge_per_kwh) * 1000,
    )
    charging = tabulate_charging(
        objective, vehicle=make_vehicle(curve=curve), offers=Offers(np.array(power_kw))
    )
    found = np.empty(64)
    count, cheaper = find_departures(charging, HERE, THERE, least, most, lag_soc, 1.0, found)
    return found[:count].tolist(), cheaper


class TestFindDepartures:
    def test_leaves_at_once_for_a_faster_site(self) -> None:
        curve = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(150.0, 150.0))
        departures = list_departures(curve, power_kw=(50.0, 150.0), least=0.5, lag_soc=0.3)
        assert departures == ([0.5], False)

    def test_charges_as_far_as_allowed_before_a_slower_site(self) -> None:
        curve = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(150.0, 150.0))
        departures = list_departures(
            curve, power_kw=(150.0, 50.0), least=0.5, lag_soc=0.3, most=0.9
        )
        assert departures == ([0.9], True)

    def test_leaves_where_the_falling_curve_meets_the_next_site(self) -> None:
        curve = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(200.0, 0.1))
        # Here 200 - 199.9 s falls to the 80 kW of the next site at s = 120 / 199.9.
        (departures, _) = list_departures(curve, power_kw=(200.0, 80.0), least=0.35, lag_soc=0.3)
        assert departures == pytest.approx([120 / 199.9])

    def test_is_indifferent_between_equal_limits(self) -> None:
        curve = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(150.0, 150.0))
        departures = list_departures(curve, power_kw=(50.0, 50.0), least=0.5, lag_soc=0.3)
        assert departures == ([0.5], False)

    def test_offers_both_sides_of_a_dip(self) -> None:
        curve = ChargingCurve(soc_fraction=(0.0, 0.5, 1.0), power_kw=(20.0, 120.0, 120.0))
        departures, cheaper = list_departures(
            curve, power_kw=(120.0, 60.0), least=0.1, lag_soc=0.05
        )
        # Cold here, so leave at once for what is as cold; or stay until full, once warm.
        assert departures == pytest.approx([1.0])
        assert cheaper

    @given(
        curve=curves(),
        power_kw=st.tuples(st.floats(10.0, 300.0), st.floats(10.0, 300.0)),
        prices=st.tuples(PRICES, PRICES),
        least=st.floats(0.05, 0.95),
        lag_share=st.floats(0.0, 1.0),
    )
    def test_misses_no_valley_of_the_cost(
        self,
        curve: ChargingCurve,
        power_kw: tuple[float, float],
        prices: tuple[float, float],
        least: float,
        lag_share: float,
    ) -> None:
        lag_soc = least * lag_share
        departures, cheaper = list_departures(
            curve, power_kw=power_kw, charge_per_kwh=prices, least=least, lag_soc=lag_soc
        )
        objective = Objective(
            drive_per_s=1.0,
            per_stop=np.zeros(2),
            charge_per_s=np.ones(2),
            charge_per_kwh=np.array(prices) * 1000,
        )
        charging = tabulate_charging(
            objective, vehicle=make_vehicle(curve=curve), offers=Offers(np.array(power_kw))
        )

        def cost(depart: float) -> float:
            here: float = charge_cost(charging, HERE, depart)
            there: float = charge_cost(charging, THERE, depart - lag_soc)
            return here - there

        scan = [cost(depart) for depart in np.linspace(least, 1.0, 101).tolist()]
        slack = 1e-6 * (1 + max(map(abs, scan)))
        assert min(map(cost, departures)) <= min(scan) + slack
        falls = any(after < before - slack for before, after in itertools.pairwise(scan))
        assert cheaper or not falls
