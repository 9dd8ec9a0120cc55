"""Places by name: what a driver types becomes a position."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from geopy.location import Location

from charging.geocoding import OfflineGeocoder
from charging.models import Place
from charging.place_search import read_query, suggest_places

# The same box as the roads: from Ireland to the Donbas and from Crete to the North Cape.
MIN_LON, MIN_LAT, MAX_LON, MAX_LAT = -11.0, 35.0, 40.0, 71.0

# The bounds of Eurostat's degree of urbanisation: cities from 50,000 people, towns from 5,000.
CITY_POPULATION = 50_000
TOWN_POPULATION = 5_000

QUERY_LENGTH = 200
SUGGESTIONS = 5
# Control characters (databases refuse NUL) and halves of characters (no text can be sent of them).
_NEVER_TYPED = frozenset({"Cc", "Cs"})

PlaceKind = Literal["city", "town", "village"]


class PlaceQueryInvalid(ValueError):
    """What was typed cannot be a place's name."""


class PlacesNotBuilt(Exception):
    """The table of places is empty."""

    def __init__(self) -> None:
        super().__init__(_("No places are known yet. Run: manage.py build_places"))


class PlaceUnknown(LookupError):
    """No place has this name; ``suggestions`` are places with a similar one, likeliest first."""

    def __init__(self, query: str, suggestions: tuple[FoundPlace, ...] = ()) -> None:
        names = _(" or ").join(place.label for place in suggestions[:3])
        message = (
            _("No place is called “%(query)s”. Did you mean %(names)s?")
            if names
            else _("No place is called “%(query)s”.")
        )
        super().__init__(message % {"query": query, "names": names})
        self.query = query
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place as it is given to pages and to the API."""

    name: str
    country: str
    kind: PlaceKind
    lon: float
    lat: float
    population: int

    @property
    def label(self) -> str:
        """Return a text that finds this place again."""
        return f"{self.name}, {self.country}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the API."""
        return {
            "name": self.name,
            "country": self.country,
            "kind": self.kind,
            "lon": self.lon,
            "lat": self.lat,
        }


def classify_place(population: int) -> PlaceKind:
    """Say what a place of this many people is called.

    >>> classify_place(50_000), classify_place(5_000), classify_place(4_999)
    ('city', 'town', 'village')
    """
    if population >= CITY_POPULATION:
        return "city"
    return "town" if population >= TOWN_POPULATION else "village"


def places_ready() -> bool:
    """Say whether places can be found; the table is filled in one transaction."""
    return Place.objects.exists()


def find_places(
    query: str, *, limit: int = 8, near: tuple[float, float] | None = None
) -> list[FoundPlace]:
    """Return the places that a driver may mean, best first; none is an empty list.

    ``query`` may be half typed, in any of the usual languages, and end in a country by name or
    code ("Genève, CH"). ``near`` is (lon, lat): nearer places come first among equals.

    Raises ``PlaceQueryInvalid``, ``PlacesNotBuilt``.
    """
    text = _check_query(query)
    if limit < 1:
        return []
    locations = _geocoder().geocode(text, exactly_one=False, limit=limit, near=near) or []
    if not locations:
        _check_built()
    return [_describe_location(location.raw) for location in locations]


def locate(query: str) -> FoundPlace:
    """Return the place that is meant; of several with one name, the most populous.

    Raises ``PlaceQueryInvalid``, ``PlacesNotBuilt``, ``PlaceUnknown`` with suggestions.
    """
    text = _check_query(query)
    location = _geocoder().geocode(text, exactly_one=True)
    if isinstance(location, Location):
        return _describe_location(location.raw)
    _check_built()
    suggestions: list[Place] = []
    for reading in read_query(text):
        suggestions = suggestions or suggest_places(reading, limit=SUGGESTIONS)
    raise PlaceUnknown(text, tuple(_describe_place(place) for place in suggestions))


def _geocoder() -> OfflineGeocoder:
    return OfflineGeocoder()


def _check_built() -> None:
    if not places_ready():
        raise PlacesNotBuilt


def _check_query(query: str) -> str:
    text = query.strip()
    if not text:
        raise PlaceQueryInvalid(_("Type the name of a place."))
    if len(text) > QUERY_LENGTH:
        raise PlaceQueryInvalid(
            _("A place's name has at most %(length)d characters.") % {"length": QUERY_LENGTH}
        )
    if any(unicodedata.category(character) in _NEVER_TYPED for character in text):
        raise PlaceQueryInvalid(_("A place's name has no control characters."))
    if not any(character.isalnum() for character in text):
        raise PlaceQueryInvalid(_("A place's name has letters."))
    return text


def _describe_location(raw: dict[str, Any]) -> FoundPlace:
    return FoundPlace(
        name=raw["name"],
        country=raw["country"],
        kind=raw["kind"],
        lon=raw["lon"],
        lat=raw["lat"],
        population=raw["population"],
    )


def _describe_place(place: Place) -> FoundPlace:
    return FoundPlace(
        name=place.name,
        country=place.country,
        kind=classify_place(place.population),
        lon=place.lon,
        lat=place.lat,
        population=place.population,
    )
