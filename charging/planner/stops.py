"""The charging-stop graph of a request, as a networkx graph to look at and to check against.

The search works on arrays; this is the same model with names, for notebooks, support and the
tests' oracles. It holds every usable leg of the table, so keep it to small networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from charging.planner.energy import compute_energy_kwh
from charging.planner.links import find_links
from charging.planner.roads.graph import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.network import Network
    from charging.planner.trip import TripRequest
    from charging.planner.vehicle import Vehicle

ORIGIN = "origin"
DESTINATION = "destination"


def build_stop_graph(*, network: Network, request: TripRequest) -> nx.DiGraph[str | int]:
    """Build the graph of all drives between the ends and the usable sites of a request.

    Nodes are ORIGIN, DESTINATION and site ids, with ``lon`` and ``lat``; sites have ``power_kw``.
    Edges are fastest drives with ``duration_s``, ``distance_m``, ``carried_m`` and
    ``energy_kwh``, whether or not the battery holds that much.

    Raises EndOffRoad, PositionOutOfRange and NoRoad.
    """
    links = find_links(network, origin=request.origin, destination=request.destination)
    sites, legs, power_kw = network.sites, network.legs, request.offers.power_kw
    graph: nx.DiGraph[str | int] = nx.DiGraph()
    graph.add_node(ORIGIN, lon=links.origin.lon, lat=links.origin.lat)
    graph.add_node(DESTINATION, lon=links.destination.lon, lat=links.destination.lat)
    _add_drive(graph, vehicle=request.vehicle, ends=(ORIGIN, DESTINATION), features=links.direct)
    usable = np.flatnonzero(power_kw > 0)
    for site in usable:
        name = int(sites.site_id[site])
        graph.add_node(
            name,
            lon=float(sites.lon[site]),
            lat=float(sites.lat[site]),
            power_kw=float(power_kw[site]),
        )
    for site in usable:
        name = int(sites.site_id[site])
        drives: list[tuple[tuple[str | int, str | int], NDArray[np.floating]]] = []
        if links.is_reached[site]:
            drives.append(((ORIGIN, name), links.from_origin[site]))
        if links.is_leading[site]:
            drives.append(((name, DESTINATION), links.to_destination[site]))
        for leg in range(legs.first[site], legs.first[site + 1]):
            to = legs.to_site[leg]
            if power_kw[to] > 0:
                drives.append(((name, int(sites.site_id[to])), legs.features[leg]))
        for ends, features in drives:
            _add_drive(graph, vehicle=request.vehicle, ends=ends, features=features)
    return graph


def _add_drive(
    graph: nx.DiGraph[str | int],
    *,
    vehicle: Vehicle,
    ends: tuple[str | int, str | int],
    features: NDArray[np.floating],
) -> None:
    graph.add_edge(
        *ends,
        duration_s=float(features[Feature.DURATION_S]),
        distance_m=float(features[Feature.LENGTH_M]),
        carried_m=float(features[Feature.CARRIED_M]),
        energy_kwh=float(compute_energy_kwh(vehicle, features=features)),
    )
