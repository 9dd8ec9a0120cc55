"""Mends a road network that arrives in pieces, and drops what cannot be mended.

networkx does the thinking here: components, the spanning tree of welds, strong connection. On
Europe's 143,000 nodes that takes a few seconds once a build. The search for near pairs is left to
a k-d tree; networkx has no spatial index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from scipy.spatial import cKDTree

from charging.planner.roads.geo import arc_from_chord_m, chord_from_arc_m, place_on_sphere

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.roads.world_highways import Roads

# Pieces this near to each other are one road cut where two extracts met, or a short bridge left
# out. The approach of the Great Belt bridge (1.9 km off) must be closed, the Strait of Messina
# (3 km) and the Sound (4 km) must not.
WELD_GAP_M = 2_000.0

# Two grid steps of the source's rounding (0.001 degrees): nodes so close in different pieces are
# the same junction. All of them are welded, not just the closest pair.
COINCIDENT_M = 250.0


@dataclass(frozen=True)
class Welds:
    """Links between pieces, each to be driven in both directions."""

    tail: NDArray[np.int32]  # [w]
    head: NDArray[np.int32]  # [w]
    gap_m: NDArray[np.float64]  # [w] straight


def label_pieces(roads: Roads) -> NDArray[np.int32]:
    """Number the pieces of the network, the largest as 0: int32[n]."""
    network: nx.Graph[int] = nx.Graph()
    network.add_nodes_from(range(len(roads.lon)))
    network.add_edges_from(zip(roads.tail.tolist(), roads.head.tolist(), strict=True))
    pieces = sorted(nx.connected_components(network), key=lambda piece: (-len(piece), min(piece)))
    labels = np.empty(len(roads.lon), dtype=np.int32)
    for number, piece in enumerate(pieces):
        labels[list(piece)] = number
    return labels


def find_welds(roads: Roads) -> Welds:
    """Find the links that join pieces across gaps of at most WELD_GAP_M.

    Of all near pairs between pieces, the minimum spanning forest joins whatever can be joined
    over the least water; pairs within COINCIDENT_M come on top, so that a piece which lies along
    another is not joined at one end only.
    """
    piece = label_pieces(roads)
    tail, head, gap_m = _find_near_pairs(roads, piece=piece)
    chosen = gap_m <= COINCIDENT_M
    chosen[_choose_spanning(tail, head, gap_m, piece=piece)] = True
    return Welds(tail=tail[chosen], head=head[chosen], gap_m=gap_m[chosen])


def _find_near_pairs(
    roads: Roads, *, piece: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    # Every pair has one end outside of the largest piece, which holds most nodes.
    places = place_on_sphere(roads.lon, roads.lat)
    outside = np.flatnonzero(piece != 0)
    near = cKDTree(places[outside]).sparse_distance_matrix(
        cKDTree(places), chord_from_arc_m(WELD_GAP_M), output_type="ndarray"
    )
    tail, head = outside[near["i"]], near["j"]
    # A pair outside of the largest piece is found from both ends; one of them is enough.
    once = (piece[tail] != piece[head]) & ((piece[head] == 0) | (tail < head))
    order = np.lexsort((head[once], tail[once]))
    return (
        tail[once][order].astype(np.int32),
        head[once][order].astype(np.int32),
        arc_from_chord_m(near["v"][once][order]),
    )


def _choose_spanning(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    gap_m: NDArray[np.float64],
    *,
    piece: NDArray[np.int32],
) -> list[int]:
    archipelago: nx.MultiGraph[int] = nx.MultiGraph()
    for index, (a, b, gap) in enumerate(zip(tail, head, gap_m, strict=True)):
        archipelago.add_edge(int(piece[a]), int(piece[b]), key=index, gap_m=float(gap))
    spanning = nx.minimum_spanning_edges(archipelago, weight="gap_m", keys=True, data=False)
    return [index for _, _, index in spanning]


def mark_largest_strong_component(
    *, node_count: int, tail: NDArray[np.int32], head: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Mark the nodes from each of which every other marked node can be reached: bool[n]."""
    network: nx.DiGraph[int] = nx.DiGraph()
    network.add_nodes_from(range(node_count))
    network.add_edges_from(zip(tail.tolist(), head.tolist(), strict=True))
    largest = max(
        nx.strongly_connected_components(network), key=lambda part: (len(part), -min(part))
    )
    marked = np.zeros(node_count, dtype=np.bool_)
    marked[list(largest)] = True
    return marked
