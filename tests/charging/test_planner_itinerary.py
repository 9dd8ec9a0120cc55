"""Itineraries driven again, arc by arc, by a simulator that shares no code with the planner."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from charging.planner import NoRouteWithinRange, plan
from charging.planner.roads.snapping import ACCESS_DETOUR, ACCESS_SPEED_M_S
from tests.charging.planner_oracle import integrate_charge_s
from tests.charging.planner_world import make_motorway, make_request, make_vehicle
from tests.charging.test_planner_oracle import World, connects, worlds

if TYPE_CHECKING:
    from charging.planner import Itinerary, ItineraryLeg, Network, TripRequest

FERRY = 2


def simulate_leg(network: Network, request: TripRequest, leg: ItineraryLeg) -> tuple[float, float]:
    """Drive the leg's arcs: seconds and the charge left, losing what a full battery cannot take."""
    graph, vehicle = network.graph, request.vehicle
    seconds, soc = 0.0, leg.soc_depart
    for arc in leg.arcs.tolist():
        arc_s = graph.duration_ds[arc] / 10
        seconds += arc_s
        if graph.kind[arc] >= FERRY:
            continue
        metres = float(graph.length_m[arc])
        climb_m = float(graph.node_elevation_m[graph.head[arc]])
        climb_m -= float(graph.node_elevation_m[graph.tail[arc]])
        newton = vehicle.mass_kg * 9.80665 * vehicle.rolling_coefficient
        newton += 0.5 * 1.225 * vehicle.drag_area_m2 * (metres / arc_s) ** 2
        joules = newton * metres + vehicle.mass_kg * 9.80665 * (
            climb_m if climb_m > 0 else climb_m * vehicle.recuperation_efficiency
        )
        joules = joules / vehicle.drivetrain_efficiency + vehicle.auxiliary_kw * 1000 * arc_s
        soc -= vehicle.consumption_factor * joules / 3.6e6 / vehicle.usable_kwh
        soc = min(soc, 1.0)
    return seconds, soc


def check_itinerary(network: Network, request: TripRequest, itinerary: Itinerary) -> None:
    """Check every leg and stop of an itinerary between road nodes (no access drives)."""
    graph, vehicle = network.graph, request.vehicle
    floors = [request.soc_stop_min] * len(itinerary.stops) + [request.soc_arrival_min]
    soc, total_s = request.soc_start, 0.0
    for i, (leg, floor) in enumerate(zip(itinerary.legs, floors, strict=True)):
        assert leg.soc_depart == soc
        for one, two in pairwise(leg.arcs.tolist()):
            assert graph.head[one] == graph.tail[two]
        seconds, soc = simulate_leg(network, request, leg)
        assert leg.duration_s == pytest.approx(seconds)
        assert leg.soc_arrive == pytest.approx(soc, abs=1e-9)
        assert leg.soc_arrive >= floor
        soc, total_s = leg.soc_arrive, total_s + seconds
        if i < len(itinerary.stops):
            stop = itinerary.stops[i]
            site = int(np.flatnonzero(network.sites.site_id == stop.site_id)[0])
            last = leg.arcs[-1:].tolist()
            assert [graph.head[arc] for arc in last] == [network.sites.node[site]] * len(last)
            assert stop.soc_arrive == soc
            assert soc <= stop.soc_depart <= max(soc, request.soc_ceiling)
            grid, charge_s = integrate_charge_s(
                vehicle.curve,
                usable_kwh=vehicle.usable_kwh,
                site_kw=float(request.offers.power_kw[site]),
            )
            wanted_s = np.interp(stop.soc_depart, grid, charge_s) - np.interp(soc, grid, charge_s)
            assert stop.charge_s == pytest.approx(wanted_s, abs=0.01)
            assert stop.energy_kwh == pytest.approx((stop.soc_depart - soc) * vehicle.usable_kwh)
            assert stop.power_mean_kw <= stop.power_max_kw + 1e-9
            soc, total_s = stop.soc_depart, total_s + request.stop_overhead_s + stop.charge_s
    assert itinerary.duration_s == pytest.approx(total_s)


def check_profile(itinerary: Itinerary, request: TripRequest) -> None:
    """Check that the profile tells the same story, in order."""
    distance_m, duration_s, soc = np.array(itinerary.soc_profile).T
    assert (np.diff(distance_m) >= 0).all()
    assert (np.diff(duration_s) >= -1e-9).all()
    assert soc[0] == request.soc_start
    assert soc[-1] == pytest.approx(itinerary.legs[-1].soc_arrive)
    assert distance_m[-1] == pytest.approx(itinerary.distance_m)
    assert duration_s[-1] == pytest.approx(itinerary.duration_s)
    rises = np.diff(soc) > 1e-12
    assert (np.diff(distance_m)[rises] == 0).all()


class TestItinerary:
    @settings(max_examples=100)
    @given(world=worlds().filter(connects))
    def test_is_confirmed_by_a_second_simulator(self, world: World) -> None:
        network, request = world
        try:
            itinerary = plan(network=network, request=request)
        except NoRouteWithinRange:
            return  # test_planner_oracle says whether that is right
        check_itinerary(network, request, itinerary)
        check_profile(itinerary, request)

    @settings(max_examples=60)
    @given(world=worlds(top_m=2500).filter(connects))
    def test_keeps_its_limits_over_hills(self, world: World) -> None:
        network, request = world
        try:
            itinerary = plan(network=network, request=request)
        except NoRouteWithinRange:
            return
        check_itinerary(network, request, itinerary)

    def test_is_the_same_every_time(self) -> None:
        network = make_motorway(site_nodes=[2, 3, 5, 7, 8])
        request = make_request(network, power_kw=[50.0, 150.0, 150.0, 150.0, 75.0])
        first, second = (plan(network=network, request=request) for _ in range(2))
        assert first.soc_profile == second.soc_profile
        assert first.stops == second.stops
        assert first.geometry == second.geometry

    def test_includes_the_drives_between_places_and_roads(self) -> None:
        network = make_motorway(site_nodes=[2])
        lon = network.graph.node_lon
        request = make_request(network, power_kw=[0.0], to_node=1)
        beside = plan(
            network=network,
            request=replace(request, origin=(0.0, 0.01), destination=(float(lon[1]), -0.02)),
        )
        # A hundredth of a degree is 1.112 km as the crow flies.
        access_m = 3 * 1111.95 * ACCESS_DETOUR
        assert beside.distance_m == pytest.approx(100_000 + access_m, rel=1e-4)
        assert beside.duration_s == pytest.approx(3000 + access_m / ACCESS_SPEED_M_S, rel=1e-4)
        assert beside.geometry[0] == (lon[0], 0.01)
        assert beside.geometry[-1] == (lon[1], -0.02)

    def test_counts_ferries_as_time_without_energy(self) -> None:
        network = make_motorway(site_nodes=[2], nodes=4, ferry_after=1)
        itinerary = plan(network=network, request=make_request(network, power_kw=[0.0]))
        (leg,) = itinerary.legs
        per_100_km = 18.65636 + 0.41667  # see test_planner_energy
        assert leg.carried_m == 100_000.0
        assert leg.energy_kwh == pytest.approx(2 * per_100_km, abs=1e-4)
        assert leg.duration_s == pytest.approx(9000.0)

    def test_keeps_charge_in_hand_for_a_pass_before_a_descent(self) -> None:
        heights_m = [0.0, 0.0, 1800.0, 0.0, 0.0]
        network = make_motorway(site_nodes=[1], nodes=5, node_km=60.0, node_elevation_m=heights_m)
        request = make_request(
            network,
            power_kw=[100.0],
            vehicle=make_vehicle(usable_kwh=50.0),
            soc_start=0.4,
            soc_arrival_min=0.15,
            soc_stop_min=0.15,
        )
        itinerary = plan(network=network, request=request)
        check_itinerary(network, request, itinerary)
        assert min(leg.soc_lowest for leg in itinerary.legs) >= 0.15
        assert itinerary.stops

    def test_loses_what_a_full_battery_cannot_take_downhill(self) -> None:
        network = make_motorway(
            site_nodes=[2], nodes=3, node_km=10.0, node_elevation_m=[2000.0, 0.0, 0.0]
        )
        request = make_request(network, power_kw=[0.0], soc_start=1.0)
        (leg,) = plan(network=network, request=request).legs
        per_10_km = (18.65636 + 0.41667) / 10
        assert leg.energy_kwh < 0
        assert leg.soc_arrive == pytest.approx(1.0 - per_10_km / 60.0, abs=1e-5)
