"""How far and how fast: from the source's chords to driven lengths and durations.

The source says neither class nor speed limit of a road. What it does say is how far apart its
junctions are, and that tells a motorway from a town: the farther apart, the faster the road.
The four figures below were chosen once so that the reference drives of docs/algorithms/roads.md
come out right; tests/charging/test_roads_europe.py holds them to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# A simplified line is shorter than the road it stands for.
LENGTH_FACTOR = 1.06

# (junctions at least this far apart, km/h), longest first; the last line takes the rest. These
# are mean speeds over hours, traffic and road works included, not limits.
SPEED_STEPS = ((2_000.0, 110.0), (800.0, 95.0), (0.0, 80.0))

# The source rounds positions to 0.001 degrees, so two nodes can fall together; a road of no
# length would take no time.
MIN_LENGTH_M = 30.0

LONGEST_DURATION_DS = np.iinfo(np.int32).max


def stretch_lengths_m(chord_m: ArrayLike) -> NDArray[np.float64]:
    """Turn chords into driven lengths, both in metres: float64[m].

    >>> stretch_lengths_m([1000.0, 0.0]).tolist()
    [1060.0, 30.0]
    """
    return np.maximum(np.asarray(chord_m, dtype=np.float64) * LENGTH_FACTOR, MIN_LENGTH_M)


def guess_speeds_kmh(chord_m: ArrayLike) -> NDArray[np.float64]:
    """Guess mean speeds from the distance between junctions in metres: float64[m].

    >>> guess_speeds_kmh([5000.0, 1000.0, 100.0]).tolist()
    [110.0, 95.0, 80.0]
    """
    chord = np.asarray(chord_m, dtype=np.float64)
    conditions = [chord >= apart_m for apart_m, _ in SPEED_STEPS]
    return np.select(conditions, [speed_kmh for _, speed_kmh in SPEED_STEPS])


def round_durations_ds(duration_s: ArrayLike) -> NDArray[np.int32]:
    """Round seconds to deciseconds, at least 1: int32[m].

    >>> round_durations_ds([60.04, 0.0]).tolist()
    [600, 1]
    """
    deciseconds = np.rint(np.asarray(duration_s, dtype=np.float64) * 10.0)
    return np.clip(deciseconds, 1, LONGEST_DURATION_DS).astype(np.int32)
