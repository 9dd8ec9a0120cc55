"""Planning a trip from names to priced itineraries."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from charging import trip_network, trips
from charging.models import Connector, Evse, Location, Partner, Place, Tariff
from charging.planner.roads.graph import RoadKind
from charging.planner.roads.store import make_road_graph, save_road_graph
from charging.trip_refusals import (
    NetworkNotReady,
    PlaceOffRoad,
    PlaceUnknown,
    RouteImpossible,
    SocInvalid,
    VehicleUnknown,
)
from charging.trip_shapes import TripItinerary
from emsp.kernel.money import Money
from tests.small_world import (
    NODE_SPACING_M,
    SmallWorld,
    make_location,
    make_place,
    make_straight_road,
    run_legs_job,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def plan(**changes: object) -> TripItinerary:
    request = {
        "origin": "Westend",
        "destination": "Eastend",
        "vehicle_model": "test-car-60",
        "soc_start": 0.9,
        "soc_arrival_min": 0.1,
        "soc_stop_min": 0.1,
        "now": NOON,
    }
    return trips.plan_trip(**(request | changes)).itineraries[0]  # type: ignore[arg-type]


def build_thirsty_shortcut(world: SmallWorld, data_dir: Path) -> None:
    """Join both ends by a motorway beyond range and by a slow road past the first station."""
    ids = [location.pk for location in world.locations[1:]]
    Location.objects.filter(pk__in=ids).update(removed_at=NOON)
    length_m = [140e3, 140e3, 140e3, 140e3, 300e3, 300e3]
    speed_kmh = [80, 80, 80, 80, 150, 150]
    graph = make_road_graph(
        node_lon=[2.0, 3.5, 5.0],
        node_lat=[50.0] * 3,
        tail=[0, 1, 1, 2, 0, 2],
        head=[1, 2, 0, 1, 2, 0],
        duration_ds=[round(m / v * 36) for m, v in zip(length_m, speed_kmh, strict=True)],
        length_m=length_m,
        kind=[RoadKind.ROAD] * 6,
    )
    save_road_graph(graph, data_dir / "roads")
    make_place("Nearend", geoname_id=77, lon=5.0)
    run_legs_job()


class TestPlanTrip:
    def test_drives_the_whole_road_and_stops_where_it_must(self, small_world: SmallWorld) -> None:
        itinerary = plan()
        assert itinerary.distance_m == pytest.approx(120 * NODE_SPACING_M)
        assert itinerary.driving_s == pytest.approx(28_164.0)
        assert len(itinerary.stops) == len(itinerary.legs) - 1 > 0
        assert all(stop.arrive_soc >= 0.1 for stop in itinerary.stops)
        assert itinerary.legs[-1].soc_arrive >= 0.1
        assert itinerary.duration_s == pytest.approx(
            itinerary.driving_s
            + itinerary.charging_s
            + sum(stop.overhead_s for stop in itinerary.stops)
        )

    def test_prices_each_stop_to_the_cent(self, small_world: SmallWorld) -> None:
        itinerary = plan()
        for stop in itinerary.stops:
            energy = Decimal(repr(stop.energy_kwh))
            exact = (energy * Decimal("0.5") + 1) * Decimal("1.19")
            assert stop.cost is not None
            assert abs(stop.cost.amount - exact) < Decimal("0.006")  # a step is 1 Wh
        assert itinerary.cost == Money(
            sum((stop.cost.amount for stop in itinerary.stops if stop.cost), Decimal(0)), "EUR"
        )

    def test_names_station_operator_connector_and_free_plugs(self, small_world: SmallWorld) -> None:
        stop = plan().stops[0]
        assert stop.name.startswith("Straight Road ")
        assert (stop.operator, stop.connector) == ("Straight Road Charging", "IEC_62196_T2_COMBO")
        assert (stop.available, stop.total, stop.station_power_kw) == (1, 2, 150.0)

    def test_leaves_the_price_open_where_a_tariff_is_missing(self, small_world: SmallWorld) -> None:
        Tariff.objects.all().delete()
        itinerary = plan()
        assert itinerary.cost is None
        assert "unknown" in itinerary.cost_note
        assert {stop.cost for stop in itinerary.stops} == {None}
        assert itinerary.stops[0].cost_note == "The operator states no price."

    @pytest.mark.parametrize("time_zone", ["", "../x", "Europe"])
    def test_leaves_the_price_open_where_the_time_zone_is_none(
        self, small_world: SmallWorld, time_zone: str
    ) -> None:
        Location.objects.update(time_zone=time_zone)
        assert plan().stops[0].cost_note == "The operator's price cannot be read."

    def test_takes_the_tariff_that_is_in_force_when_the_charge_begins(
        self, small_world: SmallWorld
    ) -> None:
        Tariff.objects.update(raw=Tariff.objects.get().raw | {"end_date_time": "2026-06-01T12:10"})
        assert plan().stops[0].cost_note == "The operator states no price."

    def test_avoids_plugs_that_are_too_weak(self, small_world: SmallWorld) -> None:
        Connector.objects.filter(power_type="DC").update(power_kw=2.9)
        with pytest.raises(RouteImpossible):
            plan()

    def test_avoids_stations_that_are_out_of_order(self, small_world: SmallWorld) -> None:
        first = plan().stops[0].station_id
        Evse.objects.filter(location=first).update(status="OUTOFORDER")
        assert first not in {stop.station_id for stop in plan().stops}

    def test_avoids_stations_of_suspended_partners(self, small_world: SmallWorld) -> None:
        Partner.objects.update(state=Partner.State.SUSPENDED)
        with pytest.raises(RouteImpossible):
            plan()

    def test_uses_only_plugs_that_fit_the_car(self, small_world: SmallWorld) -> None:
        Connector.objects.filter(standard="IEC_62196_T2_COMBO").update(standard="CHADEMO")
        with pytest.raises(RouteImpossible):
            plan()

    def test_needs_no_stop_when_the_charge_is_enough(self, small_world: SmallWorld) -> None:
        itinerary = plan(destination=(3.0, 50.0))
        assert (itinerary.stops, itinerary.charging_s) == ((), 0)
        assert itinerary.cost is None
        assert itinerary.cost_note == "No charging on the way."

    def test_goes_across_between_places_nearer_to_each_other_than_to_roads(
        self, small_world: SmallWorld
    ) -> None:
        itinerary = plan(origin=(2.05, 50.05), destination=(2.06, 50.05))
        assert itinerary.distance_m == pytest.approx(1.3 * 714, abs=5)
        assert itinerary.geometry == ((2.05, 50.05), (2.06, 50.05))

    def test_needs_nothing_to_stay_where_one_is(self, small_world: SmallWorld) -> None:
        itinerary = plan(origin="Westend", destination="Westend", soc_start=0.1)
        assert (itinerary.distance_m, itinerary.duration_s, itinerary.stops) == (0, 0, ())

    @pytest.mark.parametrize("soc_start", [0.9, 0.95, 1.0])
    def test_charges_nothing_for_a_stop_that_only_leads_past(
        self, small_world: SmallWorld, tmp_path: Path, soc_start: float
    ) -> None:
        build_thirsty_shortcut(small_world, tmp_path)
        itinerary = plan(destination="Nearend", soc_start=soc_start)
        (stop,) = itinerary.stops
        assert (stop.charge_s, stop.energy_kwh) == (0, 0)
        assert stop.cost == Money(Decimal("0.00"), "EUR")
        assert stop.cost_note == "Nothing is charged here."

    def test_takes_positions_as_ends(self, small_world: SmallWorld) -> None:
        itinerary = plan(origin=(2.0, 50.0), destination=(2.5, 50.0))
        assert itinerary.distance_m == pytest.approx(5 * NODE_SPACING_M, rel=1e-3)
        assert itinerary.geometry[0] == (2.0, 50.0)
        assert itinerary.geometry[-1] == (2.5, 50.0)

    def test_names_the_car_nearest_to_an_unknown_one(self, small_world: SmallWorld) -> None:
        with pytest.raises(VehicleUnknown, match="test-car-66") as refused:
            plan(vehicle_model="test-car-66")
        assert refused.value.suggestions == ("test-car-60",)
        assert refused.value.field == "vehicle_model"

    def test_suggests_places_for_an_unknown_name(self, small_world: SmallWorld) -> None:
        with pytest.raises(PlaceUnknown, match="Westent") as refused:
            plan(origin="Westent")
        assert "Westend" in refused.value.suggestions[0]
        assert refused.value.field == "origin"

    def test_says_how_far_off_every_road_a_place_is(self, small_world: SmallWorld) -> None:
        with pytest.raises(PlaceOffRoad, match=r"The destination is 111 km from") as refused:
            plan(destination=(8.0, 51.0))
        assert refused.value.field == "destination"

    def test_names_the_place_that_is_off_every_road(self, small_world: SmallWorld) -> None:
        make_place("Farnorth", geoname_id=9, lon=8.0, lat=51.0)
        with pytest.raises(PlaceOffRoad, match=r"^Farnorth is 111 km from the nearest"):
            plan(origin="Farnorth")
        with pytest.raises(PlaceOffRoad, match=r"^The origin is 111 km from the nearest"):
            plan(origin=(8.0, 51.0))

    def test_tells_unknown_plugs_from_occupied_ones(self, small_world: SmallWorld) -> None:
        Evse.objects.filter(status="CHARGING").update(status="UNKNOWN")
        stop = plan().stops[0]
        assert (stop.available, stop.unknown, stop.total) == (1, 1, 2)

    @pytest.mark.parametrize("soc", [-0.1, 1.5, float("nan"), float("inf")])
    def test_refuses_a_charge_outside_of_the_battery(
        self, small_world: SmallWorld, soc: float
    ) -> None:
        with pytest.raises(SocInvalid) as refused:
            plan(soc_start=soc)
        assert refused.value.field == "soc_start"

    def test_says_where_the_gap_is_that_no_charge_bridges(self, small_world: SmallWorld) -> None:
        Evse.objects.filter(location__lon__gt=4).update(status="OUTOFORDER")
        sentence = "Test Car 60 cannot .* from Straight Road 1 to Eastend, is 753 km long"
        with pytest.raises(RouteImpossible, match=sentence) as refused:
            plan()
        assert refused.value.details["gap_km"] == pytest.approx(753, abs=1)

    def test_says_that_roads_are_being_built(self, small_world: SmallWorld) -> None:
        (trip_network._legs_folder() / "current").unlink()
        with pytest.raises(NetworkNotReady, match="still being built"):
            plan()

    def test_says_that_places_are_being_built(self, small_world: SmallWorld) -> None:
        Place.objects.all().delete()
        with pytest.raises(NetworkNotReady, match="laces"):
            plan()


class TestTripNetwork:
    def test_takes_a_new_station_in_after_the_job(self, small_world: SmallWorld) -> None:
        assert len(trip_network.load_network().sites) == 7
        make_location(small_world.partner, number=8, lon=7.0)
        run_legs_job()
        assert len(trip_network.load_network().sites) == 8

    def test_leaves_out_stations_that_are_slow_removed_or_off_road(
        self, small_world: SmallWorld
    ) -> None:
        make_location(small_world.partner, number=8, lon=7.0, power_kw=22.0)
        make_location(small_world.partner, number=9, lon=7.0, lat=55.0)
        Location.objects.filter(ocpi_id="L1").update(removed_at=NOON)
        run_legs_job()
        ids = set(trip_network.load_network().sites.site_id.tolist())
        assert ids == {location.pk for location in small_world.locations[1:]}

    def test_plans_nothing_on_legs_of_other_roads(
        self, small_world: SmallWorld, tmp_path: Path
    ) -> None:
        trip_network.load_network()
        save_road_graph(make_straight_road(node_count=130), tmp_path / "roads")
        with pytest.raises(trip_network.TripNetworkMissing, match="built anew"):
            trip_network.load_network()
        run_legs_job()
        assert trip_network.load_network().graph.node_count == 130

    def test_builds_a_table_again_that_was_lost(self, small_world: SmallWorld) -> None:
        key = (trip_network._legs_folder() / "current").read_text()
        shutil.rmtree(trip_network._legs_folder() / key)
        trip_network._map_network.cache_clear()  # as in a process that starts now
        assert not trip_network.legs_ready()
        with pytest.raises(NetworkNotReady):
            plan()
        run_legs_job()
        assert trip_network.legs_ready()
        assert plan().stops

    def test_keeps_only_the_table_in_use_and_the_one_before(self, small_world: SmallWorld) -> None:
        for number in (8, 9, 10):
            make_location(small_world.partner, number=number, lon=7.0 + number / 10)
            run_legs_job()
        folders = [path for path in trip_network._legs_folder().iterdir() if path.is_dir()]
        assert len(folders) == 2


class TestPlanCommand:
    def test_prints_legs_and_stops(self, small_world: SmallWorld) -> None:
        out = StringIO()
        call_command("plan", "Westend", "Eastend", vehicle="test-car-60", soc=90, stdout=out)
        first, *lines = out.getvalue().splitlines()
        assert first.startswith("Westend - Eastend, Test Car 60: 860 km, ")
        assert len(lines) == 2 * len(plan().stops) + 1

    def test_says_what_is_wrong_and_what_would_work(self, small_world: SmallWorld) -> None:
        with pytest.raises(CommandError, match=r"Westent.*Did you mean Westend"):
            call_command("plan", "Westent", "Eastend", vehicle="test-car-60", soc=90)
