"""Reads the world's main roads out of the PyPI package scgraph-data.

The package holds OpenStreetMap's highways (ODbL) as two Python literals: a list of dictionaries
``{neighbour: kilometres}`` and a list of ``[lat, lon]``. Importing the module would build 560,000
dictionaries (a minute, 3 GB), so the text is read as numbers instead: 3 seconds, 0.4 GB.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.roads.geo import Bounds

PACKAGE = "scgraph-data"
MODULE_FILE = "world_highways.py"
LICENCE = "© OpenStreetMap contributors, ODbL 1.0, by way of scgraph-data (MIT)"


class WorldHighwaysMissing(Exception):
    """The package with the world's highways is not installed."""


class WorldHighwaysUnreadable(Exception):
    """The package's file is not laid out as it was in version 2.0.0."""


@dataclass(frozen=True)
class Roads:
    """Roads on their way into a graph: n nodes, m arcs, each arc in its own direction."""

    lon: NDArray[np.float64]  # [n] degrees
    lat: NDArray[np.float64]  # [n] degrees
    tail: NDArray[np.int32]  # [m]
    head: NDArray[np.int32]  # [m]
    length_m: NDArray[np.float64]  # [m]


def find_world_highways() -> Path:
    """Locate the package's file without importing it.

    Raises WorldHighwaysMissing.
    """
    spec = importlib.util.find_spec("scgraph_data")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or []:
        path = Path(folder) / MODULE_FILE
        if path.is_file():
            return path
    raise WorldHighwaysMissing(
        "The road data is not installed: "
        "run `pip install --no-deps -r requirements-data.txt`, then try again."
    )


def read_package_version() -> str:
    """Read the installed version of the package.

    Raises WorldHighwaysMissing.
    """
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError as error:
        msg = f"The package {PACKAGE} is not installed: it holds the road data."
        raise WorldHighwaysMissing(msg) from error


def parse_world_highways(path: Path) -> Roads:
    """Parse the two literals of the module at ``path``.

    Lengths are the source's own, the chords of a simplified line. Every road is there in both
    directions: the source knows no one-way streets.

    Raises WorldHighwaysUnreadable.
    """
    literals: dict[str, str] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            name, equals, literal = line.partition("=")
            if equals and name in {"graph", "nodes"}:
                literals[name] = literal
    if set(literals) != {"graph", "nodes"}:
        msg = f"{path.name} does not have one line `graph=` and one line `nodes=`"
        raise WorldHighwaysUnreadable(msg)
    degree = np.array([entry.count(":") for entry in literals["graph"].split("}")[:-1]])
    pairs = _read_numbers(literals.pop("graph"), per_row=2)
    places = _read_numbers(literals.pop("nodes"), per_row=2)
    if len(degree) != len(places) or degree.sum() != len(pairs):
        raise WorldHighwaysUnreadable("graph and nodes do not belong together")
    head = pairs[:, 0].astype(np.int32)
    if len(head) and not 0 <= head.min() <= head.max() < len(places):
        raise WorldHighwaysUnreadable("the graph names a node that has no place")
    return Roads(
        lon=places[:, 1].copy(),
        lat=places[:, 0].copy(),
        tail=np.repeat(np.arange(len(degree), dtype=np.int32), degree),
        head=head,
        length_m=pairs[:, 1] * 1000.0,
    )


_TO_SPACES = str.maketrans("[]{}:,", " " * 6)


def _read_numbers(literal: str, *, per_row: int) -> NDArray[np.float64]:
    try:
        numbers = np.array(literal.translate(_TO_SPACES).split(), dtype=np.float64)
        return numbers.reshape(-1, per_row)
    except ValueError as error:
        raise WorldHighwaysUnreadable("a literal holds something other than numbers") from error


def clip_roads(roads: Roads, *, bounds: Bounds) -> Roads:
    """Keep the nodes inside ``bounds`` and the arcs between them; roads to itself go too."""
    return keep_nodes(roads, keep=bounds.contain(roads.lon, roads.lat))


def keep_nodes(roads: Roads, *, keep: NDArray[np.bool_]) -> Roads:
    """Keep the marked nodes [n] and the arcs between two of them, loops excepted."""
    renumbered = np.cumsum(keep, dtype=np.int32) - 1
    stay = keep[roads.tail] & keep[roads.head] & (roads.tail != roads.head)
    return Roads(
        lon=roads.lon[keep],
        lat=roads.lat[keep],
        tail=renumbered[roads.tail[stay]],
        head=renumbered[roads.head[stay]],
        length_m=roads.length_m[stay],
    )
