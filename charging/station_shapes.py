"""What stations look like to drivers: areas and filters in, summaries and details out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from charging.models import Connector, Evse, EvseStatus

if TYPE_CHECKING:
    from datetime import datetime

    from charging.opening_hours import OpeningHours
    from charging.tariffs.summary import TariffSummary

# An area larger than this is a map's job, not a list's.
MAX_SPAN_DEG = 40.0


class AreaInvalid(ValueError):
    """A bounding box is no area that we list; the message says why and what to do."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Availability(StrEnum):
    """What an EVSE's or a station's status means to a driver."""

    AVAILABLE = "available"
    IN_USE = "in_use"
    RESERVED = "reserved"
    OUT_OF_ORDER = "out_of_order"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Area:
    """A bounding box in degrees; it may not cross the date line.

    Raises AreaInvalid.
    """

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        edges = (self.west, self.south, self.east, self.north)
        if not all(map(math.isfinite, edges)):
            message = _("bbox holds a number that is not finite. Send four numbers in degrees.")
            raise AreaInvalid(message, code="bbox_invalid")
        if max(abs(self.west), abs(self.east)) > 180 or max(abs(self.south), abs(self.north)) > 90:
            message = _(
                "bbox leaves the earth: longitudes lie in -180 to 180, latitudes -90 to 90."
            )
            raise AreaInvalid(message, code="bbox_invalid")
        if self.west > self.east or self.south > self.north:
            message = _("bbox is reversed. Its order is west,south,east,north.")
            raise AreaInvalid(message, code="bbox_reversed")
        if self.east - self.west > MAX_SPAN_DEG or self.north - self.south > MAX_SPAN_DEG:
            message = _(
                "bbox is %(width)s° wide and %(height)s° high. Ask for an area of at most "
                "%(limit)s° by %(limit)s°, or for several."
            ) % {
                "width": f"{self.east - self.west:g}",
                "height": f"{self.north - self.south:g}",
                "limit": f"{MAX_SPAN_DEG:g}",
            }
            raise AreaInvalid(message, code="bbox_too_large")


@dataclass(frozen=True)
class StationFilter:
    """What a station must offer; one EVSE has to fulfil all of it."""

    standards: tuple[str, ...] = ()
    min_power_kw: float = 0.0
    available: bool = False

    def fits(self, evse: Evse) -> bool:
        return (not self.available or evse.status == EvseStatus.AVAILABLE) and any(
            self.fits_connector(connector) for connector in evse.connectors.all()
        )

    def fits_connector(self, connector: Connector) -> bool:
        return connector.power_kw >= self.min_power_kw and (
            not self.standards or connector.standard in self.standards
        )


ANY_STATION = StationFilter()


@dataclass(frozen=True)
class ConnectorGroup:
    """Alike connectors of a station: ``available`` of ``total`` EVSEs that have one are free."""

    standard: str
    label: str
    icon: str
    power_kw: float
    available: int
    total: int


@dataclass(frozen=True)
class StationSummary:
    """A station in a list.

    Counts, connectors and price are of what fits the filter; ``price`` is that of the strongest
    connector, None where it is unknown. ``distance_m`` is as the crow flies.
    """

    station_id: int
    name: str
    operator: str
    address: str
    postal_code: str
    city: str
    country: str
    lon: float
    lat: float
    availability: Availability
    available: int
    unknown: int
    total: int
    max_power_kw: float
    connectors: tuple[ConnectorGroup, ...]
    price: TariffSummary | None
    distance_m: float | None = None


@dataclass(frozen=True)
class ConnectorDetail:
    """A connector with what it costs; ``price`` is None where it is unknown."""

    connector_id: str
    standard: str
    label: str
    icon: str
    format: str
    power_type: str
    power_kw: float
    price: TariffSummary | None


@dataclass(frozen=True)
class EvseDetail:
    uid: str
    evse_id: str
    availability: Availability
    ocpi_status: str
    last_updated: datetime
    connectors: tuple[ConnectorDetail, ...]


@dataclass(frozen=True)
class StationDetail:
    """A station with all of its EVSEs."""

    summary: StationSummary
    evses: tuple[EvseDetail, ...]
    opening_hours: OpeningHours | None
    open_now: bool | None
    time_zone: str
    facilities: tuple[str, ...]
    last_updated: datetime
    checked_at: datetime  # when the operator last confirmed it


@dataclass(frozen=True)
class StationPage:
    """One page of stations in the order of their ids; ``next_after`` is None on the last."""

    stations: tuple[StationSummary, ...]
    count: int
    next_after: int | None
