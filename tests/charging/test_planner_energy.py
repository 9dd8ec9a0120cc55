"""The consumption model against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from charging.planner import FigureOutOfRange
from charging.planner.energy import compute_energy_coefficients, compute_energy_kwh
from charging.planner.roads.graph import N_FEATURES, Feature
from tests.charging.planner_world import make_vehicle


def make_features(**values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    features = np.zeros(N_FEATURES)
    for name, value in values.items():
        features[Feature[name]] = value
    return features


MOTORWAY_100_KM = make_features(
    DURATION_S=3000.0, LENGTH_M=100_000.0, DRAG_M3_S2=100_000.0 * (100 / 3) ** 2
)


class TestComputeEnergy:
    def test_agrees_with_a_hundred_kilometres_worked_by_hand(self) -> None:
        # Rolling 2000 * 9.80665 * 0.01 * 100 km = 19.6133 MJ; drag 0.5 * 1.225 * 0.6 *
        # 100 km * (33.33 m/s)^2 = 40.8333 MJ; together over 0.9: 67.1629 MJ = 18.65636 kWh.
        # Auxiliaries 0.5 kW * 3000 s = 0.41667 kWh.
        energy_kwh = compute_energy_kwh(make_vehicle(), features=MOTORWAY_100_KM)
        assert energy_kwh == pytest.approx(18.65636 + 0.41667, abs=1e-5)

    def test_pays_ascents_in_full_and_gives_back_a_share_of_descents(self) -> None:
        # 2000 * 9.80665 * 100 m / 0.9 = 2.17926 MJ = 0.605349 kWh; 0.6 of it comes back.
        vehicle = make_vehicle()
        up = compute_energy_kwh(vehicle, features=make_features(ASCENT_M=100.0))
        down = compute_energy_kwh(vehicle, features=make_features(DESCENT_M=100.0))
        assert up == pytest.approx(0.605349, abs=1e-6)
        assert down == pytest.approx(-0.6 * 0.605349, abs=1e-6)

    def test_takes_nothing_while_carried(self) -> None:
        ferry = make_features(
            DURATION_S=5400.0, CARRIED_S=5400.0, LENGTH_M=45_000.0, CARRIED_M=45_000.0
        )
        assert compute_energy_kwh(make_vehicle(), features=ferry) == pytest.approx(0.0, abs=1e-12)

    def test_scales_with_the_consumption_factor(self) -> None:
        base = compute_energy_kwh(make_vehicle(), features=MOTORWAY_100_KM)
        winter = compute_energy_kwh(make_vehicle(consumption_factor=1.25), features=MOTORWAY_100_KM)
        assert winter == pytest.approx(1.25 * base)

    def test_serves_many_paths_at_once(self) -> None:
        both = np.stack((MOTORWAY_100_KM, 2 * MOTORWAY_100_KM)).astype(np.float32)
        energy_kwh = compute_energy_kwh(make_vehicle(), features=both)
        assert energy_kwh.shape == (2,)
        assert energy_kwh[1] == pytest.approx(2 * energy_kwh[0], rel=1e-6)

    def test_never_gains_by_going_up_and_down(self) -> None:
        per_unit = compute_energy_coefficients(replace(make_vehicle(), recuperation_efficiency=1.0))
        assert per_unit[Feature.ASCENT_M] + per_unit[Feature.DESCENT_M] >= 0


class TestVehicle:
    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0])
    @pytest.mark.parametrize(
        "name", ["mass_kg", "drag_area_m2", "rolling_coefficient", "usable_kwh"]
    )
    def test_refuses_figures_that_cannot_be_true(self, name: str, value: float) -> None:
        wrong: dict[str, Any] = {name: value}
        with pytest.raises(FigureOutOfRange) as refusal:
            replace(make_vehicle(), **wrong)
        assert refusal.value.name == name

    def test_refuses_an_efficiency_above_one(self) -> None:
        with pytest.raises(FigureOutOfRange):
            replace(make_vehicle(), drivetrain_efficiency=1.01)
