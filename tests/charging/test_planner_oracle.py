"""The planner against brute force: small random worlds, every order of stops."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.planner import ChargingCurve, NoRoad, NoRouteWithinRange, TripRequest, plan
from charging.planner.links import find_links
from charging.planner.objectives import Objective, minimise_time
from charging.planner.planning import find_stops
from charging.planner.roads.store import make_road_graph
from charging.planner.trip import SOC_GUARD
from tests.charging.planner_oracle import find_best_cost
from tests.charging.planner_world import (
    FLAT_CURVE,
    REAL_CURVE,
    make_network,
    make_request,
    make_vehicle,
)

if TYPE_CHECKING:
    from charging.planner import Network
    from charging.planner.roads.graph import RoadGraph

COLD_CURVE = ChargingCurve(soc_fraction=(0.0, 0.35, 0.6, 1.0), power_kw=(10.0, 120.0, 120.0, 30.0))
STEEP_CURVE = ChargingCurve(
    soc_fraction=(0.0, 0.2, 0.25, 0.7, 1.0), power_kw=(180.0, 160.0, 40.0, 90.0, 5.0)
)
CURVES = (FLAT_CURVE, REAL_CURVE, COLD_CURVE, STEEP_CURVE)


class World(NamedTuple):
    network: Network
    request: TripRequest


@st.composite
def tangles(draw: st.DrawFn, *, top_m: int) -> RoadGraph:
    """Draw any roads between two ends and one to four sites, ferries among them."""
    nodes = draw(st.integers(3, 6))
    arcs = [arc for arc in permutations(range(nodes), 2) if draw(st.integers(0, 9)) < 5]
    return make_graph(
        nodes=nodes,
        arcs=arcs,
        length_km=[draw(st.integers(40, 320)) for _ in arcs],
        speed_km_h=[draw(st.sampled_from((50, 80, 110, 140))) for _ in arcs],
        kind=[draw(st.sampled_from((0, 0, 0, 0, 0, 0, 2))) for _ in arcs],
        elevation_m=[draw(st.integers(0, top_m)) for _ in range(nodes)],
    )


@st.composite
def corridors(draw: st.DrawFn, *, top_m: int) -> RoadGraph:
    """Draw an old road from site to site and motorways past them: faster, but thirstier."""
    nodes = draw(st.integers(4, 6))
    arcs = [(i, j) for i in range(nodes) for j in range(i + 1, min(nodes, i + 4))]
    old_km = [draw(st.integers(40, 130)) for _ in range(nodes - 1)]
    detour = [draw(st.sampled_from((0.9, 1.0, 1.1, 1.25))) for _ in arcs]
    return make_graph(
        nodes=nodes,
        arcs=arcs,
        length_km=[
            round(sum(old_km[i:j]) * (detour[k] if j > i + 1 else 1.0))
            for k, (i, j) in enumerate(arcs)
        ],
        speed_km_h=[
            draw(st.sampled_from((60, 75) if j == i + 1 else (100, 130, 150))) for i, j in arcs
        ],
        kind=[0] * len(arcs),
        elevation_m=[draw(st.integers(0, top_m)) for _ in range(nodes)],
    )


def make_graph(
    *,
    nodes: int,
    arcs: list[tuple[int, int]],
    length_km: list[int],
    speed_km_h: list[int],
    kind: list[int],
    elevation_m: list[int],
) -> RoadGraph:
    return make_road_graph(
        node_lon=np.arange(nodes, dtype=np.float64),
        node_lat=np.zeros(nodes),
        tail=[tail for tail, _ in arcs],
        head=[head for _, head in arcs],
        duration_ds=[
            round(km / speed * 36_000) for km, speed in zip(length_km, speed_km_h, strict=True)
        ],
        length_m=[km * 1000 for km in length_km],
        kind=kind,
        node_elevation_m=elevation_m,
    )


@st.composite
def worlds(draw: st.DrawFn, *, top_m: int = 0) -> World:
    """Draw roads, sites on all nodes but the first and last, and a trip that needs charging."""
    graph = draw(st.one_of(tangles(top_m=top_m), corridors(top_m=top_m)))
    sites = range(1, graph.node_count - 1)
    network = make_network(graph, site_nodes=sites)
    request = make_request(
        network,
        power_kw=[draw(st.sampled_from((0, 22, 50, 75, 100, 150, 300))) for _ in sites],
        vehicle=make_vehicle(
            curve=draw(st.sampled_from(CURVES)),
            usable_kwh=draw(st.sampled_from((25.0, 35.0, 50.0, 80.0))),
            consumption_factor=draw(st.sampled_from((0.83, 1.0, 1.21))),
        ),
        soc_start=draw(st.sampled_from((0.35, 0.6, 0.9, 1.0))),
        soc_stop_min=draw(st.sampled_from((0.0, 0.05, 0.1, 0.2))),
        soc_arrival_min=draw(st.sampled_from((0.0, 0.1, 0.3, 0.55))),
        soc_ceiling=draw(st.sampled_from((0.6, 0.8, 1.0))),
        stop_overhead_s=draw(st.sampled_from((0.0, 60.0, 300.0, 900.0))),
    )
    return World(network, request)


@st.composite
def priced_worlds(draw: st.DrawFn) -> tuple[World, Objective]:
    """Draw a hilly world where sites ask money per kWh, per minute and per session."""
    world = draw(worlds(top_m=2500))
    count = len(world.network.sites)
    second = draw(st.sampled_from((0.001, 0.004, 0.012)))
    per_minute = [draw(st.sampled_from((0.0, 0.0, 0.05, 0.2))) for _ in range(count)]
    fee = [draw(st.sampled_from((0.0, 0.5, 2.0))) for _ in range(count)]
    return world, Objective(
        drive_per_s=second,
        per_stop=np.array(fee) + second * world.request.stop_overhead_s,
        charge_per_s=second + np.array(per_minute) / 60,
        charge_per_kwh=np.array([draw(st.sampled_from((0.0, 0.3, 0.45, 0.79))) for _ in fee]),
    )


def connects(world: World) -> bool:
    """Say whether any road leads from end to end."""
    try:
        find_links(
            world.network, origin=world.request.origin, destination=world.request.destination
        )
    except NoRoad:
        return False
    return True


class TestPlan:
    @settings(max_examples=150)
    @given(world=worlds().filter(connects))
    def test_is_as_fast_as_brute_force_and_refuses_what_it_cannot_find(self, world: World) -> None:
        network, request = world
        objective = minimise_time(
            site_count=len(network.sites), stop_overhead_s=request.stop_overhead_s
        )
        best_s = find_best_cost(
            network=network, request=request, objective=objective, hand=SOC_GUARD
        )
        if best_s == np.inf:
            with pytest.raises(NoRouteWithinRange):
                plan(network=network, request=request)
        else:
            itinerary = plan(network=network, request=request)
            assert best_s - 1.0 <= itinerary.duration_s <= best_s + 0.05

    @settings(max_examples=100)
    @given(priced=priced_worlds().filter(lambda priced: connects(priced[0])))
    def test_is_as_cheap_as_brute_force_when_sites_have_prices(
        self, priced: tuple[World, Objective]
    ) -> None:
        (network, request), objective = priced
        best = find_best_cost(network=network, request=request, objective=objective, hand=SOC_GUARD)
        links = find_links(network, origin=request.origin, destination=request.destination)
        found = np.inf
        try:
            found, _ = find_stops(
                network, request=request, objective=objective, links=links, hand=SOC_GUARD
            )
        except NoRouteWithinRange:
            assert best == np.inf
        assert found <= best + 1e-4 or found == best
