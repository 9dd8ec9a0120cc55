"""The generated demo network against the widths and enums of OCPI 2.2.1."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from emsp.sandbox.cpo.countries import COUNTRIES, UNITS_PER_EURO
from emsp.sandbox.cpo.generator import Network, NetworkWish, generate_network
from emsp.sandbox.cpo.places import Site, read_sites
from emsp.sandbox.cpo.prices import PriceList
from emsp.sandbox.cpo.protocol import Party
from emsp.sandbox.cpo.statuses import RARE, draw_status, occupancy

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

# What an object may hold: field -> (required, check). Source: OCPI 2.2.1, mod_locations,
# mod_tariffs and types, the tables of each class.
Check = Callable[[Any], bool]
Shape = dict[str, tuple[bool, Check]]


def ci_string(width: int) -> Check:
    return lambda v: isinstance(v, str) and 1 <= len(v) <= width and v.isascii() and v.isprintable()


def string(width: int) -> Check:
    return lambda v: isinstance(v, str) and 1 <= len(v) <= width and v.isprintable()


def one_of(values: str) -> Check:
    return lambda v: v in values.split()


def matching(pattern: str) -> Check:
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None


def many(check: Check, *, least: int = 0) -> Check:
    return lambda v: isinstance(v, list) and len(v) >= least and all(check(item) for item in v)


def shaped(shape: Shape) -> Check:
    def check(value: Any) -> bool:
        faults = list(faults_of(value, shape))
        assert not faults, f"{faults}: {value}"
        return True

    return check


def faults_of(value: dict[str, Any], shape: Shape) -> Iterator[str]:
    yield from (
        f"{name} missing" for name, (required, _) in shape.items() if required - (name in value) > 0
    )
    yield from (f"{name} unknown" for name in value.keys() - shape.keys())
    for name in value.keys() & shape.keys():
        if not shape[name][1](value[name]):
            yield f"{name} invalid"


def is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_number(value: Any) -> bool:
    """Four decimals, as OCPI's number type has it."""
    return isinstance(value, int | float) and Decimal(str(value)).as_tuple().exponent >= -4  # type: ignore[operator]


def is_zone(value: Any) -> bool:
    return bool(ZoneInfo(value).key == value)


date_time = matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
clock = matching(r"([0-1][0-9]|2[0-3]):[0-5][0-9]")

CONNECTOR: Shape = {
    "id": (True, ci_string(36)),
    "standard": (True, one_of("CHADEMO IEC_62196_T2 IEC_62196_T2_COMBO")),
    "format": (True, one_of("SOCKET CABLE")),
    "power_type": (True, one_of("AC_1_PHASE AC_3_PHASE DC")),
    "max_voltage": (True, is_int),
    "max_amperage": (True, is_int),
    "max_electric_power": (False, is_int),
    "tariff_ids": (False, many(ci_string(36), least=1)),
    "last_updated": (True, date_time),
}
EVSE: Shape = {
    "uid": (True, ci_string(36)),
    # eMI3: country, operator, E, power outlet of at most 30 letters, digits and stars.
    "evse_id": (True, matching(r"[A-Z]{2}\*[A-Z0-9]{3}\*E[A-Z0-9][A-Z0-9*]{0,29}")),
    "status": (
        True,
        one_of("AVAILABLE BLOCKED CHARGING INOPERATIVE OUTOFORDER RESERVED UNKNOWN"),
    ),
    "capabilities": (
        False,
        many(
            one_of(
                "CHARGING_PROFILE_CAPABLE CONTACTLESS_CARD_SUPPORT CREDIT_CARD_PAYABLE"
                " DEBIT_CARD_PAYABLE REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER"
                " START_SESSION_CONNECTOR_REQUIRED UNLOCK_CAPABLE"
            )
        ),
    ),
    "connectors": (True, many(shaped(CONNECTOR), least=1)),
    "floor_level": (False, string(4)),
    "physical_reference": (False, string(16)),
    "parking_restrictions": (
        False,
        many(one_of("EV_ONLY PLUGGED DISABLED CUSTOMERS MOTORCYCLES")),
    ),
    "last_updated": (True, date_time),
}
PERIOD: Shape = {"period_begin": (True, date_time), "period_end": (True, date_time)}
REGULAR: Shape = {
    "weekday": (True, lambda v: v in range(1, 8)),
    "period_begin": (True, clock),
    "period_end": (True, clock),
}
HOURS: Shape = {
    "twentyfourseven": (True, is_bool),
    "regular_hours": (False, many(shaped(REGULAR), least=1)),
    "exceptional_openings": (False, many(shaped(PERIOD))),
    "exceptional_closings": (False, many(shaped(PERIOD))),
}
LOCATION: Shape = {
    "country_code": (True, matching("[A-Z]{2}")),
    "party_id": (True, matching("[A-Z0-9]{3}")),
    "id": (True, ci_string(36)),
    "publish": (True, is_bool),
    "name": (False, string(255)),
    "address": (True, string(255)),
    "city": (True, string(45)),
    "country": (True, matching("[A-Z]{3}")),
    "coordinates": (
        True,
        shaped(
            {
                "latitude": (True, matching(r"-?[0-9]{1,2}\.[0-9]{5,7}")),
                "longitude": (True, matching(r"-?[0-9]{1,3}\.[0-9]{5,7}")),
            }
        ),
    ),
    "parking_type": (
        False,
        one_of("ALONG_MOTORWAY PARKING_GARAGE PARKING_LOT ON_STREET UNDERGROUND_GARAGE"),
    ),
    "evses": (False, many(shaped(EVSE), least=1)),
    "operator": (False, shaped({"name": (True, string(100))})),
    "facilities": (
        False,
        many(
            one_of("SUPERMARKET RESTAURANT CAFE PARKING_LOT BUS_STOP SPORT WIFI FUEL_STATION MALL")
        ),
    ),
    "time_zone": (True, is_zone),
    "opening_times": (False, shaped(HOURS)),
    "charging_when_closed": (False, is_bool),
    "energy_mix": (False, shaped({"is_green_energy": (True, is_bool)})),
    "last_updated": (True, date_time),
}
COMPONENT: Shape = {
    "type": (True, one_of("ENERGY FLAT PARKING_TIME TIME")),
    "price": (True, is_number),
    "vat": (False, is_number),
    "step_size": (True, lambda v: is_int(v) and v >= 1),
}
TARIFF: Shape = {
    "country_code": (True, matching("[A-Z]{2}")),
    "party_id": (True, matching("[A-Z0-9]{3}")),
    "id": (True, ci_string(36)),
    "currency": (True, matching("[A-Z]{3}")),
    "type": (False, one_of("REGULAR")),
    "tariff_alt_text": (
        False,
        many(shaped({"language": (True, matching("[a-z]{2}")), "text": (True, string(512))})),
    ),
    "elements": (
        True,
        many(
            shaped(
                {
                    "price_components": (True, many(shaped(COMPONENT), least=1)),
                    "restrictions": (
                        False,
                        shaped(
                            {
                                "start_time": (False, clock),
                                "end_time": (False, clock),
                                "min_duration": (False, is_int),
                            }
                        ),
                    ),
                }
            ),
            least=1,
        ),
    ),
    "last_updated": (True, date_time),
}


def sites(number: int) -> tuple[Site, ...]:
    """Lay road points over Germany and France on a grid."""
    return tuple(
        Site(
            lon=2.0 + index % 40 * 0.25, lat=47.0 + index // 40 * 0.1, country="", name=f"A{index}"
        )
        for index in range(number)
    )


def network(
    *, stations: int = 3000, seed: int = 1, road: int = 1500, now: datetime = NOW
) -> Network:
    return generate_network(
        NetworkWish(
            sites=sites(road),
            stations=stations,
            seed=seed,
            party=Party("NL", "SBX"),
            operator="Voltway Demo Grid",
            now=now,
        )
    )


@pytest.fixture(scope="module")
def grid() -> Network:
    return network()


def evses_of(grid: Network) -> list[dict[str, Any]]:
    return [evse for location in grid.locations for evse in location["evses"]]


def connectors_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [connector for evse in found for connector in evse["connectors"]]


class TestChecker:
    def test_finds_what_is_missing_unknown_or_invalid(self) -> None:
        connector = {
            "id": "",
            "standard": "CHADEMO",
            "format": "ROPE",
            "power_type": "DC",
            "max_voltage": "500",
            "max_amperage": 100,
            "colour": "red",
        }
        assert sorted(faults_of(connector, CONNECTOR)) == [
            "colour unknown",
            "format invalid",
            "id invalid",
            "last_updated missing",
            "max_voltage invalid",
        ]


class TestNetwork:
    def test_keeps_to_the_specification(self, grid: Network) -> None:
        for location in grid.locations:
            shaped(LOCATION)(location)
        for tariff in grid.tariffs:
            shaped(TARIFF)(tariff)

    def test_is_the_same_for_the_same_seed(self) -> None:
        one, two = network(stations=300), network(stations=300)
        assert one == two

    def test_keeps_its_stations_at_another_hour(self) -> None:
        def still(grid: Network) -> list[tuple[Any, ...]]:
            return [
                (found["id"], found["name"], found["coordinates"], len(found["evses"]))
                for found in grid.locations
            ]

        later = network(stations=300, now=NOW + timedelta(days=40, hours=7))
        assert still(later) == still(network(stations=300))

    def test_is_another_one_for_another_seed(self) -> None:
        names = [
            [found["name"] for found in network(stations=300, seed=s).locations] for s in (1, 2)
        ]
        assert names[0] != names[1]

    def test_has_as_many_stations_as_asked_for(self, grid: Network) -> None:
        kinds = Counter(location["id"][0] for location in grid.locations)
        assert kinds == {"M": 1350, "T": 1650}
        assert len(network(stations=7, road=0).locations) == 7

    def test_gives_every_object_its_own_id(self, grid: Network) -> None:
        for ids in (
            [location["id"] for location in grid.locations],
            [location["name"] for location in grid.locations],
            [evse["uid"] for evse in evses_of(grid)],
            [evse["evse_id"] for evse in evses_of(grid)],
            [tariff["id"] for tariff in grid.tariffs],
        ):
            assert len(set(ids)) == len(ids)

    def test_lies_in_europe(self, grid: Network) -> None:
        for location in grid.locations:
            assert -11 <= float(location["coordinates"]["longitude"]) <= 40
            assert 35 <= float(location["coordinates"]["latitude"]) <= 71

    def test_is_labelled_as_a_demo(self, grid: Network) -> None:
        for location in grid.locations:
            assert location["name"].startswith("Demo Charge ")
            assert "demo" in location["address"].lower() or "Démo" in location["address"]
            assert location["operator"] == {"name": "Voltway Demo Grid"}

    def test_gives_bigger_towns_more(self, grid: Network) -> None:
        towns = Counter(found["city"] for found in grid.locations if found["id"].startswith("T"))
        assert towns["London"] > towns["Brighton"]
        assert towns["Madrid"] > 3

    def test_writes_the_country_of_the_place_into_the_evse_id(self, grid: Network) -> None:
        alpha3 = {country.code: country.alpha3 for country in COUNTRIES.values()}
        for location in grid.locations:
            assert location["country_code"] == "NL"
            for evse in location["evses"]:
                assert alpha3[evse["evse_id"][:2]] == location["country"]

    def test_was_updated_before_it_was_made(self, grid: Network) -> None:
        for location in grid.locations:
            updated = datetime.fromisoformat(location["last_updated"])
            assert NOW - timedelta(days=90) <= updated < NOW
            inner = [evse["last_updated"] for evse in location["evses"]]
            assert max(inner) == location["last_updated"]


class TestHardware:
    def test_draws_no_more_power_than_volts_and_amperes_allow(self, grid: Network) -> None:
        for connector in connectors_of(evses_of(grid)):
            phases = 3 if connector["power_type"] == "AC_3_PHASE" else 1
            volt_amperes = connector["max_voltage"] * connector["max_amperage"] * phases
            if connector["power_type"] == "DC":
                assert connector["max_electric_power"] <= volt_amperes
                assert connector["standard"] in {"IEC_62196_T2_COMBO", "CHADEMO"}
            else:
                assert connector["max_electric_power"] == volt_amperes
                assert connector["standard"] == "IEC_62196_T2"

    def test_is_fast_along_motorways(self, grid: Network) -> None:
        for location in grid.locations:
            if location["parking_type"] != "ALONG_MOTORWAY":
                continue
            assert 2 <= len(location["evses"]) <= 12
            combos = [
                connector["max_electric_power"]
                for connector in connectors_of(location["evses"])
                if connector["standard"] == "IEC_62196_T2_COMBO"
            ]
            assert 150_000 <= max(combos) <= 400_000
            assert location["opening_times"] == {"twentyfourseven": True}

    def test_is_mostly_ac_in_towns(self, grid: Network) -> None:
        towns = [found for found in grid.locations if found["parking_type"] != "ALONG_MOTORWAY"]
        fastest = Counter(
            max(connector["max_electric_power"] for connector in connectors_of(found["evses"]))
            // 1000
            for found in towns
        )
        slow = sum(number for power_kw, number in fastest.items() if power_kw < 50)
        assert 0.65 < slow / len(towns) < 0.80
        assert {7, 11, 22, 50, 75, 100, 150} < set(fastest)

    def test_asks_for_the_connector_where_there_are_two(self, grid: Network) -> None:
        for evse in evses_of(grid):
            needed = "START_SESSION_CONNECTOR_REQUIRED" in evse["capabilities"]
            assert needed == (len(evse["connectors"]) == 2)


class TestPrices:
    def test_are_named_by_connectors_and_listed(self, grid: Network) -> None:
        named = {
            tariff_id
            for connector in connectors_of(evses_of(grid))
            for tariff_id in connector.get("tariff_ids", ())
        }
        assert named == {tariff["id"] for tariff in grid.tariffs}

    def test_are_unknown_at_a_few_stations(self, grid: Network) -> None:
        unknown = [
            location
            for location in grid.locations
            if not any("tariff_ids" in found for found in connectors_of(location["evses"]))
        ]
        assert 0.01 < len(unknown) / len(grid.locations) < 0.08

    def test_are_sane_in_every_currency(self, grid: Network) -> None:
        for tariff in grid.tariffs:
            per_kwh = [
                component
                for element in tariff["elements"]
                for component in element["price_components"]
                if component["type"] == "ENERGY"
            ]
            for component in per_kwh:
                gross = Decimal(str(component["price"])) * (
                    1 + Decimal(str(component.get("vat", 0))) / 100
                )
                in_euros = gross / UNITS_PER_EURO[tariff["currency"]]
                assert Decimal("0.2") < in_euros < Decimal("0.95"), tariff["id"]

    def test_use_the_currency_and_vat_of_the_country(self, grid: Network) -> None:
        listed = {tariff["id"]: tariff for tariff in grid.tariffs}
        expected = {
            "GB": ("GBP", 20.0),
            "CH": ("CHF", 8.1),
            "SE": ("SEK", 25.0),
            "PL": ("PLN", 23.0),
        }
        for country, (currency, vat) in expected.items():
            tariff = listed[f"{country}-AC-ENERGY"]
            assert tariff["currency"] == currency
            assert tariff["elements"][0]["price_components"][0]["vat"] == vat

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ("ENERGY", [("ENERGY", 0.521, {})]),
            ("START", [("FLAT", 0.7983, {}), ("ENERGY", 0.521, {})]),
            (
                "IDLE",
                [
                    ("ENERGY", 0.521, {}),
                    ("PARKING_TIME", 5.042, {"min_duration": 5400}),
                    ("TIME", 5.042, {"min_duration": 5400}),
                ],
            ),
            (
                "NIGHT",
                [
                    ("ENERGY", 0.3866, {"start_time": "22:00", "end_time": "06:00"}),
                    ("ENERGY", 0.521, {}),
                ],
            ),
            ("FREE", [("FLAT", 0.0, {})]),
        ],
    )
    def test_have_exact_net_amounts(self, shape: Any, expected: list[Any]) -> None:
        tariff = PriceList(COUNTRIES["DE"], "DC", shape).as_tariff(
            party=Party("NL", "SBX"), updated_at=NOW
        )
        assert [
            (component["type"], component["price"], element.get("restrictions", {}))
            for element in tariff["elements"]
            for component in element["price_components"]
        ] == expected

    def test_have_no_vat_where_there_is_none(self) -> None:
        tariff = PriceList(COUNTRIES["SM"], "HPC", "ENERGY").as_tariff(
            party=Party("NL", "SBX"), updated_at=NOW
        )
        assert tariff["elements"][0]["price_components"] == [
            {"type": "ENERGY", "price": 0.69, "step_size": 1}
        ]

    def test_parking_fee_of_ac_stations_rests_at_night(self) -> None:
        tariff = PriceList(COUNTRIES["FR"], "AC", "IDLE").as_tariff(
            party=Party("NL", "SBX"), updated_at=NOW
        )
        assert tariff["elements"][1] == {
            "price_components": [
                {"type": "PARKING_TIME", "price": 2.0, "step_size": 60, "vat": 20.0}
            ],
            "restrictions": {"min_duration": 14400, "start_time": "08:00", "end_time": "22:00"},
        }


class TestOpeningTimes:
    def test_are_sometimes_regular_with_exceptions(self, grid: Network) -> None:
        limited = [
            location["opening_times"]
            for location in grid.locations
            if not location["opening_times"]["twentyfourseven"]
        ]
        assert 50 < len(limited) < 1000
        assert all(
            row["period_begin"] < row["period_end"]
            for hours in limited
            for row in hours["regular_hours"]
        )
        assert any("exceptional_openings" in hours for hours in limited)

    def test_close_on_christmas_day_of_the_places_own_clock(self, grid: Network) -> None:
        for location in grid.locations:
            for period in location["opening_times"].get("exceptional_closings", ()):
                zone = ZoneInfo(location["time_zone"])
                begin, end = (
                    datetime.fromisoformat(period[name]).astimezone(zone)
                    for name in ("period_begin", "period_end")
                )
                assert begin.isoformat()[:16] == "2026-12-25T00:00"
                assert end.isoformat()[:16] == "2026-12-26T00:00"

    def test_open_on_the_last_sunday_before_christmas_where_sundays_are_closed(
        self, grid: Network
    ) -> None:
        for location in grid.locations:
            hours = location["opening_times"]
            closed_on_sunday = len(hours.get("regular_hours", ())) == 6
            assert closed_on_sunday == ("exceptional_openings" in hours)
            for period in hours.get("exceptional_openings", ()):
                begin = datetime.fromisoformat(period["period_begin"])
                local = begin.astimezone(ZoneInfo(location["time_zone"]))
                assert local.isoformat()[:16] == "2026-12-20T10:00"


class TestStatuses:
    @pytest.mark.parametrize(
        ("hour_utc", "along_motorway", "expected"),
        [(15, True, 0.38), (3, True, 0.04), (19, False, 0.42), (7, False, 0.12)],
    )
    def test_peak_and_rest_by_the_suns_time(
        self, hour_utc: int, along_motorway: bool, expected: float
    ) -> None:
        moment = datetime(2026, 6, 1, hour_utc, tzinfo=UTC)
        assert occupancy(moment, lon=0.0, along_motorway=along_motorway) == pytest.approx(expected)
        # Fifteen degrees to the east the sun is an hour ahead.
        earlier = moment - timedelta(hours=1)
        assert occupancy(earlier, lon=15.0, along_motorway=along_motorway) == pytest.approx(
            expected
        )

    def test_are_drawn_in_their_shares(self) -> None:
        rng = random.Random(7)
        drawn = Counter(draw_status(rng, 0.3) for _ in range(20_000))
        assert drawn["CHARGING"] / 20_000 == pytest.approx(0.3, abs=0.02)
        for status, share in RARE.items():
            assert drawn[status] / 20_000 == pytest.approx(share, abs=0.005)


class TestSites:
    def test_are_read_and_the_rest_is_counted(self, tmp_path: Path) -> None:
        file = tmp_path / "sites.csv"
        file.write_text(
            "kind,name,lon,lat,country\n"
            "motorway,A1,2.5,48.5,FR\n"
            "motorway,A2,2.5,48.5,\n"
            "town,X,2.5,48.5,FR\n"
            "motorway,A3,50.0,48.5,FR\n"
            "motorway,A4,2.5,48.5,US\n"
        )
        read, left_out = read_sites(file)
        assert [(site.name, site.country) for site in read] == [("A1", "FR"), ("A2", "")]
        assert left_out == 3

    def test_stand_exactly_where_they_were_exported(self) -> None:
        site = Site(2.3514992, 46.9990011, "FR", "A71 Aire")
        wish = NetworkWish(
            sites=(site,), stations=2, seed=1, party=Party("NL", "SBX"), operator="x", now=NOW
        )
        location = generate_network(wish).locations[0]
        assert location["coordinates"] == {"latitude": "46.999001", "longitude": "2.351499"}
        assert location["name"] == "Demo Charge Bourges Süd"
        assert location["address"] == "Demo rest area 1, A71 Aire"
        assert (location["country"], location["time_zone"]) == ("FRA", "Europe/Paris")
