"""Small worlds for the planner's tests: roads one can work out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from charging.planner import ChargingCurve, Network, Offers, TripRequest, Vehicle
from charging.planner.legs import SiteTable, build_leg_table
from charging.planner.roads.snapping import Snapper
from charging.planner.roads.store import make_road_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from charging.planner.roads.graph import RoadGraph

REACH_M = 2_000_000.0
FLAT_CURVE = ChargingCurve(soc_fraction=(0.0, 1.0), power_kw=(100.0, 100.0))
# Cold at the bottom, a plateau, then a taper.
REAL_CURVE = ChargingCurve(
    soc_fraction=(0.0, 0.1, 0.3, 0.5, 0.8, 1.0), power_kw=(60.0, 140.0, 150.0, 150.0, 80.0, 15.0)
)


def make_vehicle(
    *, curve: ChargingCurve = REAL_CURVE, usable_kwh: float = 60.0, consumption_factor: float = 1.0
) -> Vehicle:
    return Vehicle(
        name="test car",
        mass_kg=2000.0,
        drag_area_m2=0.6,
        rolling_coefficient=0.01,
        drivetrain_efficiency=0.9,
        recuperation_efficiency=0.6,
        auxiliary_kw=0.5,
        usable_kwh=usable_kwh,
        curve=curve,
        consumption_factor=consumption_factor,
    )


def make_sites(graph: RoadGraph, *, nodes: Sequence[int]) -> SiteTable:
    """Put sites on road nodes, without access drives; ids are 100, 101, ..."""
    count = len(nodes)
    return SiteTable(
        site_id=np.arange(100, 100 + count, dtype=np.int64),
        lon=graph.node_lon[list(nodes)],
        lat=graph.node_lat[list(nodes)],
        node=np.array(nodes, dtype=np.int32),
        access_m=np.zeros(count),
        access_s=np.zeros(count),
    )


def make_network(graph: RoadGraph, *, site_nodes: Sequence[int]) -> Network:
    sites = make_sites(graph, nodes=site_nodes)
    legs = build_leg_table(graph, sites=sites, reach_m=REACH_M)
    return Network(graph=graph, legs=legs, snapper=Snapper(graph))


def make_motorway(
    *,
    site_nodes: Sequence[int],
    nodes: int = 11,
    node_km: float = 100.0,
    speed_km_h: float = 120.0,
    node_elevation_m: Sequence[float] | None = None,
    ferry_after: int | None = None,
) -> Network:
    """Make a straight two-way road along the equator with a node every ``node_km``."""
    degrees = node_km / 111.195
    there = [(i, i + 1) for i in range(nodes - 1)]
    arcs = there + [(head, tail) for tail, head in there]
    is_ferry = [ferry_after is not None and min(arc) == ferry_after for arc in arcs]
    graph = make_road_graph(
        node_lon=[i * degrees for i in range(nodes)],
        node_lat=[0.0] * nodes,
        tail=[tail for tail, _ in arcs],
        head=[head for _, head in arcs],
        duration_ds=[round(node_km / speed_km_h * 36_000)] * len(arcs),
        length_m=[node_km * 1000] * len(arcs),
        kind=[2 if ferry else 0 for ferry in is_ferry],
        node_elevation_m=node_elevation_m,
    )
    return make_network(graph, site_nodes=site_nodes)


def make_request(
    network: Network,
    *,
    power_kw: Sequence[float],
    vehicle: Vehicle | None = None,
    from_node: int = 0,
    to_node: int = -1,
    soc_start: float = 0.8,
    soc_arrival_min: float = 0.1,
    soc_stop_min: float = 0.1,
    soc_ceiling: float = 1.0,
    stop_overhead_s: float = 300.0,
) -> TripRequest:
    lon, lat = network.graph.node_lon, network.graph.node_lat
    return TripRequest(
        vehicle=vehicle or make_vehicle(),
        offers=Offers(power_kw=np.array(power_kw, dtype=np.float64)),
        origin=(float(lon[from_node]), float(lat[from_node])),
        destination=(float(lon[to_node]), float(lat[to_node])),
        soc_start=soc_start,
        soc_arrival_min=soc_arrival_min,
        soc_stop_min=soc_stop_min,
        soc_ceiling=soc_ceiling,
        stop_overhead_s=stop_overhead_s,
    )
