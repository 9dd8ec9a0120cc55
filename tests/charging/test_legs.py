"""The leg table: equal to networkx over all pairs, ordered, stored, refused when broken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.planner.legs import (
    LEG_DTYPES,
    SITE_DTYPES,
    LegStoreBroken,
    LegStoreMissing,
    LegTable,
    SiteTable,
    SiteTableInvalid,
    build_leg_table,
    name_leg_table,
    open_leg_table,
    save_leg_table,
)
from charging.planner.roads.dijkstra import fastest_path
from charging.planner.roads.graph import Feature, RoadGraph, RoadKind
from charging.planner.roads.snapping import access_features
from charging.planner.roads.store import make_road_graph
from tests.charging.road_makers import make_line, road_graphs, to_networkx


def make_sites(*, node: list[int], access_m: list[float]) -> SiteTable:
    access = np.array(access_m, dtype=np.float64)
    return SiteTable(
        site_id=np.arange(100, 100 + len(node), dtype=np.int64),
        lon=np.linspace(5.0, 6.0, len(node)),
        lat=np.full(len(node), 50.0),
        node=np.array(node, dtype=np.int32),
        access_m=access,
        access_s=access / (50 / 3.6),
    )


@st.composite
def site_tables(draw: st.DrawFn, *, graph: RoadGraph) -> SiteTable:
    node = draw(st.lists(st.integers(0, graph.node_count - 1), max_size=6))
    access_m = draw(
        st.lists(st.sampled_from([0.0, 5.0, 50.0]), min_size=len(node), max_size=len(node))
    )
    return make_sites(node=node, access_m=access_m)


def read_row(table: LegTable, site: int) -> dict[int, list[float]]:
    legs = slice(int(table.first[site]), int(table.first[site + 1]))
    return dict(zip(table.to_site[legs].tolist(), table.features[legs].tolist(), strict=True))


class TestBuildLegTable:
    @given(data=st.data(), graph=road_graphs(), reach_m=st.sampled_from([20.0, 60.0, 1e6]))
    def test_holds_just_the_fastest_drives_within_reach(
        self, data: st.DataObject, graph: RoadGraph, reach_m: float
    ) -> None:
        sites = data.draw(site_tables(graph=graph))
        table = build_leg_table(graph, sites=sites, reach_m=reach_m)
        durations = dict(nx.all_pairs_dijkstra_path_length(to_networkx(graph)))
        for i in range(len(sites)):
            row = read_row(table, i)
            expected = {}
            for j in range(len(sites)):
                a, b = int(sites.node[i]), int(sites.node[j])
                if i == j or b not in durations[a]:
                    continue
                path = fastest_path(graph, origin=a, destination=b)
                assert path is not None
                assert path.duration_ds == durations[a][b]
                leg = path.features + sum(access_features(float(sites.access_m[k])) for k in (i, j))
                if leg[Feature.LENGTH_M] <= reach_m:
                    expected[j] = leg
            assert set(row) == set(expected)
            for j, leg in expected.items():
                np.testing.assert_allclose(row[j], leg, rtol=1e-6)

    @given(data=st.data(), graph=road_graphs())
    def test_orders_every_row_by_duration(self, data: st.DataObject, graph: RoadGraph) -> None:
        table = build_leg_table(graph, sites=data.draw(site_tables(graph=graph)), reach_m=1e6)
        for i in range(len(table.sites)):
            legs = slice(int(table.first[i]), int(table.first[i + 1]))
            assert np.all(np.diff(table.features[legs, Feature.DURATION_S]) >= 0)

    @given(data=st.data(), graph=road_graphs())
    def test_shrinks_with_reach_and_changes_nothing_else(
        self, data: st.DataObject, graph: RoadGraph
    ) -> None:
        sites = data.draw(site_tables(graph=graph))
        far = build_leg_table(graph, sites=sites, reach_m=1e6)
        near = build_leg_table(graph, sites=sites, reach_m=60.0)
        for i in range(len(sites)):
            kept = {
                j: leg
                for j, leg in read_row(far, i).items()
                if leg[Feature.LENGTH_M] <= np.float32(60.0)
            }
            assert read_row(near, i) == kept

    def test_adds_access_at_both_ends(self) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        table = build_leg_table(graph, sites=make_sites(node=[0, 1], access_m=[500.0, 250.0]))
        assert table.first.tolist() == [0, 1, 2]
        assert table.to_site.tolist() == [1, 0]
        # 60 s and 1,000 m of road, 750 m of access at 50 km/h.
        drag = 1_000 * (1_000 / 60) ** 2 + 750 * (50 / 3.6) ** 2
        expected = [60 + 54, 1_750, 0, 0, drag, 0, 0]
        np.testing.assert_allclose(table.features, [expected, expected], rtol=1e-6)

    def test_joins_sites_at_one_node_by_their_access(self) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        table = build_leg_table(graph, sites=make_sites(node=[1, 1], access_m=[0.0, 250.0]))
        assert table.to_site.tolist() == [1, 0]
        assert table.features[:, Feature.LENGTH_M].tolist() == [250.0, 250.0]
        assert table.features[:, Feature.DURATION_S].tolist() == [18.0, 18.0]

    def test_leaves_out_a_pair_whose_fastest_drive_is_beyond_reach(self) -> None:
        # From node 0 to node 2 the fast road is 90 km, by way of node 1, and the slow one 50 km.
        # A search that did not go on past node 1, which is out of reach, would take the slow road
        # for the fastest.
        graph = make_road_graph(
            node_lon=[5.0, 5.5, 6.0],
            node_lat=[50.0, 50.5, 50.0],
            tail=[0, 1, 0],
            head=[1, 2, 2],
            duration_ds=[15_000, 15_000, 40_000],
            length_m=[70_000.0, 20_000.0, 50_000.0],
            kind=[RoadKind.ROAD] * 3,
        )
        sites = make_sites(node=[0, 2], access_m=[0.0, 0.0])
        assert build_leg_table(graph, sites=sites, reach_m=60_000.0).to_site.tolist() == []
        assert build_leg_table(graph, sites=sites, reach_m=90_000.0).to_site.tolist() == [1]

    def test_searches_on_for_a_slow_drive_within_reach(self) -> None:
        # The ferry takes longer than driving far beyond reach, and is still within it.
        graph = make_road_graph(
            node_lon=[5.0, 5.5, 6.0],
            node_lat=[50.0, 50.5, 50.0],
            tail=[0, 0],
            head=[1, 2],
            duration_ds=[100_000, 10_000],
            length_m=[30_000.0, 200_000.0],
            kind=[RoadKind.FERRY, RoadKind.ROAD],
        )
        sites = make_sites(node=[0, 1, 2], access_m=[0.0, 0.0, 0.0])
        assert read_row(build_leg_table(graph, sites=sites, reach_m=60_000.0), 0) == {
            1: [10_000.0, 30_000.0, 10_000.0, 30_000.0, 0.0, 0.0, 0.0]
        }

    def test_takes_no_sites(self) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        table = build_leg_table(graph, sites=make_sites(node=[], access_m=[]))
        assert table.first.tolist() == [0]
        assert table.features.shape == (0, 7)

    def test_reports_at_most_ten_steps_and_the_last(self) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        steps: list[str] = []
        build_leg_table(
            graph, sites=make_sites(node=[0] * 25, access_m=[0.0] * 25), progress=steps.append
        )
        assert len(steps) == 9
        assert steps[0] == "Found the legs of 3 of 25 sites."
        assert steps[-1] == "Found the legs of 25 of 25 sites."

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"site_id": np.array([5, 5])}, "site_id does not ascend"),
            ({"node": np.array([0, 2], dtype=np.int32)}, "a site's node is not in the road graph"),
            ({"node": np.array([-1, 0], dtype=np.int32)}, "a site's node is not in the road graph"),
            ({"access_m": np.array([0.0, np.inf])}, "access_m is negative or not finite"),
            ({"access_s": np.array([-1.0, 0.0])}, "access_s is negative or not finite"),
            ({"lon": np.array([5.0])}, "lon is not one number a site"),
        ],
    )
    def test_refuses_sites_that_do_not_fit(self, change: dict[str, Any], sentence: str) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        sites = replace(make_sites(node=[0, 1], access_m=[0.0, 0.0]), **change)
        with pytest.raises(SiteTableInvalid, match=f"^{sentence}$"):
            build_leg_table(graph, sites=sites)

    @pytest.mark.parametrize("reach_m", [0.0, -1.0, float("nan")])
    def test_refuses_a_reach_that_is_none(self, reach_m: float) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        with pytest.raises(ValueError, match="it must be above zero"):
            build_leg_table(graph, sites=make_sites(node=[], access_m=[]), reach_m=reach_m)

    def test_agrees_with_single_paths_across_europe(self, europe: RoadGraph) -> None:
        node = np.linspace(0, europe.node_count - 1, 60).astype(int).tolist()
        table = build_leg_table(europe, sites=make_sites(node=node, access_m=[0.0] * 60))
        assert len(table.to_site) > 100
        for i in range(0, 60, 7):
            for j, leg in read_row(table, i).items():
                path = fastest_path(europe, origin=node[i], destination=node[j])
                assert path is not None
                assert leg[Feature.LENGTH_M] <= 400_000
                np.testing.assert_allclose(leg, path.features, rtol=1e-6)


class TestNameLegTable:
    def test_tells_roads_sites_and_reach_apart(self) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        sites = make_sites(node=[0, 1], access_m=[0.0, 0.0])
        name = name_leg_table(graph, sites=sites, reach_m=1_000.0)
        assert build_leg_table(graph, sites=sites, reach_m=1_000.0).version == name
        others = {
            name_leg_table(graph, sites=sites, reach_m=1_001.0),
            name_leg_table(
                make_line(duration_ds=[601], length_m=[1_000.0]), sites=sites, reach_m=1_000.0
            ),
            name_leg_table(
                graph, sites=make_sites(node=[0, 1], access_m=[0.0, 1.0]), reach_m=1_000.0
            ),
        }
        assert len(others | {name}) == 4


class TestOpenLegTable:
    @pytest.fixture
    def table(self) -> LegTable:
        graph = make_line(duration_ds=[600, 900], length_m=[1_000.0, 2_000.0])
        return build_leg_table(
            graph, sites=make_sites(node=[0, 1, 2], access_m=[0.0, 10.0, 20.0]), reach_m=2_500.0
        )

    @pytest.fixture
    def folder(self, tmp_path: Path, table: LegTable) -> Path:
        save_leg_table(table, tmp_path / "legs")
        return tmp_path / "legs"

    def test_gives_back_what_was_saved(self, folder: Path, table: LegTable) -> None:
        opened = open_leg_table(folder)
        for name in SITE_DTYPES:
            np.testing.assert_array_equal(getattr(opened.sites, name), getattr(table.sites, name))
        for name, dtype in LEG_DTYPES.items():
            np.testing.assert_array_equal(getattr(opened, name), getattr(table, name))
            assert getattr(opened, name).dtype == dtype
        assert (opened.reach_m, opened.version) == (2_500.0, table.version)
        assert len(opened.to_site) == 4

    def test_gives_back_a_table_without_sites(self, tmp_path: Path) -> None:
        graph = make_line(duration_ds=[600], length_m=[1_000.0])
        empty = build_leg_table(graph, sites=make_sites(node=[], access_m=[]))
        save_leg_table(empty, tmp_path / "legs")
        assert len(open_leg_table(tmp_path / "legs").sites) == 0

    def test_says_that_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(LegStoreMissing, match=r"There is no leg table in .*: build it first"):
            open_leg_table(tmp_path / "legs")

    def test_refuses_a_file_cut_short(self, folder: Path) -> None:
        path = folder / "features.npy"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(LegStoreBroken, match=r"features\.npy cannot be read"):
            open_leg_table(folder)

    @pytest.mark.parametrize(
        ("manifest", "sentence"),
        [
            ({"format": 0}, "its format is 0, not 1"),
            ({"version": None}, "it has no version"),
            ({"reach_m": "far"}, "it has no reach"),
        ],
    )
    def test_refuses_a_manifest_it_does_not_know(
        self, folder: Path, manifest: dict[str, Any], sentence: str
    ) -> None:
        stored = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(stored | manifest))
        with pytest.raises(LegStoreBroken, match=rf"\({sentence}\): build it again\.$"):
            open_leg_table(folder)

    @pytest.mark.parametrize(
        ("name", "array", "sentence"),
        [
            ("lon", np.zeros(2), "its sites differ in length"),
            ("features", np.zeros((4, 6), dtype=np.float32), "its legs differ in length"),
            ("first", np.array([0, 2, 3, 5]), "its legs do not belong to its sites"),
        ],
    )
    def test_refuses_arrays_that_do_not_fit_together(
        self, folder: Path, name: str, array: np.ndarray[Any, Any], sentence: str
    ) -> None:
        np.save(folder / f"{name}.npy", array)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["arrays"][name] = {"dtype": array.dtype.str, "shape": list(array.shape)}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(LegStoreBroken, match=sentence):
            open_leg_table(folder)
