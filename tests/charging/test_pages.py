"""The pages of stations and trips, as a browser without JavaScript gets them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from charging.models import Evse, Location, SyncRun, Tariff
from emsp.kernel import clock
from tests.small_world import SmallWorld, make_location, make_partner, make_place

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

TRIP = {
    "origin": "Westend",
    "destination": "Eastend",
    "vehicle": "test-car-60",
    "charge": "90",
    "arrive": "10",
}


def read(
    client: Client, address: str, query: dict[str, str] | None = None, status: int = 200
) -> str:
    answer = client.get(address, query)
    assert answer.status_code == status
    return answer.content.decode()


def strip_tags(html: str) -> str:
    """Give the words of a page, spaces and no-break spaces made one."""
    words = unescape(re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL))
    return " ".join(words.split())


class TestEveryPage:
    @pytest.mark.parametrize("address", ["/", "/plan/", "/account/login/", "/nowhere/"])
    def test_has_no_inline_code_and_names_no_other_host(
        self, client: Client, db: None, address: str
    ) -> None:
        answer = client.get(address)
        page = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]

    @pytest.mark.parametrize(
        ("address", "tab"), [("/", "Stations"), ("/plan/", "Plan"), ("/account/login/", "Log in")]
    )
    def test_marks_its_own_tab_alone(
        self, client: Client, db: None, address: str, tab: str
    ) -> None:
        page = read(client, address)
        marked = re.findall(r'aria-current="page">(.*?)</a>', page, flags=re.DOTALL)
        assert [strip_tags(part) for part in marked] == ([tab] if tab != "Log in" else [])

    def test_wears_the_operator_s_brand(self, client: Client, db: None, settings: Settings) -> None:
        settings.BRAND_NAME = "Étoile & Co"
        settings.BRAND_LOGO = "/static/logo.svg"
        page = read(client, "/")
        assert "<title>Stations · Étoile &amp; Co</title>" in page
        assert '<img src="/static/logo.svg" alt="Étoile &amp; Co">' in page
        assert "Voltway" not in page

    @pytest.mark.parametrize(
        ("accent", "on_accent"), [("#c8f031", "#0e1b2c"), ("#5b1fae", "#ffffff")]
    )
    def test_writes_on_the_accent_in_the_colour_of_more_contrast(
        self, client: Client, settings: Settings, accent: str, on_accent: str
    ) -> None:
        settings.BRAND_ACCENT = accent
        answer = client.get("/brand.css")
        assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
        assert answer.content.decode() == (
            f":root {{ --accent: {accent}; --on-accent: {on_accent}; }}\n"
        )

    def test_says_in_a_demo_that_it_is_one(
        self, client: Client, db: None, settings: Settings
    ) -> None:
        assert "Demo" not in read(client, "/")
        settings.DEMO = True
        assert "Demo: stations, prices and statuses are made up." in read(client, "/")

    def test_speaks_the_reader_s_language_in_numbers(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        german = client.get("/plan/", TRIP, headers={"accept-language": "de"}).content.decode()
        assert '<html lang="de">' in german
        assert re.search(r"\d+,\d\xa0kWh", german)
        assert re.search(r"\d+,\d\d\xa0€", german)
        # Positions in the picture keep the point.
        assert re.search(r'points="50\.0,\d+\.\d ', german)


class TestStationsPage:
    def test_begins_with_a_search(self, client: Client, db: None) -> None:
        assert "Find a place to charge" in strip_tags(read(client, "/"))

    def test_lists_the_nearest_stations_first(self, client: Client, db: None) -> None:
        partner = make_partner()
        make_place("Midtown", geoname_id=1, lon=8.0)
        make_location(partner, number=1, lon=8.3)
        make_location(partner, number=2, lon=8.01)
        make_location(partner, number=3, lon=9.5)
        words = strip_tags(read(client, "/", {"q": "midtown"}))
        assert "2 stations near Midtown" in words
        assert words.index("Straight Road 2") < words.index("Straight Road 1")
        assert "Straight Road 3" not in words
        assert "Straight Road Charging · 710 m 150 kW €0.595 /kWh Available 2 of 3 free" in words
        assert "2 \N{MULTIPLICATION SIGN} CCS 2 150 kW" in words

    def test_says_that_it_shows_only_the_nearest(self, client: Client, db: None) -> None:
        partner = make_partner()
        for number in range(1, 43):
            make_location(partner, number=number, lon=8 + number / 1000)
        words = strip_tags(read(client, "/", {"q": "Home (8.00000, 50.00000)"}))
        assert "The 40 stations nearest to Home" in words
        assert "Straight Road 40" in words
        assert "Straight Road 41" not in words

    def test_tells_unknown_from_occupied_and_from_free(self, client: Client, db: None) -> None:
        partner = make_partner()
        make_place("Midtown", geoname_id=1, lon=8.0)
        location = make_location(partner, number=1, lon=8.0, tariff_ids=())
        Evse.objects.filter(location=location).update(status="UNKNOWN")
        words = strip_tags(read(client, "/", {"q": "Midtown"}))
        assert "Status unknown 3 charge points" in words
        assert "free" not in words.partition("near Midtown")[2]
        assert "Price unknown" in words
        Evse.objects.filter(location=location, uid="1-1").update(status="CHARGING")
        words = strip_tags(read(client, "/", {"q": "Midtown"}))
        assert "In use 0 of 3 free, 2 unknown" in words

    def test_says_that_charging_is_free_only_where_the_tariff_says_so(
        self, client: Client, db: None
    ) -> None:
        partner = make_partner()
        make_place("Midtown", geoname_id=1, lon=8.0)
        make_location(partner, number=1, lon=8.0)
        flat = {"type": "FLAT", "price": 0, "step_size": 1}
        Tariff.objects.update(raw={"currency": "EUR", "elements": [{"price_components": [flat]}]})
        assert "Free of charge" in strip_tags(read(client, "/", {"q": "Midtown"}))

    def test_offers_to_remove_filters_that_nothing_fits(self, client: Client, db: None) -> None:
        partner = make_partner()
        make_place("Midtown", geoname_id=1, lon=8.0)
        make_location(partner, number=1, lon=8.0)
        page = read(client, "/", {"q": "Midtown", "power": "300", "connector": "CHADEMO"})
        assert "No station within 60 km" in strip_tags(page)
        [address] = re.findall(r'href="([^"]*)">Remove the filters', page)
        assert address == "/?q=Midtown"
        assert "1 station near Midtown" in strip_tags(read(client, address))

    def test_keeps_the_filters_in_the_form(self, client: Client, db: None) -> None:
        make_place("Midtown", geoname_id=1, lon=8.0)
        page = read(client, "/", {"q": "Midtown", "power": "150", "available": "1"})
        assert '<option value="150" selected>' in page
        assert 'name="available" value="1" checked' in page
        assert 'value="IEC_62196_T2_COMBO" checked' not in page

    def test_takes_a_position_for_a_place(self, client: Client, db: None) -> None:
        make_location(make_partner(), number=1, lon=8.0)
        words = strip_tags(read(client, "/", {"q": "(8.00000, 50.00000)"}))
        assert "1 station near you" in words

    def test_suggests_places_for_an_unknown_one(self, client: Client, db: None) -> None:
        make_place("Midtown", geoname_id=1, lon=8.0)
        page = read(client, "/", {"q": "Midtwon", "available": "1"}, status=404)
        assert "We know no place called “Midtwon”." in strip_tags(page)
        assert 'value="Midtwon"' in page
        [address] = re.findall(r'class="chip" href="([^"]*)"', page)
        assert unescape(address) == "/?available=1&q=Midtown%2C+DE"

    @pytest.mark.parametrize(
        "query", [{"q": "x" * 201}, {"q": "x", "power": "7"}, {"q": "x", "connector": "y"}]
    )
    def test_refuses_what_the_form_cannot_send(
        self, client: Client, db: None, query: dict[str, str]
    ) -> None:
        assert 'role="alert"' in read(client, "/", query, status=400)

    def test_gives_htmx_the_list_alone(self, client: Client, small_world: SmallWorld) -> None:
        answer = client.get("/", {"q": "Midtown"}, headers={"HX-Request-Type": "partial"})
        part = answer.content.decode()
        assert "HX-Request-Type" in answer.headers["Vary"]
        assert part.lstrip().startswith("<h2")
        assert "<html" not in part


class TestStationPage:
    def test_counts_the_last_pull_as_a_confirmation(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        SyncRun.objects.update(started_at=clock.now() - timedelta(minutes=10))
        words = strip_tags(read(client, f"/stations/{small_world.locations[0].pk}/"))
        assert "Status confirmed by the operator 10 minutes ago." in words

    def test_tells_status_price_hours_and_every_connector(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        words = strip_tags(read(client, f"/stations/{small_world.locations[0].pk}/"))
        assert "Available 2 of 3 free · 150 kW" in words
        assert "€0.595 /kWh" in words
        assert "€1.19 for every charge" in words
        assert "VAT included" in words
        assert "Open 24/7" in words
        assert "CCS 2 150 kW DE*STR*E1*2" in words
        assert words.count("In use") == 1

    def test_says_that_an_unknown_price_is_not_free(self, client: Client, db: None) -> None:
        location = make_location(make_partner(), number=1, lon=8.0, tariff_ids=())
        words = strip_tags(read(client, f"/stations/{location.pk}/"))
        assert "Price Price unknown" in words
        assert "It is not free of charge." in words
        assert "€0" not in words

    def test_shows_the_week(self, client: Client, db: None) -> None:
        location = make_location(make_partner(), number=1, lon=8.0)
        spans = [
            {"weekday": 1, "period_begin": "07:00", "period_end": "12:00"},
            {"weekday": 1, "period_begin": "13:00", "period_end": "24:00"},
        ]
        location.raw = {"opening_times": {"twentyfourseven": False, "regular_hours": spans}}
        location.save(update_fields=["raw"])
        words = strip_tags(read(client, f"/stations/{location.pk}/"))
        assert "Monday 07:00\u201312:00, 13:00\u201300:00 Tuesday closed" in words

    def test_opens_in_navigation_apps_latitude_first(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        page = unescape(read(client, f"/stations/{small_world.locations[0].pk}/"))
        assert 'href="geo:50.00000,3.50000?q=50.00000,3.50000(Straight%20Road%201)"' in page
        assert "https://www.google.com/maps/dir/?api=1&destination=50.00000%2C3.50000" in page
        assert "https://maps.apple.com/?daddr=50.00000%2C3.50000" in page

    def test_leads_to_a_trip_that_ends_here(self, client: Client, small_world: SmallWorld) -> None:
        page = read(client, f"/stations/{small_world.locations[0].pk}/")
        [address] = re.findall(r'href="(/plan/\?[^"]*)"', page)
        plan = read(client, address)
        assert 'name="destination" value="Straight Road 1 (3.50000, 50.00000)"' in plan
        assert 'role="alert"' not in plan

    def test_leads_to_a_trip_however_long_its_name_is(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        Location.objects.update(name="N" * 255)
        page = read(client, f"/stations/{small_world.locations[0].pk}/")
        [address] = re.findall(r'href="(/plan/\?[^"]*)"', page)
        trip = {"origin": "Westend", "vehicle": "test-car-60"}
        words = strip_tags(read(client, f"{unescape(address)}&{urlencode(trip)}"))
        assert f"Westend → {'N' * 179}… Test Car 60" in words

    @pytest.mark.parametrize("station_id", [999, 10**30])
    def test_says_that_there_is_nothing(self, client: Client, db: None, station_id: int) -> None:
        words = strip_tags(read(client, f"/stations/{station_id}/", status=404))
        assert "There is nothing here" in words


class TestPlanPage:
    def test_begins_with_a_form_that_is_filled_as_far_as_can_be(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        page = read(client, "/plan/")
        assert '<option value="test-car-60">Test Car 60</option>' in page
        assert 'name="charge" type="range" min="5" max="100" step="1" value="90"' in page
        assert "Where to?" in strip_tags(page)

    def test_shows_the_trip_with_stops_and_costs(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        page = read(client, "/plan/", TRIP)
        words = strip_tags(page)
        assert "<title>Westend → Eastend · Voltway</title>" in page
        assert "to drive 860 km" in words
        assert re.search(r"charging costs ≈ €\d+\.\d\d", words)
        assert re.search(r"Straight Road \d Straight Road Charging · 150 kW", words)
        assert re.search(r"\d+ % → \d+ % \d+ min \d+\.\d kWh €\d+\.\d\d", words)
        assert "1 of 2 free" in words
        assert re.search(r"Eastend with \d\d %", words)
        assert "Charging curve: modelled from peak power" in words

    def test_draws_the_charge_for_eyes_and_for_ears(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        page = read(client, "/plan/", TRIP)
        assert '<svg class="chart" viewBox="0 0 480 210" role="img"' in page
        described = strip_tags(re.findall(r"<desc[^>]*>(.*?)</desc>", page, flags=re.DOTALL)[0])
        assert re.match(
            r"90 % at the start\. Stop 1 after \d+ km: from \d+ % to \d+ %\.", described
        )
        assert re.search(r"\d+ % on arrival after 860 km\.$", described)
        assert page.count('class="mark"') == page.count("</b> of 2 free")

    def test_never_writes_an_unknown_cost_as_zero(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        Tariff.objects.all().delete()
        words = strip_tags(read(client, "/plan/", TRIP))
        assert "charging costs unknown" in words
        assert "kWh Price unknown" in words
        assert "The operator states no price." in words
        assert "€" not in words

    def test_needs_no_stop_on_a_short_drive(self, client: Client, small_world: SmallWorld) -> None:
        words = strip_tags(
            read(client, "/plan/", TRIP | {"destination": "Nearby (2.50000, 50.00000)"})
        )
        assert "0 stops 0 min" in words
        assert re.search(r"Nearby with \d\d %", words)

    def test_opens_the_whole_trip_in_a_navigation_app(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        page = unescape(read(client, "/plan/", TRIP))
        [address] = re.findall(
            r'href="(https://www\.google\.com/maps/dir/\?[^"]*waypoints[^"]*)"', page
        )
        assert "origin=50.00000%2C2.00000&destination=50.00000%2C14.00000" in address

    def test_tells_unknown_plugs_from_occupied_ones(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        Evse.objects.filter(status="CHARGING").update(status="UNKNOWN")
        assert "1 of 2 free, 1 unknown" in strip_tags(read(client, "/plan/", TRIP))
        Evse.objects.update(status="UNKNOWN")
        words = strip_tags(read(client, "/plan/", TRIP))
        assert "Status unknown · 2 charge points" in words
        assert "of 2 free" not in words

    def test_keeps_the_inputs_and_suggests_places(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        page = read(client, "/plan/", TRIP | {"origin": "Westent", "charge": "55"}, status=400)
        assert 'name="origin" value="Westent"' in page
        assert 'name="destination" value="Eastend"' in page
        assert 'step="1" value="55"' in page
        assert page.count('aria-invalid="true" aria-describedby="problem"') == 1
        assert (
            '<p id="problem" class="strong" tabindex="-1" data-heading data-field="origin">' in page
        )
        [address] = re.findall(r'class="chip" href="([^"]*)"', page)
        assert "Westend → Eastend" in read(client, unescape(address))

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"origin": ""}, "Where do you start?"),
            ({"destination": " "}, "Where do you want to go?"),
            ({"vehicle": "tank"}, "We do not know this car. Choose one of the list."),
            ({"charge": "full"}, "The charge now must be a whole number of percent."),
            ({"charge": "101"}, "The charge now must be at most 100 percent."),
            ({"arrive": "-5"}, "The charge on arrival must be at least 0 percent."),
        ],
    )
    def test_says_what_is_wrong_with_the_form(
        self, client: Client, small_world: SmallWorld, changes: dict[str, str], sentence: str
    ) -> None:
        page = read(client, "/plan/", TRIP | changes, status=400)
        assert sentence in strip_tags(page)

    def test_says_where_no_charge_bridges_the_gap(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        Evse.objects.filter(location__lon__gt=4).update(status="OUTOFORDER")
        page = read(client, "/plan/", TRIP, status=400)
        assert 'role="alert"' in page

    def test_asks_for_patience_while_roads_are_built(
        self, client: Client, small_world: SmallWorld, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path / "nothing-built-yet"
        assert "still being built" in read(client, "/plan/", TRIP, status=503)

    def test_gives_htmx_the_trip_alone(self, client: Client, small_world: SmallWorld) -> None:
        answer = client.get("/plan/", TRIP, headers={"HX-Request-Type": "partial"})
        assert "<html" not in answer.content.decode()
        assert "Westend → Eastend" in answer.content.decode()
