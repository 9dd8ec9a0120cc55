"""The labels of the search: the arrays it runs on, and how a plan is read from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from charging.planner.kernels import Heap, make_heap

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_LABEL = -1


class Labels(NamedTuple):
    """Room for k labels."""

    site: NDArray[np.int32]  # [k]
    parent: NDArray[np.int32]  # [k] label the vehicle came from
    depart: NDArray[np.float64]  # [k] charge on leaving the parent's source
    source: NDArray[np.int32]  # [k] label at which the vehicle last charged
    cost: NDArray[np.float64]  # [k] on arrival at the source
    soc: NDArray[np.float64]  # [k] on arrival at the source
    lag_cost: NDArray[np.float64]  # [k] of legs and stops since the source
    lag_soc: NDArray[np.float64]  # [k] taken since the source
    lag_cap: NDArray[np.float64]  # [k] most that can be left here, whatever the source charges
    lag_need: NDArray[np.float64]  # [k] least departure from the source
    alive: NDArray[np.bool_]  # [k] not dominated
    next_here: NDArray[np.int32]  # [k] next label at the same site


class Frontier(NamedTuple):
    """The state of a search."""

    labels: Labels
    newest_here: NDArray[np.int32]  # [s] first label of each site's list
    heap: Heap
    used: NDArray[np.int64]  # [2] labels made, labels settled
    best: NDArray[np.float64]  # [2] cost of the best plan, charge on leaving its last source
    best_label: NDArray[np.int64]  # [1]
    found: NDArray[np.float64]  # [2 b + 2] room for departures
    direct: NDArray[np.float64]  # [s] charge a leg from the source takes; infinite: no leg


class Stop(NamedTuple):
    """A stop as the search found it."""

    site: int
    depart_soc: float  # negative: nothing is charged here


class Found(NamedTuple):
    """The result of a search; no stops and an infinite cost when nothing beats ``best_cost``."""

    cost: float
    stops: tuple[Stop, ...]
    settled: int
    labels: int


def make_frontier(*, capacity: int, sites: int, width: int) -> Frontier:
    """Make an empty frontier with room for ``capacity`` labels and ``width`` breakpoints.

    Pages never written to cost nothing, so room can be asked for generously.
    """
    k = capacity
    ints = [np.empty(k, dtype=np.int32) for _ in range(4)]
    floats = [np.empty(k) for _ in range(7)]
    labels = Labels(
        site=ints[0],
        parent=ints[1],
        depart=floats[0],
        source=ints[2],
        cost=floats[1],
        soc=floats[2],
        lag_cost=floats[3],
        lag_soc=floats[4],
        lag_cap=floats[5],
        lag_need=floats[6],
        alive=np.empty(k, dtype=np.bool_),
        next_here=ints[3],
    )
    return Frontier(
        labels=labels,
        newest_here=np.full(sites, NO_LABEL, dtype=np.int32),
        heap=make_heap(k),
        used=np.zeros(2, dtype=np.int64),
        best=np.array([np.inf, 0.0]),
        best_label=np.array([NO_LABEL], dtype=np.int64),
        found=np.empty(4 * width + 4),
        direct=np.full(sites, np.inf),
    )


def read_plan(frontier: Frontier) -> Found:
    """Follow the best label back to the origin."""
    labels = frontier.labels
    label, depart = int(frontier.best_label[0]), float(frontier.best[1])
    cost = float(frontier.best[0]) if label != NO_LABEL else np.inf
    stops: list[Stop] = []
    while label != NO_LABEL:
        charges = labels.source[label] == label
        stops.append(Stop(site=int(labels.site[label]), depart_soc=depart if charges else -1.0))
        if charges:
            depart = float(labels.depart[label])
        label = int(labels.parent[label])
    made, settled = frontier.used.tolist()
    return Found(cost=cost, stops=tuple(stops[::-1]), settled=settled, labels=made)
