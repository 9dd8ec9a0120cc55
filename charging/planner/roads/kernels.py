"""Compiled kernels of the road searches: a heap, one search, and sums along its tree.

Everything here runs without the interpreter lock on plain arrays. The public functions with
checks and names are in dijkstra.py and legs.py.

**Ties.** Where two paths are equally fast, the one with the smaller sum of arc salts wins. Salts
are fixed 20-bit numbers scrambled from the arc id, so equally fast paths almost never tie again
(odds of one in a million), and the winner is the same whichever end the search starts from, where
it stops, and which of its arcs are relaxed first. A label is one integer, duration in the upper
bits and sum of salts in the lower ones, so comparing labels costs what comparing durations costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from charging.planner.roads.graph import N_FEATURES, Feature, RoadKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 38 bits hold the salts of 262,143 arcs and leave 25 bits: 38 days of driving.
SALT_SUM_BITS = 38
SALT_SUM_MASK = (1 << SALT_SUM_BITS) - 1
SALT_BITS = 20
NOT_REACHED = np.int64(2**63 - 1)

_FERRY = int(RoadKind.FERRY)
_DURATION_S = int(Feature.DURATION_S)
_LENGTH_M = int(Feature.LENGTH_M)
_CARRIED_S = int(Feature.CARRIED_S)
_CARRIED_M = int(Feature.CARRIED_M)
_DRAG_M3_S2 = int(Feature.DRAG_M3_S2)
_ASCENT_M = int(Feature.ASCENT_M)
_DESCENT_M = int(Feature.DESCENT_M)


@njit(inline="always")
def _add_arc_to_label(label, arc, duration_ds):  # type: ignore[no-untyped-def]
    # The finaliser of splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
    # generators", OOPSLA 2014. Neighbouring arc ids give unrelated salts.
    salt = (np.uint64(arc) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    salt = (salt ^ (salt >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    salt = (salt ^ (salt >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    salt_sum = (label & SALT_SUM_MASK) + np.int64(salt >> np.uint64(64 - SALT_BITS))
    # A path of more arcs than the bits hold stays exact in time and loses only the tie rule.
    salt_sum = min(salt_sum, SALT_SUM_MASK)
    return (((label >> SALT_SUM_BITS) + duration_ds) << SALT_SUM_BITS) | salt_sum


@njit(inline="always")
def _push(heap_label, heap_node, size, label, node):  # type: ignore[no-untyped-def]
    # Four children a node: fewer cache lines on the way down than with two.
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if heap_label[parent] <= label:
            break
        heap_label[i] = heap_label[parent]
        heap_node[i] = heap_node[parent]
        i = parent
    heap_label[i] = label
    heap_node[i] = node
    return size + 1


@njit(inline="always")
def _remove_top(heap_label, heap_node, size):  # type: ignore[no-untyped-def]
    size -= 1
    label = heap_label[size]
    node = heap_node[size]
    i = 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if heap_label[other] < heap_label[least]:
                least = other
        if heap_label[least] >= label:
            break
        heap_label[i] = heap_label[least]
        heap_node[i] = heap_node[least]
        i = least
    heap_label[i] = label
    heap_node[i] = node
    return size


@njit(cache=True, nogil=True)
def grow_tree(
    first: NDArray[np.int32],
    arc_at: NDArray[np.int32],
    far_node: NDArray[np.int32],
    duration_ds: NDArray[np.int32],
    length_m: NDArray[np.float32],
    kind: NDArray[np.uint8],
    source: int,
    target: int,
    limit_ds: int,
    reach_m: float,
    allow_ferries: bool,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Grow the fastest path tree from ``source`` until the first of three ends.

    The search ends when ``target`` is settled (-1: none), when durations pass ``limit_ds``, or
    when no open node has a path of at most ``reach_m``. Nodes beyond reach are settled while the
    search lasts, since they may lie on, and thereby rule out, fastest paths to others. Prefixes
    of a path are shorter than the path, so every node with a fastest path within reach is found.

    Forwards, ``first`` and ``far_node`` are ``first_out`` and ``head`` and ``arc_at`` is empty;
    backwards they are ``first_in``, ``tail`` and ``in_arc``.

    Returns the settled nodes in order [k], the last arc of each node's path [n] (-1: none), and
    the labels [n], final for the settled nodes.
    """
    n = len(first) - 1
    label = np.full(n, NOT_REACHED, dtype=np.int64)
    label_length_m = np.empty(n, dtype=np.float64)
    last_arc = np.full(n, -1, dtype=np.int32)
    settled = np.empty(n, dtype=np.int32)
    # Every push belongs to another relaxed arc. Pages never touched cost nothing.
    heap_label = np.empty(len(far_node) + 1, dtype=np.int64)
    heap_node = np.empty(len(far_node) + 1, dtype=np.int32)
    backwards = len(arc_at) > 0

    label[source] = 0
    label_length_m[source] = 0.0
    size = _push(heap_label, heap_node, 0, np.int64(0), np.int32(source))
    open_within = int(reach_m >= 0.0)
    count = 0
    while size > 0 and open_within > 0:
        node_label = heap_label[0]
        node = heap_node[0]
        size = _remove_top(heap_label, heap_node, size)
        if node_label > label[node]:
            continue  # an older, slower label of a node that was improved since
        if node_label >> SALT_SUM_BITS > limit_ds:
            break
        settled[count] = node
        count += 1
        open_within -= int(label_length_m[node] <= reach_m)
        if node == target:
            break
        for at in range(first[node], first[node + 1]):
            arc = arc_at[at] if backwards else at
            if not allow_ferries and kind[arc] == _FERRY:
                continue
            far = far_node[arc]
            far_label = _add_arc_to_label(node_label, arc, np.int64(duration_ds[arc]))
            if far_label < label[far]:
                open_within -= int(last_arc[far] >= 0 and label_length_m[far] <= reach_m)
                label[far] = far_label
                label_length_m[far] = label_length_m[node] + length_m[arc]
                open_within += int(label_length_m[far] <= reach_m)
                last_arc[far] = arc
                size = _push(heap_label, heap_node, size, far_label, far)
    return settled[:count].copy(), last_arc, label


@njit(inline="always")
def _add_arc(row, arc, tail, head, duration_ds, length_m, kind, elevation_m):  # type: ignore[no-untyped-def]
    duration_s = duration_ds[arc] / 10.0
    arc_length_m = np.float64(length_m[arc])
    row[_DURATION_S] += duration_s
    row[_LENGTH_M] += arc_length_m
    if kind[arc] >= _FERRY:  # ferries and shuttles
        row[_CARRIED_S] += duration_s
        row[_CARRIED_M] += arc_length_m
        return
    speed_m_s = arc_length_m / duration_s
    row[_DRAG_M3_S2] += arc_length_m * speed_m_s * speed_m_s
    climb_m = np.float64(elevation_m[head[arc]]) - np.float64(elevation_m[tail[arc]])
    if climb_m > 0:
        row[_ASCENT_M] += climb_m
    else:
        row[_DESCENT_M] -= climb_m


@njit(cache=True, nogil=True)
def sum_along_path(
    arcs: NDArray[np.int32],
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    duration_ds: NDArray[np.int32],
    length_m: NDArray[np.float32],
    kind: NDArray[np.uint8],
    elevation_m: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Add up the features of the given arcs: float64[N_FEATURES]."""
    row = np.zeros(N_FEATURES, dtype=np.float64)
    for arc in arcs:
        _add_arc(row, arc, tail, head, duration_ds, length_m, kind, elevation_m)
    return row


@njit(cache=True, nogil=True)
def sum_along_tree(
    settled: NDArray[np.int32],
    last_arc: NDArray[np.int32],
    near_node: NDArray[np.int32],
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    duration_ds: NDArray[np.int32],
    length_m: NDArray[np.float32],
    kind: NDArray[np.uint8],
    elevation_m: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Add up features from the source to every settled node: float64[k, N_FEATURES].

    ``near_node`` is the end of an arc on the source's side: ``tail`` forwards, ``head`` backwards.
    """
    row_of = np.empty(len(last_arc), dtype=np.int32)
    rows = np.zeros((len(settled), N_FEATURES), dtype=np.float64)
    for i in range(len(settled)):
        node = settled[i]
        row_of[node] = i
        arc = last_arc[node]
        if arc >= 0:
            rows[i] = rows[row_of[near_node[arc]]]
            _add_arc(rows[i], arc, tail, head, duration_ds, length_m, kind, elevation_m)
    return rows
