"""The offline geocoder, behind geopy's interface: any geocoder of geopy can take its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geopy.adapters import BaseSyncAdapter
from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from geopy.point import Point

from charging.country_names import name_country
from charging.place_search import find_nearest, read_query, search_places

if TYPE_CHECKING:
    from charging.models import Place


class _NoNetwork(BaseSyncAdapter):  # type: ignore[misc]  # geopy has no types
    """What the base class wants for HTTP; the offline geocoder never calls it."""

    def get_json(self, url: str, *, timeout: float, headers: dict[str, str]) -> Any:
        raise GeocoderQueryError("the offline geocoder opens no connections")

    def get_text(self, url: str, *, timeout: float, headers: dict[str, str]) -> str:
        raise GeocoderQueryError("the offline geocoder opens no connections")


class OfflineGeocoder(Geocoder):  # type: ignore[misc]  # geopy has no types
    """Finds places in our own table, filled by ``manage.py build_places``."""

    def __init__(self) -> None:
        super().__init__(adapter_factory=_NoNetwork)

    def geocode(
        self,
        query: str,
        *,
        exactly_one: bool = True,
        timeout: object = DEFAULT_SENTINEL,
        limit: int = 8,
        near: tuple[float, float] | None = None,
    ) -> Location | list[Location] | None:
        """Find places by name: one Location, or a list with ``exactly_one=False``; else None.

        A list completes what is half typed; one Location is only given for a whole name, in any
        language, or a beginning of a place's own name. ``near`` is (lon, lat). ``timeout`` is
        part of geopy's interface and has no effect.
        """
        for reading in read_query(query):
            places = search_places(
                reading, limit=1 if exactly_one else limit, near=near, certain=exactly_one
            )
            if places:
                return _give(places, exactly_one=exactly_one)
        return None

    def reverse(
        self,
        query: Point | tuple[float, float] | str,
        *,
        exactly_one: bool = True,
        timeout: object = DEFAULT_SENTINEL,
        limit: int = 8,
    ) -> Location | list[Location] | None:
        """Find the places nearest to a point, given as geopy does: latitude, longitude."""
        point = Point(query)
        places = find_nearest(point.longitude, point.latitude, limit=1 if exactly_one else limit)
        return _give(places, exactly_one=exactly_one) if places else None


def _give(places: list[Place], *, exactly_one: bool) -> Location | list[Location]:
    locations = [_make_location(place) for place in places]
    return locations[0] if exactly_one else locations


def _make_location(place: Place) -> Location:
    raw = {
        "name": place.name,
        "country": place.country,
        "kind": place.kind,
        "lon": place.lon,
        "lat": place.lat,
        "population": place.population,
    }
    address = f"{place.name}, {name_country(place.country)}"
    return Location(address, Point(place.lat, place.lon), raw)
