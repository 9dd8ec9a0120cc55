"""The network's helpers: the stop graph, the access drives, warming up."""

from __future__ import annotations

import numpy as np
import pytest

from charging.planner import plan, warm_up
from charging.planner.bounds import bound_before, bound_to_go, find_any_plan
from charging.planner.itinerary import list_arc_features
from charging.planner.links import sum_site_access
from charging.planner.roads.dijkstra import sum_features
from charging.planner.roads.snapping import access_features
from charging.planner.search import settle_labels
from charging.planner.stops import DESTINATION, ORIGIN, build_stop_graph
from tests.charging.planner_world import make_motorway, make_request

KERNELS = (find_any_plan, bound_before, bound_to_go, settle_labels)


class TestBuildStopGraph:
    def test_names_ends_sites_and_drives(self) -> None:
        network = make_motorway(site_nodes=[2, 5, 7])
        graph = build_stop_graph(
            network=network, request=make_request(network, power_kw=[50.0, 0.0, 150.0])
        )
        assert set(graph.nodes) == {ORIGIN, DESTINATION, 100, 102}
        assert graph.nodes[102]["power_kw"] == 150.0
        assert graph.nodes[100]["lon"] == network.graph.node_lon[2]
        drive = graph.edges[100, 102]
        assert drive["duration_s"] == pytest.approx(15_000.0)
        assert drive["distance_m"] == pytest.approx(500_000.0)
        assert drive["energy_kwh"] == pytest.approx(5 * (18.65636 + 0.41667), abs=1e-3)
        assert graph.edges[ORIGIN, DESTINATION]["distance_m"] == pytest.approx(1_000_000.0)
        assert set(graph.successors(102)) == {100, DESTINATION}


class TestListArcFeatures:
    def test_adds_up_to_the_features_of_the_path(self) -> None:
        network = make_motorway(
            site_nodes=[1], nodes=5, node_elevation_m=[0, 300, 100, 500, 0], ferry_after=2
        )
        arcs = np.arange(network.graph.arc_count, dtype=np.int32)
        listed = list_arc_features(network.graph, arcs=arcs)
        assert listed.sum(axis=0) == pytest.approx(sum_features(network.graph, arcs=arcs))


class TestSumSiteAccess:
    def test_agrees_with_the_access_of_a_place(self) -> None:
        sites = make_motorway(site_nodes=[1, 2]).sites
        access = access_features(1700.0)
        beside = type(sites)(
            **{
                **vars(sites),
                "access_m": np.array([0.0, 1700.0]),
                "access_s": access[[1, 0]] * [0, 1],
            }
        )
        assert sum_site_access(beside)[0].tolist() == [0.0] * 7
        assert sum_site_access(beside)[1] == pytest.approx(access)


class TestWarmUp:
    def test_leaves_nothing_to_compile(self) -> None:
        network = make_motorway(site_nodes=[2, 4, 6, 8])
        warm_up(network)
        compiled = [len(kernel.signatures) for kernel in KERNELS]
        request = make_request(network, power_kw=[150, 150, 150, 150], soc_start=1, soc_ceiling=1)
        assert plan(network=network, request=request).stops
        assert [len(kernel.signatures) for kernel in KERNELS] == compiled
