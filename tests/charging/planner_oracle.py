"""Oracles for the planner that share no code with its search.

`find_best_cost` tries every order of stops and, for each, a dense set of departures: a grid, and
the places where an optimum may have a kink (just enough for any number of legs, a breakpoint of
this or a later curve, nothing charged, a battery that is full after a descent). Every combination
is a real plan, so the result is never below the optimum; and it is above it by no more than the
curvature of a charging curve within one step of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from charging.planner.stops import DESTINATION, ORIGIN, build_stop_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner import ChargingCurve, Network, TripRequest
    from charging.planner.objectives import Objective

GRID_STEPS = 80
FINE_STEPS = 20_000
ROUNDING = 1e-12


@dataclass(frozen=True)
class _Site:
    soc: NDArray[np.float64]  # fine grid
    cost: NDArray[np.float64]  # of charging from empty
    kinks: NDArray[np.float64]
    per_stop: float


def integrate_charge_s(
    curve: ChargingCurve, *, usable_kwh: float, site_kw: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up seconds from empty on a fine grid of charge, by the trapezoid rule."""
    soc = np.linspace(0.0, 1.0, FINE_STEPS + 1)
    power_kw = np.minimum(np.interp(soc, curve.soc_fraction, curve.power_kw), site_kw)
    slowness = 3600 * usable_kwh / power_kw
    steps = (slowness[1:] + slowness[:-1]) / 2 / FINE_STEPS
    return soc, np.concatenate(([0.0], np.cumsum(steps)))


def find_best_cost(
    *, network: Network, request: TripRequest, objective: Objective, hand: float
) -> float:
    """Find the least cost of any plan, with ``hand`` kept above every limit; infinite if none."""
    graph = build_stop_graph(network=network, request=request)
    sites = {
        int(site_id): _describe_site(request, objective=objective, site=site)
        for site, site_id in enumerate(network.sites.site_id)
        if request.offers.power_kw[site] > 0
    }
    best = np.inf
    for way in nx.all_simple_paths(graph, ORIGIN, DESTINATION):
        drives = [graph.edges[ends] for ends in pairwise(way)]
        taken = [drive["energy_kwh"] / request.vehicle.usable_kwh for drive in drives]
        driving = objective.drive_per_s * sum(drive["duration_s"] for drive in drives)
        stops = [sites[int(name)] for name in way[1:-1]]
        best = min(best, driving + _charge_along(request, stops=stops, taken=taken, hand=hand))
    return best


def _describe_site(request: TripRequest, *, objective: Objective, site: int) -> _Site:
    vehicle, site_kw = request.vehicle, float(request.offers.power_kw[site])
    soc, charge_s = integrate_charge_s(
        vehicle.curve, usable_kwh=vehicle.usable_kwh, site_kw=site_kw
    )
    curve_kw = np.interp(soc, vehicle.curve.soc_fraction, vehicle.curve.power_kw)
    crossings = soc[1:][np.diff(np.sign(curve_kw - site_kw)) != 0]
    per_soc = objective.charge_per_kwh[site] * vehicle.usable_kwh
    return _Site(
        soc=soc,
        cost=objective.charge_per_s[site] * charge_s + per_soc * soc,
        kinks=np.concatenate((vehicle.curve.soc_fraction, crossings)),
        per_stop=float(objective.per_stop[site]),
    )


def _charge_along(
    request: TripRequest, *, stops: list[_Site], taken: list[float], hand: float
) -> float:
    """Give the least cost of the stops on one way: a shortest path over departures."""
    floors = [request.soc_stop_min + hand] * len(stops) + [request.soc_arrival_min + hand]
    arrive = np.minimum(1.0, np.array([request.soc_start - taken[0]]))
    cost = np.zeros(1)
    if arrive[0] < floors[0]:
        return np.inf
    for i, stop in enumerate(stops):
        depart = np.unique(
            np.concatenate((arrive, _list_departures(request, i, stops, taken, floors)))
        )
        fill = np.interp(depart, stop.soc, stop.cost)[None, :]
        fill = fill - np.interp(arrive, stop.soc, stop.cost)[:, None]
        most = np.maximum(request.soc_ceiling, arrive)[:, None]
        allowed = (depart[None, :] >= arrive[:, None]) & (depart[None, :] <= most)
        cost = np.where(allowed, cost[:, None] + stop.per_stop + fill, np.inf).min(axis=0)
        kept = np.isfinite(cost) & (depart - taken[i + 1] >= floors[i + 1] - ROUNDING)
        if not kept.any():
            return np.inf
        arrive, cost = np.minimum(1.0, depart[kept] - taken[i + 1]), cost[kept]
    return float(cost.min())


def _list_departures(
    request: TripRequest, i: int, stops: list[_Site], taken: list[float], floors: list[float]
) -> NDArray[np.float64]:
    depart = [np.linspace(0.0, request.soc_ceiling, GRID_STEPS + 1), stops[i].kinks]
    ahead = 0.0
    for k in range(i + 1, len(taken)):
        ahead += taken[k]
        depart.append(np.array([ahead + floors[k], ahead + 1.0]))
        if k < len(stops):
            depart.append(stops[k].kinks + ahead)
    every = np.concatenate(depart)
    return every[(every >= 0) & (every <= request.soc_ceiling)]
