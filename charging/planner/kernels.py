"""Compiled helpers of the search: charging costs, leg energies and a heap.

In here energy is counted in shares of the vehicle's usable battery ("soc") and cost in units of
the objective (seconds, when time is minimised). Records are named tuples of arrays because that is
what numba passes whole. Arrays are C-contiguous; `freeze` makes them read-only, so that each kernel
is compiled once and not again for a memory-mapped table.

numba notices an edit of the file that holds a cached kernel, not of the files it calls: after
editing this file by hand, delete the ``__pycache__`` beside it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from charging.planner.roads.graph import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DURATION_S = int(Feature.DURATION_S)
_LENGTH_M = int(Feature.LENGTH_M)
_CARRIED_S = int(Feature.CARRIED_S)
_CARRIED_M = int(Feature.CARRIED_M)
_DRAG_M3_S2 = int(Feature.DRAG_M3_S2)
_ASCENT_M = int(Feature.ASCENT_M)
_DESCENT_M = int(Feature.DESCENT_M)


class Charging(NamedTuple):
    """What charging costs this vehicle: power tables (t of them), and which site uses which."""

    soc: NDArray[np.float64]  # [t, b] breakpoints, rows filled up with their last value
    power_kw: NDArray[np.float64]  # [t, b]
    charge_s: NDArray[np.float64]  # [t, b] seconds from empty
    points: NDArray[np.int32]  # [t] breakpoints in use
    usable_kwh: float
    table: NDArray[np.int32]  # [s] -1: this site is not usable
    stop_cost: NDArray[np.float64]  # [s] per stop
    per_s: NDArray[np.float64]  # [s] per second of charging
    per_soc: NDArray[np.float64]  # [s] per battery filled


class Drives(NamedTuple):
    """The legs between sites, and what this vehicle and objective make of their features."""

    first: NDArray[np.int64]  # [s + 1]
    to_site: NDArray[np.int32]  # [l]
    features: NDArray[np.float32]  # [l, N_FEATURES]
    soc_per_unit: NDArray[np.float64]  # [N_FEATURES]
    cost_per_s: float


class Ends(NamedTuple):
    """Drives from the origin to each site and from each site to the destination.

    Costs are infinite where there is no road.
    """

    out_cost: NDArray[np.float64]  # [s]
    out_soc: NDArray[np.float64]  # [s]
    in_cost: NDArray[np.float64]  # [s]
    in_soc: NDArray[np.float64]  # [s]


class Limits(NamedTuple):
    """The limits of charge of one request, the guard of the search already added."""

    start: float
    floor: float
    arrival: float
    ceiling: float


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """Give a read-only, contiguous view (or copy, where it is not contiguous yet)."""
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


@njit(cache=True, nogil=True)
def find_segment(soc_points: NDArray[np.float64], count: int, soc: float) -> int:
    """Give the k with ``soc_points[k] <= soc < soc_points[k + 1]``, the last segment at the end."""
    k = 0
    while k < count - 2 and soc_points[k + 1] <= soc:
        k += 1
    return k


@njit(cache=True, nogil=True)
def integrate_segment_s(width_soc: float, from_kw: float, to_kw: float, usable_kwh: float) -> float:
    """Give the seconds to charge over a stretch on which power is linear in the state of charge.

    The integral of d soc / p is the logarithm of the ratio of powers over their difference; the
    series takes over where both are nearly equal and the quotient would lose its digits.
    """
    ratio = (to_kw - from_kw) / from_kw
    per_kw = (math.log1p(ratio) / ratio if abs(ratio) > 1e-9 else 1.0 - 0.5 * ratio) / from_kw
    seconds: float = 3600.0 * usable_kwh * width_soc * per_kw
    return seconds


@njit(cache=True, nogil=True)
def charge_cost(charging: Charging, site: int, soc: float) -> float:
    """Give the cost of charging at a site from empty to ``soc``; differences are what counts."""
    table = charging.table[site]
    points, power_kw = charging.soc[table], charging.power_kw[table]
    k = find_segment(points, charging.points[table], soc)
    share = (soc - points[k]) / (points[k + 1] - points[k])
    soc_kw = power_kw[k] + share * (power_kw[k + 1] - power_kw[k])
    seconds = charging.charge_s[table, k] + integrate_segment_s(
        soc - points[k], power_kw[k], soc_kw, charging.usable_kwh
    )
    cost: float = charging.per_s[site] * seconds + charging.per_soc[site] * soc
    return cost


@njit(cache=True, nogil=True, inline="always")
def leg_soc(drives: Drives, leg: int) -> float:
    """Give the share of the battery a leg takes, negative where it gives."""
    features, per_unit = drives.features[leg], drives.soc_per_unit
    soc: float = (
        per_unit[_DURATION_S] * features[_DURATION_S]
        + per_unit[_LENGTH_M] * features[_LENGTH_M]
        + per_unit[_CARRIED_S] * features[_CARRIED_S]
        + per_unit[_CARRIED_M] * features[_CARRIED_M]
        + per_unit[_DRAG_M3_S2] * features[_DRAG_M3_S2]
        + per_unit[_ASCENT_M] * features[_ASCENT_M]
        + per_unit[_DESCENT_M] * features[_DESCENT_M]
    )
    return soc


@njit(cache=True, nogil=True, inline="always")
def leg_cost(drives: Drives, leg: int) -> float:
    """Give the cost of driving a leg."""
    cost: float = drives.cost_per_s * drives.features[leg, _DURATION_S]
    return cost


class Heap(NamedTuple):
    """A heap of items 0 to n - 1, least key first, four children a node."""

    key: NDArray[np.float64]  # [n]
    item: NDArray[np.int32]  # [n]
    place: NDArray[np.int32]  # [n] where an item lies; -1: not on the heap
    size: NDArray[np.int64]  # [1]


@njit(cache=True, nogil=True)
def make_heap(n: int) -> Heap:
    """Make an empty heap for n items."""
    return Heap(
        np.empty(n, dtype=np.float64),
        np.empty(n, dtype=np.int32),
        np.full(n, -1, dtype=np.int32),
        np.zeros(1, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def put(heap: Heap, item: int, key: float) -> None:
    """Put an item on the heap, or move it to a new key."""
    i = heap.place[item]
    if i < 0:
        i = heap.size[0]
        heap.size[0] += 1
    while i > 0 and heap.key[(i - 1) >> 2] > key:
        _move(heap, (i - 1) >> 2, i)
        i = (i - 1) >> 2
    _sink(heap, i, item, key)


@njit(cache=True, nogil=True)
def take_least(heap: Heap) -> int:
    """Take the item of least key off the heap."""
    least = heap.item[0]
    heap.place[least] = -1
    heap.size[0] -= 1
    last = heap.size[0]
    if last > 0:
        _sink(heap, 0, heap.item[last], heap.key[last])
    return int(least)


@njit(cache=True, nogil=True)
def _sink(heap: Heap, i: int, item: int, key: float) -> None:
    size = heap.size[0]
    while 4 * i + 1 < size:
        least = 4 * i + 1
        for child in range(least + 1, min(least + 4, size)):
            if heap.key[child] < heap.key[least]:
                least = child
        if heap.key[least] >= key:
            break
        _move(heap, least, i)
        i = least
    heap.key[i] = key
    heap.item[i] = item
    heap.place[item] = i


@njit(cache=True, nogil=True, inline="always")
def _move(heap: Heap, source: int, target: int) -> None:
    heap.key[target] = heap.key[source]
    heap.item[target] = heap.item[source]
    heap.place[heap.item[source]] = target
