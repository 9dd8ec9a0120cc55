"""Sites along Europe's highways for the demo's charge point operator."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from charging.models import Place
from charging.planner.roads.graph import RoadKind
from charging.planner.roads.store import open_road_graph

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from charging.planner.roads.graph import RoadGraph

# Where one site a cell stands: near 30 km, the spacing that EU rules ask for on main roads is 60.
CELL_DEG = 0.4
# Raise it when the same roads give other sites than before.
VERSION = 1
COLUMNS = ("lon", "lat", "country", "kind", "name")


def export_sites(roads: Path, path: Path) -> bool:
    """Write the sites of the road graph in ``roads`` to ``path``; False when they are there.

    The same roads and places give the same sites.
    """
    graph = open_road_graph(roads)
    stamp = path.with_suffix(".version")
    version = f"{VERSION} {graph.version}"
    if path.is_file() and stamp.is_file() and stamp.read_text(encoding="ascii") == version:
        return False
    nodes = spread_nodes(graph, cell_deg=CELL_DEG)
    lon, lat = graph.node_lon[nodes], graph.node_lat[nodes]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for x, y, country in zip(lon, lat, find_countries(lon, lat), strict=True):
        rows.writerow((f"{x:.5f}", f"{y:.5f}", country, "motorway", ""))
    fresh = path.with_suffix(".fresh")
    fresh.write_text(text.getvalue(), encoding="utf-8")
    fresh.replace(path)
    stamp.write_text(version, encoding="ascii")
    return True


def spread_nodes(graph: RoadGraph, *, cell_deg: float) -> NDArray[np.int64]:
    """Choose one node a cell of the map, where most roads meet, in the order of a Z-curve.

    Neighbours on the map stay near each other in the order, so that any even choice from it
    covers the continent evenly. Cells are ``cell_deg`` high and as wide on the ground.
    """
    on_road = np.unique(graph.tail[graph.kind == RoadKind.ROAD])
    lon, lat = graph.node_lon[on_road], graph.node_lat[on_road]
    row = np.floor((lat + 90.0) / cell_deg).astype(np.int64)
    # Rows share one width, so that cells of a row do not overlap.
    middle_deg = (row + 0.5) * cell_deg - 90.0
    width_deg = cell_deg / np.cos(np.radians(middle_deg)).clip(min=0.05)
    column = np.floor((lon + 180.0) / width_deg).astype(np.int64)
    degree = np.diff(graph.first_out)[on_road]
    # Of equal degrees the lowest node wins.
    best_first = np.lexsort((on_road, -degree, column, row))
    cells = np.stack([row[best_first], column[best_first]], axis=1)
    is_first = np.ones(len(cells), dtype=bool)
    is_first[1:] = (cells[1:] != cells[:-1]).any(axis=1)
    chosen = on_road[best_first[is_first]].astype(np.int64)
    return chosen[np.argsort(_interleave(graph.node_lon[chosen], graph.node_lat[chosen]))]


def _interleave(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give positions on a Z-curve: [n], 16 bits of each coordinate in turn."""
    x = ((lon + 180.0) / 360.0 * 65_535).astype(np.int64)
    y = ((lat + 90.0) / 180.0 * 65_535).astype(np.int64)
    key = np.zeros(len(x), dtype=np.int64)
    for bit in range(16):
        key |= ((x >> bit) & 1) << (2 * bit)
        key |= ((y >> bit) & 1) << (2 * bit + 1)
    return key


def find_countries(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[str]:
    """Name the country of the place nearest to each position (ISO 3166-1 alpha-2)."""
    rows = list(Place.objects.order_by("pk").values_list("lon", "lat", "country"))
    if not rows:
        return [""] * len(lon)
    places = cKDTree(_on_sphere(*np.array([row[:2] for row in rows], dtype=np.float64).T))
    _, nearest = places.query(_on_sphere(lon, lat))
    return [rows[index][2] for index in nearest]


def _on_sphere(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    east, north = np.radians(lon), np.radians(lat)
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1
    )
