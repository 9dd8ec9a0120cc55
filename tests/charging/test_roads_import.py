"""The importer: reading the literals, mending, linking, timing, and building the store."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from charging.planner.roads import scgraph_import
from charging.planner.roads.cleaning import (
    find_welds,
    label_pieces,
    mark_largest_strong_component,
)
from charging.planner.roads.connectors import CONNECTORS
from charging.planner.roads.geo import EUROPE, Bounds
from charging.planner.roads.graph import RoadGraph, RoadKind
from charging.planner.roads.scgraph_import import (
    LandingOffNetwork,
    build_road_store,
    choose_connectors,
    describe_import,
    import_world_highways,
    order_along_curve,
)
from charging.planner.roads.speeds import (
    guess_speeds_kmh,
    round_durations_ds,
    stretch_lengths_m,
)
from charging.planner.roads.store import open_road_graph, read_road_origin, save_road_graph
from charging.planner.roads.world_highways import (
    Roads,
    WorldHighwaysMissing,
    WorldHighwaysUnreadable,
    clip_roads,
    find_world_highways,
    parse_world_highways,
    read_package_version,
)
from emsp.kernel.models import Job
from tests.charging.road_makers import make_line

# Somewhere in Hungary, far from every landing.
SOMEWHERE = Bounds(min_lon=19.0, min_lat=46.0, max_lon=20.0, max_lat=47.0)


def write_source(
    path: Path, *, nodes: list[tuple[float, float]], roads_km: dict[tuple[int, int], float]
) -> Path:
    """Write a module laid out like the package's, from (lon, lat) and two-way roads."""
    graph: list[dict[int, float]] = [{} for _ in nodes]
    for (a, b), km in roads_km.items():
        graph[a][b] = km
        graph[b][a] = km
    path.write_text(
        "from scgraph.core import GeoGraph\n"
        f"graph={graph}\n"
        f"nodes={[[lat, lon] for lon, lat in nodes]}\n"
        "world_highways_geograph = GeoGraph(graph=graph, nodes=nodes)\n"
    )
    return path


def make_roads(
    *, places: list[tuple[float, float]], pairs: list[tuple[int, int]], length_m: float = 100.0
) -> Roads:
    tail = [a for a, _ in pairs] + [b for _, b in pairs]
    head = [b for _, b in pairs] + [a for a, _ in pairs]
    return Roads(
        lon=np.array([lon for lon, _ in places]),
        lat=np.array([lat for _, lat in places]),
        tail=np.array(tail, dtype=np.int32),
        head=np.array(head, dtype=np.int32),
        length_m=np.full(len(tail), length_m),
    )


class TestParseWorldHighways:
    def test_reads_both_literals(self, tmp_path: Path) -> None:
        source = write_source(
            tmp_path / "world_highways.py",
            nodes=[(19.1, 46.1), (-19.2, -46.2), (19.3, 46.3)],
            roads_km={(0, 1): 1.5, (1, 2): 0.25},
        )
        roads = parse_world_highways(source)
        assert roads.lon.tolist() == [19.1, -19.2, 19.3]
        assert roads.lat.tolist() == [46.1, -46.2, 46.3]
        assert roads.tail.tolist() == [0, 1, 1, 2]
        assert roads.head.tolist() == [1, 0, 2, 1]
        assert roads.length_m.tolist() == [1500.0, 1500.0, 250.0, 250.0]

    def test_keeps_the_place_of_a_node_without_roads(self, tmp_path: Path) -> None:
        source = write_source(tmp_path / "w.py", nodes=[(19.1, 46.1)] * 3, roads_km={(0, 2): 1.0})
        roads = parse_world_highways(source)
        assert (roads.tail.tolist(), roads.head.tolist()) == ([0, 2], [2, 0])

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("graph=[{}]\n", "does not have one line `graph=` and one line `nodes=`"),
            ("graph=[{}]\nnodes=[[1,2],[3,4]]\n", "do not belong together"),
            ("graph=[{1: 2.0}]\nnodes=[[1,2]]\n", "names a node that has no place"),
            ("graph=[{0: x}]\nnodes=[[1,2]]\n", "something other than numbers"),
            ("graph=[{}]\nnodes=[[1,2],[3]]\n", "something other than numbers"),
        ],
    )
    def test_refuses_another_layout(self, tmp_path: Path, text: str, sentence: str) -> None:
        path = tmp_path / "w.py"
        path.write_text(text)
        with pytest.raises(WorldHighwaysUnreadable, match=sentence):
            parse_world_highways(path)


class TestFindWorldHighways:
    def test_finds_the_installed_file_without_importing_it(self) -> None:
        assert find_world_highways().name == "world_highways.py"
        assert read_package_version() == "2.0.0"

    def test_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(WorldHighwaysMissing, match=r"requirements-data\.txt"):
            find_world_highways()


class TestClipRoads:
    def test_keeps_roads_with_both_ends_inside(self) -> None:
        roads = make_roads(
            places=[(18.9, 46.5), (19.0, 46.0), (20.0, 47.0), (19.5, 46.5)],
            pairs=[(0, 1), (1, 2), (2, 3)],
        )
        clipped = clip_roads(roads, bounds=SOMEWHERE)
        assert clipped.lon.tolist() == [19.0, 20.0, 19.5]
        assert clipped.tail.tolist() == [0, 1, 1, 2]
        assert clipped.head.tolist() == [1, 2, 0, 1]

    def test_drops_roads_from_a_node_to_itself(self) -> None:
        roads = make_roads(places=[(19.1, 46.1), (19.2, 46.1)], pairs=[(0, 0), (0, 1)])
        assert clip_roads(roads, bounds=SOMEWHERE).tail.tolist() == [0, 1]


class TestFindWelds:
    # A thousandth of a degree of latitude is 111 m.
    def test_joins_pieces_over_the_least_gap(self) -> None:
        roads = make_roads(
            places=[(19.0, 46.000), (19.0, 46.010), (19.0, 46.020), (19.0, 46.040)],
            pairs=[(0, 1), (2, 3)],
        )
        welds = find_welds(roads)
        assert (welds.tail.tolist(), welds.head.tolist()) == ([2], [1])
        assert welds.gap_m[0] == pytest.approx(1_112, abs=1)

    def test_leaves_wider_gaps_open(self) -> None:
        roads = make_roads(
            places=[(19.0, 46.000), (19.0, 46.010), (19.0, 46.029), (19.0, 46.040)],
            pairs=[(0, 1), (2, 3)],
        )
        assert find_welds(roads).tail.tolist() == []

    def test_joins_every_pair_that_falls_together(self) -> None:
        # Two parallel carriageways 111 m apart are joined at both ends, not just at one.
        roads = make_roads(
            places=[(19.0, 46.000), (19.0, 46.015), (19.0014, 46.000), (19.0014, 46.015)],
            pairs=[(0, 1), (2, 3)],
        )
        welds = find_welds(roads)
        assert sorted(zip(welds.tail.tolist(), welds.head.tolist(), strict=True)) == [
            (2, 0),
            (3, 1),
        ]

    def test_joins_a_chain_of_pieces_with_one_weld_a_gap(self) -> None:
        places = [(19.0, 46.0 + 0.01 * i) for i in range(6)]
        welds = find_welds(make_roads(places=places, pairs=[]))
        assert len(welds.tail) == 5
        assert welds.gap_m == pytest.approx([1_112] * 5, abs=1)

    @given(
        places=st.lists(
            st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12, unique=True
        ),
        data=st.data(),
    )
    def test_joins_just_what_lies_near(
        self, places: list[tuple[int, int]], data: st.DataObject
    ) -> None:
        node = st.integers(0, len(places) - 1)
        pairs = data.draw(st.lists(st.tuples(node, node), max_size=8))
        roads = make_roads(
            places=[(19 + 0.001 * x, 46 + 0.001 * y) for x, y in places], pairs=pairs
        )
        welds = find_welds(roads)
        mended = nx.Graph(pairs)
        mended.add_nodes_from(range(len(places)))
        near = mended.copy()
        mended.add_edges_from(zip(welds.tail.tolist(), welds.head.tolist(), strict=True))
        # The plain way: join everything within the gap, then compare which nodes hang together.
        for a in range(len(places)):
            for b in range(a):
                metres = np.hypot(
                    (roads.lon[a] - roads.lon[b]) * 111_195 * np.cos(np.radians(46.03)),
                    (roads.lat[a] - roads.lat[b]) * 111_195,
                )
                if metres <= 2_000:
                    near.add_edge(a, b)
        assert sorted(map(sorted, nx.connected_components(mended))) == sorted(
            map(sorted, nx.connected_components(near))
        )
        assert welds.gap_m.max(initial=0) <= 2_000


class TestLabelPieces:
    def test_numbers_the_largest_piece_zero(self) -> None:
        roads = make_roads(places=[(19.0, 46.0)] * 5, pairs=[(0, 1), (2, 3), (3, 4)])
        assert label_pieces(roads).tolist() == [1, 1, 0, 0, 0]


class TestMarkLargestStrongComponent:
    def test_leaves_out_one_way_ends(self) -> None:
        marked = mark_largest_strong_component(
            node_count=4,
            tail=np.array([0, 1, 2, 3], dtype=np.int32),
            head=np.array([1, 2, 1, 0], dtype=np.int32),
        )
        assert marked.tolist() == [False, True, True, False]


class TestSpeeds:
    def test_step_at_the_stated_distances(self) -> None:
        chords = [0.0, 799.9, 800.0, 1_999.9, 2_000.0, 90_000.0]
        assert guess_speeds_kmh(chords).tolist() == [80.0, 80.0, 95.0, 95.0, 110.0, 110.0]

    def test_stretch_chords_to_driven_lengths(self) -> None:
        assert stretch_lengths_m([0.0, 20.0, 100.0]).tolist() == [30.0, 30.0, 106.0]

    def test_round_to_deciseconds_and_never_to_nothing(self) -> None:
        assert round_durations_ds([0.01, 0.16, 3600.0]).tolist() == [1, 2, 36_000]


class TestConnectors:
    def test_take_their_crossing_and_boarding(self) -> None:
        times = {link.name: link.duration_s / 60 for link in CONNECTORS}
        assert times["Great Belt bridge"] == 10
        assert times["Channel Tunnel shuttle"] == 80
        assert times["Dover - Calais"] == 150

    def test_cross_at_speeds_of_their_kind(self) -> None:
        kmh = {link.name: link.length_m / link.crossing_s * 3.6 for link in CONNECTORS}
        for link in CONNECTORS:
            low, high = {
                RoadKind.ROAD: (70, 110),
                RoadKind.BRIDGE: (90, 110),
                RoadKind.SHUTTLE: (80, 140),
                RoadKind.FERRY: (15, 65),
            }[link.kind]
            assert low <= kmh[link.name] <= high, link.name

    def test_are_chosen_only_with_both_landings_inside(self) -> None:
        britain = Bounds(min_lon=-5.5, min_lat=49.0, max_lon=1.5, max_lat=60.0)
        assert choose_connectors(britain) == ()
        isles = Bounds(min_lon=-11.0, min_lat=49.0, max_lon=1.5, max_lat=60.0)
        assert [link.name for link in choose_connectors(isles)] == [
            "Holyhead - Dublin",
            "Belfast - Cairnryan",
        ]
        assert choose_connectors(EUROPE) == CONNECTORS


class TestImportWorldHighways:
    def import_small(self, tmp_path: Path) -> tuple[RoadGraph, list[str]]:
        source = write_source(
            tmp_path / "w.py",
            nodes=[(19.1, 46.1), (19.2, 46.1), (19.21, 46.1), (19.3, 46.1), (19.9, 46.9), (0, 0)],
            roads_km={(0, 1): 7.7, (2, 3): 1.0, (3, 5): 5000.0},
        )
        steps: list[str] = []
        return import_world_highways(source=source, bounds=SOMEWHERE, progress=steps.append), steps

    def test_welds_times_and_keeps_what_hangs_together(self, tmp_path: Path) -> None:
        graph, _ = self.import_small(tmp_path)
        assert graph.node_lon.tolist() == [19.1, 19.2, 19.21, 19.3]
        assert graph.tail.tolist() == [0, 1, 1, 2, 2, 3]
        assert graph.head.tolist() == [1, 0, 2, 1, 3, 2]
        assert graph.length_m[[0, 4]].tolist() == [8162.0, 1060.0]
        # 8.162 km at 110 km/h, and 1.06 km at 95 km/h.
        assert graph.duration_ds[[0, 4]].tolist() == [2671, 402]
        # The weld of 0.01 degrees of longitude, 771 m straight, at the lowest speed.
        assert graph.length_m[2] == pytest.approx(817.3, abs=0.1)
        assert graph.duration_ds[2] == 368
        assert graph.kind.tolist() == [RoadKind.ROAD] * 6

    def test_reports_every_step(self, tmp_path: Path) -> None:
        _, steps = self.import_small(tmp_path)
        assert steps == [
            "Read 6 nodes and 6 arcs of the world.",
            "Kept 5 nodes and 4 arcs within bounds.",
            "Welded 1 gaps of up to 2,000 m between pieces.",
            "Added 0 bridges, ferries and shuttles.",
            (
                "Dropped 1 nodes that nothing joins to the rest, "
                "most of them 1 around lon 19.9, lat 46.9."
            ),
            "Kept 4 nodes and 6 arcs.",
        ]

    def test_gives_the_same_graph_again(self, tmp_path: Path) -> None:
        first, _ = self.import_small(tmp_path)
        second, _ = self.import_small(tmp_path)
        assert first.version == second.version

    def test_refuses_a_landing_off_the_roads(self, tmp_path: Path) -> None:
        # Ten nodes in Jutland, none of them near the Great Belt.
        source = write_source(
            tmp_path / "w.py",
            nodes=[(9.0 + 0.01 * i, 56.0) for i in range(10)],
            roads_km={(i, i + 1): 0.6 for i in range(9)},
        )
        belt = Bounds(min_lon=8.0, min_lat=55.0, max_lon=11.2, max_lat=57.0)
        with pytest.raises(LandingOffNetwork, match=r"lon 10\.828, lat 55\.302"):
            import_world_highways(source=source, bounds=belt, progress=lambda _: None)


class TestOrderAlongCurve:
    def test_keeps_neighbours_together(self) -> None:
        lon = np.array([5.0, 30.0, 5.001, 30.001])
        lat = np.array([50.0, 40.0, 50.001, 40.001])
        assert order_along_curve(lon, lat).tolist() == [1, 3, 0, 2]


class TestDescribeImport:
    def test_changes_with_a_parameter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = describe_import()
        assert before.source_version == "2.0.0"
        assert before.parameters["length_factor"] == 1.06
        monkeypatch.setattr("charging.planner.roads.speeds.LENGTH_FACTOR", 1.07)
        assert describe_import() != before


@pytest.mark.django_db
class TestBuildRoads:
    @pytest.fixture
    def folder(self, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Let the command build a graph of two nodes instead of a continent."""
        graph = make_line(duration_ds=[10], length_m=[100.0])
        monkeypatch.setattr(scgraph_import, "import_world_highways", lambda progress: graph)
        settings.DATA_DIR = tmp_path
        return tmp_path / "roads"

    def test_builds_a_missing_store(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("build_roads")
        assert open_road_graph(folder).node_count == 2
        assert read_road_origin(folder) == describe_import()
        assert capsys.readouterr().out == f"Saved the road graph to {folder}.\n"

    def test_asks_for_legs_that_fit_the_new_roads_once(self, folder: Path) -> None:
        call_command("build_roads")
        call_command("build_roads")
        assert Job.objects.filter(kind="charging.build_legs").count() == 1

    def test_skips_a_store_that_is_up_to_date(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("build_roads")
        capsys.readouterr()
        call_command("build_roads")
        assert capsys.readouterr().out == f"The road graph in {folder} is up to date.\n"

    def test_builds_again_when_told_to(self, folder: Path) -> None:
        call_command("build_roads")
        assert not build_road_store(folder, progress=lambda _: None)
        assert build_road_store(folder, force=True, progress=lambda _: None)
        written = (folder / "manifest.json").stat().st_ino
        call_command("build_roads", "--force")
        assert (folder / "manifest.json").stat().st_ino != written

    def test_replaces_a_store_that_is_broken(self, folder: Path) -> None:
        call_command("build_roads")
        (folder / "head.npy").write_bytes(b"")
        call_command("build_roads")
        assert open_road_graph(folder).node_count == 2

    def test_replaces_a_store_of_another_origin(self, folder: Path) -> None:
        other = make_line(duration_ds=[10, 10], length_m=[1.0, 1.0])
        save_road_graph(other, folder)
        call_command("build_roads")
        assert open_road_graph(folder).node_count == 2

    def test_says_what_is_missing(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(progress: object) -> RoadGraph:
            raise WorldHighwaysMissing("The road data is not installed.")

        monkeypatch.setattr(scgraph_import, "import_world_highways", refuse)
        with pytest.raises(CommandError, match=r"^The road data is not installed\.$"):
            call_command("build_roads")
        assert not folder.exists()
