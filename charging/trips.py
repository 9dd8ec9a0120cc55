"""Plan a trip: names and slugs in, priced itineraries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from drivers.models import VehicleModel
    from emsp.kernel.money import Money


class TripRefused(Exception):
    """A trip cannot be planned; the message says why and what to do.

    ``code`` is stable for machines, ``field`` names the input at fault ("" for the whole trip),
    ``suggestions`` are inputs that would have worked, ``details`` figures behind the message.
    """

    code = "trip_refused"

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        suggestions: tuple[str, ...] = (),
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.field = field
        self.suggestions = suggestions
        self.details = details or {}


class PlaceUnknown(TripRefused):
    code = "place_unknown"


class VehicleUnknown(TripRefused):
    code = "vehicle_unknown"


class SocInvalid(TripRefused):
    code = "soc_out_of_range"


class PlaceOffRoad(TripRefused):
    code = "off_road"


class RouteImpossible(TripRefused):
    code = "no_route_within_range"


class NetworkNotReady(TripRefused):
    """Roads or legs are still being built: try again soon."""

    code = "not_ready"


@dataclass(frozen=True)
class NamedPoint:
    """A place on the map; the name may be empty where only a position was given."""

    name: str
    lon: float
    lat: float


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


def plan_trip(
    *,
    origin: str | tuple[float, float],
    destination: str | tuple[float, float],
    vehicle_model: str,
    soc_start: float,
    soc_arrival_min: float,
    soc_stop_min: float,
    now: datetime,
) -> PlannedTrip:
    """Plan a trip with charging stops.

    Origin and destination are names or (lon, lat) in degrees; states of charge are fractions.

    Raises
    ------
    TripRefused
        One of this module's facts.
    """
    raise NotImplementedError
