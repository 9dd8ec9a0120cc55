"""Charging's pages: stations around a place, one station, a trip with charging stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from charging import places, stations, trips
from charging.charts import draw_soc_chart
from charging.forms import (
    CONNECTORS,
    POWERS,
    PlanForm,
    StationSearchForm,
    read_position,
    write_position,
)
from charging.navigation import link_place, link_trip
from charging.station_shapes import ANY_STATION, StationFilter
from charging.trip_refusals import NetworkNotReady, TripRefused
from drivers.models import VehicleModel
from emsp.kernel.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest, HttpResponse

    from charging.opening_hours import OpeningHours, OpenSpan
    from charging.trip_shapes import TripItinerary, TripLeg, TripStop

MOST_NEARBY = 40
# The least charge on arrival at a stop; the page does not ask for it.
SOC_STOP_MIN = 0.1
_FORM_FIELDS = {
    "vehicle_model": "vehicle",
    "soc_start": "charge",
    "soc_arrival_min": "arrive",
}


@dataclass(frozen=True)
class Problem:
    """Why a page cannot show what was asked, and addresses that would work."""

    sentence: str
    field: str = ""
    suggestions: tuple[tuple[str, str], ...] = ()
    status: int = 400


@require_safe
def show_stations(request: HttpRequest) -> HttpResponse:
    """List the stations around a place, nearest first."""
    form = StationSearchForm(request.GET)
    context: dict[str, object] = {
        "tab": "stations",
        "form": form,
        "connectors": CONNECTORS,
        "powers": POWERS,
    }
    problem = None
    if not form.is_valid():
        sentence = " ".join(str(error) for errors in form.errors.values() for error in errors)
        problem = Problem(sentence)
    elif form.cleaned_data["q"]:
        problem = _search_stations(request, form, context)
    context["problem"] = problem
    return _render(
        request,
        page="charging/stations.html",
        partial="charging/_stations.html",
        context=context,
        status=problem.status if problem else 200,
    )


@require_safe
def show_station(request: HttpRequest, station_id: int) -> HttpResponse:
    """Show one station."""
    try:
        station = stations.get_station(station_id, now=now())
    except stations.StationUnknown:
        raise Http404 from None
    summary = station.summary
    links = link_place(summary.name, lon=summary.lon, lat=summary.lat)
    context = {
        "tab": "stations",
        "station": station,
        "links": links,
        "week": list_week(station.opening_hours) if station.opening_hours else [],
        "position": write_position(summary.name, lon=summary.lon, lat=summary.lat),
    }
    return render(request, "charging/station.html", context)


@require_safe
def show_plan(request: HttpRequest) -> HttpResponse:
    """Show the form of a trip and, where it is filled in, the trip."""
    form = PlanForm(request.GET) if request.GET else PlanForm()
    context: dict[str, object] = {
        "tab": "plan",
        "form": form,
        "vehicles": VehicleModel.objects.all(),
    }
    # A link from a station names only the destination: that is a beginning, not a mistake.
    asked = "origin" in request.GET
    problem = None
    if asked:
        problem = _plan(request, form, context)
    context |= {"problem": problem, "asked": asked}
    return _render(
        request,
        page="charging/plan.html",
        partial="charging/_itinerary.html",
        context=context,
        status=problem.status if problem else 200,
    )


def _search_stations(
    request: HttpRequest, form: StationSearchForm, context: dict[str, object]
) -> Problem | None:
    query = form.cleaned_data["q"]
    position = read_position(query)
    try:
        if position:
            name, (lon, lat) = position
        else:
            place = places.locate(query)
            name, lon, lat = place.name, place.lon, place.lat
    except places.PlacesNotBuilt:
        return Problem(_("Places are still being built. Try again soon."), status=503)
    except places.PlaceQueryInvalid as error:
        return Problem(str(error), field="q")
    except places.PlaceUnknown as error:
        labels = [place.label for place in error.suggestions]
        return Problem(
            _("We know no place called “%(query)s”.") % {"query": query},
            field="q",
            suggestions=_link_suggestions(request, field="q", labels=labels),
            status=404,
        )
    wanted = StationFilter(
        standards=tuple(form.cleaned_data["connector"]),
        min_power_kw=float(form.cleaned_data["power"] or 0),
        available=form.cleaned_data["available"],
    )
    context["place_name"] = name
    found = stations.list_nearby(lon=lon, lat=lat, now=now(), wanted=wanted, limit=MOST_NEARBY)
    context["found"] = found
    context["cut_off"] = len(found) == MOST_NEARBY
    context["filtered"] = wanted != ANY_STATION
    context["unfiltered_address"] = _change_query(
        request, q=query, connector=None, power=None, available=None
    )
    context["radius_m"] = stations.NEARBY_RADII_M[-1]
    return None


def _plan(request: HttpRequest, form: PlanForm, context: dict[str, object]) -> Problem | None:
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        return Problem(str(errors[0]), field=field)
    asked = form.cleaned_data
    origin, destination = read_position(asked["origin"]), read_position(asked["destination"])
    try:
        trip = trips.plan_trip(
            origin=origin[1] if origin else asked["origin"],
            destination=destination[1] if destination else asked["destination"],
            vehicle_model=asked["vehicle"].slug,
            soc_start=asked["charge"] / 100,
            soc_arrival_min=asked["arrive"] / 100,
            soc_stop_min=SOC_STOP_MIN,
            now=now(),
        )
    except TripRefused as refusal:
        field = _FORM_FIELDS.get(refusal.field, refusal.field)
        return Problem(
            str(refusal),
            field=field,
            suggestions=_link_suggestions(request, field=field, labels=refusal.suggestions),
            status=503 if isinstance(refusal, NetworkNotReady) else 400,
        )
    itinerary = trip.itineraries[0]
    ends = [(trip.origin.lon, trip.origin.lat), (trip.destination.lon, trip.destination.lat)]
    between = [(stop.lon, stop.lat) for stop in itinerary.stops]
    context |= {
        "trip": trip,
        "origin_name": trip.origin.name or (origin[0] if origin else ""),
        "destination_name": trip.destination.name or (destination[0] if destination else ""),
        "itinerary": itinerary,
        "steps": list_steps(itinerary),
        "chart": draw_soc_chart(itinerary, soc_floor=SOC_STOP_MIN),
        "floor": SOC_STOP_MIN,
        "trip_links": link_trip([ends[0], *between, ends[1]]),
    }
    return None


@dataclass(frozen=True)
class Step:
    """A drive and the charge that follows it (None before the destination)."""

    number: int
    leg: TripLeg
    stop: TripStop | None
    after_s: float  # from departure to the end of the drive
    at_m: float  # from the origin to the end of the drive
    links: list[tuple[str, str]]


def list_steps(itinerary: TripItinerary) -> list[Step]:
    """Pair drives with charges, with the time and distance at which each drive ends."""
    steps, after_s, at_m = [], 0.0, 0.0
    stops = [*itinerary.stops, None]
    for number, (leg, stop) in enumerate(zip(itinerary.legs, stops, strict=True), start=1):
        after_s += leg.duration_s
        at_m += leg.distance_m
        links = link_place(stop.name, lon=stop.lon, lat=stop.lat) if stop else []
        steps.append(Step(number, leg, stop, after_s, at_m, [*links]))
        after_s += stop.charge_s + stop.overhead_s if stop else 0.0
    return steps


def list_week(hours: OpeningHours) -> list[tuple[str, list[OpenSpan]]]:
    """Give each day of the week, in words, its spans."""
    return [
        (str(name), [span for span in hours.regular if span.weekday == weekday])
        for weekday, name in enumerate(WEEKDAYS.values(), start=1)
    ]


def _link_suggestions(
    request: HttpRequest, *, field: str, labels: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    return tuple((label, _change_query(request, **{field: label})) for label in labels)


def _change_query(request: HttpRequest, **changes: str | None) -> str:
    """Return this page's address with some parameters changed, or left out where None."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"{request.path}?{query.urlencode()}"


def _render(
    request: HttpRequest, *, page: str, partial: str, context: dict[str, object], status: int
) -> HttpResponse:
    """Answer htmx with the part it swaps in, everybody else with the page."""
    wants_part = request.headers.get("HX-Request-Type") == "partial"
    response = render(request, partial if wants_part else page, context, status=status)
    # One address, two answers: caches must not mix them.
    patch_vary_headers(response, ["HX-Request-Type"])
    return response
