"""Plan a trip: names and slugs in, priced itineraries out."""

from __future__ import annotations

import difflib
import functools
import operator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from charging import places, planner
from charging.offers import StationVanished, StopOffer, describe_stops, find_site_powers
from charging.trip_network import TripNetworkMissing, load_network
from charging.trip_refusals import (
    NetworkNotReady,
    PlaceOffRoad,
    PlaceUnknown,
    RouteImpossible,
    VehicleUnknown,
    VehicleUnusable,
    explain_gap,
    explain_off_road,
    explain_soc,
)
from charging.trip_shapes import (
    NamedPoint,
    PlannedTrip,
    TripItinerary,
    TripLeg,
    TripStop,
)
from drivers.models import VehicleModel

if TYPE_CHECKING:
    from emsp.kernel.money import Money

_log = structlog.get_logger(__name__)

# The roads are flat for now, so no descent is driven yet; the share is a common one of heavy cars.
RECUPERATION_EFFICIENCY = 0.7


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
    """Plan a trip with charging stops that leaves now.

    Origin and destination are names or (lon, lat) in degrees; states of charge are fractions.

    Raises
    ------
    TripRefused
        One of this module's facts.
    """
    model = _find_vehicle_model(vehicle_model)
    start = _locate(origin, field="origin")
    end = _locate(destination, field="destination")
    try:
        network = load_network()
    except TripNetworkMissing as error:
        raise NetworkNotReady(
            _("Trips cannot be planned yet: the road network is still being built. Try again soon.")
        ) from error
    itinerary = _plan(
        network,
        model=model,
        start=start,
        end=end,
        soc={
            "soc_start": soc_start,
            "soc_arrival_min": soc_arrival_min,
            "soc_stop_min": soc_stop_min,
        },
    )
    return PlannedTrip(start, end, model, (_price(itinerary, model=model, now=now),))


def _find_vehicle_model(slug: str) -> VehicleModel:
    model = VehicleModel.objects.filter(slug=slug).first()
    if model is not None:
        return model
    slugs = list(VehicleModel.objects.order_by("slug").values_list("slug", flat=True))
    near = difflib.get_close_matches(slug, slugs, n=3, cutoff=0.4) or slugs[:5]
    raise VehicleUnknown(
        _("There is no vehicle model “%(slug)s”. Did you mean %(near)s?")
        % {"slug": slug[:60], "near": _(" or ").join(near)},
        field="vehicle_model",
        suggestions=tuple(near),
    )


def _locate(given: str | tuple[float, float], *, field: str) -> NamedPoint:
    if not isinstance(given, str):
        return NamedPoint("", *given)
    try:
        place = places.locate(given)
    except places.PlaceUnknown as error:
        raise PlaceUnknown(
            str(error), field=field, suggestions=tuple(place.label for place in error.suggestions)
        ) from error
    except places.PlaceQueryInvalid as error:
        raise PlaceUnknown(str(error), field=field) from error
    except places.PlacesNotBuilt as error:
        raise NetworkNotReady(
            _("Places cannot be searched yet: they are still being built. Try again soon.")
        ) from error
    return NamedPoint(place.name, place.lon, place.lat)


def _plan(
    network: planner.Network,
    *,
    model: VehicleModel,
    start: NamedPoint,
    end: NamedPoint,
    soc: dict[str, float],
) -> planner.Itinerary:
    try:
        vehicle = _describe_vehicle(model)
    except (ValueError, TypeError) as error:
        _log.warning("vehicle model unusable", slug=model.slug, reason=str(error))
        raise VehicleUnusable(
            _("The data of the %(car)s has a mistake. Choose another car.") % {"car": model},
            field="vehicle_model",
        ) from error
    try:
        request = planner.TripRequest(
            vehicle=vehicle,
            offers=planner.Offers(find_site_powers(network.sites, inlet=model.dc_inlet)),
            origin=(start.lon, start.lat),
            destination=(end.lon, end.lat),
            **soc,
        )
        return planner.plan(network=network, request=request)
    except planner.SocOutOfRange as error:
        raise explain_soc(error) from error
    except planner.EndOffRoad as error:
        raise PlaceOffRoad(
            explain_off_road(error, start=start, end=end),
            field=error.end,
            details={"distance_m": round(error.distance_m)},
        ) from error
    except planner.NoRoad as error:
        raise RouteImpossible(
            _("No road leads from %(origin)s to %(destination)s.")
            % {
                "origin": start.name or _("the origin"),
                "destination": end.name or _("the destination"),
            },
            details=error.details,
        ) from error
    except planner.NoRouteWithinRange as gap:
        raise RouteImpossible(
            explain_gap(gap, model=model, start=start, end=end, soc_stop_min=soc["soc_stop_min"]),
            details=gap.details,
        ) from gap


def _describe_vehicle(model: VehicleModel) -> planner.Vehicle:
    soc_fraction, power_kw = zip(*model.dc_curve, strict=True)
    return planner.Vehicle(
        name=str(model),
        mass_kg=model.mass_kg,
        drag_area_m2=model.drag_area_m2,
        rolling_coefficient=model.rolling_coefficient,
        drivetrain_efficiency=model.drivetrain_efficiency,
        recuperation_efficiency=RECUPERATION_EFFICIENCY,
        auxiliary_kw=model.auxiliary_kw,
        usable_kwh=model.usable_kwh,
        curve=planner.ChargingCurve(soc_fraction=soc_fraction, power_kw=power_kw),
    )


def _price(itinerary: planner.Itinerary, *, model: VehicleModel, now: datetime) -> TripItinerary:
    arrivals_at = _list_arrivals(itinerary, starts_at=now)
    try:
        offers = describe_stops(itinerary.stops, arrivals_at=arrivals_at, inlet=model.dc_inlet)
    except StationVanished as error:
        raise NetworkNotReady(
            _("The stations changed while this trip was planned. Plan it again.")
        ) from error
    cost, cost_note = _sum_costs(offers)
    return TripItinerary(
        distance_m=itinerary.distance_m,
        duration_s=itinerary.duration_s,
        driving_s=itinerary.driving_s,
        charging_s=itinerary.charging_s,
        energy_kwh=itinerary.energy_kwh,
        cost=cost,
        cost_note=cost_note,
        legs=tuple(
            TripLeg(
                distance_m=leg.distance_m,
                duration_s=leg.duration_s,
                energy_kwh=leg.energy_kwh,
                soc_depart=leg.soc_depart,
                soc_arrive=leg.soc_arrive,
                ferry_m=leg.carried_m,
            )
            for leg in itinerary.legs
        ),
        stops=tuple(
            _describe_trip_stop(stop, offer=offer)
            for stop, offer in zip(itinerary.stops, offers, strict=True)
        ),
        soc_profile=itinerary.soc_profile,
        geometry=itinerary.geometry,
    )


def _list_arrivals(itinerary: planner.Itinerary, *, starts_at: datetime) -> list[datetime]:
    """Return when the car arrives at each stop; the last leg ends at the destination."""
    arrivals_at = []
    moment = starts_at
    for leg, stop in zip(itinerary.legs, itinerary.stops, strict=False):
        moment += timedelta(seconds=leg.duration_s)
        arrivals_at.append(moment)
        moment += timedelta(seconds=stop.overhead_s + stop.charge_s)
    return arrivals_at


def _describe_trip_stop(stop: planner.ItineraryStop, *, offer: StopOffer) -> TripStop:
    location = offer.location
    return TripStop(
        station_id=location.pk,
        name=str(location),
        operator=location.operator_name or location.partner.name,
        lon=location.lon,
        lat=location.lat,
        arrive_soc=stop.soc_arrive,
        depart_soc=stop.soc_depart,
        charge_s=stop.charge_s,
        overhead_s=stop.overhead_s,
        energy_kwh=stop.energy_kwh,
        station_power_kw=offer.power_kw,
        connector=offer.connector,
        available=offer.available,
        unknown=offer.unknown,
        total=offer.total,
        cost=offer.cost,
        cost_note=offer.cost_note,
    )


def _sum_costs(offers: list[StopOffer]) -> tuple[Money | None, str]:
    """Add the stops' costs; None where one is unknown or they are in several currencies."""
    costs = [offer.cost for offer in offers if offer.cost is not None]
    if not offers:
        return None, _("No charging on the way.")
    if len(costs) < len(offers):
        return None, ngettext(
            "The price of %(count)d stop is unknown.",
            "The price of %(count)d stops is unknown.",
            len(offers) - len(costs),
        ) % {"count": len(offers) - len(costs)}
    if len({cost.currency for cost in costs}) > 1:
        return None, _("The stops are paid in different currencies.")
    total = functools.reduce(operator.add, costs)
    return total, next((offer.cost_note for offer in offers if offer.cost_note), "")
