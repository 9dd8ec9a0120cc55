"""The charging curve: how fast a battery fills, and how long a charge takes at a site.

A curve gives the power the vehicle takes at each state of charge, straight between its points. At
a site the power is the smaller of the curve and the site's own limit. Between two points power is
linear in the state of charge, so time is a logarithm of it: no approximation is made.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from charging.planner.kernels import find_segment, integrate_segment_s

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CurveInvalid(ValueError):
    """These points are no charging curve."""


@dataclass(frozen=True)
class ChargingCurve:
    """The power a vehicle takes at each state of charge, straight lines between points.

    ``soc_fraction`` ascends from 0 to 1; ``power_kw`` is positive and finite everywhere, since a
    battery that takes nothing would charge for ever.

    >>> ChargingCurve(soc_fraction=(0.0, 0.8), power_kw=(100.0, 50.0))
    Traceback (most recent call last):
    charging.planner.curve.CurveInvalid: a curve runs from 0 to 1, not from 0.0 to 0.8
    """

    soc_fraction: tuple[float, ...]
    power_kw: tuple[float, ...]

    def __post_init__(self) -> None:
        soc, power_kw = self.soc_fraction, self.power_kw
        if len(soc) != len(power_kw) or len(soc) < 2:
            raise CurveInvalid(f"{len(soc)} states of charge and {len(power_kw)} powers")
        if not all(math.isfinite(p) and p > 0 for p in power_kw):
            raise CurveInvalid("every power must be positive and finite")
        # Written so that NaN, which compares false with everything, is refused too.
        if not all(before < after for before, after in itertools.pairwise(soc)):
            raise CurveInvalid("states of charge must ascend")
        if soc[0] != 0 or soc[-1] != 1:
            raise CurveInvalid(f"a curve runs from 0 to 1, not from {soc[0]} to {soc[-1]}")


@dataclass(frozen=True)
class ChargeTable:
    """One vehicle's charging at one site power; b breakpoints, power linear between them."""

    usable_kwh: float
    soc_fraction: NDArray[np.float64]  # [b] ascending from 0 to 1
    power_kw: NDArray[np.float64]  # [b]
    charge_s: NDArray[np.float64]  # [b] seconds from empty


def make_charge_table(
    curve: ChargingCurve, *, usable_kwh: float, site_kw: float = math.inf
) -> ChargeTable:
    """Cut a curve at a site's power and add up the seconds from empty to each breakpoint.

    Raises CurveInvalid for a power or a battery that is not positive.

    >>> flat = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 100.0))
    >>> make_charge_table(flat, usable_kwh=50.0, site_kw=50.0).charge_s.tolist()
    [0.0, 3600.0]
    """
    if not (site_kw > 0 and 0 < usable_kwh < math.inf):
        raise CurveInvalid(f"cannot charge {usable_kwh} kWh at {site_kw} kW")
    usable_kwh = float(usable_kwh)  # a whole number would be another type to numba
    soc, power_kw = _cut_at_power(curve, site_kw=site_kw)
    seconds = [
        integrate_segment_s(soc[k + 1] - soc[k], power_kw[k], power_kw[k + 1], usable_kwh)
        for k in range(len(soc) - 1)
    ]
    return ChargeTable(
        usable_kwh=usable_kwh,
        soc_fraction=soc,
        power_kw=power_kw,
        charge_s=np.concatenate(([0.0], np.cumsum(seconds))),
    )


def _cut_at_power(
    curve: ChargingCurve, *, site_kw: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = [(curve.soc_fraction[0], curve.power_kw[0])]
    for soc, power_kw in zip(curve.soc_fraction[1:], curve.power_kw[1:], strict=True):
        soc_before, kw_before = points[-1]
        if (kw_before - site_kw) * (power_kw - site_kw) < 0:
            share = (site_kw - kw_before) / (power_kw - kw_before)
            points.append((soc_before + share * (soc - soc_before), site_kw))
        points.append((soc, power_kw))
    # The crossing may round onto a neighbour; a segment of no width would divide by zero.
    kept = points[:1] + [
        after for before, after in itertools.pairwise(points) if after[0] > before[0]
    ]
    kept[-1] = points[-1]
    soc_fraction, cut_kw = np.array(kept, dtype=np.float64).T
    return np.ascontiguousarray(soc_fraction), np.minimum(cut_kw, site_kw)


def power_kw_at(table: ChargeTable, *, soc_fraction: float) -> float:
    """Give the charging power at a state of charge.

    >>> falling = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 20.0))
    >>> power_kw_at(make_charge_table(falling, usable_kwh=50.0), soc_fraction=0.5)
    60.0
    """
    return float(np.interp(soc_fraction, table.soc_fraction, table.power_kw))


def charge_time_s(table: ChargeTable, *, from_soc: float, to_soc: float) -> float:
    """Give the seconds a charge takes; `soc_after_charge` is its inverse.

    Raises CurveInvalid unless 0 <= from_soc <= to_soc <= 1.

    >>> flat = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 100.0))
    >>> table = make_charge_table(flat, usable_kwh=50.0)
    >>> charge_time_s(table, from_soc=0.25, to_soc=0.75)
    900.0
    """
    if not 0 <= from_soc <= to_soc <= 1:
        raise CurveInvalid(f"cannot charge from {from_soc} to {to_soc}")
    return _seconds_from_empty(table, soc=to_soc) - _seconds_from_empty(table, soc=from_soc)


def _seconds_from_empty(table: ChargeTable, *, soc: float) -> float:
    k = find_segment(table.soc_fraction, len(table.soc_fraction), float(soc))
    seconds = integrate_segment_s(
        soc - table.soc_fraction[k],
        table.power_kw[k],
        power_kw_at(table, soc_fraction=soc),
        table.usable_kwh,
    )
    return float(table.charge_s[k]) + seconds


def soc_after_charge(table: ChargeTable, *, from_soc: float, charge_s: float) -> float:
    """Give the state of charge after charging for some seconds, 1 when there is time to spare.

    Raises CurveInvalid for a negative or infinite time, or a start outside of 0 to 1.

    >>> falling = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 20.0))
    >>> table = make_charge_table(falling, usable_kwh=50.0)
    >>> seconds = charge_time_s(table, from_soc=0.1, to_soc=0.8)
    >>> round(soc_after_charge(table, from_soc=0.1, charge_s=seconds), 12)
    0.8
    """
    if not (0 <= from_soc <= 1 and 0 <= charge_s < math.inf):
        raise CurveInvalid(f"cannot charge from {from_soc} for {charge_s} s")
    seconds = _seconds_from_empty(table, soc=from_soc) + charge_s
    if seconds >= table.charge_s[-1]:
        return 1.0
    k = int(np.searchsorted(table.charge_s, seconds, side="right")) - 1
    soc, power_kw = table.soc_fraction, table.power_kw
    slope_kw = (power_kw[k + 1] - power_kw[k]) / (soc[k + 1] - soc[k])
    # d soc / dt = (p + slope soc) / usable, so soc grows exponentially within a segment.
    energy_kwh = power_kw[k] * (seconds - table.charge_s[k]) / 3600
    exponent = slope_kw * (seconds - table.charge_s[k]) / (3600 * table.usable_kwh)
    growth = math.expm1(exponent) / exponent if abs(exponent) > 1e-12 else 1.0
    return float(min(soc[k + 1], soc[k] + growth * energy_kwh / table.usable_kwh))
