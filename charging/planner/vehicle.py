"""The vehicle as the planner sees it: what it consumes and how it charges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charging.planner.curve import ChargingCurve


class FigureOutOfRange(ValueError):
    """A figure of a vehicle or a trip cannot be true."""

    def __init__(self, *, name: str, value: float, least: float, most: float) -> None:
        super().__init__(f"{name} is {value:g}; it must lie between {least:g} and {most:g}.")
        self.name = name
        self.value = value


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """One vehicle in one state: load, weather and style are in its figures.

    ``recuperation_efficiency`` is the share of a descent's potential energy that spares traction;
    ``auxiliary_kw`` runs while driving; ``consumption_factor`` scales the whole consumption.

    Raises FigureOutOfRange.
    """

    name: str
    mass_kg: float
    drag_area_m2: float
    rolling_coefficient: float
    drivetrain_efficiency: float
    recuperation_efficiency: float
    auxiliary_kw: float
    usable_kwh: float
    curve: ChargingCurve
    consumption_factor: float = 1.0

    def __post_init__(self) -> None:
        for name, least, most in _RANGES:
            check_range(name=name, value=getattr(self, name), least=least, most=most)


# Wide enough for a moped and a laden lorry; what lies outside is a wrong unit.
_RANGES = (
    ("mass_kg", 50.0, 100_000.0),
    ("drag_area_m2", 0.05, 20.0),
    ("rolling_coefficient", 0.001, 0.1),
    ("drivetrain_efficiency", 0.1, 1.0),
    ("recuperation_efficiency", 0.0, 1.0),
    ("auxiliary_kw", 0.0, 50.0),
    ("usable_kwh", 0.5, 5_000.0),
    ("consumption_factor", 0.1, 10.0),
)


def check_range(*, name: str, value: float, least: float, most: float) -> None:
    """Refuse a figure outside of ``[least, most]``, and NaN.

    Raises FigureOutOfRange.

    >>> check_range(name="auxiliary_kw", value=math.nan, least=0.0, most=50.0)
    Traceback (most recent call last):
    charging.planner.vehicle.FigureOutOfRange: auxiliary_kw is nan; it must lie between 0 and 50.
    """
    # Written so that NaN, which compares false with everything, is refused too.
    if not (math.isfinite(value) and least <= value <= most):
        raise FigureOutOfRange(name=name, value=value, least=least, most=most)
