"""What the planner refuses, and what it says then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from charging.planner import (
    EndOffRoad,
    FigureOutOfRange,
    Network,
    NoRoad,
    NoRouteWithinRange,
    Offers,
    OffersInvalid,
    SocOutOfRange,
    plan,
)
from charging.planner.legs import build_leg_table
from charging.planner.roads.snapping import PositionOutOfRange, Snapper
from charging.planner.roads.store import make_road_graph
from tests.charging.planner_world import make_motorway, make_network, make_request, make_sites

if TYPE_CHECKING:
    from charging.planner import TripRequest


@pytest.fixture
def network() -> Network:
    return make_motorway(site_nodes=[2, 8])


@pytest.fixture
def request_over_gap(network: Network) -> TripRequest:
    return make_request(network, power_kw=[150.0, 150.0])


def refuse(network: Network, request: TripRequest) -> NoRouteWithinRange:
    with pytest.raises(NoRouteWithinRange) as refusal:
        plan(network=network, request=request)
    return refusal.value


class TestNoRouteWithinRange:
    def test_names_the_shortest_missing_drive(
        self, network: Network, request_over_gap: TripRequest
    ) -> None:
        gap = refuse(network, request_over_gap)
        lon = network.graph.node_lon
        assert gap.gap_from == (lon[2], 0.0)
        assert gap.gap_to == (lon[8], 0.0)
        assert gap.gap_km == pytest.approx(600.0)
        assert gap.gap_kwh == pytest.approx(6 * (18.65636 + 0.41667), abs=1e-3)
        assert gap.available_kwh == pytest.approx(0.9 * 60.0)
        assert "is 600 km long and takes 114.4 kWh of the 54.0 kWh" in str(gap)
        assert gap.details["gap_km"] == 600.0

    def test_starts_at_the_origin_when_no_site_is_within_reach(self) -> None:
        network = make_motorway(site_nodes=[2, 4, 6, 8])
        request = make_request(network, power_kw=[150.0] * 4, soc_start=0.3)
        gap = refuse(network, request)
        assert gap.gap_from == request.origin
        assert gap.gap_km == pytest.approx(200.0)
        assert gap.available_kwh == pytest.approx(0.2 * 60.0)

    def test_ends_at_the_destination_when_no_site_is_near_it(self, network: Network) -> None:
        request = make_request(network, power_kw=[150.0, 0.0])
        gap = refuse(network, request)
        assert gap.gap_from == (network.graph.node_lon[2], 0.0)
        assert gap.gap_to == request.destination
        assert gap.gap_km == pytest.approx(800.0)

    def test_spans_the_trip_when_no_site_is_usable(self, network: Network) -> None:
        request = make_request(network, power_kw=[0.0, 0.0])
        gap = refuse(network, request)
        assert (gap.gap_from, gap.gap_to) == (request.origin, request.destination)
        assert gap.gap_km == pytest.approx(1000.0)

    def test_measures_gaps_that_are_longer_than_any_leg_of_the_table(
        self, network: Network
    ) -> None:
        legs = build_leg_table(network.graph, sites=network.sites, reach_m=100_000.0)
        short = replace(network, legs=legs)
        assert len(legs.to_site) == 0
        gap = refuse(short, make_request(short, power_kw=[150.0, 150.0]))
        assert gap.gap_km == pytest.approx(600.0)

    def test_counts_a_ceiling_as_the_end_of_charging(self) -> None:
        network = make_motorway(site_nodes=[2, 4], nodes=6)
        open_end = make_request(network, power_kw=[150.0, 150.0], soc_ceiling=0.8)
        assert plan(network=network, request=open_end).stops
        gap = refuse(network, replace(open_end, soc_ceiling=0.65))
        assert gap.gap_km == pytest.approx(200.0)
        assert gap.available_kwh == pytest.approx(0.55 * 60.0)


class TestPlan:
    def test_refuses_ends_that_no_road_joins(self) -> None:
        graph = make_road_graph(
            node_lon=[0.0, 1.0, 2.0],
            node_lat=[0.0, 0.0, 0.0],
            tail=[0, 2],
            head=[1, 1],
            duration_ds=[36_000, 36_000],
            length_m=[100_000, 100_000],
            kind=[0, 0],
        )
        network = make_network(graph, site_nodes=[1])
        with pytest.raises(NoRoad) as refusal:
            plan(network=network, request=make_request(network, power_kw=[50.0]))
        assert refusal.value.origin == (0.0, 0.0)
        assert refusal.value.details == {"origin": [0.0, 0.0], "destination": [2.0, 0.0]}

    @pytest.mark.parametrize("end", ["origin", "destination"])
    def test_says_which_end_is_off_the_roads(self, network: Network, end: str) -> None:
        request = make_request(network, power_kw=[50.0, 50.0])
        away: dict[str, Any] = {end: (1.0, 3.0)}
        with pytest.raises(EndOffRoad, match=f"The {end} cannot be reached by car") as refusal:
            plan(network=network, request=replace(request, **away))
        assert refusal.value.end == end
        assert refusal.value.distance_m == pytest.approx(333_585, rel=1e-3)

    def test_refuses_a_position_that_is_not_a_number(self, network: Network) -> None:
        request = make_request(network, power_kw=[50.0, 50.0])
        with pytest.raises(PositionOutOfRange):
            plan(network=network, request=replace(request, origin=(float("nan"), 0.0)))

    def test_refuses_offers_for_other_sites(self, network: Network) -> None:
        request = make_request(network, power_kw=[50.0])
        with pytest.raises(OffersInvalid, match="1 offers for 2 sites"):
            plan(network=network, request=request)

    def test_plans_without_any_site_when_the_charge_suffices(self) -> None:
        graph = make_motorway(site_nodes=[1]).graph
        sites = make_sites(graph, nodes=[])
        network = Network(graph, build_leg_table(graph, sites=sites), Snapper(graph))
        short = make_request(network, power_kw=[], to_node=1)
        assert plan(network=network, request=short).distance_m == pytest.approx(100_000.0)
        assert refuse(network, make_request(network, power_kw=[])).gap_km == pytest.approx(1000.0)


class TestTripRequest:
    @pytest.mark.parametrize("soc", [-0.01, 1.01, float("nan"), float("inf")])
    @pytest.mark.parametrize(
        "name", ["soc_start", "soc_arrival_min", "soc_stop_min", "soc_ceiling"]
    )
    def test_refuses_a_charge_that_is_no_share(
        self, request_over_gap: TripRequest, name: str, soc: float
    ) -> None:
        wrong: dict[str, Any] = {name: soc}
        with pytest.raises(SocOutOfRange) as refusal:
            replace(request_over_gap, **wrong)
        assert refusal.value.name == name

    def test_refuses_a_ceiling_that_leaves_nothing_to_charge(
        self, request_over_gap: TripRequest
    ) -> None:
        with pytest.raises(SocOutOfRange, match=r"soc_ceiling is 0\.1; it must be 0\.01 above"):
            replace(request_over_gap, soc_ceiling=0.1)

    @pytest.mark.parametrize("overhead_s", [-1.0, float("nan"), float("inf")])
    def test_refuses_an_overhead_that_is_no_time(
        self, request_over_gap: TripRequest, overhead_s: float
    ) -> None:
        with pytest.raises(FigureOutOfRange):
            replace(request_over_gap, stop_overhead_s=overhead_s)


class TestOffers:
    @pytest.mark.parametrize("power_kw", [-1.0, float("nan"), float("inf")])
    def test_refuse_what_is_no_power(self, power_kw: float) -> None:
        with pytest.raises(OffersInvalid):
            Offers(np.array([50.0, power_kw]))
