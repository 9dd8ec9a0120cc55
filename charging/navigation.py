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


def link_trip(points: Sequence[tuple[float, float]]) -> list[NavigationLink]:
    """List the Google Maps addresses of a trip through (lon, lat) points, ends included.

    A trip of more stops than one address takes is cut into parts; each starts where the one
    before ends.
    """
    legs_each = _MOST_WAYPOINTS + 1
    starts = range(0, len(points) - 1, legs_each)
    if len(starts) == 1:
        return [NavigationLink(_("Open the trip in Google Maps"), _link_part(points))]
    label = _("Open part %(part)d of %(parts)d in Google Maps")
    return [
        NavigationLink(
            label % {"part": part, "parts": len(starts)},
            _link_part(points[start : start + legs_each + 1]),
        )
        for part, start in enumerate(starts, start=1)
    ]


def _link_part(points: Sequence[tuple[float, float]]) -> str:
    origin, *between, destination = [_write(*point) for point in points]
    parameters = {"api": "1", "travelmode": "driving", "origin": origin, "destination": destination}
    if between:
        parameters["waypoints"] = "|".join(between)
    return "https://www.google.com/maps/dir/?" + urlencode(parameters)


def _write(lon: float, lat: float) -> str:
    return f"{lat:.5f},{lon:.5f}"
