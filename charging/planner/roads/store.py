"""The road store: a graph on disk, mapped into memory and shared by every process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from charging.planner.roads.array_folder import (
    ArrayFolderBroken,
    ArrayFolderMissing,
    hash_arrays,
    open_arrays,
    read_manifest,
    save_arrays,
)
from charging.planner.roads.graph import RoadGraph, RoadKind, count_offsets

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

# Counts up whenever the arrays or their meaning change; older stores are then refused.
FORMAT = 1

DTYPES: Mapping[str, type] = {
    "node_lon": np.float64,
    "node_lat": np.float64,
    "node_elevation_m": np.float32,
    "first_out": np.int32,
    "tail": np.int32,
    "head": np.int32,
    "duration_ds": np.int32,
    "length_m": np.float32,
    "kind": np.uint8,
}

REMEDY = "run `manage.py build_roads` to make it"


class RoadStoreMissing(Exception):
    """No road graph was built here yet."""


class RoadStoreBroken(Exception):
    """The road store is damaged or was written by another version of this program."""


class RoadGraphInvalid(ValueError):
    """The arrays given do not make a road graph."""


@dataclass(frozen=True)
class RoadOrigin:
    """Where a graph's roads come from and which choices shaped it.

    Two stores with the same origin and format hold the same graph.
    """

    source: str
    source_version: str
    licence: str
    parameters: Mapping[str, float | str]


SYNTHETIC = RoadOrigin(source="made by hand", source_version="", licence="", parameters={})


def make_road_graph(
    *,
    node_lon: ArrayLike,
    node_lat: ArrayLike,
    tail: ArrayLike,
    head: ArrayLike,
    duration_ds: ArrayLike,
    length_m: ArrayLike,
    kind: ArrayLike,
    node_elevation_m: ArrayLike | None = None,
) -> RoadGraph:
    """Make a road graph of n nodes and m arcs from plain arrays in any arc order.

    ``node_*`` are [n], the others [m]; arcs are sorted by tail, then head, then as given.
    Degrees, deciseconds and metres. The arrays of the graph are copies and read-only.

    Raises RoadGraphInvalid naming the first thing that is wrong.

    >>> graph = make_road_graph(
    ...     node_lon=[2.0, 2.1], node_lat=[48.0, 48.0], tail=[1, 0], head=[0, 1],
    ...     duration_ds=[300, 310], length_m=[7400.0, 7400.0], kind=[0, 0],
    ... )
    >>> graph.tail.tolist(), graph.duration_ds.tolist()
    ([0, 1], [310, 300])
    """
    arrays: dict[str, NDArray[Any]] = {
        "node_lon": np.array(node_lon, dtype=np.float64),
        "node_lat": np.array(node_lat, dtype=np.float64),
        "tail": _take_whole(tail, name="tail", dtype=np.int32),
        "head": _take_whole(head, name="head", dtype=np.int32),
        "duration_ds": _take_whole(duration_ds, name="duration_ds", dtype=np.int32),
        "length_m": np.array(length_m, dtype=np.float32),
        "kind": _take_whole(kind, name="kind", dtype=np.uint8),
    }
    n = len(arrays["node_lon"])
    arrays["node_elevation_m"] = (
        np.zeros(n, dtype=np.float32)
        if node_elevation_m is None
        else np.array(node_elevation_m, dtype=np.float32)
    )
    _check_nodes(arrays, n=n)
    _check_arcs(arrays, n=n)
    order = np.lexsort((arrays["head"], arrays["tail"]))
    for name in ("tail", "head", "duration_ds", "length_m", "kind"):
        arrays[name] = arrays[name][order]
    arrays["first_out"] = count_offsets(arrays["tail"], bins=n).astype(np.int32)
    for array in arrays.values():
        array.setflags(write=False)
    return RoadGraph(**arrays, version=hash_arrays(arrays, salt=f"roads {FORMAT}"))


def _take_whole(values: ArrayLike, *, name: str, dtype: type) -> NDArray[Any]:
    # A silent wrap-around or a cut fraction would be a wrong road, so both are refused.
    given = np.asarray(values)
    limits = np.iinfo(dtype)
    if given.size and not (np.all(given >= limits.min) and np.all(given <= limits.max)):
        msg = f"{name} does not fit {np.dtype(dtype)}"
        raise RoadGraphInvalid(msg)
    whole: NDArray[Any] = given.astype(dtype)
    if not np.array_equal(whole, given):
        msg = f"{name} holds fractions"
        raise RoadGraphInvalid(msg)
    return whole


def _check_nodes(arrays: Mapping[str, NDArray[Any]], *, n: int) -> None:
    for name in ("node_lon", "node_lat", "node_elevation_m"):
        if arrays[name].shape != (n,):
            msg = f"{name} is not one number a node"
            raise RoadGraphInvalid(msg)
        if not np.isfinite(arrays[name]).all():
            msg = f"{name} holds a number that is not finite"
            raise RoadGraphInvalid(msg)
    if np.abs(arrays["node_lon"]).max(initial=0.0) > 180.0:
        raise RoadGraphInvalid("a longitude is outside of -180 to 180 degrees")
    if np.abs(arrays["node_lat"]).max(initial=0.0) > 90.0:
        raise RoadGraphInvalid("a latitude is outside of -90 to 90 degrees")


def _check_arcs(arrays: Mapping[str, NDArray[Any]], *, n: int) -> None:
    m = len(arrays["tail"])
    for name in ("tail", "head", "duration_ds", "length_m", "kind"):
        if arrays[name].shape != (m,):
            msg = f"{name} is not one number an arc"
            raise RoadGraphInvalid(msg)
    for name in ("tail", "head"):
        if m and (arrays[name].min() < 0 or arrays[name].max() >= n):
            msg = f"{name} names a node that does not exist"
            raise RoadGraphInvalid(msg)
    # An arc that takes no time would let a path run in circles for free.
    if m and arrays["duration_ds"].min() < 1:
        raise RoadGraphInvalid("duration_ds is below 1 decisecond")
    if not np.isfinite(arrays["length_m"]).all() or arrays["length_m"].min(initial=0.0) < 0:
        raise RoadGraphInvalid("length_m is negative or not finite")
    if not np.isin(arrays["kind"], [int(kind) for kind in RoadKind]).all():
        raise RoadGraphInvalid("kind is not a RoadKind")


def save_road_graph(graph: RoadGraph, folder: Path, *, origin: RoadOrigin = SYNTHETIC) -> None:
    """Write the graph to ``folder``, replacing what was there as a whole."""
    save_arrays(
        {name: getattr(graph, name) for name in DTYPES},
        folder=folder,
        manifest={
            "format": FORMAT,
            "version": graph.version,
            "node_count": graph.node_count,
            "arc_count": graph.arc_count,
            "origin": asdict(origin),
        },
    )


def open_road_graph(folder: Path) -> RoadGraph:
    """Map the graph in ``folder`` into memory, read-only; nothing is read until it is used.

    Raises RoadStoreMissing or RoadStoreBroken; both say what to do.
    """
    try:
        manifest = _read_road_manifest(folder)
        arrays = open_arrays(folder, dtypes=DTYPES)
        graph = RoadGraph(**arrays, version=manifest["version"])
        _check_shapes(graph)
    except ArrayFolderMissing as error:
        msg = f"There is no road graph in {folder}: {REMEDY}."
        raise RoadStoreMissing(msg) from error
    except ArrayFolderBroken as error:
        msg = f"The road graph in {folder} cannot be used ({error}): {REMEDY} again."
        raise RoadStoreBroken(msg) from error
    return graph


def read_road_origin(folder: Path) -> RoadOrigin:
    """Read where the stored graph comes from, without opening it.

    Raises RoadStoreMissing or RoadStoreBroken.
    """
    try:
        return RoadOrigin(**_read_road_manifest(folder)["origin"])
    except ArrayFolderMissing as error:
        msg = f"There is no road graph in {folder}: {REMEDY}."
        raise RoadStoreMissing(msg) from error
    except (ArrayFolderBroken, KeyError, TypeError) as error:
        msg = f"The road graph in {folder} does not say where it comes from: {REMEDY} again."
        raise RoadStoreBroken(msg) from error


def _read_road_manifest(folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder)
    if manifest.get("format") != FORMAT:
        msg = f"its format is {manifest.get('format')}, not {FORMAT}"
        raise ArrayFolderBroken(msg)
    if not isinstance(manifest.get("version"), str):
        raise ArrayFolderBroken("it has no version")
    return manifest


def _check_shapes(graph: RoadGraph) -> None:
    n, m = graph.node_count, graph.arc_count
    per_node = (graph.node_lat, graph.node_elevation_m)
    per_arc = (graph.tail, graph.duration_ds, graph.length_m, graph.kind)
    if any(array.shape != (n,) for array in per_node) or any(
        array.shape != (m,) for array in per_arc
    ):
        raise ArrayFolderBroken("its arrays differ in length")
    if graph.first_out.shape != (n + 1,) or graph.first_out[0] != 0 or graph.first_out[-1] != m:
        raise ArrayFolderBroken("its arcs do not belong to its nodes")
