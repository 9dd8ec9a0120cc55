"""The objective: what a plan is charged for, site by site.

A plan costs ``drive_per_s`` for every second of driving and, at each stop, ``per_stop`` plus
``charge_per_s`` for every second of charging plus ``charge_per_kwh`` for every kWh. The search
knows no more than these rates, so another objective is another constructor here: minutes have a
value, sites have prices, and the sum is a generalised cost. Rates must not be negative, or a plan
could earn by standing still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from charging.planner.curve import make_charge_table
from charging.planner.kernels import Charging

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.trip import Offers
    from charging.planner.vehicle import Vehicle


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Rates of one request, in units of the objective, for s sites."""

    drive_per_s: float
    per_stop: NDArray[np.float64]  # [s]
    charge_per_s: NDArray[np.float64]  # [s]
    charge_per_kwh: NDArray[np.float64]  # [s]


def minimise_time(*, site_count: int, stop_overhead_s: float) -> Objective:
    """Make the objective whose unit is the second: every second counts alike, money does not."""
    return Objective(
        drive_per_s=1.0,
        per_stop=np.full(site_count, stop_overhead_s, dtype=np.float64),
        charge_per_s=np.ones(site_count),
        charge_per_kwh=np.zeros(site_count),
    )


def tabulate_charging(objective: Objective, *, vehicle: Vehicle, offers: Offers) -> Charging:
    """Put charge tables and rates side by side for the search.

    Sites of equal power share a table, and all that out-power the vehicle share one too.
    """
    strongest_kw = max(vehicle.curve.power_kw)
    usable = offers.power_kw > 0
    powers_kw, table = np.unique(
        np.minimum(offers.power_kw[usable], strongest_kw), return_inverse=True
    )
    usable_kwh = float(vehicle.usable_kwh)
    tables = [
        make_charge_table(vehicle.curve, usable_kwh=usable_kwh, site_kw=float(power_kw))
        for power_kw in powers_kw
    ]
    table_of_site = np.full(len(offers.power_kw), -1, dtype=np.int32)
    table_of_site[usable] = table
    return Charging(
        soc=_stack([each.soc_fraction for each in tables]),
        power_kw=_stack([each.power_kw for each in tables]),
        charge_s=_stack([each.charge_s for each in tables]),
        points=np.array([len(each.soc_fraction) for each in tables], dtype=np.int32),
        usable_kwh=usable_kwh,
        table=table_of_site,
        stop_cost=objective.per_stop,
        per_s=objective.charge_per_s,
        per_soc=objective.charge_per_kwh * usable_kwh,
    )


def _stack(rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    width = max((len(row) for row in rows), default=2)
    stacked = np.empty((len(rows), width))
    for i, row in enumerate(rows):
        stacked[i, : len(row)] = row
        stacked[i, len(row) :] = row[-1]
    return stacked
