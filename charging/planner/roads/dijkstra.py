"""Fastest paths on the road graph: one path, or everything within reach of a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from charging.planner.roads.kernels import (
    NOT_REACHED,
    SALT_SUM_BITS,
    grow_tree,
    sum_along_path,
    sum_along_tree,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.roads.graph import RoadGraph

# More than any sum of durations: labels leave 25 bits for them.
NO_LIMIT_DS = 1 << (63 - SALT_SUM_BITS)
NO_TARGET = -1
FORWARDS = np.empty(0, dtype=np.int32)
FORWARDS.setflags(write=False)


class NodeUnknown(ValueError):
    """The road graph has no such node."""


@dataclass(frozen=True)
class Path:
    """A fastest path as arc ids in driving order; empty when it ends where it starts."""

    arcs: NDArray[np.int32]  # [k]
    duration_ds: int
    features: NDArray[np.float64]  # [N_FEATURES], columns as in roads.graph.Feature


@dataclass(frozen=True)
class Reach:
    """The nodes a search settled, fastest first, with the features of each fastest path."""

    nodes: NDArray[np.int32]  # [k]
    duration_ds: NDArray[np.int32]  # [k]
    features: NDArray[np.float64]  # [k, N_FEATURES]


def fastest_path(
    graph: RoadGraph, *, origin: int, destination: int, allow_ferries: bool = True
) -> Path | None:
    """Find the fastest path between two nodes, or None where there is none.

    Equally fast paths are told apart by a fixed rule (see kernels.py), so the arcs found here are
    those of `search_within` and of the leg table. Features equal theirs up to the rounding of
    sums added in another order; durations are equal exactly. Without ferries shuttle trains stay:
    the car's own road through the Channel Tunnel does not exist.

    Raises NodeUnknown.
    """
    check_node(graph, node=origin)
    check_node(graph, node=destination)
    _, last_arc, label = grow_tree(
        graph.first_out,
        FORWARDS,
        graph.head,
        graph.duration_ds,
        graph.length_m,
        graph.kind,
        origin,
        destination,
        NO_LIMIT_DS,
        np.inf,
        allow_ferries,
    )
    if label[destination] == NOT_REACHED:
        return None
    arcs = _trace_arcs(graph, last_arc=last_arc, destination=destination)
    return Path(
        arcs=arcs,
        duration_ds=int(label[destination] >> SALT_SUM_BITS),
        features=sum_features(graph, arcs=arcs),
    )


def _trace_arcs(
    graph: RoadGraph, *, last_arc: NDArray[np.int32], destination: int
) -> NDArray[np.int32]:
    backwards = []
    arc = int(last_arc[destination])
    while arc >= 0:
        backwards.append(arc)
        arc = int(last_arc[graph.tail[arc]])
    return np.array(backwards[::-1], dtype=np.int32)


def search_within(
    graph: RoadGraph,
    *,
    node: int,
    limit_ds: int | None,
    reverse: bool = False,
    allow_ferries: bool = True,
) -> Reach:
    """Find every node within ``limit_ds`` of driving from (or, in reverse, to) a node.

    The node itself comes first. None means no limit.

    Raises NodeUnknown, and ValueError for a negative limit.
    """
    check_node(graph, node=node)
    if limit_ds is not None and limit_ds < 0:
        msg = f"limit_ds is {limit_ds}; it cannot be negative"
        raise ValueError(msg)
    return search_tree(
        graph,
        node=node,
        limit_ds=NO_LIMIT_DS if limit_ds is None else limit_ds,
        reach_m=np.inf,
        reverse=reverse,
        allow_ferries=allow_ferries,
    )


def search_tree(
    graph: RoadGraph,
    *,
    node: int,
    limit_ds: int,
    reach_m: float,
    reverse: bool,
    allow_ferries: bool,
) -> Reach:
    """Run one search, bounded by time, by driven length or both; see `grow_tree` for the rule.

    With ``reach_m`` the result holds every node whose fastest path is within reach, and some whose
    path is longer.
    """
    settled, last_arc, label = grow_tree(
        graph.first_in if reverse else graph.first_out,
        graph.in_arc if reverse else FORWARDS,
        graph.tail if reverse else graph.head,
        graph.duration_ds,
        graph.length_m,
        graph.kind,
        node,
        NO_TARGET,
        limit_ds,
        reach_m,
        allow_ferries,
    )
    features = sum_along_tree(
        settled,
        last_arc,
        graph.head if reverse else graph.tail,
        graph.tail,
        graph.head,
        graph.duration_ds,
        graph.length_m,
        graph.kind,
        graph.node_elevation_m,
    )
    duration_ds = (label[settled] >> SALT_SUM_BITS).astype(np.int32)
    return Reach(nodes=settled, duration_ds=duration_ds, features=features)


def sum_features(graph: RoadGraph, *, arcs: NDArray[np.int32]) -> NDArray[np.float64]:
    """Add up the features of any arcs: float64[N_FEATURES].

    Drag counts each driven arc at its own mean speed. Carried arcs (ferries and shuttles) add
    duration and length, also to the carried columns, and nothing else.
    """
    total: NDArray[np.float64] = sum_along_path(
        np.ascontiguousarray(arcs, dtype=np.int32),
        graph.tail,
        graph.head,
        graph.duration_ds,
        graph.length_m,
        graph.kind,
        graph.node_elevation_m,
    )
    return total


def check_node(graph: RoadGraph, *, node: int) -> None:
    """Refuse a node the graph does not have: compiled code would read past its arrays.

    Raises NodeUnknown.
    """
    if not 0 <= node < graph.node_count:
        msg = f"node {node} is not one of 0 to {graph.node_count - 1}"
        raise NodeUnknown(msg)
