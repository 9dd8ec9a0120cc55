"""Plan a trip from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from charging import trips
from charging.trip_refusals import TripRefused
from emsp.kernel import clock

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from charging.trip_shapes import PlannedTrip, TripItinerary, TripStop
    from emsp.kernel.money import Money


class Command(BaseCommand):
    help = 'Plan a trip with charging stops: plan "Paris" "Berlin" --vehicle SLUG --soc 90'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("origin", help="a place's name, or lon,lat in degrees")
        parser.add_argument("destination", help="a place's name, or lon,lat in degrees")
        parser.add_argument("--vehicle", required=True, help="slug of a vehicle model")
        parser.add_argument("--soc", type=float, required=True, help="charge at the start, percent")
        parser.add_argument(
            "--soc-arrival", type=float, default=10, help="least charge at the end, percent"
        )
        parser.add_argument(
            "--soc-stop", type=float, default=10, help="least charge at each stop, percent"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            trip = trips.plan_trip(
                origin=read_point(options["origin"]),
                destination=read_point(options["destination"]),
                vehicle_model=options["vehicle"],
                soc_start=options["soc"] / 100,
                soc_arrival_min=options["soc_arrival"] / 100,
                soc_stop_min=options["soc_stop"] / 100,
                now=clock.now(),
            )
        except TripRefused as error:
            raise CommandError(str(error)) from None
        for itinerary in trip.itineraries:
            self._print_itinerary(trip, itinerary)

    def _print_itinerary(self, trip: PlannedTrip, itinerary: TripItinerary) -> None:
        names = [str(trip.origin), *(s.name for s in itinerary.stops), str(trip.destination)]
        self.stdout.write(
            f"{names[0]} - {names[-1]}, {trip.vehicle_model}: "
            f"{itinerary.distance_m / 1000:.0f} km, "
            f"{write_duration(itinerary.duration_s)} "
            f"({write_duration(itinerary.driving_s)} driving, "
            f"{write_duration(itinerary.charging_s)} charging), "
            f"{itinerary.energy_kwh:.1f} kWh, {write_cost(itinerary.cost, itinerary.cost_note)}"
        )
        for index, leg in enumerate(itinerary.legs):
            self.stdout.write(
                f"  {leg.soc_depart:4.0%} -> {leg.soc_arrive:4.0%}  {leg.distance_m / 1000:4.0f} km"
                f"  {write_duration(leg.duration_s)}  to {names[index + 1]}"
            )
            if index < len(itinerary.stops):
                stop = itinerary.stops[index]
                self.stdout.write(
                    f"  {stop.arrive_soc:4.0%} -> {stop.depart_soc:4.0%}"
                    f"  {stop.energy_kwh:4.1f} kWh"
                    f"  {write_duration(stop.charge_s)} at {stop.station_power_kw:.0f} kW,"
                    f" {write_free(stop)},"
                    f" {write_cost(stop.cost, stop.cost_note)}"
                )


def read_point(text: str) -> str | tuple[float, float]:
    """Read "lon,lat" as a position, anything else as a place's name.

    >>> read_point("13.4,52.5"), read_point("Paris, FR")
    ((13.4, 52.5), 'Paris, FR')
    """
    try:
        lon, lat = map(float, text.split(","))
    except ValueError:
        return text
    return lon, lat


def write_duration(seconds: float) -> str:
    """Write a duration as hours and minutes.

    >>> write_duration(5400), write_duration(1500)
    ('1 h 30', '25 min')
    """
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"


def write_cost(cost: Money | None, note: str) -> str:
    if cost is None:
        return note or _("price unknown")
    return f"{cost.amount} {cost.currency}"


def write_free(stop: TripStop) -> str:
    free = f"{stop.available} of {stop.total} free"
    return f"{free}, {stop.unknown} unknown" if stop.unknown else free
