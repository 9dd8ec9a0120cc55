"""Fastest paths: equal to networkx, tied paths told apart, features added up."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.planner.roads.dijkstra import (
    NO_LIMIT_DS,
    NodeUnknown,
    fastest_path,
    search_tree,
    search_within,
    sum_features,
)
from charging.planner.roads.graph import Feature, RoadGraph, RoadKind
from charging.planner.roads.store import make_road_graph
from tests.charging.road_makers import (
    make_line,
    road_graphs,
    sum_features_slowly,
    to_networkx,
)


def make_two_ways(*, ferry_ds: int, road_ds: int) -> RoadGraph:
    """Make a ferry and, over a hill (node 1), a road from node 0 to node 2."""
    return make_road_graph(
        node_lon=[1.3, 1.6, 1.9],
        node_lat=[51.1, 51.0, 51.0],
        node_elevation_m=[10.0, 110.0, 40.0],
        tail=[0, 0, 1],
        head=[2, 1, 2],
        duration_ds=[ferry_ds, road_ds // 2, road_ds // 2],
        length_m=[40_000.0, 30_000.0, 30_000.0],
        kind=[RoadKind.FERRY, RoadKind.BRIDGE, RoadKind.ROAD],
    )


class TestFastestPath:
    @given(graph=road_graphs(), allow_ferries=st.booleans())
    def test_takes_as_long_as_networkx_says(self, graph: RoadGraph, allow_ferries: bool) -> None:
        network = to_networkx(graph, allow_ferries=allow_ferries)
        for origin in range(graph.node_count):
            expected = nx.single_source_dijkstra_path_length(network, origin)
            for destination in range(graph.node_count):
                path = fastest_path(
                    graph, origin=origin, destination=destination, allow_ferries=allow_ferries
                )
                assert (path and path.duration_ds) == expected.get(destination)

    @given(graph=road_graphs())
    def test_gives_arcs_that_join_up_and_features_that_add_up(self, graph: RoadGraph) -> None:
        for destination in range(graph.node_count):
            path = fastest_path(graph, origin=0, destination=destination)
            if path is None:
                continue
            nodes = [0, *graph.head[path.arcs].tolist()]
            assert graph.tail[path.arcs].tolist() == nodes[:-1]
            assert nodes[-1] == destination
            assert int(graph.duration_ds[path.arcs].sum()) == path.duration_ds
            np.testing.assert_allclose(
                path.features, sum_features_slowly(graph, path.arcs), rtol=1e-12
            )

    def test_counts_a_ferry_as_carried_and_without_drag(self) -> None:
        path = fastest_path(make_two_ways(ferry_ds=9_000, road_ds=30_000), origin=0, destination=2)
        assert path is not None
        assert path.features.tolist() == [900.0, 40_000.0, 900.0, 40_000.0, 0.0, 0.0, 0.0]

    def test_counts_a_road_with_drag_ascent_and_descent(self) -> None:
        path = fastest_path(make_two_ways(ferry_ds=90_000, road_ds=30_000), origin=0, destination=2)
        assert path is not None
        # 30 km in 1,500 s is 20 m/s; twice 30,000 m x 400 m2/s2.
        assert path.features.tolist() == [3_000.0, 60_000.0, 0.0, 0.0, 24_000_000.0, 100.0, 70.0]

    def test_goes_round_when_ferries_are_not_allowed(self) -> None:
        graph = make_two_ways(ferry_ds=9_000, road_ds=30_000)
        path = fastest_path(graph, origin=0, destination=2, allow_ferries=False)
        assert path is not None
        assert path.duration_ds == 30_000

    def test_takes_the_shuttle_even_when_ferries_are_not_allowed(self) -> None:
        graph = make_road_graph(
            node_lon=[1.1, 1.8],
            node_lat=[51.1, 50.9],
            tail=[0],
            head=[1],
            duration_ds=[48_000],
            length_m=[50_500.0],
            kind=[RoadKind.SHUTTLE],
        )
        path = fastest_path(graph, origin=0, destination=1, allow_ferries=False)
        assert path is not None
        assert path.features[Feature.CARRIED_M] == 50_500.0

    def test_is_empty_when_it_ends_where_it_starts(self) -> None:
        path = fastest_path(make_line(duration_ds=[10], length_m=[1.0]), origin=1, destination=1)
        assert path is not None
        assert (path.arcs.tolist(), path.duration_ds, path.features.sum()) == ([], 0, 0.0)

    def test_is_none_where_no_road_leads(self) -> None:
        graph = make_two_ways(ferry_ds=9_000, road_ds=30_000)
        assert fastest_path(graph, origin=2, destination=0) is None

    @pytest.mark.parametrize(("origin", "destination"), [(-1, 0), (0, 2), (2, 0)])
    def test_refuses_a_node_that_does_not_exist(self, origin: int, destination: int) -> None:
        graph = make_line(duration_ds=[10], length_m=[1.0])
        with pytest.raises(NodeUnknown, match=r"is not one of 0 to 1$"):
            fastest_path(graph, origin=origin, destination=destination)


class TestSearchWithin:
    @given(
        graph=road_graphs(),
        limit_ds=st.none() | st.integers(0, 12),
        reverse=st.booleans(),
        allow_ferries=st.booleans(),
    )
    def test_finds_what_networkx_finds(
        self, graph: RoadGraph, limit_ds: int | None, reverse: bool, allow_ferries: bool
    ) -> None:
        network = to_networkx(graph, allow_ferries=allow_ferries)
        if reverse:
            network = network.reverse()
        expected = nx.single_source_dijkstra_path_length(network, 0, cutoff=limit_ds)
        reach = search_within(
            graph, node=0, limit_ds=limit_ds, reverse=reverse, allow_ferries=allow_ferries
        )
        found = dict(zip(reach.nodes.tolist(), reach.duration_ds.tolist(), strict=True))
        assert found == expected
        assert len(found) == len(reach.nodes)
        assert reach.nodes[0] == 0
        assert np.all(np.diff(reach.duration_ds) >= 0)

    @given(graph=road_graphs(), reverse=st.booleans())
    def test_means_the_same_paths_from_either_end(self, graph: RoadGraph, reverse: bool) -> None:
        reach = search_within(graph, node=0, limit_ds=None, reverse=reverse)
        for node, duration_ds, features in zip(
            reach.nodes.tolist(), reach.duration_ds.tolist(), reach.features, strict=True
        ):
            path = fastest_path(
                graph, origin=node if reverse else 0, destination=0 if reverse else node
            )
            assert path is not None
            assert path.duration_ds == duration_ds
            np.testing.assert_allclose(features, path.features, rtol=1e-12, atol=1e-9)

    @given(graph=road_graphs(), limit_ds=st.integers(0, 12))
    def test_means_the_same_paths_wherever_it_stops(self, graph: RoadGraph, limit_ds: int) -> None:
        whole = search_within(graph, node=0, limit_ds=None)
        part = search_within(graph, node=0, limit_ds=limit_ds)
        count = len(part.nodes)
        assert part.nodes.tolist() == whole.nodes[:count].tolist()
        assert part.features.tolist() == whole.features[:count].tolist()

    def test_tells_tied_paths_apart_on_a_chessboard(self) -> None:
        # On a square grid of equal streets nearly all pairs are joined by many tied paths; hills
        # make the tied paths differ in ascent.
        side = 12
        at = np.arange(side * side).reshape(side, side)
        pairs = np.concatenate(
            [
                np.stack((at[:, :-1], at[:, 1:]), -1).reshape(-1, 2),
                np.stack((at[:-1], at[1:]), -1).reshape(-1, 2),
            ]
        )
        graph = make_road_graph(
            node_lon=np.tile(np.arange(side) * 0.1, side),
            node_lat=np.repeat(np.arange(side) * 0.1, side),
            tail=np.concatenate((pairs[:, 0], pairs[:, 1])),
            head=np.concatenate((pairs[:, 1], pairs[:, 0])),
            duration_ds=np.full(2 * len(pairs), 100),
            length_m=np.full(2 * len(pairs), 250.0),
            kind=np.zeros(2 * len(pairs)),
            node_elevation_m=(np.arange(side * side) * 37) % 101,
        )
        ahead = search_within(graph, node=0, limit_ds=None)
        for node, features in zip(ahead.nodes.tolist(), ahead.features, strict=True):
            back = search_within(graph, node=node, limit_ds=None, reverse=True)
            assert back.features[back.nodes == 0].tolist() == [features.tolist()]

    def test_includes_what_lies_exactly_at_the_limit(self) -> None:
        graph = make_line(duration_ds=[10, 10, 1], length_m=[1.0, 1.0, 1.0])
        assert search_within(graph, node=0, limit_ds=20).nodes.tolist() == [0, 1, 2]
        assert search_within(graph, node=0, limit_ds=19).nodes.tolist() == [0, 1]

    def test_refuses_a_node_that_does_not_exist_or_a_negative_limit(self) -> None:
        graph = make_line(duration_ds=[10], length_m=[1.0])
        with pytest.raises(NodeUnknown, match="node 2 is not one of 0 to 1"):
            search_within(graph, node=2, limit_ds=None)
        with pytest.raises(ValueError, match="limit_ds is -1"):
            search_within(graph, node=0, limit_ds=-1)


class TestSearchTree:
    def test_stops_when_nothing_open_is_within_reach(self) -> None:
        graph = make_line(duration_ds=[100] * 50, length_m=[1_000.0] * 50)
        reach = search_tree(
            graph,
            node=0,
            limit_ds=NO_LIMIT_DS,
            reach_m=3_000.0,
            reverse=False,
            allow_ferries=True,
        )
        assert reach.nodes.tolist() == [0, 1, 2, 3]

    def test_finds_nothing_within_a_negative_reach(self) -> None:
        graph = make_line(duration_ds=[100], length_m=[1_000.0])
        reach = search_tree(
            graph, node=0, limit_ds=NO_LIMIT_DS, reach_m=-1.0, reverse=False, allow_ferries=True
        )
        assert reach.nodes.tolist() == []


class TestSumFeatures:
    @given(graph=road_graphs(), data=st.data())
    def test_adds_up_any_arcs_in_any_order(self, graph: RoadGraph, data: st.DataObject) -> None:
        arc = st.integers(0, max(graph.arc_count - 1, 0))
        arcs = np.array(
            data.draw(st.lists(arc, max_size=8 if graph.arc_count else 0)), dtype=np.int32
        )
        np.testing.assert_allclose(
            sum_features(graph, arcs=arcs), sum_features_slowly(graph, arcs), rtol=1e-12
        )
