"""GET /api/v1/places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.small_world import make_place

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


class TestPlaceList:
    def test_lists_places_as_plain_objects(self, client: Client) -> None:
        make_place("Westend", geoname_id=1, lon=2.0)
        answer = client.get("/api/v1/places", {"q": "west"})
        assert answer.status_code == 200
        assert answer.json() == [
            {"name": "Westend", "country": "DE", "kind": "city", "lon": 2.0, "lat": 50.0}
        ]

    def test_lists_nothing_where_nothing_fits(self, client: Client) -> None:
        make_place("Westend", geoname_id=1, lon=2.0)
        assert client.get("/api/v1/places", {"q": "Ostend"}).json() == []

    def test_gives_no_more_than_the_limit(self, client: Client) -> None:
        for number in range(1, 5):
            make_place(f"Newtown {number}", geoname_id=number, lon=float(number))
        assert len(client.get("/api/v1/places", {"q": "newtown", "limit": "3"}).json()) == 3

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ({}, "q is missing. Send q= and the beginning of a place's name."),
            ({"q": " "}, "q: Type the name of a place."),
            ({"q": "x" * 201}, "q: A place's name has at most 200 characters."),
            ({"q": "x", "limit": "0"}, "limit is “0”. Send a whole number from 1 to 50."),
            ({"q": "x", "near": "1,2"}, "There is no parameter “near” here. Known are: q, limit."),
        ],
    )
    def test_says_what_is_wrong_with_a_query(
        self, client: Client, query: dict[str, str], sentence: str
    ) -> None:
        answer = client.get("/api/v1/places", query)
        assert answer.status_code == 400
        assert answer.json()["detail"] == sentence

    def test_asks_for_patience_while_places_are_built(self, client: Client) -> None:
        answer = client.get("/api/v1/places", {"q": "Paris"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert answer.json() == {
            "code": "not_ready",
            "detail": "Places are still being built. Try again soon.",
        }
