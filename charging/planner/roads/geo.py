"""Positions on a sphere: boxes, straight distances, and points a k-d tree can measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Mean radius of the WGS 84 ellipsoid (IUGG R1). Against the ellipsoid a sphere is at most 0.6 %
# off, far below what the detour factor of an access drive leaves open.
EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True)
class Bounds:
    """A box of positions in degrees, borders included."""

    min_lon: float
    min_lat: float
    max_lon: float
    max_lat: float

    def contain(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """Say for every position whether it lies in the box: [k] or a scalar array.

        >>> bool(EUROPE.contain(13.4, 52.5)), bool(EUROPE.contain(-74.0, 40.7))
        (True, False)
        """
        east, north = np.asarray(lon), np.asarray(lat)
        inside: NDArray[np.bool_] = (
            (east >= self.min_lon)
            & (east <= self.max_lon)
            & (north >= self.min_lat)
            & (north <= self.max_lat)
        )
        return inside


# From Ireland to the Donbas and from Crete to the North Cape; Iceland and the Canaries are out.
EUROPE = Bounds(min_lon=-11.0, min_lat=35.0, max_lon=40.0, max_lat=71.0)


def place_on_sphere(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Turn positions into points of the unit sphere: float64[k, 3].

    >>> place_on_sphere([0.0], [90.0]).round(6).tolist()
    [[0.0, 0.0, 1.0]]
    """
    east, north = np.radians(np.atleast_1d(lon)), np.radians(np.atleast_1d(lat))
    flat = np.cos(north)
    return np.stack((flat * np.cos(east), flat * np.sin(east), np.sin(north)), axis=-1)


def arc_from_chord_m(chord: ArrayLike) -> NDArray[np.float64]:
    """Turn a distance through the unit sphere into metres along its surface.

    A k-d tree measures chords; they order points exactly as surface distances do.

    >>> int(arc_from_chord_m(2.0) / 1000)  # from pole to pole, in kilometres
    20015
    """
    half = np.minimum(np.asarray(chord, dtype=np.float64) / 2.0, 1.0)
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(half))


def chord_from_arc_m(distance_m: float) -> float:
    """Turn metres along the surface into a distance through the unit sphere.

    >>> round(chord_from_arc_m(30_000), 6)
    0.004709
    """
    return float(2.0 * np.sin(distance_m / (2.0 * EARTH_RADIUS_M)))


def measure_straight_m(
    *, from_lon: ArrayLike, from_lat: ArrayLike, to_lon: ArrayLike, to_lat: ArrayLike
) -> NDArray[np.float64]:
    """Measure great-circle distances in metres: float64[k].

    >>> paris_berlin = measure_straight_m(
    ...     from_lon=2.3522, from_lat=48.8566, to_lon=13.405, to_lat=52.52
    ... )
    >>> int(paris_berlin[0] / 1000)
    877
    """
    start, end = place_on_sphere(from_lon, from_lat), place_on_sphere(to_lon, to_lat)
    return arc_from_chord_m(np.linalg.norm(start - end, axis=-1))
