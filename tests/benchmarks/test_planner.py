"""How fast a plan is over Europe's roads and four thousand sites.

Ordinary runs skip benchmarks; `pytest tests/benchmarks -o addopts=--import-mode=importlib` runs
them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from charging.planner import (
    ChargingCurve,
    Network,
    NoRouteWithinRange,
    Offers,
    TripRequest,
    Vehicle,
    plan,
    warm_up,
)
from charging.planner.legs import SiteTable, build_leg_table
from charging.planner.links import find_links
from charging.planner.objectives import minimise_time
from charging.planner.planning import find_stops
from charging.planner.roads.snapping import Snapper
from charging.planner.roads.store import open_road_graph
from charging.planner.trip import SOC_GUARD
from tests.charging.europe_store import ensure_europe_store

if TYPE_CHECKING:
    from charging.planner.roads.graph import RoadGraph

SITES = 4_000
POWERS_KW = (50.0, 300.0, 100.0, 150.0, 50.0, 150.0, 75.0)
PLACES = {
    "Paris": (2.3522, 48.8566),
    "Berlin": (13.4050, 52.5200),
    "Amsterdam": (4.9041, 52.3676),
    "Rome": (12.4964, 41.9028),
    "Hamburg": (9.9937, 53.5511),
    "Vienna": (16.3738, 48.2082),
    "Madrid": (-3.7038, 40.4168),
    "Stockholm": (18.0686, 59.3293),
}
CAR = Vehicle(
    name="family car",
    mass_kg=2100.0,
    drag_area_m2=0.65,
    rolling_coefficient=0.0095,
    drivetrain_efficiency=0.9,
    recuperation_efficiency=0.6,
    auxiliary_kw=0.6,
    usable_kwh=64.0,
    curve=ChargingCurve(
        soc_fraction=(0.0, 0.05, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        power_kw=(95.0, 128.0, 130.0, 130.0, 128.0, 118.0, 108.0, 92.0, 78.0, 58.0, 12.0),
    ),
)
TRIPS = [("Paris", "Berlin"), ("Hamburg", "Vienna"), ("Amsterdam", "Rome"), ("Stockholm", "Madrid")]


@pytest.fixture(scope="module")
def network() -> Network:
    graph = open_road_graph(ensure_europe_store())
    made = Network(graph, build_leg_table(graph, sites=place_sites(graph)), Snapper(graph))
    warm_up(made)
    return made


def place_sites(graph: RoadGraph) -> SiteTable:
    """Put sites along the fastest quarter of the roads, evenly over the numbering of nodes."""
    speed_m_s = graph.length_m / graph.duration_ds * 10
    fast = np.unique(graph.tail[speed_m_s >= np.quantile(speed_m_s, 0.75)])
    node = fast[np.linspace(0, len(fast) - 1, SITES).astype(np.int64)]
    return SiteTable(
        site_id=np.arange(SITES),
        lon=graph.node_lon[node],
        lat=graph.node_lat[node],
        node=node,
        access_m=np.full(SITES, 500.0),
        access_s=np.full(SITES, 36.0),
    )


def make_trip(origin: str, destination: str) -> TripRequest:
    return TripRequest(
        vehicle=CAR,
        offers=Offers(np.resize(POWERS_KW, SITES)),
        origin=PLACES[origin],
        destination=PLACES[destination],
        soc_start=0.9,
        soc_arrival_min=0.1,
        soc_stop_min=0.1,
    )


class TestPlan:
    @pytest.mark.parametrize(("origin", "destination"), TRIPS)
    def test_whole_plan(
        self, benchmark: BenchmarkFixture, network: Network, origin: str, destination: str
    ) -> None:
        request = make_trip(origin, destination)
        assert benchmark(plan, network=network, request=request).stops

    @pytest.mark.parametrize(("origin", "destination"), TRIPS)
    def test_search_alone(
        self, benchmark: BenchmarkFixture, network: Network, origin: str, destination: str
    ) -> None:
        request = make_trip(origin, destination)
        links = find_links(network, origin=request.origin, destination=request.destination)
        objective = minimise_time(site_count=SITES, stop_overhead_s=request.stop_overhead_s)
        _, stops = benchmark(
            find_stops, network, request=request, objective=objective, links=links, hand=SOC_GUARD
        )
        assert stops

    def test_refusal(self, benchmark: BenchmarkFixture, network: Network) -> None:
        # Some drive between chargers on any way from Sweden to Spain is longer than 80 km.
        request = replace(
            make_trip("Stockholm", "Madrid"), vehicle=replace(CAR, usable_kwh=16.0), soc_start=1.0
        )

        def refuse() -> None:
            with pytest.raises(NoRouteWithinRange):
                plan(network=network, request=request)

        benchmark(refuse)
