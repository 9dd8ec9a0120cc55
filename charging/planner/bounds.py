"""Bounds of the search: any plan from above, a potential at each site from below.

**Price of energy.** Whatever is charged in one session, the session costs at least
``session + per_soc * charged``: `price_sessions` finds the largest slope ``per_soc`` for which
that holds at every site with some ``session >= 0``. Energy is conserved, so a plan that goes on
from a site with charge s pays at least for what its legs take beyond s.

**Potential.** ``to_go[v] - per_soc * s`` bounds the cost from arriving at site v with charge s,
where ``to_go`` is the shortest distance to the destination over legs that cost their drive,
``per_soc`` times their energy, and ``session`` at their start. The same from the other side bounds
what came before. Two searches over the leg table find both, and leave a corridor of sites.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from charging.planner.kernels import (
    Heap,
    charge_cost,
    leg_cost,
    leg_soc,
    make_heap,
    put,
    take_least,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.kernels import Charging, Drives, Ends, Limits
    from charging.planner.network import LegsInto

# Cells of the staircase that bounds a charging curve from above.
CELLS = 64
# How far to look on after the first plan: a better one nearby pays for a smaller search.
EXTRA_SITES = 64


class Bounds(NamedTuple):
    """Lower bounds for s sites; see the module's docstring."""

    to_go: NDArray[np.float64]  # [s] infinite: no better plan passes here
    session: NDArray[np.float64]  # [s]
    per_soc: float


def price_sessions(charging: Charging, *, limits: Limits) -> tuple[NDArray[np.float64], float]:
    """Bound the cost of a session from below by a line: float64[s] ``session``, and ``per_soc``.

    Per table the battery between floor and ceiling is cut into cells, each taken at its best
    power and the best cells first: filling the battery in that order is never slower than the
    curve. The line touches the cheapest session of all sites.
    """
    session = charging.stop_cost.copy()
    usable = np.flatnonzero(charging.table >= 0)
    if len(usable) == 0:
        return session, 0.0
    rates = np.stack([a[usable] for a in (charging.stop_cost, charging.per_s, charging.per_soc)])
    rows, row_of_site = _find_rows(charging.table[usable], rates)
    staircases = [_climb(charging, table=t, limits=limits) for t in range(len(charging.points))]
    per_soc = np.inf
    costs = []
    for row in rows:
        filled, seconds = staircases[charging.table[usable[row]]]
        stop, per_s, per_battery = rates[:, row]
        costs.append((filled, stop + per_s * seconds + per_battery * filled))
        per_soc = min(per_soc, float((costs[-1][1] / filled).min()))
    per_soc *= 1 - 1e-9  # rounding must not lift the line above the curve
    least = np.array(
        [min(s, (c - per_soc * f).min()) for (f, c), s in zip(costs, rates[0, rows], strict=True)]
    )
    session[usable] = np.maximum(0.0, least)[row_of_site]
    return session, per_soc


def _find_rows(
    table: NDArray[np.int32], rates: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Sites with the same table and rates share a row: thousands of sites, a dozen rows.
    order = np.lexsort((*rates, table))
    keys = np.vstack((table, rates))[:, order]
    starts = np.concatenate(([True], (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    row_of_site = np.empty(len(table), dtype=np.int64)
    row_of_site[order] = np.cumsum(starts) - 1
    return order[starts], row_of_site


def _climb(
    charging: Charging, *, table: int, limits: Limits
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = charging.points[table]
    points, power_kw = charging.soc[table, :count], charging.power_kw[table, :count]
    grid = np.linspace(limits.floor, limits.ceiling, CELLS + 1)
    inner = points[(points > limits.floor) & (points < limits.ceiling)]
    edges = np.union1d(grid, inner)
    edge_kw = np.interp(edges, points, power_kw)
    best_kw = np.maximum(edge_kw[1:], edge_kw[:-1])
    order = np.argsort(-best_kw, kind="stable")
    width = np.diff(edges)[order]
    seconds = 3600 * charging.usable_kwh * width / best_kw[order]
    return np.cumsum(width), np.cumsum(seconds)


class _Reached(NamedTuple):
    cost: NDArray[np.float64]  # [s] infinite: not reached yet
    soc: NDArray[np.float64]  # [s]
    is_closed: NDArray[np.bool_]  # [s] its legs were tried
    heap: Heap


@njit(cache=True, nogil=True)
def find_any_plan(
    drives: Drives, charging: Charging, ends: Ends, limits: Limits, per_soc: float, fill: bool
) -> tuple[float, NDArray[np.bool_]]:
    """Find some plan by best-first search with one label a site.

    It charges just enough for each leg or, with ``fill``, up to the ceiling at every stop. Then
    every site is reached with as much as possible, and an infinite cost proves that there is no
    plan. Returns the cost and the sites reached; all of them, if it is infinite.
    """
    n = len(ends.out_cost)
    reached = _Reached(np.full(n, np.inf), np.zeros(n), np.zeros(n, dtype=np.bool_), make_heap(n))
    for site in range(n):
        arrive = min(1.0, limits.start - ends.out_soc[site])
        if charging.table[site] >= 0 and ends.out_cost[site] < np.inf and arrive >= limits.floor:
            _reach(charging, ends, limits, per_soc, reached, site, ends.out_cost[site], arrive)
    looked, best = 0, np.inf
    while reached.heap.size[0] > 0:
        if best < np.inf and (looked >= EXTRA_SITES or reached.heap.key[0] >= best):
            break
        site = take_least(reached.heap)
        reached.is_closed[site] = True
        looked += best < np.inf
        soc = reached.soc[site]
        leave = max(soc, ends.in_soc[site] + limits.arrival)
        if leave <= max(limits.ceiling, soc):
            session = charging.stop_cost[site] + charge_cost(charging, site, leave)
            session -= charge_cost(charging, site, soc)
            best = min(best, reached.cost[site] + session + ends.in_cost[site])
        _try_legs(drives, charging, ends, limits, per_soc, fill, reached, site)
    return best, reached.is_closed


@njit(cache=True, nogil=True)
def _try_legs(
    drives: Drives,
    charging: Charging,
    ends: Ends,
    limits: Limits,
    per_soc: float,
    fill: bool,
    reached: _Reached,
    site: int,
) -> None:
    soc = reached.soc[site]
    most = max(limits.ceiling, soc)
    base = reached.cost[site] + charging.stop_cost[site] - charge_cost(charging, site, soc)
    for leg in range(drives.first[site], drives.first[site + 1]):
        to = drives.to_site[leg]
        if charging.table[to] < 0 or ends.in_cost[to] == np.inf:
            continue
        taken = leg_soc(drives, leg)
        if reached.is_closed[to] and most - taken <= max(limits.ceiling, reached.soc[to]):
            continue
        leave = most if fill else max(soc, taken + limits.floor)
        arrive = min(1.0, leave - taken)
        if leave <= most and arrive >= limits.floor:
            cost = base + charge_cost(charging, site, leave) + leg_cost(drives, leg)
            _reach(charging, ends, limits, per_soc, reached, to, cost, arrive)


@njit(cache=True, nogil=True)
def _reach(
    charging: Charging,
    ends: Ends,
    limits: Limits,
    per_soc: float,
    reached: _Reached,
    site: int,
    cost: float,
    soc: float,
) -> None:
    # Only a charge above the ceiling reaches farther than what was found before.
    gain = max(limits.ceiling, soc) - max(limits.ceiling, reached.soc[site])
    if reached.cost[site] < np.inf and gain <= 0:
        saving = reached.cost[site] - cost + per_soc * (soc - reached.soc[site])
        if gain < 0 or reached.is_closed[site] or saving <= 0:
            return
    reached.cost[site], reached.soc[site], reached.is_closed[site] = cost, soc, False
    missing = max(0.0, ends.in_soc[site] + limits.arrival - soc)
    rest = charging.stop_cost[site] + ends.in_cost[site] + per_soc * missing
    put(reached.heap, site, cost + rest)


@njit(cache=True, nogil=True)
def bound_before(
    drives: Drives,
    charging: Charging,
    ends: Ends,
    limits: Limits,
    session: NDArray[np.float64],
    per_soc: float,
    best: float,
) -> NDArray[np.float64]:
    """Bound the cost before each site, less ``per_soc`` times the charge there: float64[s].

    Infinite where no plan cheaper than ``best`` passes. Downhill legs may have negative weights:
    a site is opened again when a better way is found, and there are no cycles that gain.
    """
    n = len(ends.in_cost)
    before, heap = np.full(n, np.inf), make_heap(n)
    # What follows costs at least a stop and the drive, and starts with at least the floor.
    rest = charging.stop_cost + ends.in_cost + per_soc * limits.floor
    for site in range(n):
        arrive = limits.start - ends.out_soc[site]
        least = ends.out_cost[site] - per_soc * arrive
        if charging.table[site] >= 0 and arrive >= limits.floor and least + rest[site] < best:
            before[site] = least
            put(heap, site, least)
    while heap.size[0] > 0:
        site = take_least(heap)
        base = before[site] + session[site]
        for leg in range(drives.first[site], drives.first[site + 1]):
            to = drives.to_site[leg]
            if charging.table[to] < 0:
                continue
            least = base + leg_cost(drives, leg) + per_soc * leg_soc(drives, leg)
            if least < before[to] and least + rest[to] < best:
                before[to] = least
                put(heap, to, least)
    return before


@njit(cache=True, nogil=True)
def bound_to_go(
    drives: Drives,
    into: LegsInto,
    ends: Ends,
    limits: Limits,
    session: NDArray[np.float64],
    per_soc: float,
    before: NDArray[np.float64],
    most_soc: float,
    best: float,
) -> NDArray[np.float64]:
    """Find ``to_go`` for every site: float64[s].

    Infinite where it and ``before`` together reach ``best``: no better plan passes there. No site
    is left with more than ``most_soc``.
    """
    n = len(ends.in_cost)
    to_go, heap = np.full(n, np.inf), make_heap(n)
    for site in range(n):
        need = ends.in_soc[site] + limits.arrival
        rest = ends.in_cost[site] + per_soc * need + session[site]
        if need <= most_soc and before[site] + rest < best:
            to_go[site] = rest
            put(heap, site, rest)
    while heap.size[0] > 0:
        site = take_least(heap)
        for at in range(into.first[site], into.first[site + 1]):
            start = into.from_site[at]
            # Legs lie far apart in memory: do not touch one for a site that is out anyway.
            if before[start] == np.inf:
                continue
            leg = into.leg[at]
            taken = leg_soc(drives, leg)
            rest = to_go[site] + session[start] + leg_cost(drives, leg) + per_soc * taken
            if rest >= to_go[start] or before[start] + rest >= best:
                continue
            if taken + limits.floor <= most_soc:
                to_go[start] = rest
                put(heap, start, rest)
    return to_go
