"""The road store: making graphs, saving them, opening them, refusing broken ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from charging.planner.roads.graph import RoadGraph
from charging.planner.roads.store import (
    DTYPES,
    RoadGraphInvalid,
    RoadOrigin,
    RoadStoreBroken,
    RoadStoreMissing,
    make_road_graph,
    open_road_graph,
    read_road_origin,
    save_road_graph,
)
from tests.charging.road_makers import make_line, road_graphs

TRIANGLE: dict[str, Any] = {
    "node_lon": [4.9, 13.4, 2.35],
    "node_lat": [52.4, 52.5, 48.85],
    "tail": [2, 0, 0],
    "head": [0, 2, 1],
    "duration_ds": [180, 170, 230],
    "length_m": [510.0, 505.5, 650.0],
    "kind": [0, 1, 2],
}


class TestMakeRoadGraph:
    def test_sorts_arcs_by_tail_then_head(self) -> None:
        graph = make_road_graph(**TRIANGLE)
        assert graph.tail.tolist() == [0, 0, 2]
        assert graph.head.tolist() == [1, 2, 0]
        assert graph.duration_ds.tolist() == [230, 170, 180]
        assert graph.length_m.tolist() == [650.0, 505.5, 510.0]
        assert graph.kind.tolist() == [2, 1, 0]
        assert graph.first_out.tolist() == [0, 2, 2, 3]

    def test_indexes_arcs_by_head_for_searches_backwards(self) -> None:
        graph = make_road_graph(**TRIANGLE)
        assert graph.first_in.tolist() == [0, 1, 2, 3]
        assert graph.in_arc.tolist() == [2, 0, 1]

    def test_gives_the_types_of_the_store(self) -> None:
        graph = make_road_graph(**TRIANGLE)
        assert {name: getattr(graph, name).dtype for name in DTYPES} == {
            name: np.dtype(dtype) for name, dtype in DTYPES.items()
        }

    def test_takes_unknown_elevation_as_zero(self) -> None:
        assert make_road_graph(**TRIANGLE).node_elevation_m.tolist() == [0.0, 0.0, 0.0]

    def test_makes_arrays_nobody_can_change(self) -> None:
        graph = make_road_graph(**TRIANGLE)
        with pytest.raises(ValueError, match="read-only"):
            graph.duration_ds[0] = 1

    def test_copies_what_it_is_given(self) -> None:
        lon = np.array([1.0, 2.0, 3.0])
        graph = make_road_graph(**{**TRIANGLE, "node_lon": lon})
        lon[0] = 99.0
        assert graph.node_lon.tolist() == [1.0, 2.0, 3.0]

    def test_names_equal_graphs_alike_whatever_the_order_of_arcs(self) -> None:
        turned = {
            name: values[::-1] if not name.startswith("node") else values
            for name, values in TRIANGLE.items()
        }
        assert make_road_graph(**turned).version == make_road_graph(**TRIANGLE).version

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("node_lon", [4.9, 13.4, 2.36]),
            ("duration_ds", [180, 170, 231]),
            ("length_m", [510.0, 505.5, 651.0]),
            ("kind", [0, 1, 3]),
            ("node_elevation_m", [0.0, 0.0, 1.0]),
        ],
    )
    def test_names_different_graphs_differently(self, name: str, values: list[float]) -> None:
        other = make_road_graph(**{**TRIANGLE, name: values})
        assert other.version != make_road_graph(**TRIANGLE).version

    @pytest.mark.parametrize(
        ("name", "values", "sentence"),
        [
            ("duration_ds", [180, 0, 230], "duration_ds is below 1 decisecond"),
            ("duration_ds", [180, 170.5, 230], "duration_ds holds fractions"),
            ("duration_ds", [180, 2**31, 230], "duration_ds does not fit int32"),
            ("duration_ds", [180, 170], "duration_ds is not one number an arc"),
            ("head", [0, 2, 3], "head names a node that does not exist"),
            ("tail", [-1, 0, 0], "tail names a node that does not exist"),
            ("length_m", [510.0, -1.0, 650.0], "length_m is negative or not finite"),
            ("length_m", [510.0, float("nan"), 650.0], "length_m is negative or not finite"),
            ("kind", [0, 1, 4], "kind is not a RoadKind"),
            ("kind", [0, 1, 256], "kind does not fit uint8"),
            ("node_lat", [52.4, 90.1, 48.85], "a latitude is outside of -90 to 90 degrees"),
            ("node_lon", [4.9, 180.1, 2.35], "a longitude is outside of -180 to 180 degrees"),
            ("node_lon", [4.9, float("nan"), 2.35], "node_lon holds a number that is not finite"),
            ("node_lat", [52.4, 52.5], "node_lat is not one number a node"),
        ],
    )
    def test_refuses_arrays_that_make_no_graph(
        self, name: str, values: list[float], sentence: str
    ) -> None:
        with pytest.raises(RoadGraphInvalid, match=f"^{sentence}$"):
            make_road_graph(**{**TRIANGLE, name: values})


class TestSaveRoadGraph:
    @given(graph=road_graphs())
    def test_keeps_every_array_bit_by_bit(
        self, graph: RoadGraph, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("roads") / "store"
        save_road_graph(graph, folder)
        opened = open_road_graph(folder)
        for name in DTYPES:
            np.testing.assert_array_equal(getattr(opened, name), getattr(graph, name))
            assert getattr(opened, name).dtype == getattr(graph, name).dtype
        assert opened.version == graph.version

    def test_replaces_an_older_store_and_leaves_nothing_beside_it(self, tmp_path: Path) -> None:
        folder = tmp_path / "roads"
        save_road_graph(make_line(duration_ds=[10], length_m=[100.0]), folder)
        newer = make_line(duration_ds=[10, 20], length_m=[100.0, 200.0])
        save_road_graph(newer, folder)
        assert open_road_graph(folder).version == newer.version
        assert [path.name for path in tmp_path.iterdir()] == ["roads"]

    def test_keeps_the_older_store_when_writing_fails(self, tmp_path: Path) -> None:
        folder = tmp_path / "roads"
        older = make_line(duration_ds=[10], length_m=[100.0])
        save_road_graph(older, folder)
        unwritable = replace(older, kind=np.array([object()]))
        with pytest.raises(ValueError, match="Object arrays cannot be saved"):
            save_road_graph(unwritable, folder)
        assert open_road_graph(folder).version == older.version
        assert [path.name for path in tmp_path.iterdir()] == ["roads"]

    def test_states_counts_and_origin_in_the_manifest(self, tmp_path: Path) -> None:
        origin = RoadOrigin(
            source="survey", source_version="7", licence="CC0", parameters={"length_factor": 1.5}
        )
        graph = make_line(duration_ds=[10, 20], length_m=[100.0, 200.0])
        save_road_graph(graph, tmp_path / "roads", origin=origin)
        manifest = json.loads((tmp_path / "roads" / "manifest.json").read_text())
        assert (manifest["format"], manifest["node_count"], manifest["arc_count"]) == (1, 3, 4)
        assert manifest["version"] == graph.version
        assert read_road_origin(tmp_path / "roads") == origin


class TestOpenRoadGraph:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        save_road_graph(
            make_line(duration_ds=[10, 20], length_m=[100.0, 200.0]), tmp_path / "roads"
        )
        return tmp_path / "roads"

    def test_says_what_to_do_where_there_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(RoadStoreMissing, match=r"run `manage\.py build_roads` to make it\.$"):
            open_road_graph(tmp_path / "roads")
        with pytest.raises(RoadStoreMissing, match=r"run `manage\.py build_roads` to make it\.$"):
            read_road_origin(tmp_path / "roads")

    def test_maps_the_files_instead_of_reading_them(self, folder: Path) -> None:
        graph = open_road_graph(folder)
        assert isinstance(graph.head.base, np.memmap)
        assert not graph.head.flags.writeable

    def test_refuses_a_file_cut_short(self, folder: Path) -> None:
        path = folder / "head.npy"
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises(RoadStoreBroken, match=r"head\.npy cannot be read"):
            open_road_graph(folder)

    def test_refuses_a_missing_file(self, folder: Path) -> None:
        (folder / "kind.npy").unlink()
        with pytest.raises(RoadStoreBroken, match=r"kind\.npy cannot be read"):
            open_road_graph(folder)

    def test_refuses_an_array_of_another_length(self, folder: Path) -> None:
        np.save(folder / "kind.npy", np.zeros(5, dtype=np.uint8))
        with pytest.raises(RoadStoreBroken, match=r"kind\.npy is not as the manifest says"):
            open_road_graph(folder)

    @pytest.mark.parametrize(
        ("name", "array", "sentence"),
        [
            ("kind", np.zeros(4, dtype=np.int64), "kind.npy holds int64, not uint8"),
            ("kind", np.zeros(5, dtype=np.uint8), "its arrays differ in length"),
            ("node_lat", np.zeros(2), "its arrays differ in length"),
            (
                "first_out",
                np.array([0, 1, 3, 5], dtype=np.int32),
                "its arcs do not belong to its nodes",
            ),
        ],
    )
    def test_refuses_arrays_that_do_not_fit_together(
        self, folder: Path, name: str, array: np.ndarray[Any, Any], sentence: str
    ) -> None:
        np.save(folder / f"{name}.npy", array)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["arrays"][name] = {"dtype": array.dtype.str, "shape": list(array.shape)}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(RoadStoreBroken, match=sentence):
            open_road_graph(folder)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("{", "the manifest is not JSON"),
            ("[]", "the manifest is not a JSON object"),
            ('{"format": 0}', "its format is 0, not 1"),
            ('{"format": 1}', "it has no version"),
            ('{"format": 1, "version": "x"}', "the manifest lists no arrays"),
        ],
    )
    def test_refuses_a_manifest_it_does_not_know(
        self, folder: Path, text: str, sentence: str
    ) -> None:
        (folder / "manifest.json").write_text(text)
        with pytest.raises(RoadStoreBroken, match=rf"\({sentence}\): run .* again\.$"):
            open_road_graph(folder)

    def test_refuses_an_origin_it_does_not_know(self, folder: Path) -> None:
        (folder / "manifest.json").write_text('{"format": 1, "version": "x", "origin": {}}')
        with pytest.raises(RoadStoreBroken, match="does not say where it comes from"):
            read_road_origin(folder)
