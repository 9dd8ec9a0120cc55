"""POST /api/v1/plans."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import JSONField, Value

from charging.models import Evse, Tariff
from drivers.models import VehicleModel
from tests.small_world import SmallWorld

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

TRIP = {
    "origin": "Westend",
    "destination": "Eastend",
    "vehicle_model": "test-car-60",
    "soc_start": 0.9,
    "soc_arrival_min": 0.1,
    "soc_stop_min": 0.1,
}


def send(client: Client, body: object) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/api/v1/plans", raw, content_type="application/json")


def plan(client: Client, **changes: object) -> dict[str, Any]:
    answer = send(client, TRIP | changes)
    assert answer.status_code == 200, answer.content
    [itinerary] = json.loads(answer.content)["itineraries"]
    found: dict[str, Any] = itinerary
    return found


def refuse(client: Client, body: object, *, status: int = 400) -> dict[str, Any]:
    answer = send(client, body)
    assert answer.status_code == status, answer.content
    refusal: dict[str, Any] = json.loads(answer.content)
    return refusal


class TestPlan:
    def test_answers_the_trip_as_it_was_understood(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        answer = json.loads(send(client, TRIP).content)
        assert answer["origin"] == {"name": "Westend", "lon": 2.0, "lat": 50.0}
        assert answer["destination"] == {"name": "Eastend", "lon": 14.0, "lat": 50.0}
        assert answer["vehicle_model"] == "test-car-60"
        assert len(answer["itineraries"]) == 1

    def test_gives_everything_that_a_client_draws(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        itinerary = plan(client)
        assert set(itinerary) == {
            "distance_m",
            "duration_s",
            "driving_s",
            "charging_s",
            "energy_kwh",
            "cost",
            "cost_note",
            "legs",
            "stops",
            "soc_profile",
            "geometry",
        }
        assert itinerary["distance_m"] == pytest.approx(860_400)
        assert len(itinerary["legs"]) == len(itinerary["stops"]) + 1
        assert set(itinerary["stops"][0]) == {
            "station_id",
            "name",
            "operator",
            "lon",
            "lat",
            "arrive_soc",
            "depart_soc",
            "charge_s",
            "overhead_s",
            "energy_kwh",
            "station_power_kw",
            "connector",
            "available",
            "unknown",
            "total",
            "cost",
            "cost_note",
        }
        assert set(itinerary["soc_profile"][0]) == {"distance_m", "duration_s", "soc"}
        assert itinerary["geometry"]["type"] == "LineString"
        assert itinerary["geometry"]["coordinates"][0] == [2.0, 50.0]
        assert itinerary["geometry"]["coordinates"][-1] == [14.0, 50.0]

    def test_keeps_the_charge_above_the_floor(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        itinerary = plan(client, soc_stop_min=0.2, soc_arrival_min=0.3)
        assert min(stop["arrive_soc"] for stop in itinerary["stops"]) >= 0.2
        assert itinerary["legs"][-1]["soc_arrive"] >= 0.3

    def test_writes_amounts_as_decimal_text(self, client: Client, small_world: SmallWorld) -> None:
        itinerary = plan(client)
        amounts = [Decimal(stop["cost"]["amount"]) for stop in itinerary["stops"]]
        assert itinerary["cost"] == {"amount": f"{sum(amounts)}", "currency": "EUR"}
        assert isinstance(itinerary["cost"]["amount"], str)

    def test_leaves_an_unknown_cost_open(self, client: Client, small_world: SmallWorld) -> None:
        Tariff.objects.all().delete()
        itinerary = plan(client)
        assert itinerary["cost"] is None
        assert {stop["cost"] for stop in itinerary["stops"]} == {None}

    def test_takes_positions_for_places(self, client: Client, small_world: SmallWorld) -> None:
        itinerary = plan(
            client, origin={"lon": 2, "lat": 50.0}, destination={"lon": 2.5, "lat": 50}
        )
        assert itinerary["distance_m"] == pytest.approx(35_850)

    def test_keeps_a_tenth_in_reserve_unless_told(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        body = {
            name: TRIP[name] for name in ("origin", "destination", "vehicle_model", "soc_start")
        }
        [itinerary] = json.loads(send(client, body).content)["itineraries"]
        told = plan(client)
        assert itinerary["stops"] == told["stops"]

    def test_needs_no_log_in_and_no_cross_site_token(self, small_world: SmallWorld) -> None:
        from django.test import Client as StrictClient

        assert send(StrictClient(enforce_csrf_checks=True), TRIP).status_code == 200


class TestRefusal:
    def test_suggests_places_for_an_unknown_one(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        refusal = refuse(client, TRIP | {"origin": "Westent"})
        assert (refusal["code"], refusal["field"]) == ("place_unknown", "origin")
        assert "Westent" in refusal["detail"]
        assert refusal["suggestions"] == ["Westend, DE"]

    def test_says_how_far_a_place_is_off_every_road(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        refusal = refuse(client, TRIP | {"destination": {"lon": 8.0, "lat": 51.0}})
        assert (refusal["code"], refusal["field"]) == ("off_road", "destination")
        assert refusal["detail"] == (
            "The destination is 111 km from the nearest road that we know. "
            "Choose a place nearer to a road."
        )
        assert refusal["details"]["distance_m"] == pytest.approx(111_200, rel=0.01)

    def test_says_where_the_gap_is_that_no_charge_bridges(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        Evse.objects.filter(location__lon__gt=4).update(status="OUTOFORDER")
        refusal = refuse(client, TRIP)
        assert refusal["code"] == "no_route_within_range"
        assert "km" in refusal["detail"]
        assert refusal["details"]

    def test_names_cars_for_an_unknown_one(self, client: Client, small_world: SmallWorld) -> None:
        refusal = refuse(client, TRIP | {"vehicle_model": "test-car-61"})
        assert (refusal["code"], refusal["field"]) == ("vehicle_unknown", "vehicle_model")
        assert refusal["suggestions"] == ["test-car-60"]
        assert "test-car-61" in refusal["detail"]

    @pytest.mark.parametrize("field", ["soc_start", "soc_arrival_min", "soc_stop_min"])
    @pytest.mark.parametrize("soc", [-0.1, 1.5, 90])
    def test_refuses_a_charge_that_is_no_share(
        self, client: Client, small_world: SmallWorld, field: str, soc: float
    ) -> None:
        refusal = refuse(client, TRIP | {field: soc})
        assert (refusal["code"], refusal["field"]) == ("soc_out_of_range", field)
        assert field in refusal["detail"]

    def test_says_which_least_charge_leaves_nothing_to_charge(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        refusal = refuse(client, TRIP | {"soc_stop_min": 0.995})
        assert (refusal["code"], refusal["field"]) == ("soc_out_of_range", "soc_stop_min")
        assert refusal["detail"] == (
            "soc_stop_min is too high; above 0.99 there is nothing left to charge."
        )

    @pytest.mark.parametrize(
        "curve", [None, [], {}, [7], [[0, 100]], [[0, 0], [1, 50]], [[0, "x"], [1, 50]]]
    )
    def test_says_that_a_car_s_data_has_a_mistake(
        self, client: Client, small_world: SmallWorld, curve: object
    ) -> None:
        VehicleModel.objects.update(dc_curve=Value(curve, JSONField()))
        refusal = refuse(client, TRIP)
        assert (refusal["code"], refusal["field"]) == ("vehicle_unusable", "vehicle_model")
        assert refusal["detail"] == (
            "The data of the Test Car 60 has a mistake. Choose another car."
        )

    def test_asks_for_patience_while_roads_are_built(
        self, client: Client, small_world: SmallWorld, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path / "nothing-built-yet"
        answer = send(client, TRIP)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert json.loads(answer.content)["code"] == "not_ready"

    @pytest.mark.parametrize(
        ("changes", "field", "sentence"),
        [
            ({"soc_start": "0.9"}, "soc_start", "soc_start must be a number, not a text."),
            ({"soc_start": True}, "soc_start", "soc_start must be a number, not true or false."),
            ({"soc_start": None}, "soc_start", "soc_start is null. Send a number."),
            ({"soc_stop_min": [0.1]}, "soc_stop_min", "soc_stop_min must be a number, not a list."),
            (
                {"vehicle_model": ""},
                "vehicle_model",
                "vehicle_model is empty. Send a slug from /api/v1/vehicle-models.",
            ),
            (
                {"vehicle_model": {"slug": "x"}},
                "vehicle_model",
                "vehicle_model must be a slug from /api/v1/vehicle-models.",
            ),
            ({"origin": " "}, "origin", "origin is empty. Send a place's name."),
            (
                {"origin": 42},
                "origin",
                'origin must be a place like "Paris", or {"lon", "lat"}.',
            ),
            (
                {"origin": {"lon": 8}},
                "origin",
                'origin must be a place like "Paris", or {"lon", "lat"}.',
            ),
            (
                {"origin": {"lon": "8", "lat": 50}},
                "origin",
                "origin.lon must be a number, not a text.",
            ),
            (
                {"destination": {"lon": 8, "lat": 95}},
                "destination",
                "destination.lat is 95; it must lie in -90 to 90.",
            ),
            (
                {"destination": "x" * 201},
                "destination",
                "destination is longer than 200 characters. Send a place's name.",
            ),
            (
                {"soc_arival_min": 0.2},
                "soc_arrival_min",
                (
                    "There is no field “soc_arival_min” in a plan. Known are: origin, destination, "
                    "vehicle_model, soc_start, soc_arrival_min, soc_stop_min."
                ),
            ),
        ],
    )
    def test_names_the_field_and_what_it_should_hold(
        self, client: Client, db: None, changes: dict[str, object], field: str, sentence: str
    ) -> None:
        refusal = refuse(client, TRIP | changes)
        assert (refusal["field"], refusal["detail"]) == (field, sentence)

    def test_lists_every_missing_field(self, client: Client, db: None) -> None:
        refusal = refuse(client, {})
        assert (refusal["code"], refusal["field"]) == ("missing", "origin")
        assert list(refusal["details"]) == ["origin", "destination", "vehicle_model", "soc_start"]

    @pytest.mark.parametrize("body", [b"[]", b'"Paris"', b"null", b"7", b"true"])
    def test_wants_an_object(self, client: Client, db: None, body: bytes) -> None:
        refusal = refuse(client, body)
        assert refusal["detail"] == 'The body must be a JSON object like {"origin": "Paris", …}.'
