"""From OCPI objects to rows' values."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.ocpi.fields import Unmappable
from charging.ocpi.mapping import (
    find_key,
    list_names,
    map_location,
    map_tariff,
    name_object,
)
from charging.ocpi.power import find_power_kw
from charging.ocpi.storable import check_depth, make_storable
from charging.ocpi.v2_2_1 import WireInvalid, parse_datetime
from tests.charging.ocpi_helpers import (
    EARLIER,
    LATER,
    NOON,
    make_connector,
    make_evse,
    make_location,
    make_tariff,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def explain(**changes: Any) -> str:
    with pytest.raises(Unmappable) as refusal:
        map_location(make_location(**changes), now=NOON)
    return str(refusal.value)


class TestDateTime:
    @pytest.mark.parametrize(
        "text",
        [
            "2015-06-29T20:39:09Z",
            "2015-06-29T20:39:09",
            "2015-06-29T20:39:09.000Z",
            "2015-06-29T20:39:09.0",
            "2015-06-29T20:39:09+00:00",
            "2015-06-29T22:39:09+02:00",
        ],
    )
    def test_is_read_in_every_form_that_partners_write(self, text: str) -> None:
        assert parse_datetime(text) == datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["", "yesterday", "2015-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]
    )
    def test_is_refused_when_it_is_none(self, text: str) -> None:
        with pytest.raises(WireInvalid, match="is no date and time"):
            parse_datetime(text)


class TestLocation:
    def test_becomes_the_values_of_its_rows(self) -> None:
        values = map_location(make_location(), now=NOON)
        assert values.key.folded == ("NL", "FAK", "loc1")
        assert (values.lon, values.lat) == (5.1214, 52.0907)
        assert (values.country, values.city, values.operator_name) == (
            "NLD",
            "Utrecht",
            "Fake Charging",
        )
        [evse] = values.evses
        assert (evse.uid, evse.status, evse.connectors[0].power_kw) == ("E1", "AVAILABLE", 150)
        assert "evses" not in values.raw
        assert "connectors" not in evse.raw
        assert (values.max_power_kw, values.max_dc_power_kw) == (150, 150)

    def test_may_have_unknown_fields_and_nulls(self) -> None:
        values = map_location(
            make_location(name=None, operator=None, postal_code=None, new_in_2_4={"a": 1}), now=NOON
        )
        assert (values.name, values.operator_name, values.postal_code) == ("", "", "")
        assert values.raw["new_in_2_4"] == {"a": 1}

    def test_may_have_numbers_where_text_is_specified(self) -> None:
        values = map_location(
            make_location(
                1012,
                postal_code=3511,
                coordinates={"latitude": 52.0907, "longitude": 5},
                evses=[make_evse(3255, connectors=[make_connector(1, max_voltage="920")])],
            ),
            now=NOON,
        )
        assert (values.key.ocpi_id, values.postal_code) == ("1012", "3511")
        assert (values.lon, values.lat) == (5, 52.0907)
        assert (values.evses[0].uid, values.evses[0].connectors[0].ocpi_id) == ("3255", "1")

    def test_may_name_its_country_by_two_letters_and_its_owner_by_three(self) -> None:
        values = map_location(make_location(country="nl", country_code="nld"), now=NOON)
        assert (values.country, values.key.country_code) == ("NLD", "NL")

    def test_is_cut_to_the_columns_where_text_is_for_people(self) -> None:
        values = map_location(make_location(city="x" * 60, address="#NA"), now=NOON)
        assert (values.city, values.address) == ("x" * 45, "")

    def test_is_published_unless_it_says_otherwise(self) -> None:
        without = make_location()
        del without["publish"]
        assert map_location(without, now=NOON).publish
        assert not map_location(make_location(publish=False), now=NOON).publish

    def test_counts_neither_removed_evses_nor_ac_among_the_fast(self) -> None:
        plugs = {"strong": (350_000, "DC", "REMOVED"), "ac": (22_000, "AC_3_PHASE", "AVAILABLE")}
        evses = [
            make_evse(
                uid,
                status=status,
                connectors=[make_connector(max_electric_power=power, power_type=kind)],
            )
            for uid, (power, kind, status) in plugs.items()
        ]
        values = map_location(make_location(evses=evses), now=NOON)
        assert (values.max_power_kw, values.max_dc_power_kw) == (22, 0)
        assert values.is_alive

    def test_is_expired_when_every_evse_is_removed(self) -> None:
        values = map_location(
            make_location(evses=[make_evse(status="REMOVED", connectors=[])]), now=NOON
        )
        assert not values.is_alive

    def test_takes_the_latest_time_of_its_parts(self) -> None:
        evse = make_evse(connectors=[make_connector(last_updated=LATER)])
        values = map_location(make_location(evses=[evse]), now=NOON)
        assert values.last_updated == parse_datetime(LATER)
        assert values.evses[0].last_updated == parse_datetime(LATER)

    def test_takes_a_time_far_in_the_future_for_now(self) -> None:
        values = map_location(make_location(last_updated="2099-01-01T00:00:00Z"), now=NOON)
        assert values.last_updated == NOON

    def test_keeps_its_good_evses_when_others_are_broken(self) -> None:
        broken: list[Any] = [
            make_evse("E2", connectors=[make_connector(max_voltage=0, max_electric_power=0)])
        ]
        broken += [make_evse("E3", connectors=[]), make_evse("e1"), {"status": "AVAILABLE"}, "E5"]
        values = map_location(make_location(evses=[make_evse(), *broken]), now=NOON)
        assert [evse.uid for evse in values.evses] == ["E1"]
        assert [each.reason for each in values.broken_evses] == [
            "EVSE E2: connector 1 tells neither its power nor its voltage and current",
            "EVSE E3: it has no connector",
            "EVSE e1: its uid stands twice",
            "EVSE ?: uid is missing",
            "EVSE ?: it is no JSON object but str",
        ]

    def test_shows_a_status_of_a_later_version_as_unknown_and_keeps_it(self) -> None:
        values = map_location(make_location(evses=[make_evse(status="DREAMING")]), now=NOON)
        assert values.evses[0].status == "UNKNOWN"
        assert values.evses[0].raw["status"] == "DREAMING"

    def test_keeps_standards_that_we_do_not_know(self) -> None:
        plug = make_connector(standard="SAE_J3400_AC", power_type="DC")
        values = map_location(make_location(evses=[make_evse(connectors=[plug])]), now=NOON)
        assert values.evses[0].connectors[0].standard == "SAE_J3400_AC"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"party_id": None}, "party_id is missing"),
            ({"party_id": "LONG"}, "party_id 'LONG' is not up to three letters or digits"),
            ({"country_code": None}, "country_code is missing"),
            ({"country_code": "N1"}, "country_code 'N1' is no two-letter code"),
            ({"id": None}, "id is missing"),
            ({"id": "x" * 37}, f"id '{'x' * 37}' is longer than 36 characters"),
            ({"id": "a\tb"}, "id 'a\\tb' is not printable ASCII"),
            ({"country": "XXX"}, "country 'XXX' is no ISO 3166-1 alpha-3 code"),
            ({"coordinates": None}, "coordinates are missing"),
            ({"coordinates": {"latitude": "x", "longitude": "1"}}, "coordinates are no numbers"),
            (
                {"coordinates": {"latitude": math.nan, "longitude": "1"}},
                "coordinates are no numbers",
            ),
            (
                {"coordinates": {"latitude": "97.5", "longitude": "5.1"}},
                "coordinates lie outside of the earth: longitude 5.1, latitude 97.5",
            ),
            (
                {"coordinates": {"latitude": "0.0", "longitude": 0}},
                "coordinates are 0, 0: a placeholder in the sea",
            ),
            ({"coordinates": [1, 2]}, "Expected `object | null`, got `array` - at `$.coordinates`"),
            ({"time_zone": None}, "time_zone is missing"),
            ({"time_zone": "Mars/Base"}, "time_zone 'Mars/Base' is no IANA time zone"),
            ({"last_updated": None}, "last_updated is missing"),
            ({"last_updated": "soon"}, "last_updated 'soon' is no date and time"),
            (
                {"evses": [make_evse(connectors=[])]},
                "none of its 1 EVSEs can be stored: EVSE E1: it has no connector",
            ),
        ],
    )
    def test_names_the_reason_when_it_cannot_be_stored(
        self, changes: dict[str, Any], reason: str
    ) -> None:
        assert explain(**changes) == reason

    @given(json_values)
    def test_is_mapped_or_refused_whatever_comes(self, raw: object) -> None:
        with pytest.raises(Unmappable, match=r"."):
            map_location(make_storable(raw), now=NOON)

    @given(json_values, st.sampled_from(sorted(make_location())))
    def test_is_mapped_or_refused_whatever_one_field_holds(self, value: object, name: str) -> None:
        raw = make_storable(make_location() | {name: value})
        try:
            values = map_location(raw, now=NOON)
        except Unmappable:
            return
        assert -180 <= values.lon <= 180
        assert len(values.city) <= 45

    @pytest.mark.real_data
    def test_reads_every_example_of_the_specification(self, spec_examples: Path) -> None:
        paths = sorted(spec_examples.glob("location_example*.json"))
        read = [map_location(json.loads(path.read_text()), now=NOON) for path in paths]
        assert [(each.country, len(each.evses), each.max_power_kw) for each in read] == [
            ("BEL", 2, 10.56),
            ("SWE", 1, 22.08),
            ("NLD", 1, 10.56),
            ("NLD", 1, 10.56),
            ("NLD", 1, 11.04),
            ("DEU", 1, 1.84),
        ]


@pytest.fixture
def spec_examples(real_data: Path) -> Path:
    return real_data / "ocpi" / "spec-2.2.1"


class TestTariff:
    def test_becomes_the_values_of_its_row(self) -> None:
        values = map_tariff(make_tariff(currency="eur", type=None), now=NOON)
        assert (values.key.ocpi_id, values.currency) == ("T1", "EUR")
        assert values.raw["type"] is None
        assert values.last_updated == parse_datetime(EARLIER)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"currency": "Euro"}, "currency 'Euro' is no three-letter code"),
            ({"currency": None}, "currency is missing"),
            ({"elements": []}, "elements is missing or empty: the tariff has no price"),
            ({"elements": "free"}, "Expected `array | null`, got `str` - at `$.elements`"),
        ],
    )
    def test_names_the_reason_when_it_cannot_be_stored(
        self, changes: dict[str, Any], reason: str
    ) -> None:
        with pytest.raises(Unmappable) as refusal:
            map_tariff(make_tariff(**changes), now=NOON)
        assert str(refusal.value) == reason


class TestNames:
    def test_say_what_is_known_of_an_object(self) -> None:
        assert name_object(make_location(party_id=None)) == "NL/?/LOC1"
        assert name_object({"name": "x"}) == name_object({"name": "x"})
        assert name_object({"name": "x"}) != name_object({"name": "y"})
        assert name_object("text").startswith("without id, ")

    def test_are_written_as_the_object_will_be_stored(self) -> None:
        raw = make_location(" LOC1", country_code="nld", party_id="fak ")
        assert name_object(raw) == "NL/FAK/LOC1"
        raw = make_location("L" * 99, country_code="Holland", party_id=7)
        assert name_object(raw) == f"Holland/7/{'L' * 80}"

    def test_are_of_a_bounded_number_for_objects_without_id(self) -> None:
        name = name_object({"id": {"odd": 1}})
        assert len(name) == len("without id, ") + 3

    def test_are_found_again_once_the_object_is_whole(self) -> None:
        key = find_key(make_location())
        assert key is not None
        assert "NL/?/LOC1" in list_names(key)
        assert find_key(make_location(party_id=None)) is None


class TestPower:
    @pytest.mark.parametrize(
        ("stated_w", "voltage_v", "amperage_a", "power_type", "power_kw"),
        [
            (150_000, 920, 400, "DC", 150),
            (None, 920, 109, "DC", 100.28),
            (None, 230, 16, "AC_1_PHASE", 3.68),
            (None, 230, 16, "AC_2_PHASE", 7.36),
            (None, 230, 32, "AC_3_PHASE", 22.08),
            (None, 400, 32, "AC_3_PHASE", 22.17),  # between lines
            (None, 240, 40, "AC_2_PHASE_SPLIT", 9.6),
            (None, 120, 40, "AC_2_PHASE_SPLIT", 9.6),
            (0, 230, 16, "AC_1_PHASE", 3.68),
            (22, 230, 32, "AC_3_PHASE", 22),  # in kW
            (7_360_000, 230, 32, "AC_1_PHASE", 7.36),  # a thousand times too much
            (9_000_000, 0, 0, "DC", None),  # beyond any charger
            (11_000, None, None, "AC_3_PHASE", 11),
            (None, 920, None, "DC", None),
            (None, 0, 32, "DC", None),
        ],
    )
    def test_is_believed_or_derived(
        self,
        stated_w: int | None,
        voltage_v: int | None,
        amperage_a: int | None,
        power_type: str,
        power_kw: float | None,
    ) -> None:
        def number(value: int | None) -> Decimal | None:
            return None if value is None else Decimal(value)

        assert (
            find_power_kw(
                stated_w=number(stated_w),
                voltage_v=number(voltage_v),
                amperage_a=number(amperage_a),
                power_type=power_type,
            )
            == power_kw
        )


class TestStorable:
    def test_takes_out_what_databases_refuse(self) -> None:
        odd = {"a\0": ["\ud800", math.inf, {"b": math.nan}], "c": 1.5, "d": "😀"}
        assert make_storable(odd) == {"a\ufffd": ["?", None, {"b": None}], "c": 1.5, "d": "😀"}

    def test_leaves_alone_what_is_fine(self) -> None:
        fine = make_location()
        assert make_storable(fine) is fine

    def test_cuts_off_what_is_nested_too_deeply(self) -> None:
        def nest(levels: int) -> object:
            value: object = "core"
            for _ in range(levels):
                value = [value]
            return value

        check_depth(nest(64))
        assert make_storable(nest(64)) == nest(64)
        with pytest.raises(Unmappable, match="nested more than 64 levels deep"):
            check_depth(nest(65))
        assert json.dumps(make_storable(nest(900))) == "[" * 64 + "null" + "]" * 64

    @given(json_values)
    def test_gives_json_that_every_database_takes(self, value: object) -> None:
        text = json.dumps(make_storable(value), ensure_ascii=False, allow_nan=False)
        assert b"\\u0000" not in text.encode()
