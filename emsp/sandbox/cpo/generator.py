"""Make a demo network up: the same seed gives the same stations, whatever the hour."""

import math
import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from emsp.sandbox.cpo import hardware
from emsp.sandbox.cpo.countries import CHARGERS_PER_HEAD, COUNTRIES, Country
from emsp.sandbox.cpo.hardware import EvseModel
from emsp.sandbox.cpo.moments import format_moment
from emsp.sandbox.cpo.opening import opening_times
from emsp.sandbox.cpo.places import Site, Town, Towns, european_towns, is_in_europe
from emsp.sandbox.cpo.prices import SHAPES, Band, PriceList
from emsp.sandbox.cpo.protocol import Party
from emsp.sandbox.cpo.statuses import draw_status, occupancy

# Raise it when the same wish gives other stations than before.
GENERATOR_VERSION = 1

MOTORWAY_SHARE = 0.45  # of all stations, where sites are given
POPULATION_POWER = 0.6  # a town twice as big gets 1.5 times the stations
METRES_PER_DEGREE = 111_320

StationKind = Literal["motorway", "hub", "fast", "slow"]
# Without road sites the towns have to carry long trips: more hubs at their edges.
TOWN_KINDS: dict[bool, tuple[tuple[StationKind, float], ...]] = {
    True: (("slow", 0.74), ("fast", 0.20), ("hub", 0.06)),
    False: (("slow", 0.55), ("fast", 0.27), ("hub", 0.18)),
}
MIXES = {
    "motorway": hardware.motorway_mix,
    "hub": hardware.hub_mix,
    "fast": hardware.town_fast_mix,
    "slow": hardware.town_slow_mix,
}
# (word in the name, bearing from the town's centre in degrees)
QUARTERS = (
    ("Nord", 0),
    ("Ost", 90),
    ("Süd", 180),
    ("West", 270),
    ("Mitte", 45),
    ("Park", 315),
    ("Station", 135),
    ("Market", 225),
)
TOWN_FACILITIES = ("SUPERMARKET", "RESTAURANT", "CAFE", "PARKING_LOT", "BUS_STOP", "SPORT", "WIFI")
ROAD_FACILITIES = ("RESTAURANT", "CAFE", "FUEL_STATION", "WIFI", "PARKING_LOT")


@dataclass(frozen=True, slots=True)
class NetworkWish:
    """What to generate."""

    sites: tuple[Site, ...]
    stations: int
    seed: int
    party: Party
    operator: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Network:
    """OCPI Location and Tariff objects that refer to each other."""

    locations: list[dict[str, Any]]
    tariffs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Station:
    """One station before it becomes an OCPI object."""

    station_id: str
    kind: StationKind
    lon: float
    lat: float
    country: Country
    time_zone: str
    city: str
    label: str
    road: str


def generate_network(wish: NetworkWish) -> Network:
    """Generate the stations and exactly the tariffs they use."""
    towns = european_towns()
    names: Counter[str] = Counter()
    stations = _motorway_stations(wish, towns, names)
    stations += _town_stations(wish, towns, names, number=wish.stations - len(stations))
    prices: dict[str, PriceList] = {}
    locations = [_location(station, wish, prices) for station in stations]
    tariffs = [
        prices[tariff_id].as_tariff(
            party=wish.party, updated_at=_past(wish, random.Random(f"{wish.seed}:{tariff_id}"))
        )
        for tariff_id in sorted(prices)
    ]
    return Network(locations, tariffs)


def _motorway_stations(wish: NetworkWish, towns: Towns, names: Counter[str]) -> list[Station]:
    """Spread stations evenly over the exported sites, in the export's order."""
    number = min(len(wish.sites), round(wish.stations * MOTORWAY_SHARE))
    stations = []
    for index in range(number):
        site = wish.sites[index * len(wish.sites) // number]
        town = towns.nearest(site.lon, site.lat, country=site.country)
        # The export may stand on either side of a border; its word counts before the town's.
        country = COUNTRIES[site.country or town.country]
        time_zone = town.time_zone if town.country == country.code else country.time_zone
        road = "".join(letter for letter in site.name if letter.isprintable())[:60]
        label = _label(f"{town.name} {_compass(town, site)}", names)
        stations.append(
            Station(
                station_id=f"M{index + 1:05d}",
                kind="motorway",
                lon=site.lon,
                lat=site.lat,
                country=country,
                time_zone=time_zone,
                city=town.name,
                label=label,
                road=road,
            )
        )
    return stations


def _town_stations(
    wish: NetworkWish, towns: Towns, names: Counter[str], *, number: int
) -> list[Station]:
    """Draw towns by their size and stand stations around their centres."""
    rng = random.Random(f"{wish.seed}:towns")
    weights = [
        town.population**POPULATION_POWER * CHARGERS_PER_HEAD.get(town.country, 1.0)
        for town in towns.all
    ]
    kinds, shares = zip(*TOWN_KINDS[bool(wish.sites)], strict=True)
    in_town: Counter[str] = Counter()
    stations = []
    for index, town in enumerate(rng.choices(towns.all, weights, k=number)):
        key = f"{town.name}:{town.lon}:{town.lat}"
        quarter, bearing = QUARTERS[in_town[key] % len(QUARTERS)]
        in_town[key] += 1
        lon, lat = _beside(town, bearing, rng)
        stations.append(
            Station(
                station_id=f"T{index + 1:05d}",
                kind=rng.choices(kinds, shares)[0],
                lon=lon,
                lat=lat,
                country=COUNTRIES[town.country],
                time_zone=town.time_zone,
                city=town.name,
                label=_label(f"{town.name} {quarter}", names),
                road="",
            )
        )
    return stations


def _location(station: Station, wish: NetworkWish, prices: dict[str, PriceList]) -> dict[str, Any]:
    """Write one OCPI Location; its own generator keeps it apart from its neighbours' changes."""
    rng = random.Random(f"{wish.seed}:{station.station_id}")
    models = MIXES[station.kind](rng)
    tariff_ids = _choose_prices(station.country, models, rng, prices)
    parking = _parking_type(station, rng)
    status_rng = random.Random(f"{wish.now.isoformat()}:{station.station_id}")
    updated = format_moment(_past(wish, rng))
    location: dict[str, Any] = {
        "country_code": wish.party.country_code,
        "party_id": wish.party.party_id,
        "id": station.station_id,
        "publish": True,
        "name": f"Demo Charge {station.label}",
        "address": _address(station, rng),
        "city": station.city,
        "country": station.country.alpha3,
        "coordinates": {"latitude": f"{station.lat:.6f}", "longitude": f"{station.lon:.6f}"},
        "parking_type": parking,
    }
    location["evses"] = [
        _evse(
            station,
            model,
            number,
            party=wish.party,
            tariff_ids=tariff_ids[model.band],
            parking=parking,
            status=draw_status(
                status_rng,
                occupancy(wish.now, lon=station.lon, along_motorway=station.kind == "motorway"),
            ),
            updated=updated,
            rng=rng,
        )
        for number, model in enumerate(models, start=1)
    ]
    location |= {
        "operator": {"name": wish.operator},
        "facilities": _facilities(station, rng),
        "time_zone": station.time_zone,
        "opening_times": opening_times(
            parking, station.country.winter_offset_h, rng=rng, now=wish.now
        ),
        "charging_when_closed": True,
        "energy_mix": {"is_green_energy": rng.random() < 0.7},
        "last_updated": updated,
    }
    return location


def _evse(
    station: Station,
    model: EvseModel,
    number: int,
    *,
    party: Party,
    tariff_ids: list[str],
    parking: str,
    status: str,
    updated: str,
    rng: random.Random,
) -> dict[str, Any]:
    evse: dict[str, Any] = {
        "uid": f"{station.station_id}-{number}",
        "evse_id": f"{station.country.code}*{party.party_id}*E{station.station_id}*{number}",
        "status": status,
        "capabilities": _capabilities(model, rng),
        "connectors": [
            connector.as_connector(position, tariff_ids=tariff_ids, updated=updated)
            for position, connector in enumerate(model.connectors, start=1)
        ],
    }
    if parking == "UNDERGROUND_GARAGE":
        evse["floor_level"] = "-1"
    evse["physical_reference"] = f"{number:02d}"
    if parking != "ON_STREET":
        evse["parking_restrictions"] = ["EV_ONLY"]
    return evse | {"last_updated": updated}


def _choose_prices(
    country: Country, models: list[EvseModel], rng: random.Random, prices: dict[str, PriceList]
) -> dict[Band, list[str]]:
    """Choose one price list per band; a few stations get none: their price is unknown."""
    chosen: dict[Band, list[str]] = {}
    for band in sorted({model.band for model in models}):
        at = rng.random()
        chosen[band] = []
        for shape, share in SHAPES[band]:
            at -= share
            if at < 0:
                price_list = PriceList(country, band, shape)
                prices[price_list.tariff_id] = price_list
                chosen[band] = [price_list.tariff_id]
                break
    return chosen


def _capabilities(model: EvseModel, rng: random.Random) -> list[str]:
    capabilities = ["REMOTE_START_STOP_CAPABLE", "RFID_READER"]
    if len(model.connectors) > 1:
        capabilities.append("START_SESSION_CONNECTOR_REQUIRED")
    if model.band == "AC":
        capabilities.append("UNLOCK_CAPABLE")
    elif rng.random() < 0.6:
        capabilities += ["CONTACTLESS_CARD_SUPPORT", "CREDIT_CARD_PAYABLE", "DEBIT_CARD_PAYABLE"]
    if rng.random() < 0.4:
        capabilities.append("RESERVABLE")
    if rng.random() < 0.2:
        capabilities.append("CHARGING_PROFILE_CAPABLE")
    return capabilities


def _parking_type(station: Station, rng: random.Random) -> str:
    if station.kind == "motorway":
        return "ALONG_MOTORWAY"
    if station.kind == "slow":
        kinds = ("ON_STREET", "PARKING_LOT", "PARKING_GARAGE", "UNDERGROUND_GARAGE")
        return rng.choices(kinds, weights=(6, 4, 1, 1))[0]
    return rng.choices(("PARKING_LOT", "PARKING_GARAGE"), weights=(9, 1))[0]


def _facilities(station: Station, rng: random.Random) -> list[str]:
    choice = ROAD_FACILITIES if station.kind == "motorway" else TOWN_FACILITIES
    return sorted(rng.sample(choice, k=rng.randint(0, 3)))


def _address(station: Station, rng: random.Random) -> str:
    if station.kind != "motorway":
        return station.country.street.format(number=rng.randint(1, 180))
    area = f"Demo rest area {int(station.station_id[1:])}"
    return f"{area}, {station.road}" if station.road else area


def _past(wish: NetworkWish, rng: random.Random) -> datetime:
    """Choose a whole second in the ninety days before the generation."""
    ago = timedelta(seconds=rng.randint(3600, 90 * 86_400))
    return (wish.now - ago).replace(microsecond=0)


def _label(label: str, names: Counter[str]) -> str:
    """Number what would otherwise be told twice: there are many towns of one name."""
    names[label] += 1
    return label if names[label] == 1 else f"{label} {names[label]}"


def _beside(town: Town, bearing: int, rng: random.Random) -> tuple[float, float]:
    """Choose a position some hundred metres from a town's centre, farther out in big towns."""
    reach_m = 400 + 2.2 * math.sqrt(town.population)
    for _ in range(8):
        distance_m = reach_m * math.sqrt(rng.uniform(0.1, 1.0))
        angle = math.radians(bearing + rng.uniform(-40, 40))
        lat = town.lat + distance_m * math.cos(angle) / METRES_PER_DEGREE
        east_m = distance_m * math.sin(angle)
        lon = town.lon + east_m / (METRES_PER_DEGREE * math.cos(math.radians(town.lat)))
        if is_in_europe(lon, lat):
            return round(lon, 6), round(lat, 6)
    return town.lon, town.lat


def _compass(town: Town, site: Site) -> str:
    """Say on which side of a town a site lies."""
    east = (site.lon - town.lon) * math.cos(math.radians(town.lat))
    bearing = math.degrees(math.atan2(east, site.lat - town.lat)) % 360
    return ("Nord", "Ost", "Süd", "West")[round(bearing / 90) % 4]
