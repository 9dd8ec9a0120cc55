"""Search in the table of place names: by whole name, by beginning, by position, by likeness."""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypedDict

from django.db import connection
from django.db.models import Case, F, IntegerField, Max, Q, When
from geopy.distance import great_circle

from charging.country_names import complete_country, find_country
from charging.models import Place, PlaceName
from charging.place_names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

# No folded name sorts after its own beginning followed by the last code point.
_LAST = "\U0010ffff"
# How many places are taken from the index before the finer ordering, and twins are dropped.
_CANDIDATES = 60
_CANDIDATES_NEAR = 400
# A place this close to a bigger one of the same name is a part of it, not another place.
_TWIN_DISTANCE_DEG = 0.05
# The distance at which a place counts half as much as at the wished position.
_NEAR_HALVES_KM = 50.0
# What a whole name weighs more than any beginning: more than all people of a place.
_WHOLE = 1_000_000_000
# A place's names in other languages count as if it had fewer people: Valence is itself before it
# is Valencia in French, yet Mün means München before Münster.
_OTHER_NAME_WHOLE = 15
_OTHER_NAME_BEGINNING = 4
# While somebody types, only a city's foreign name comes before what merely begins so: Mün is also
# Irish for the village of Moone, Lon a name of the town of Lognes.
_OTHER_NAME_POPULATION = 50_000
_REVERSE_BOXES_DEG = (0.1, 0.4, 1.6)
# Exotic names of far places resemble anything: of them more likeness is asked.
_LIKENESS_MIN = 0.72
_LIKENESS_MIN_OTHER_NAME = 0.8


class _Row(TypedDict):
    place_id: int
    weight: int


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """A query taken apart: the folded name, and the countries it is limited to, if any."""

    name: str
    countries: frozenset[str] | None = None


def read_query(text: str) -> list[PlaceQuery]:
    """List the readings of what was typed; later ones count only where earlier find nothing.

    >>> read_query("Berlin")
    [PlaceQuery(name='berlin', countries=None)]
    >>> read_query("Paris, Fr")[0]
    PlaceQuery(name='paris', countries=frozenset({'FR'}))
    >>> [reading.name for reading in read_query("Bern Switzerland")]
    ['bern switzerland', 'bern']
    """
    head, comma, tail = text.rpartition(",")
    if comma and not fold_name(tail):
        return read_query(head)
    readings = []
    if comma:
        countries = complete_country(tail)
        if countries and fold_name(head):
            readings.append(PlaceQuery(fold_name(head), countries))
    readings.append(PlaceQuery(fold_name(text)))
    words = fold_name(text).split()
    for size in (1, 2, 3):
        country = find_country(" ".join(words[-size:])) if len(words) > size else None
        if country and not comma:
            readings.append(PlaceQuery(" ".join(words[:-size]), frozenset({country})))
    return [reading for reading in readings if reading.name]


def search_places(
    query: PlaceQuery,
    *,
    limit: int,
    near: tuple[float, float] | None = None,
    certain: bool = False,
) -> list[Place]:
    """Return the places whose name begins with the query, best first.

    Whole names come before beginnings, then the more populous; with ``near`` (lon, lat) a place
    counts less the further off it is. With ``certain`` a beginning counts only
    of the place's own name, not of one in another language.
    """
    names = PlaceName.objects.filter(_begins_with(query.name))
    if certain:
        names = names.filter(Q(folded=query.name) | Q(is_main=True))
    if query.countries is not None:
        names = names.filter(place__country__in=query.countries)
    counts_whole = Q(is_main=True) | Q(population__gte=0 if certain else _OTHER_NAME_POPULATION)
    weight = Case(
        When(folded=query.name, is_main=True, then=_WHOLE + F("population")),
        When(counts_whole, folded=query.name, then=_WHOLE + F("population") / _OTHER_NAME_WHOLE),
        When(is_main=True, then=F("population")),
        default=F("population") / _OTHER_NAME_BEGINNING,
        output_field=IntegerField(),
    )
    rows = names.values("place_id").annotate(weight=Max(weight)).order_by("-weight", "place_id")
    best: list[_Row] = list(rows[: _CANDIDATES_NEAR if near else _CANDIDATES])
    places = Place.objects.in_bulk([row["place_id"] for row in best])
    if near:
        best.sort(key=lambda row: _order_near(row, places[row["place_id"]], near))
    return _drop_twins(places[row["place_id"]] for row in best)[:limit]


def find_nearest(lon: float, lat: float, *, limit: int) -> list[Place]:
    """Return the places nearest to a position, nearest first; empty where none is within 100 km."""
    for size_deg in _REVERSE_BOXES_DEG:
        wide_deg = size_deg / max(math.cos(math.radians(lat)), 0.2)
        box = Place.objects.filter(
            lat__range=(lat - size_deg, lat + size_deg), lon__range=(lon - wide_deg, lon + wide_deg)
        )
        by_distance = sorted((_measure_km(place, (lon, lat)), place.pk, place) for place in box)
        # A corner of the box may hold a place further off than one just outside of a side.
        within = [place for km, _, place in by_distance if km <= size_deg * 110]
        if within:
            return within[:limit]
    return []


def suggest_places(query: PlaceQuery, *, limit: int) -> list[Place]:
    """Return the places whose names are most like a mistyped one.

    Compared are the bigger places that share the longest beginning, and Europe's biggest cities
    (for a slip in the first letters), by the likeness of ``difflib``.
    """
    likeness: dict[int, float] = {}
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(query.name)
    for place_id, folded, is_main in _list_lookalikes(query):
        matcher.set_seq1(folded)
        least = _LIKENESS_MIN if is_main else _LIKENESS_MIN_OTHER_NAME
        bar = max(least, likeness.get(place_id, 0.0))
        if matcher.real_quick_ratio() >= bar and matcher.quick_ratio() >= bar:
            ratio = matcher.ratio()
            if ratio >= bar:
                likeness[place_id] = ratio
    places = Place.objects.in_bulk(likeness)
    # A tenth of likeness weighs as much as ten times the people.
    ranked = sorted(
        places.values(),
        key=lambda place: (-10 * likeness[place.pk] - math.log10(place.population + 1), place.pk),
    )
    return _drop_twins(ranked)[:limit]


def _list_lookalikes(query: PlaceQuery) -> list[tuple[int, str, bool]]:
    name = query.name
    lookalikes: list[tuple[int, str, bool]] = []
    names = PlaceName.objects.order_by("-population")
    if query.countries is not None:
        names = names.filter(place__country__in=query.countries)
    for size in sorted({len(name) - 2, len(name) // 2 + 1, 2}, reverse=True):
        if 2 <= size < len(name):
            starting = names.filter(_begins_with(name[:size]))
            lookalikes += starting.values_list("place_id", "folded", "is_main")[:400]
    biggest = Place.objects.order_by("-population")
    if query.countries is not None:
        biggest = biggest.filter(country__in=query.countries)
    mains = biggest.values_list("pk", "name")[:1500]
    return lookalikes + [(pk, fold_name(main), True) for pk, main in mains]


def _begins_with(folded: str) -> Q:
    if connection.vendor == "postgresql":  # LIKE uses the index of the pattern class
        return Q(folded__startswith=folded)
    return Q(folded__gte=folded, folded__lt=folded + _LAST)


def _drop_twins(places: Iterable[Place]) -> list[Place]:
    kept: list[Place] = []
    for place in places:
        if not any(_are_twins(place, other) for other in kept):
            kept.append(place)
    return kept


def _are_twins(one: Place, other: Place) -> bool:
    return (
        one.name == other.name
        and one.country == other.country
        and abs(one.lat - other.lat) < _TWIN_DISTANCE_DEG
        and abs(one.lon - other.lon) < _TWIN_DISTANCE_DEG
    )


def _order_near(row: _Row, place: Place, near: tuple[float, float]) -> tuple[int, float, int]:
    halves = _measure_km(place, near) / _NEAR_HALVES_KM
    is_whole, weight = divmod(row["weight"], _WHOLE)
    return (-is_whole, -(weight + 1) / (1 + halves**2), place.pk)


def _measure_km(place: Place, position: tuple[float, float]) -> float:
    lon, lat = position
    return float(great_circle((lat, lon), (place.lat, place.lon)).km)
