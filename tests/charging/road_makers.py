"""Small road graphs for tests, and slow, plain ways to compute what the planner computes fast."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from charging.planner.roads.graph import N_FEATURES, Feature, RoadGraph, RoadKind
from charging.planner.roads.store import make_road_graph


@st.composite
def road_graphs(draw: st.DrawFn, *, max_nodes: int = 9, max_arcs: int = 30) -> RoadGraph:
    """Draw graphs with parallel arcs, loops, dead ends, pieces, hills and very many ties."""
    n = draw(st.integers(1, max_nodes))
    node = st.integers(0, n - 1)
    arcs = draw(
        st.lists(
            st.tuples(node, node, st.integers(1, 4), st.integers(0, 40), st.sampled_from(RoadKind)),
            max_size=max_arcs,
        )
    )
    elevation = draw(st.lists(st.integers(-5, 20), min_size=n, max_size=n))
    tail, head, duration_ds, length_m, kind = zip(*arcs, strict=True) if arcs else [()] * 5
    return make_road_graph(
        node_lon=np.linspace(5.0, 6.0, n),
        node_lat=np.full(n, 50.0),
        tail=tail,
        head=head,
        duration_ds=duration_ds,
        length_m=length_m,
        kind=kind,
        node_elevation_m=elevation,
    )


def make_line(*, duration_ds: list[int], length_m: list[float]) -> RoadGraph:
    """Make a road through nodes 0, 1, 2, ... to be driven both ways, 0.1 degrees a step."""
    n = len(duration_ds) + 1
    ahead = list(range(n - 1))
    back = list(range(1, n))
    return make_road_graph(
        node_lon=[5.0 + 0.1 * i for i in range(n)],
        node_lat=[50.0] * n,
        tail=ahead + back,
        head=back + ahead,
        duration_ds=duration_ds * 2,
        length_m=length_m * 2,
        kind=[RoadKind.ROAD] * (2 * (n - 1)),
    )


def to_networkx(graph: RoadGraph, *, allow_ferries: bool = True) -> nx.MultiDiGraph[int]:
    network: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    network.add_nodes_from(range(graph.node_count))
    for arc in range(graph.arc_count):
        if allow_ferries or graph.kind[arc] != RoadKind.FERRY:
            network.add_edge(
                int(graph.tail[arc]), int(graph.head[arc]), weight=int(graph.duration_ds[arc])
            )
    return network


def sum_features_slowly(graph: RoadGraph, arcs: NDArray[np.int32]) -> NDArray[np.float64]:
    total = np.zeros(N_FEATURES)
    for arc in arcs:
        seconds, metres = graph.duration_ds[arc] / 10, float(graph.length_m[arc])
        total[Feature.DURATION_S] += seconds
        total[Feature.LENGTH_M] += metres
        if graph.kind[arc] in {RoadKind.FERRY, RoadKind.SHUTTLE}:
            total[Feature.CARRIED_S] += seconds
            total[Feature.CARRIED_M] += metres
        else:
            climb = float(graph.node_elevation_m[graph.head[arc]]) - float(
                graph.node_elevation_m[graph.tail[arc]]
            )
            total[Feature.DRAG_M3_S2] += metres * (metres / seconds) ** 2
            total[Feature.ASCENT_M] += max(climb, 0.0)
            total[Feature.DESCENT_M] += max(-climb, 0.0)
    return total
