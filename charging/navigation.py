"""Addresses that open a place, or a whole trip, in other apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Sequence

# Google Maps takes nine stops between the ends.
_MOST_WAYPOINTS = 9


class NavigationLink(NamedTuple):
    label: str
    href: str


def link_place(name: str, *, lon: float, lat: float) -> list[NavigationLink]:
    """List addresses that show the way to a place; these apps put the latitude first."""
    at = _write(lon, lat)
    return [
        NavigationLink(_("Maps app"), f"geo:{at}?q={at}({quote(name)})"),
        NavigationLink(
            "Google Maps",
            "https://www.google.com/maps/dir/?" + urlencode({"api": 1, "destination": at}),
        ),
        NavigationLink("Apple Maps", "https://maps.apple.com/?" + urlencode({"daddr": at})),
        NavigationLink("Waze", "https://waze.com/ul?" + urlencode({"ll": at, "navigate": "yes"})),
    ]


def link_trip(points: Sequence[tuple[float, float]]) -> str:
    """Return the Google Maps address of a trip through (lon, lat) points, ends included."""
    origin, *between, destination = [_write(*point) for point in points]
    parameters = {"api": "1", "travelmode": "driving", "origin": origin, "destination": destination}
    if between:
        parameters["waypoints"] = "|".join(between[:_MOST_WAYPOINTS])
    return "https://www.google.com/maps/dir/?" + urlencode(parameters)


def _write(lon: float, lat: float) -> str:
    return f"{lat:.5f},{lon:.5f}"
