"""Snapping: which road node a place belongs to, and the drive between the two.

The graph has main roads only, so places lie beside it. The drive from the place to its node, the
access, is taken as a straight line times a detour factor at a town's speed. This is a statement
about missing roads, not a measurement: it is the same both ways and flat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from charging.planner.roads.geo import arc_from_chord_m, chord_from_arc_m, place_on_sphere
from charging.planner.roads.graph import N_FEATURES, Feature

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from charging.planner.roads.graph import RoadGraph

# Farther than this from any main road a plan would be guesswork: an island without a link, the
# open sea, or outside of the map.
MAX_ACCESS_M = 30_000.0

# Driving is typically 1.3 times as far as the crow flies. Source: Wang, Bette, Schreckenberg,
# Guhr, "How much longer do you have to drive than the crow has to fly?", arXiv 2406.06490 (2024).
ACCESS_DETOUR = 1.3

# Local roads and town streets, junctions included: a stated figure, not a measured one.
ACCESS_SPEED_KMH = 50.0
ACCESS_SPEED_M_S = ACCESS_SPEED_KMH / 3.6


class OffRoad(Exception):
    """The nearest main road is too far away to plan a drive from here."""

    def __init__(self, distance_m: float) -> None:
        super().__init__(
            f"The nearest main road is {distance_m / 1000:.0f} km away; "
            f"at most {MAX_ACCESS_M / 1000:.0f} km can be planned."
        )
        self.distance_m = distance_m


class PositionOutOfRange(ValueError):
    """A longitude or latitude is not a number or not on Earth."""


@dataclass(frozen=True)
class SnappedPoint:
    """A place and its road node; ``access_m`` and ``access_s`` are the drive between them."""

    node: int
    access_m: float
    access_s: float
    lon: float
    lat: float


@dataclass(frozen=True)
class SnappedPoints:
    """Many places and their road nodes; off the roads the node is -1 and the access infinite."""

    node: NDArray[np.int32]  # [k]
    access_m: NDArray[np.float64]  # [k]
    access_s: NDArray[np.float64]  # [k]
    straight_m: NDArray[np.float64]  # [k] to the nearest node, also where that is too far


class Snapper:
    """Finds the road node nearest to a place; made once a graph, cheap to ask, thread-safe."""

    def __init__(self, graph: RoadGraph) -> None:
        if graph.node_count == 0:
            raise ValueError("a graph without nodes has nothing to snap to")
        self._tree = cKDTree(place_on_sphere(graph.node_lon, graph.node_lat))

    def snap(self, lon: float, lat: float) -> SnappedPoint:
        """Find the road node of one place.

        Raises OffRoad, with the distance, beyond MAX_ACCESS_M, and PositionOutOfRange.
        """
        points = self.snap_many([lon], [lat])
        if points.node[0] < 0:
            raise OffRoad(float(points.straight_m[0]))
        return SnappedPoint(
            node=int(points.node[0]),
            access_m=float(points.access_m[0]),
            access_s=float(points.access_s[0]),
            lon=float(lon),
            lat=float(lat),
        )

    def snap_many(self, lon: ArrayLike, lat: ArrayLike) -> SnappedPoints:
        """Find the road nodes of many places at once: arrays of [k].

        A place off the roads is marked, not refused: one bad station must not stop an import.

        Raises PositionOutOfRange when any position is no position at all.
        """
        east, north = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        _check_positions(east, north)
        chord, node = self._tree.query(place_on_sphere(east, north))
        straight_m = arc_from_chord_m(chord)
        off_road = chord > chord_from_arc_m(MAX_ACCESS_M)
        access_m = np.where(off_road, np.inf, straight_m * ACCESS_DETOUR)
        return SnappedPoints(
            node=np.where(off_road, -1, node).astype(np.int32),
            access_m=access_m,
            access_s=access_m / ACCESS_SPEED_M_S,
            straight_m=straight_m,
        )


def _check_positions(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
    if lon.ndim != 1 or lon.shape != lat.shape:
        raise PositionOutOfRange("longitudes and latitudes must be two lists of one length")
    # Written so that NaN, which compares false with everything, is refused too.
    good = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
    if not good.all():
        at = int(np.flatnonzero(~good)[0])
        msg = (
            f"position {at} (lon {lon[at]}, lat {lat[at]}) is not on Earth: "
            "longitudes run from -180 to 180 degrees, latitudes from -90 to 90"
        )
        raise PositionOutOfRange(msg)


def access_features(access_m: float) -> NDArray[np.float64]:
    """Give an access drive's features: float64[N_FEATURES], flat and at the access speed.

    >>> access_features(1000.0)[Feature.DURATION_S].item()
    72.0
    """
    features = np.zeros(N_FEATURES)
    features[Feature.DURATION_S] = access_m / ACCESS_SPEED_M_S
    features[Feature.LENGTH_M] = access_m
    features[Feature.DRAG_M3_S2] = access_m * ACCESS_SPEED_M_S**2
    return features
