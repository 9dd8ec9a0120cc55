"""Links: the drives that join a request's origin and destination to the charging sites."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from charging.planner.roads.dijkstra import search_within
from charging.planner.roads.geo import measure_straight_m
from charging.planner.roads.graph import N_FEATURES, Feature
from charging.planner.roads.snapping import ACCESS_DETOUR, OffRoad, access_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.legs import SiteTable
    from charging.planner.network import Network
    from charging.planner.roads.dijkstra import Reach
    from charging.planner.roads.snapping import SnappedPoint


class EndOffRoad(OffRoad):
    """The origin or the destination is too far from any road; ``end`` says which."""

    def __init__(self, *, end: str, distance_m: float) -> None:
        super().__init__(distance_m)
        self.end = end
        self.args = (f"The {end} cannot be reached by car. {self.args[0]}",)


class NoRoad(Exception):
    """No road or ferry of the graph leads from the origin to the destination."""

    def __init__(self, *, origin: tuple[float, float], destination: tuple[float, float]) -> None:
        super().__init__(
            f"No road or ferry leads from {origin[1]:.4f}, {origin[0]:.4f} "
            f"to {destination[1]:.4f}, {destination[0]:.4f} (latitude, longitude)."
        )
        self.origin = origin
        self.destination = destination

    @property
    def details(self) -> dict[str, object]:
        """The figures behind the message, ready for JSON; positions are (lon, lat)."""
        return {"origin": list(self.origin), "destination": list(self.destination)}


@dataclass(frozen=True)
class Links:
    """The drives from the origin and to the destination, access at both ends included.

    Rows of unconnected sites hold zeros; the masks say which rows count.
    """

    origin: SnappedPoint
    destination: SnappedPoint
    direct: NDArray[np.float64]  # [N_FEATURES] origin to destination
    is_local: bool  # the ends are nearer to each other than to the roads: direct goes across
    from_origin: NDArray[np.float64]  # [s, N_FEATURES]
    is_reached: NDArray[np.bool_]  # [s] a road leads from the origin to the site
    to_destination: NDArray[np.float64]  # [s, N_FEATURES]
    is_leading: NDArray[np.bool_]  # [s] a road leads from the site to the destination


def find_links(
    network: Network, *, origin: tuple[float, float], destination: tuple[float, float]
) -> Links:
    """Snap both ends (lon, lat) and search the roads from and to them.

    Both searches cover the whole graph: how far a vehicle gets is a question of energy, and the
    fastest way of much energy may be no longer in time than a slow way of little.

    Raises EndOffRoad, PositionOutOfRange and NoRoad.
    """
    start = _snap_end(network, place=origin, end="origin")
    finish = _snap_end(network, place=destination, end="destination")
    # The kernels release the interpreter lock, so both searches run at once.
    with ThreadPoolExecutor(max_workers=1) as pool:
        forwards_later = pool.submit(search_within, network.graph, node=start.node, limit_ds=None)
        backwards = search_within(network.graph, node=finish.node, limit_ds=None, reverse=True)
        forwards = forwards_later.result()
    at_start = np.flatnonzero(backwards.nodes == start.node)
    if len(at_start) == 0:
        raise NoRoad(origin=origin, destination=destination)
    to_start, to_finish = access_features(start.access_m), access_features(finish.access_m)
    straight_m = measure_straight_m(
        from_lon=origin[0], from_lat=origin[1], to_lon=destination[0], to_lat=destination[1]
    )
    across_m = ACCESS_DETOUR * float(straight_m[0])
    is_local = across_m <= start.access_m + finish.access_m
    from_origin, is_reached = _join_sites(network, reach=forwards, access=to_start)
    to_destination, is_leading = _join_sites(network, reach=backwards, access=to_finish)
    return Links(
        origin=start,
        destination=finish,
        direct=access_features(across_m)
        if is_local
        else to_start + backwards.features[at_start[0]] + to_finish,
        is_local=is_local,
        from_origin=from_origin,
        is_reached=is_reached,
        to_destination=to_destination,
        is_leading=is_leading,
    )


def _snap_end(network: Network, *, place: tuple[float, float], end: str) -> SnappedPoint:
    try:
        return network.snapper.snap(*place)
    except OffRoad as error:
        raise EndOffRoad(end=end, distance_m=error.distance_m) from error


def _join_sites(
    network: Network, *, reach: Reach, access: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    row_of_node = np.full(network.graph.node_count, -1, dtype=np.int32)
    row_of_node[reach.nodes] = np.arange(len(reach.nodes), dtype=np.int32)
    row = row_of_node[network.sites.node]
    is_joined = row >= 0
    features = np.zeros((len(row), N_FEATURES))
    features[is_joined] = reach.features[row[is_joined]] + access
    features[is_joined] += sum_site_access(network.sites)[is_joined]
    return features, is_joined


def sum_site_access(sites: SiteTable) -> NDArray[np.float64]:
    """Give the features of every site's access drive: float64[s, N_FEATURES].

    Flat and at each site's own access speed, as in the leg table.
    """
    speed_m_s = np.divide(
        sites.access_m, sites.access_s, out=np.zeros(len(sites)), where=sites.access_s > 0
    )
    features = np.zeros((len(sites), N_FEATURES))
    features[:, Feature.DURATION_S] = sites.access_s
    features[:, Feature.LENGTH_M] = sites.access_m
    features[:, Feature.DRAG_M3_S2] = sites.access_m * speed_m_s**2
    return features
