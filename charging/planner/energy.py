"""The consumption model: longitudinal dynamics, linear in the features of a path.

Source: Guzzella, Sciarretta, "Vehicle Propulsion Systems" (3rd ed., 2013), section 2.1: rolling
friction m g c_r, aerodynamic drag 1/2 rho c_d A v^2 and the uphill force m g sin(alpha). Being
linear, it turns one vehicle-independent leg table into any vehicle's energies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from charging.planner.roads.graph import N_FEATURES, Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.vehicle import Vehicle

GRAVITY_M_S2 = 9.80665  # standard gravity, ISO 80000-3
AIR_DENSITY_KG_M3 = 1.225  # 15 degrees Celsius at sea level, ISO 2533
JOULES_PER_KWH = 3.6e6


def compute_energy_coefficients(vehicle: Vehicle) -> NDArray[np.float64]:
    """Give a vehicle's kWh per unit of each feature: float64[N_FEATURES].

    Traction at the wheel is divided by the drivetrain's efficiency. A descent spares the share
    ``recuperation_efficiency`` of its potential energy, so that going up and down again never
    gains. On ferries and shuttles the car stands: what their metres and seconds add through
    ``LENGTH_M`` and ``DURATION_S``, the carried columns take away again.
    """
    weight_n = vehicle.mass_kg * GRAVITY_M_S2
    traction = vehicle.consumption_factor / vehicle.drivetrain_efficiency / JOULES_PER_KWH
    auxiliary = vehicle.consumption_factor * vehicle.auxiliary_kw / 3600
    per_unit = np.zeros(N_FEATURES)
    per_unit[Feature.DURATION_S] = auxiliary
    per_unit[Feature.CARRIED_S] = -auxiliary
    per_unit[Feature.LENGTH_M] = weight_n * vehicle.rolling_coefficient * traction
    per_unit[Feature.CARRIED_M] = -per_unit[Feature.LENGTH_M]
    per_unit[Feature.DRAG_M3_S2] = 0.5 * AIR_DENSITY_KG_M3 * vehicle.drag_area_m2 * traction
    per_unit[Feature.ASCENT_M] = weight_n * traction
    per_unit[Feature.DESCENT_M] = -weight_n * vehicle.recuperation_efficiency * traction
    return per_unit


def compute_energy_kwh(vehicle: Vehicle, *, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give a vehicle's energy from the battery for paths: features [..., N_FEATURES] -> [...].

    Negative where a descent gives back more than the way costs.
    """
    energy_kwh: NDArray[np.float64] = np.asarray(
        features.astype(np.float64, copy=False) @ compute_energy_coefficients(vehicle)
    )
    return energy_kwh
