"""Charging curves: the power a car takes at each state of charge. Pure.

A curve is a list of (state of charge from 0 to 1, power in kW), straight between its points.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Curve = tuple[tuple[float, float], ...]

# The shape of a modelled curve: peak power up to a knee, then straight down to this share of it at
# the end of the published time (mostly 80 %), then straight down to the last share at 100 %.
SHARE_AT_END = 0.4
SHARE_WHEN_FULL = 0.1
# A peak that is held but for a moment: the line goes down from the start, at most to this share.
LEAST_SHARE_AT_END = 0.1
_LEAST_STEP = 0.01
_HALVINGS = 40


class CurveImpossible(ValueError):
    """No curve of this shape takes the published time at the published peak power."""


def derive_curve(
    *, peak_kw: float, usable_kwh: float, minutes: float, from_soc: float, to_soc: float
) -> Curve:
    """Model a curve from its peak power and a published time, such as that from 10 to 80 %.

    The knee is put where the curve takes that time. Where even a line that falls from the start
    is too fast, it falls deeper.

    Raises ``CurveImpossible``.

    >>> curve = derive_curve(peak_kw=100, usable_kwh=50, minutes=25, from_soc=0.1, to_soc=0.8)
    >>> curve
    ((0.0, 100.0), (0.5471, 100.0), (0.8, 40.0), (1.0, 10.0))
    >>> round(charge_minutes(curve, usable_kwh=50, from_soc=0.1, to_soc=0.8), 1)
    25.0
    >>> derive_curve(peak_kw=100, usable_kwh=50, minutes=20, from_soc=0.1, to_soc=0.8)
    Traceback (most recent call last):
    drivers.charging_curves.CurveImpossible: 20 minutes are too few for 35 kWh at 100 kW
    """

    def excess(knee: float, share: float) -> float:
        """Say by how many minutes a curve is slower than the published time."""
        curve = _shape(peak_kw, knee=knee, to_soc=to_soc, share=share)
        taken = charge_minutes(curve, usable_kwh=usable_kwh, from_soc=from_soc, to_soc=to_soc)
        return taken - minutes

    first_knee, last_knee = max(from_soc, _LEAST_STEP), to_soc - _LEAST_STEP
    if excess(last_knee, SHARE_AT_END) > 0:
        energy_kwh = usable_kwh * (to_soc - from_soc)
        message = f"{minutes:g} minutes are too few for {energy_kwh:g} kWh at {peak_kw:g} kW"
        raise CurveImpossible(message)
    if excess(first_knee, LEAST_SHARE_AT_END) < 0:
        raise CurveImpossible(f"{minutes:g} minutes are too many for a peak of {peak_kw:g} kW")
    if excess(first_knee, SHARE_AT_END) >= 0:
        knee = _find_root(lambda knee: excess(knee, SHARE_AT_END), low=first_knee, high=last_knee)
        return _shape(peak_kw, knee=knee, to_soc=to_soc, share=SHARE_AT_END)
    share = _find_root(
        lambda share: excess(first_knee, share), low=LEAST_SHARE_AT_END, high=SHARE_AT_END
    )
    return _shape(peak_kw, knee=first_knee, to_soc=to_soc, share=share)


def _shape(peak_kw: float, *, knee: float, to_soc: float, share: float) -> Curve:
    return (
        (0.0, float(peak_kw)),
        (round(knee, 4), float(peak_kw)),
        (to_soc, round(peak_kw * share, 1)),
        (1.0, round(peak_kw * SHARE_WHEN_FULL, 1)),
    )


def _find_root(falling: Callable[[float], float], *, low: float, high: float) -> float:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high


def charge_minutes(curve: Curve, *, usable_kwh: float, from_soc: float, to_soc: float) -> float:
    """Give the minutes that a charge takes where only the car limits the power.

    Along a straight piece the time is the integral of dE/P: exact, by a logarithm.

    >>> round(charge_minutes(((0, 50), (1, 50)), usable_kwh=50, from_soc=0.1, to_soc=0.8), 6)
    42.0
    """
    hours = 0.0
    for (start, start_kw), (end, end_kw) in itertools.pairwise(curve):
        low, high = max(start, from_soc), min(end, to_soc)
        if low >= high:
            continue
        slope = (end_kw - start_kw) / (end - start)
        low_kw, high_kw = start_kw + slope * (low - start), start_kw + slope * (high - start)
        if math.isclose(low_kw, high_kw):
            hours += usable_kwh * (high - low) / low_kw
        else:
            hours += usable_kwh * math.log(high_kw / low_kw) / slope
    return hours * 60
