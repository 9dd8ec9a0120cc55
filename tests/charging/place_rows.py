"""A part of the real places, small enough for tests: whole small countries and every big city."""

from __future__ import annotations

from functools import cache

from charging.place_build import NameRow, PlaceRow, make_rows, read_cities, write_places

# Three small countries with all their villages; from the others what has 60,000 people or more.
WHOLE_COUNTRIES = frozenset({"CH", "LU", "NL"})
BIG_POPULATION = 60_000
# Smaller namesakes that the tests speak of.
NAMESAKES = frozenset(
    {
        "Bressanone",
        "Brixen im Thale",
        "Cologne",
        "Frankfurt (Oder)",
        "Halle",
        "Neustadt",
        "Vienne",
    }
)


@cache
def read_place_rows() -> tuple[list[PlaceRow], list[NameRow]]:
    """Read the rows once per test process: some 5,000 places."""
    return make_rows(
        [
            city
            for city in read_cities()
            if city["countrycode"] in WHOLE_COUNTRIES
            or city["population"] >= BIG_POPULATION
            or city["name"] in NAMESAKES
        ]
    )


def fill_places() -> None:
    """Fill the tables of places with the part; inside of a test, or of the fixture ``places``."""
    write_places(*read_place_rows())
