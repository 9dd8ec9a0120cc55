"""What a trip asks for: the vehicle, what sites offer it, both ends and the limits of charge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from charging.planner.vehicle import check_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.vehicle import Vehicle

MAX_STOP_OVERHEAD_S = 24 * 3600.0
# Legs are stored in single precision, whose rounding of a long leg is a tenth of this share of
# the battery. The search keeps it above every limit, so that the drive stays above the limits.
SOC_GUARD = 1e-6
LEAST_CHARGING_ROOM = 0.01


class SocOutOfRange(ValueError):
    """A state of charge is not a share of the battery, or the limits leave no room."""

    def __init__(self, *, name: str, soc_fraction: float, reason: str) -> None:
        super().__init__(f"{name} is {soc_fraction:g}; {reason}.")
        self.name = name
        self.soc_fraction = soc_fraction


class OffersInvalid(ValueError):
    """The offers are not one power of zero or more for every site."""


@dataclass(frozen=True)
class Offers:
    """What each site gives this vehicle: its best fitting free connector; 0 means not usable.

    Raises OffersInvalid for NaN, infinite or negative powers.
    """

    power_kw: NDArray[np.float64]  # [s] in the order of the leg table's sites

    def __post_init__(self) -> None:
        power_kw = np.asarray(self.power_kw)
        if power_kw.ndim != 1 or not (np.isfinite(power_kw) & (power_kw >= 0)).all():
            raise OffersInvalid("every site needs one power that is finite and not negative")


@dataclass(frozen=True, kw_only=True)
class TripRequest:
    """A trip to plan.

    ``soc_stop_min`` is the least charge on arrival at a stop, ``soc_arrival_min`` at the
    destination; no stop charges beyond ``soc_ceiling``. ``stop_overhead_s`` is what a stop takes
    besides charging: leaving the road, plugging in, starting the session.

    Raises SocOutOfRange and FigureOutOfRange.
    """

    vehicle: Vehicle
    offers: Offers
    origin: tuple[float, float]  # lon, lat
    destination: tuple[float, float]  # lon, lat
    soc_start: float
    soc_arrival_min: float
    soc_stop_min: float
    soc_ceiling: float = 1.0
    stop_overhead_s: float = 300.0

    def __post_init__(self) -> None:
        for name in ("soc_start", "soc_arrival_min", "soc_stop_min", "soc_ceiling"):
            soc = getattr(self, name)
            # Written so that NaN, which compares false with everything, is refused too.
            if not (math.isfinite(soc) and 0 <= soc <= 1):
                raise SocOutOfRange(name=name, soc_fraction=soc, reason="it must lie from 0 to 1")
        if self.soc_ceiling < self.soc_stop_min + LEAST_CHARGING_ROOM:
            raise SocOutOfRange(
                name="soc_ceiling",
                soc_fraction=self.soc_ceiling,
                reason=f"it must be {LEAST_CHARGING_ROOM:g} above soc_stop_min, "
                f"{self.soc_stop_min:g}, or there is nothing to charge",
            )
        check_range(
            name="stop_overhead_s",
            value=self.stop_overhead_s,
            least=0.0,
            most=MAX_STOP_OVERHEAD_S,
        )
