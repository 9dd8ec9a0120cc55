"""The road graph: immutable arrays in compressed sparse row form, memory-mapped from disk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RoadKind(IntEnum):
    """What an arc is. On ferries and shuttles the car stands: no traction, no auxiliaries."""

    ROAD = 0
    BRIDGE = 1
    FERRY = 2
    SHUTTLE = 3


class Feature(IntEnum):
    """Columns of a vehicle-independent feature vector; each adds up along a path.

    ``DURATION_S`` and ``LENGTH_M`` hold the whole path; ``CARRIED_S`` and ``CARRIED_M`` the part
    of it spent on ferries and shuttles, which costs time but no energy. ``DRAG_M3_S2`` is the sum
    of length x speed squared over the driven arcs (carried arcs add nothing).
    """

    DURATION_S = 0
    LENGTH_M = 1
    CARRIED_S = 2
    CARRIED_M = 3
    DRAG_M3_S2 = 4
    ASCENT_M = 5
    DESCENT_M = 6


N_FEATURES = len(Feature)


@dataclass(frozen=True)
class RoadGraph:
    """A directed road graph with n nodes and m arcs, sorted by tail.

    ``first_out[v]:first_out[v + 1]`` are the arcs that leave v. ``duration_ds`` (deciseconds,
    at least 1) is the routing metric; integers make shortest paths exact and reproducible.
    Elevation is metres above sea level, zero where the store knows none.
    """

    node_lon: NDArray[np.float64]  # [n] degrees
    node_lat: NDArray[np.float64]  # [n] degrees
    node_elevation_m: NDArray[np.float32]  # [n]
    first_out: NDArray[np.int32]  # [n + 1]
    tail: NDArray[np.int32]  # [m]
    head: NDArray[np.int32]  # [m]
    duration_ds: NDArray[np.int32]  # [m] deciseconds
    length_m: NDArray[np.float32]  # [m]
    kind: NDArray[np.uint8]  # [m] RoadKind
    version: str  # hash over the content; names everything built from this graph

    @property
    def node_count(self) -> int:
        return len(self.node_lon)

    @property
    def arc_count(self) -> int:
        return len(self.head)

    @cached_property
    def in_arc(self) -> NDArray[np.int32]:
        """Arc ids sorted by head, then by id: [m]. Made on first use, for searches backwards."""
        order = np.argsort(self.head, kind="stable").astype(np.int32)
        order.setflags(write=False)
        return order

    @cached_property
    def first_in(self) -> NDArray[np.int32]:
        """``in_arc[first_in[v]:first_in[v + 1]]`` are the arcs that enter v: [n + 1]."""
        first = count_offsets(self.head, bins=self.node_count).astype(np.int32)
        first.setflags(write=False)
        return first


def count_offsets(keys: NDArray[np.int32], *, bins: int) -> NDArray[np.int64]:
    """Give the row starts of a compressed sparse row layout: [bins + 1].

    >>> count_offsets(np.array([0, 2, 2], dtype=np.int32), bins=3).tolist()
    [0, 1, 1, 3]
    """
    offsets = np.zeros(bins + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=bins), out=offsets[1:])
    return offsets
