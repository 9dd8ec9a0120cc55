"""Where to stop charging: the departures between two stops among which the best one lies.

Charging moved from a stop to the next changes a plan's cost by the difference of their marginal
costs, the cost of the next bit of charge: ``per_s * 3600 * usable / p(soc) + per_soc``. With the
next arrival tied to the departure, that difference is a function of the departure alone, and a
departure is worth a label only where charging on here stops being cheaper than charging there: at
the least departure, where the difference rises through zero, or at the most.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from charging.planner.kernels import find_segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from charging.planner.kernels import Charging

# Marginal costs this close (relative) count as equal: two sites at the same power limit.
SAME = 1e-9


@njit(cache=True, nogil=True)
def find_departures(
    charging: Charging,
    here: int,
    there: int,
    least: float,
    most: float,
    lag_soc: float,
    lag_cap: float,
    found: NDArray[np.float64],
) -> tuple[int, bool]:
    """Write the departures from ``here`` worth trying into ``found``, ascending.

    Leaving with d means arriving ``there`` with ``min(d - lag_soc, lag_cap)``. Returns how many
    were found, and whether charging here is cheaper than there at any departure: only then can it
    pay to pass ``there`` without charging.
    """
    reach = min(most, lag_soc + lag_cap)  # charge beyond this is lost in a full battery downhill
    found[0] = least
    if least >= reach:
        return 1, False
    count, cheaper = 0, False
    table_h, table_t = charging.table[here], charging.table[there]
    soc_h, kw_h, n_h = charging.soc[table_h], charging.power_kw[table_h], charging.points[table_h]
    soc_t, kw_t, n_t = charging.soc[table_t], charging.power_kw[table_t], charging.points[table_t]
    rate_h = charging.per_s[here] * 3600.0 * charging.usable_kwh
    rate_t = charging.per_s[there] * 3600.0 * charging.usable_kwh
    gap = charging.per_soc[here] - charging.per_soc[there]

    k_h = find_segment(soc_h, n_h, least)
    k_t = find_segment(soc_t, n_t, least - lag_soc)
    start, below, is_first = least, False, True
    while start < reach:
        end = min(reach, _segment_end(soc_h, n_h, k_h, 0.0), _segment_end(soc_t, n_t, k_t, lag_soc))
        slope_h = (kw_h[k_h + 1] - kw_h[k_h]) / (soc_h[k_h + 1] - soc_h[k_h])
        slope_t = (kw_t[k_t + 1] - kw_t[k_t]) / (soc_t[k_t + 1] - soc_t[k_t])
        p_h = kw_h[k_h] + slope_h * (start - soc_h[k_h])
        p_t = kw_t[k_t] + slope_t * (start - lag_soc - soc_t[k_t])
        # Marginal cost here less there, times both powers: c + b x + a x^2 for x from start.
        a = gap * slope_h * slope_t
        b = rate_h * slope_t - rate_t * slope_h + gap * (p_h * slope_t + p_t * slope_h)
        c = rate_h * p_t - rate_t * p_h + gap * p_h * p_t
        zero = SAME * (rate_h * p_t + rate_t * p_h)
        if is_first:
            below, is_first = c < -zero, False
            count = 0 if below else 1
        width = end - start
        if width > 0.0:
            was_below, below = below, c + width * (b + width * a) < -zero
            rise = _find_rise(a, b, c)
            is_inside = a != 0.0 and 0.0 < rise < width and was_below == below
            cheaper = cheaper or was_below or below or is_inside
            if (was_below and not below) or is_inside:
                found[count] = start + min(width, max(0.0, rise))
                count += 1
        start = max(start, end)
        k_h += _segment_end(soc_h, n_h, k_h, 0.0) <= start
        k_t += _segment_end(soc_t, n_t, k_t, lag_soc) <= start
    if below:
        found[count] = reach
        count += 1
    return count, cheaper


@njit(cache=True, nogil=True, inline="always")
def _segment_end(points: NDArray[np.float64], count: int, k: int, shift: float) -> float:
    # The last segment has no end: what bounds a departure there is the reach.
    return points[k + 1] + shift if k < count - 2 else math.inf


@njit(cache=True, nogil=True, inline="always")
def _find_rise(a: float, b: float, c: float) -> float:
    # The one root of a x^2 + b x + c at which it rises; for any sign of a it is the one with
    # +sqrt, in the form that does not cancel. -1 where there is none.
    square = b * b - 4.0 * a * c
    if square < 0.0:
        return -1.0
    root = math.sqrt(square)
    if b >= 0.0:
        return -2.0 * c / (b + root) if b + root > 0.0 else -1.0
    return (root - b) / (2.0 * a) if a != 0.0 else -1.0
