"""What a planned trip looks like to pages, the API and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.models import VehicleModel
    from emsp.kernel.money import Money


@dataclass(frozen=True)
class NamedPoint:
    """A place on the map; the name may be empty where only a position was given."""

    name: str
    lon: float
    lat: float

    def __str__(self) -> str:
        return self.name or f"{self.lat:.4f}, {self.lon:.4f}"


@dataclass(frozen=True)
class TripLeg:
    """A drive between two stops."""

    distance_m: float
    duration_s: float
    energy_kwh: float
    soc_depart: float
    soc_arrive: float
    ferry_m: float


@dataclass(frozen=True)
class TripStop:
    """A charge on the way. ``cost`` is None where the price is unknown, never zero."""

    station_id: int
    name: str
    operator: str
    lon: float
    lat: float
    arrive_soc: float
    depart_soc: float
    charge_s: float
    overhead_s: float
    energy_kwh: float
    station_power_kw: float
    connector: str
    available: int
    unknown: int
    total: int
    cost: Money | None
    cost_note: str


@dataclass(frozen=True)
class TripItinerary:
    """A whole trip. ``cost`` is None unless every stop's price is known in one currency."""

    distance_m: float
    duration_s: float
    driving_s: float
    charging_s: float
    energy_kwh: float
    cost: Money | None
    cost_note: str
    legs: tuple[TripLeg, ...]
    stops: tuple[TripStop, ...]
    soc_profile: tuple[tuple[float, float, float], ...]  # distance_m, duration_s, soc_fraction
    geometry: tuple[tuple[float, float], ...]  # lon, lat


@dataclass(frozen=True)
class PlannedTrip:
    origin: NamedPoint
    destination: NamedPoint
    vehicle_model: VehicleModel
    itineraries: tuple[TripItinerary, ...]
