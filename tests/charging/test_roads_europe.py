"""Europe's real road graph, held to drives that anybody can look up.

Reference distances and times are what route planners give for the usual way by motorway, rounded.
They are the acceptance test of the importer's few parameters (docs/algorithms/roads.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest

from charging.planner.roads.connectors import CONNECTORS
from charging.planner.roads.dijkstra import Path, fastest_path, search_within
from charging.planner.roads.graph import Feature, RoadGraph, RoadKind
from charging.planner.roads.snapping import OffRoad, Snapper, access_features

CITIES = {
    "Amsterdam": (4.9041, 52.3676),
    "Berlin": (13.4050, 52.5200),
    "Bergen": (5.3221, 60.3913),
    "Copenhagen": (12.5683, 55.6761),
    "Dublin": (-6.2603, 53.3498),
    "Edinburgh": (-3.1883, 55.9533),
    "Hamburg": (9.9937, 53.5511),
    "London": (-0.1276, 51.5072),
    "Lyon": (4.8357, 45.7640),
    "Malmö": (13.0038, 55.6050),
    "Marseille": (5.3698, 43.2965),
    "Munich": (11.5820, 48.1351),
    "Oslo": (10.7522, 59.9139),
    "Palermo": (13.3615, 38.1157),
    "Palma": (2.6502, 39.5696),
    "Paris": (2.3522, 48.8566),
    "Patras": (21.7346, 38.2466),
    "Rome": (12.4964, 41.9028),
}


@dataclass(frozen=True)
class Drive:
    """A drive from city to city, access included."""

    path: Path
    distance_km: float
    duration_h: float
    kinds: set[int]


@pytest.fixture(scope="module")
def snapper(europe: RoadGraph) -> Snapper:
    return Snapper(europe)


def drive(
    graph: RoadGraph, snapper: Snapper, *, origin: str, destination: str, allow_ferries: bool
) -> Drive:
    start, end = snapper.snap(*CITIES[origin]), snapper.snap(*CITIES[destination])
    path = fastest_path(graph, origin=start.node, destination=end.node, allow_ferries=allow_ferries)
    assert path is not None
    features = path.features + access_features(start.access_m) + access_features(end.access_m)
    return Drive(
        path=path,
        distance_km=float(features[Feature.LENGTH_M]) / 1000,
        duration_h=float(features[Feature.DURATION_S]) / 3600,
        kinds=set(graph.kind[path.arcs].tolist()),
    )


class TestReferenceDrives:
    @pytest.mark.parametrize(
        ("origin", "destination", "expected_km"),
        [
            ("Paris", "Berlin", 1050),
            ("Amsterdam", "Paris", 510),
            ("Munich", "Hamburg", 790),
            ("Lyon", "Marseille", 315),
            ("London", "Edinburgh", 650),
            ("Copenhagen", "Hamburg", 470),
        ],
    )
    def test_are_as_long_as_the_road_is(
        self, europe: RoadGraph, snapper: Snapper, origin: str, destination: str, expected_km: float
    ) -> None:
        for one, other in ((origin, destination), (destination, origin)):
            found = drive(europe, snapper, origin=one, destination=other, allow_ferries=False)
            assert found.distance_km == pytest.approx(expected_km, rel=0.06)

    @pytest.mark.parametrize(
        ("origin", "destination", "expected_h"),
        [
            ("Paris", "Berlin", 10.0),
            ("Amsterdam", "Paris", 5 + 10 / 60),
            ("Munich", "Hamburg", 7 + 40 / 60),
            ("Lyon", "Marseille", 3 + 5 / 60),
        ],
    )
    def test_take_as_long_as_they_do(
        self, europe: RoadGraph, snapper: Snapper, origin: str, destination: str, expected_h: float
    ) -> None:
        for one, other in ((origin, destination), (destination, origin)):
            found = drive(europe, snapper, origin=one, destination=other, allow_ferries=False)
            assert found.duration_h == pytest.approx(expected_h, rel=0.15)


class TestConnectors:
    def test_stand_in_the_graph_in_both_directions(self, europe: RoadGraph) -> None:
        for link in CONNECTORS:
            same = (
                (europe.kind == link.kind)
                & (europe.length_m == np.float32(link.length_m))
                & (europe.duration_ds == round(link.duration_s * 10))
            )
            ends = {(int(europe.tail[arc]), int(europe.head[arc])) for arc in np.flatnonzero(same)}
            assert len(ends) == 2, link.name
            ((a, b), (c, d)) = ends
            assert (a, b) == (d, c), link.name

    def test_cross_the_great_belt_by_bridge(self, europe: RoadGraph, snapper: Snapper) -> None:
        found = drive(
            europe, snapper, origin="Copenhagen", destination="Hamburg", allow_ferries=False
        )
        assert found.kinds == {RoadKind.ROAD, RoadKind.BRIDGE}
        crossed = found.path.arcs[europe.kind[found.path.arcs] == RoadKind.BRIDGE]
        assert europe.length_m[crossed].tolist() == [18_000.0]

    @pytest.mark.parametrize(
        ("origin", "destination", "allow_ferries", "kind"),
        [
            ("Copenhagen", "Malmö", True, RoadKind.BRIDGE),
            ("London", "Paris", True, RoadKind.SHUTTLE),
            ("London", "Paris", False, RoadKind.SHUTTLE),
            ("Rome", "Palermo", True, RoadKind.FERRY),
            ("London", "Dublin", True, RoadKind.FERRY),
            ("Marseille", "Palma", True, RoadKind.FERRY),
        ],
    )
    def test_join_what_the_sea_parts(
        self,
        europe: RoadGraph,
        snapper: Snapper,
        origin: str,
        destination: str,
        allow_ferries: bool,
        kind: RoadKind,
    ) -> None:
        found = drive(
            europe, snapper, origin=origin, destination=destination, allow_ferries=allow_ferries
        )
        assert kind in found.kinds
        carried_m = found.path.features[Feature.CARRIED_M]
        assert (carried_m > 0) == (kind in {RoadKind.FERRY, RoadKind.SHUTTLE})

    def test_leave_ireland_unreachable_without_ferries(
        self, europe: RoadGraph, snapper: Snapper
    ) -> None:
        london, dublin = (snapper.snap(*CITIES[city]).node for city in ("London", "Dublin"))
        assert fastest_path(europe, origin=london, destination=dublin, allow_ferries=False) is None

    def test_and_welds_mend_what_the_source_broke(
        self, europe: RoadGraph, snapper: Snapper
    ) -> None:
        # The source cuts Bergen off from Norway and the Peloponnese off from Greece.
        for origin, destination in (("Oslo", "Bergen"), ("Munich", "Patras")):
            found = drive(
                europe, snapper, origin=origin, destination=destination, allow_ferries=False
            )
            assert math.isfinite(found.distance_km)


class TestEurope:
    def test_is_strongly_connected(self, europe: RoadGraph) -> None:
        network: nx.DiGraph[int] = nx.DiGraph()
        network.add_nodes_from(range(europe.node_count))
        network.add_edges_from(zip(europe.tail.tolist(), europe.head.tolist(), strict=True))
        assert nx.is_strongly_connected(network)

    def test_is_reached_whole_from_anywhere(self, europe: RoadGraph) -> None:
        for reverse in (False, True):
            reach = search_within(europe, node=0, limit_ds=None, reverse=reverse)
            assert len(reach.nodes) == europe.node_count

    def test_has_the_size_of_a_continent(self, europe: RoadGraph) -> None:
        assert 130_000 < europe.node_count < 145_000
        assert 370_000 < europe.arc_count < 400_000

    def test_drives_at_plausible_speeds(self, europe: RoadGraph) -> None:
        driven = europe.kind <= RoadKind.BRIDGE
        speed_kmh = europe.length_m[driven] / europe.duration_ds[driven] * 36
        # The shortest arcs, 30 m in 1.35 s, round to 14 deciseconds.
        assert speed_kmh.min() > 74
        assert speed_kmh.max() < 111

    @pytest.mark.parametrize(
        ("lon", "lat", "at_least_km"), [(-30.0, 45.0, 1000), (3.0, 57.0, 230), (3.05, 36.75, 200)]
    )
    def test_ends_at_the_sea(
        self, snapper: Snapper, lon: float, lat: float, at_least_km: float
    ) -> None:
        # The Atlantic, the North Sea, and Algiers, which no link joins to Europe.
        with pytest.raises(OffRoad) as refusal:
            snapper.snap(lon, lat)
        assert refusal.value.distance_m > at_least_km * 1000
