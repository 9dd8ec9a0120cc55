"""Why a trip cannot be planned, in sentences that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from charging.models import Location
from charging.planner.trip import LEAST_CHARGING_ROOM

if TYPE_CHECKING:
    from charging import planner
    from charging.trip_shapes import NamedPoint
    from drivers.models import VehicleModel


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


class VehicleUnusable(TripRefused):
    """A vehicle model's figures cannot be true."""

    code = "vehicle_unusable"


class SocInvalid(TripRefused):
    code = "soc_out_of_range"


class PlaceOffRoad(TripRefused):
    code = "off_road"


class RouteImpossible(TripRefused):
    code = "no_route_within_range"


class NetworkNotReady(TripRefused):
    """Roads or legs are still being built: try again soon."""

    code = "not_ready"


def explain_soc(error: planner.SocOutOfRange) -> SocInvalid:
    """Say it in the words of a plan's fields, which have no ceiling: nothing bounds it but 1."""
    if error.name == "soc_ceiling":
        message = _("soc_stop_min is too high; above %(most)s there is nothing left to charge.")
        return SocInvalid(message % {"most": f"{1 - LEAST_CHARGING_ROOM:g}"}, field="soc_stop_min")
    message = _("%(name)s is %(value)s; it must lie from 0 to 1.")
    return SocInvalid(
        message % {"name": error.name, "value": f"{error.soc_fraction:g}"}, field=error.name
    )


def explain_off_road(error: planner.EndOffRoad, *, start: NamedPoint, end: NamedPoint) -> str:
    """Name the place, or say which end it is: whole sentences, as other languages inflect them."""
    point = start if error.end == "origin" else end
    if point.name:
        distance = _("%(name)s is %(km).0f km from the nearest road that we know.")
    elif point is start:
        distance = _("The origin is %(km).0f km from the nearest road that we know.")
    else:
        distance = _("The destination is %(km).0f km from the nearest road that we know.")
    advice = _("Choose a place nearer to a road.")
    return f"{distance % {'name': point.name, 'km': error.distance_m / 1000}} {advice}"


def explain_gap(
    gap: planner.NoRouteWithinRange,
    *,
    model: VehicleModel,
    start: NamedPoint,
    end: NamedPoint,
    soc_stop_min: float,
) -> str:
    """Say between which places the car cannot drive without charging, and how far that is."""
    message = _(
        "The %(car)s cannot make this trip: the shortest stretch without a usable charging "
        "station, from %(gap_from)s to %(gap_to)s, is %(km).0f km long and takes %(kwh).1f kWh, "
        "but %(available_kwh).1f kWh may be used on it: %(reserve)d %% stay in the battery at "
        "every stop. Start with more charge, keep less in reserve, or choose another car."
    )
    return message % {
        "car": model,
        "gap_from": _name_gap_end(gap.gap_from, ends=(start, end)),
        "gap_to": _name_gap_end(gap.gap_to, ends=(start, end)),
        "km": gap.gap_km,
        "kwh": gap.gap_kwh,
        "available_kwh": max(0.0, gap.available_kwh),
        "reserve": round(100 * soc_stop_min),
    }


def _name_gap_end(position: tuple[float, float], *, ends: tuple[NamedPoint, NamedPoint]) -> str:
    """Name a trip's end, or the station at a position, which is exactly the stored one."""
    lon, lat = position
    for point in ends:
        if (point.lon, point.lat) == position:
            return str(point)
    location = Location.objects.filter(lon=lon, lat=lat, removed_at=None).first()
    return str(location) if location else f"{lat:.4f}, {lon:.4f}"
