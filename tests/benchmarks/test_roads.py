"""How fast the roads are: opening, snapping, one path, one search, all legs.

Ordinary runs skip benchmarks; `pytest tests/benchmarks -o addopts=--import-mode=importlib` runs
them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from charging.planner.legs import SiteTable, build_leg_table
from charging.planner.roads.dijkstra import fastest_path, search_within
from charging.planner.roads.graph import RoadGraph
from charging.planner.roads.snapping import Snapper
from charging.planner.roads.store import open_road_graph
from tests.charging.europe_store import ensure_europe_store

PARIS = (2.3522, 48.8566)
BERLIN = (13.4050, 52.5200)
HOUR_DS = 36_000
SITES = 3_000


@pytest.fixture(scope="module")
def folder() -> Path:
    return ensure_europe_store()


@pytest.fixture(scope="module")
def graph(folder: Path) -> RoadGraph:
    return open_road_graph(folder)


@pytest.fixture(scope="module")
def snapper(graph: RoadGraph) -> Snapper:
    return Snapper(graph)


class TestRoads:
    def test_open(self, benchmark: BenchmarkFixture, folder: Path) -> None:
        assert benchmark(open_road_graph, folder).node_count > 100_000

    def test_snap(self, benchmark: BenchmarkFixture, snapper: Snapper) -> None:
        assert benchmark(snapper.snap, *PARIS).access_m < 1_000

    def test_fastest_path_from_paris_to_berlin(
        self, benchmark: BenchmarkFixture, graph: RoadGraph, snapper: Snapper
    ) -> None:
        origin, destination = snapper.snap(*PARIS).node, snapper.snap(*BERLIN).node
        path = benchmark(fastest_path, graph, origin=origin, destination=destination)
        assert path.duration_ds > 8 * HOUR_DS

    @pytest.mark.parametrize("reverse", [False, True])
    def test_search_within_four_hours(
        self, benchmark: BenchmarkFixture, graph: RoadGraph, snapper: Snapper, reverse: bool
    ) -> None:
        node = snapper.snap(*PARIS).node
        reach = benchmark(search_within, graph, node=node, limit_ds=4 * HOUR_DS, reverse=reverse)
        assert len(reach.nodes) > 1_000

    def test_legs_of_three_thousand_sites(
        self, benchmark: BenchmarkFixture, graph: RoadGraph
    ) -> None:
        node = np.linspace(0, graph.node_count - 1, SITES).astype(np.int32)
        sites = SiteTable(
            site_id=np.arange(SITES),
            lon=graph.node_lon[node],
            lat=graph.node_lat[node],
            node=node,
            access_m=np.full(SITES, 500.0),
            access_s=np.full(SITES, 36.0),
        )
        table = benchmark.pedantic(  # type: ignore[no-untyped-call]
            build_leg_table, args=(graph,), kwargs={"sites": sites}, rounds=2
        )
        assert len(table.to_site) > 100_000
