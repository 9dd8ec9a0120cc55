"""Exact label setting over charging sites.

A label stands at a site with a cost and a charge. Expanding it decides how far to charge there
(departures.py) and drives each leg to the next site. Labels are settled in the order of cost plus
potential; the first bound that reaches the best complete plan ends the search. docs/algorithms/
planner.md states the model and proves what is exact.

**Open labels.** The best departure depends on where the vehicle charges next, which need not be
where it stops next: a stop may charge nothing. So where passing a site without charging can pay,
an open label is made there: it remembers the label at which the vehicle last charged (``source``)
and what was driven since (``lag_...``), and the departure from the source is decided when a later
stop is known. A label that is not open is its own source, and its lag is nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from charging.planner.departures import find_departures
from charging.planner.kernels import charge_cost, leg_cost, leg_soc, put, take_least
from charging.planner.labels import NO_LABEL, make_frontier, read_plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.bounds import Bounds
    from charging.planner.kernels import Charging, Drives, Ends, Limits
    from charging.planner.labels import Found, Frontier

FIRST_CAPACITY = 1 << 15
LAST_CAPACITY = 1 << 24


class SearchTooLarge(RuntimeError):
    """The search ran out of labels; no such request is known."""


def search(
    *,
    drives: Drives,
    charging: Charging,
    ends: Ends,
    limits: Limits,
    bounds: Bounds,
    best_cost: float,
) -> Found:
    """Find the cheapest plan with at least one stop that costs less than ``best_cost``.

    Raises SearchTooLarge.
    """
    capacity = FIRST_CAPACITY
    while capacity <= LAST_CAPACITY:
        frontier = make_frontier(
            capacity=capacity, sites=len(ends.in_cost), width=charging.soc.shape[1]
        )
        frontier.best[0] = best_cost
        if settle_labels(drives, charging, ends, limits, bounds, frontier):
            return read_plan(frontier)
        capacity *= 8
    raise SearchTooLarge(f"more than {LAST_CAPACITY} labels")


@njit(cache=True, nogil=True)
def settle_labels(
    drives: Drives,
    charging: Charging,
    ends: Ends,
    limits: Limits,
    bounds: Bounds,
    frontier: Frontier,
) -> bool:
    """Run the search to its end; False when the frontier's room did not suffice."""
    labels, best = frontier.labels, frontier.best
    room = len(labels.site)
    for site in range(len(ends.out_cost)):
        arrive = min(1.0, limits.start - ends.out_soc[site])
        if charging.table[site] < 0 or arrive < limits.floor or bounds.to_go[site] == np.inf:
            continue
        cost = ends.out_cost[site]
        if cost + _bound_rest(charging, ends, bounds, site, arrive) < best[0]:
            if frontier.used[0] == room:
                return False
            _add_label(
                charging, ends, limits, bounds, frontier, NO_LABEL, site, limits.start, cost, arrive
            )
    while frontier.heap.size[0] > 0 and frontier.heap.key[0] < best[0]:
        label = take_least(frontier.heap)
        if labels.alive[labels.source[label]]:
            frontier.used[1] += 1
            if not _expand_label(drives, charging, ends, limits, bounds, frontier, label):
                return False
    return True


@njit(cache=True, nogil=True, inline="always")
def _bound_rest(charging: Charging, ends: Ends, bounds: Bounds, site: int, soc: float) -> float:
    rest: float = max(
        bounds.to_go[site] - bounds.per_soc * soc, charging.stop_cost[site] + ends.in_cost[site]
    )
    return rest


class _Expansion(NamedTuple):
    """What all legs of one label share; costs are without the drive to come."""

    label: int
    here: int  # site of the source
    soc: float  # on arrival at the source
    most: float  # departure from the source
    paid: float  # when nothing is charged
    base: float  # plus the cost of charging up to the departure
    least: float  # lower bound, less the worth of the charge that is left
    is_open: bool


@njit(cache=True, nogil=True)
def _expand_label(
    drives: Drives,
    charging: Charging,
    ends: Ends,
    limits: Limits,
    bounds: Bounds,
    frontier: Frontier,
    label: int,
) -> bool:
    labels, best = frontier.labels, frontier.best
    at, source = labels.site[label], labels.source[label]
    here, soc = labels.site[source], labels.soc[label]
    paid = labels.cost[label] + charging.stop_cost[here] + labels.lag_cost[label]
    settled = labels.cost[label] + bounds.session[here] + labels.lag_cost[label]
    expansion = _Expansion(
        label,
        here,
        soc,
        max(limits.ceiling, soc),
        paid,
        paid - charge_cost(charging, here, soc),
        settled - bounds.per_soc * (soc - labels.lag_soc[label]),
        source != label,
    )
    _finish_plan(charging, ends, limits, frontier, expansion)
    if expansion.is_open:
        _mark_direct(drives, frontier.direct, here, True)
    fits = True
    for leg in range(drives.first[at], drives.first[at + 1]):
        drive = leg_cost(drives, leg)
        if paid + drive >= best[0]:
            break  # legs are ordered by duration
        # Calls pass dozens of arrays and cost more than these bounds, so those come first.
        to = drives.to_site[leg]
        if paid + drive + charging.stop_cost[to] + ends.in_cost[to] >= best[0]:
            continue
        taken = leg_soc(drives, leg)
        least = expansion.least + drive + bounds.per_soc * taken
        if least + bounds.to_go[to] >= best[0]:
            continue
        fits = _drive_leg(charging, ends, limits, bounds, frontier, expansion, to, drive, taken)
        if not fits:
            break
    if expansion.is_open:
        _mark_direct(drives, frontier.direct, here, False)
    return fits


@njit(cache=True, nogil=True)
def _finish_plan(
    charging: Charging, ends: Ends, limits: Limits, frontier: Frontier, expansion: _Expansion
) -> None:
    labels, label = frontier.labels, expansion.label
    at = labels.site[label]
    arrive = ends.in_soc[at] + limits.arrival
    leave = max(expansion.soc, labels.lag_need[label], labels.lag_soc[label] + arrive)
    if leave <= expansion.most and arrive <= labels.lag_cap[label]:
        cost = expansion.base + charge_cost(charging, expansion.here, leave) + ends.in_cost[at]
        if cost < frontier.best[0]:
            frontier.best[0], frontier.best[1] = cost, leave
            frontier.best_label[0] = label


@njit(cache=True, nogil=True)
def _drive_leg(
    charging: Charging,
    ends: Ends,
    limits: Limits,
    bounds: Bounds,
    frontier: Frontier,
    expansion: _Expansion,
    to: int,
    drive: float,
    taken: float,
) -> bool:
    """Add the labels one leg leads to; False when there is no room for them."""
    labels, label, here = frontier.labels, expansion.label, expansion.here
    cap = min(1.0, labels.lag_cap[label] - taken)
    taken += labels.lag_soc[label]
    leave = max(expansion.soc, labels.lag_need[label], taken + limits.floor)
    if leave > expansion.most or cap < limits.floor:
        return True
    if expansion.is_open and frontier.direct[to] <= taken:
        return True  # the leg from the source is faster, saves a stop and takes no more
    count, cheaper = find_departures(
        charging, here, to, leave, expansion.most, taken, cap, frontier.found
    )
    if frontier.used[0] + count + 1 > len(labels.site):
        return False
    for i in range(count):
        depart = frontier.found[i]
        cost = expansion.base + charge_cost(charging, here, depart) + drive
        arrive = min(cap, depart - taken)
        if cost + _bound_rest(charging, ends, bounds, to, arrive) < frontier.best[0]:
            _add_label(charging, ends, limits, bounds, frontier, label, to, depart, cost, arrive)
    if cheaper:
        lag = _Lag(drive + charging.stop_cost[to], taken, cap, leave)
        _add_open_label(charging, ends, bounds, frontier, expansion, to, lag)
    return True


@njit(cache=True, nogil=True)
def _mark_direct(drives: Drives, direct: NDArray[np.float64], site: int, on: bool) -> None:
    for leg in range(drives.first[site], drives.first[site + 1]):
        direct[drives.to_site[leg]] = leg_soc(drives, leg) if on else np.inf


@njit(cache=True, nogil=True)
def _add_label(
    charging: Charging,
    ends: Ends,
    limits: Limits,
    bounds: Bounds,
    frontier: Frontier,
    parent: int,
    site: int,
    depart: float,
    cost: float,
    soc: float,
) -> None:
    labels = frontier.labels
    if _is_dominated(charging, limits, frontier, site, cost, soc):
        return
    new = frontier.used[0]
    labels.site[new], labels.parent[new], labels.depart[new] = site, parent, depart
    labels.source[new], labels.cost[new], labels.soc[new] = new, cost, soc
    labels.lag_cost[new], labels.lag_soc[new] = 0.0, 0.0
    labels.lag_cap[new], labels.lag_need[new] = 1.0, 0.0
    labels.alive[new] = True
    labels.next_here[new] = frontier.newest_here[site]
    frontier.newest_here[site] = new
    frontier.used[0] += 1
    key = cost + _bound_rest(charging, ends, bounds, site, soc)
    put(frontier.heap, new, key)


@njit(cache=True, nogil=True)
def _is_dominated(
    charging: Charging, limits: Limits, frontier: Frontier, site: int, cost: float, soc: float
) -> bool:
    """Compare a new label with those of its site, and strike out those it dominates.

    A label dominates another when it has no less charge at no more cost, or when it can charge
    up to the other's charge, within the ceiling, and still costs no more.
    """
    labels = frontier.labels
    filled = charge_cost(charging, site, soc)
    before, other = NO_LABEL, frontier.newest_here[site]
    while other != NO_LABEL:
        after = labels.next_here[other]
        to_fill = charge_cost(charging, site, labels.soc[other]) - filled
        if labels.soc[other] >= soc:
            if labels.cost[other] <= cost:
                return True
            strike = labels.soc[other] <= limits.ceiling and cost + to_fill <= labels.cost[other]
        else:
            if soc <= limits.ceiling and labels.cost[other] - to_fill <= cost:
                return True
            strike = cost <= labels.cost[other]
        if strike:
            labels.alive[other] = False
            if before == NO_LABEL:
                frontier.newest_here[site] = after
            else:
                labels.next_here[before] = after
        else:
            before = other
        other = after
    return False


class _Lag(NamedTuple):
    """What an open label adds to its parent, and where its source's departure then stands."""

    cost: float  # of the drive and of stopping without charging
    soc: float
    cap: float
    need: float


@njit(cache=True, nogil=True)
def _add_open_label(
    charging: Charging,
    ends: Ends,
    bounds: Bounds,
    frontier: Frontier,
    expansion: _Expansion,
    site: int,
    lag: _Lag,
) -> None:
    labels, parent, here = frontier.labels, expansion.label, expansion.here
    # It pays for this stop in full and charges nothing here.
    key = max(
        expansion.least
        + bounds.per_soc * (lag.soc - labels.lag_soc[parent])
        + bounds.to_go[site]
        - bounds.session[site],
        expansion.base + charge_cost(charging, here, lag.need) + ends.in_cost[site],
    )
    key += lag.cost
    if key >= frontier.best[0]:
        return
    new = frontier.used[0]
    labels.site[new], labels.parent[new], labels.depart[new] = site, parent, 0.0
    labels.source[new] = labels.source[parent]
    labels.cost[new], labels.soc[new] = labels.cost[parent], labels.soc[parent]
    labels.lag_cost[new] = labels.lag_cost[parent] + lag.cost
    labels.lag_soc[new], labels.lag_cap[new], labels.lag_need[new] = lag.soc, lag.cap, lag.need
    labels.alive[new] = False  # never a source; its own source says whether it lives
    frontier.used[0] += 1
    put(frontier.heap, new, key)
