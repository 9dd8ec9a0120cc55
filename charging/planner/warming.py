"""Warming up: compile the kernels, or load them from their cache, before the first request."""

from __future__ import annotations

import numpy as np

from charging.planner.curve import ChargingCurve
from charging.planner.legs import SiteTable, build_leg_table
from charging.planner.network import Network
from charging.planner.planning import plan
from charging.planner.roads.graph import RoadKind
from charging.planner.roads.snapping import Snapper
from charging.planner.roads.store import make_road_graph
from charging.planner.trip import Offers, TripRequest
from charging.planner.vehicle import Vehicle

# A straight road along the equator, a degree from node to node, 111 km.
ROAD_NODES = 8
NODE_M = 111_195.0
NODE_DS = 40_000


def warm_up(network: Network | None = None) -> None:
    """Plan a trip through a toy network, so that no request waits for the compiler.

    Without a cache this takes about half a minute, with one less than a second. With a network
    given, what it makes on first use is made now.
    """
    toy = _make_toy_network()
    plan(network=toy, request=_make_toy_request(toy))
    if network is not None:
        _ = network.legs_into, network.graph.in_arc, network.graph.first_in


def _make_toy_network() -> Network:
    there = np.arange(ROAD_NODES - 1)
    tail, head = np.concatenate((there, there + 1)), np.concatenate((there + 1, there))
    graph = make_road_graph(
        node_lon=np.arange(ROAD_NODES, dtype=np.float64),
        node_lat=np.zeros(ROAD_NODES),
        tail=tail,
        head=head,
        duration_ds=np.full(len(tail), NODE_DS),
        length_m=np.full(len(tail), NODE_M),
        kind=np.full(len(tail), RoadKind.ROAD),
    )
    node = np.arange(1, ROAD_NODES - 1, dtype=np.int32)
    sites = SiteTable(
        site_id=node.astype(np.int64),
        lon=graph.node_lon[node],
        lat=graph.node_lat[node],
        node=node,
        access_m=np.zeros(len(node)),
        access_s=np.zeros(len(node)),
    )
    return Network(graph, build_leg_table(graph, sites=sites), Snapper(graph))


def _make_toy_request(network: Network) -> TripRequest:
    curve = ChargingCurve(soc_fraction=(0.0, 0.5, 1.0), power_kw=(150.0, 100.0, 20.0))
    vehicle = Vehicle(
        name="toy",
        mass_kg=2000.0,
        drag_area_m2=0.6,
        rolling_coefficient=0.01,
        drivetrain_efficiency=0.9,
        recuperation_efficiency=0.6,
        auxiliary_kw=0.5,
        usable_kwh=60.0,
        curve=curve,
    )
    return TripRequest(
        vehicle=vehicle,
        offers=Offers(np.tile([50.0, 150.0], len(network.sites))[: len(network.sites)]),
        origin=(0.0, 0.0),
        destination=(ROAD_NODES - 1.0, 0.0),
        soc_start=0.5,
        soc_arrival_min=0.1,
        soc_stop_min=0.1,
    )
