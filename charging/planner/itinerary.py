"""The itinerary: a plan driven again along its road arcs, in double precision.

The search adds up whole legs in single precision. Here every arc of every leg is driven and every
charge is integrated once more; what a driver reads comes from this pass, and the search's figures
must agree with it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from charging.planner.curve import charge_time_s, make_charge_table, power_kw_at
from charging.planner.energy import compute_energy_kwh
from charging.planner.links import sum_site_access
from charging.planner.roads.dijkstra import fastest_path
from charging.planner.roads.graph import N_FEATURES, Feature, RoadKind
from charging.planner.roads.snapping import access_features
from charging.planner.trip import SOC_GUARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from charging.planner.curve import ChargeTable
    from charging.planner.labels import Stop
    from charging.planner.links import Links
    from charging.planner.network import Network
    from charging.planner.roads.graph import RoadGraph
    from charging.planner.roads.snapping import SnappedPoint
    from charging.planner.trip import TripRequest

# Enough for a smooth picture on any screen; a leg of fewer arcs keeps them all.
PROFILE_POINTS_A_LEG = 60
PROFILE_POINTS_A_CHARGE = 8

Profile = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, kw_only=True)
class ItineraryLeg:
    """A drive between two stops or ends; ``carried_m`` of it on a ferry or shuttle."""

    distance_m: float
    duration_s: float
    energy_kwh: float
    soc_depart: float
    soc_arrive: float
    soc_lowest: float  # anywhere on the leg; below soc_arrive only before a descent
    carried_m: float
    arcs: NDArray[np.int32]
    geometry: tuple[tuple[float, float], ...]  # lon, lat


@dataclass(frozen=True, kw_only=True)
class ItineraryStop:
    """A charge; ``energy_kwh`` goes into the battery, ``overhead_s`` passes before it starts."""

    site_id: int
    lon: float
    lat: float
    soc_arrive: float
    soc_depart: float
    charge_s: float
    overhead_s: float
    energy_kwh: float
    power_max_kw: float
    power_mean_kw: float


@dataclass(frozen=True, kw_only=True)
class Itinerary:
    """A trip from door to door: one leg more than stops, in driving order.

    ``duration_s`` is ``driving_s`` plus ``charging_s`` plus the stops' overheads. ``soc_profile``
    lists distance (m), duration (s) and charge from the start; distance and duration never fall,
    and while charging distance stands still.
    """

    distance_m: float
    duration_s: float
    driving_s: float
    charging_s: float
    energy_kwh: float
    legs: tuple[ItineraryLeg, ...]
    stops: tuple[ItineraryStop, ...]
    soc_profile: Profile
    geometry: tuple[tuple[float, float], ...]  # lon, lat

    @property
    def arcs(self) -> NDArray[np.int32]:
        """The road arcs of all legs in driving order."""
        return np.concatenate([leg.arcs for leg in self.legs])


@dataclass(frozen=True)
class _Place:
    lon: float
    lat: float
    node: int
    access: NDArray[np.float64]  # [N_FEATURES]


@dataclass(frozen=True)
class _Track:
    """A leg arc by arc, access at both ends included: r rows, r + 1 points."""

    arcs: NDArray[np.int32]  # [r - 2]
    features: NDArray[np.float64]  # [r, N_FEATURES]
    energy_kwh: NDArray[np.float64]  # [r]
    geometry: tuple[tuple[float, float], ...]  # [r + 1]


def drive_plan(
    network: Network, *, request: TripRequest, links: Links, stops: Sequence[Stop]
) -> Itinerary:
    """Drive from the origin over the given stops to the destination, charging as planned.

    The charge is whatever it comes to; whether limits are kept is for `find_shortage` to say.
    """
    access = sum_site_access(network.sites)
    places = [
        _place_end(links.origin),
        *(_place_site(network, site=stop.site, access=access) for stop in stops),
        _place_end(links.destination),
    ]
    legs: list[ItineraryLeg] = []
    charges: list[ItineraryStop] = []
    profile = [(0.0, 0.0, request.soc_start)]
    soc = request.soc_start
    for i, (start, end) in enumerate(itertools.pairwise(places)):
        if links.is_local and not stops:
            track = _go_across(request, links=links)
        else:
            track = _find_track(network.graph, request=request, start=start, end=end)
        leg, points = _drive_leg(track, request=request, soc=soc)
        legs.append(leg)
        _append_points(profile, points)
        soc = leg.soc_arrive
        if i < len(stops):
            stop, points = _charge(network, request=request, stop=stops[i], soc=soc)
            charges.append(stop)
            _append_points(profile, points)
            soc = stop.soc_depart
    return _sum_up(legs, charges, profile=tuple(profile))


def _place_end(point: SnappedPoint) -> _Place:
    return _Place(point.lon, point.lat, point.node, access_features(point.access_m))


def _place_site(network: Network, *, site: int, access: NDArray[np.float64]) -> _Place:
    sites = network.sites
    return _Place(
        float(sites.lon[site]), float(sites.lat[site]), int(sites.node[site]), access[site]
    )


def _find_track(graph: RoadGraph, *, request: TripRequest, start: _Place, end: _Place) -> _Track:
    path = fastest_path(graph, origin=start.node, destination=end.node)
    if path is None:
        msg = f"the plan drives from node {start.node} to {end.node}, where there is no road"
        raise RuntimeError(msg)
    nodes = np.concatenate(([start.node], graph.head[path.arcs]))
    features = np.vstack((start.access, list_arc_features(graph, arcs=path.arcs), end.access))
    return _Track(
        arcs=path.arcs,
        features=features,
        energy_kwh=compute_energy_kwh(request.vehicle, features=features),
        geometry=(
            (start.lon, start.lat),
            *zip(graph.node_lon[nodes].tolist(), graph.node_lat[nodes].tolist(), strict=True),
            (end.lon, end.lat),
        ),
    )


def _go_across(request: TripRequest, *, links: Links) -> _Track:
    """Drive between two places that are nearer to each other than to the roads."""
    features = links.direct[np.newaxis, :]
    return _Track(
        arcs=np.zeros(0, dtype=np.int32),
        features=features,
        energy_kwh=compute_energy_kwh(request.vehicle, features=features),
        geometry=(
            (links.origin.lon, links.origin.lat),
            (links.destination.lon, links.destination.lat),
        ),
    )


def list_arc_features(graph: RoadGraph, *, arcs: NDArray[np.int32]) -> NDArray[np.float64]:
    """Give the features of single arcs: arcs [k] -> float64[k, N_FEATURES].

    They add up to `sum_features` of the same arcs.
    """
    features = np.zeros((len(arcs), N_FEATURES))
    duration_s = graph.duration_ds[arcs] / 10
    length_m = graph.length_m[arcs].astype(np.float64)
    is_carried = graph.kind[arcs] >= RoadKind.FERRY
    head_m = graph.node_elevation_m[graph.head[arcs]].astype(np.float64)
    climb_m = head_m - graph.node_elevation_m[graph.tail[arcs]]
    climb_m[is_carried] = 0.0
    features[:, Feature.DURATION_S] = duration_s
    features[:, Feature.LENGTH_M] = length_m
    features[:, Feature.CARRIED_S] = np.where(is_carried, duration_s, 0.0)
    features[:, Feature.CARRIED_M] = np.where(is_carried, length_m, 0.0)
    drag_m3_s2 = length_m * (length_m / duration_s) ** 2
    features[:, Feature.DRAG_M3_S2] = np.where(is_carried, 0.0, drag_m3_s2)
    features[:, Feature.ASCENT_M] = np.maximum(climb_m, 0.0)
    features[:, Feature.DESCENT_M] = np.maximum(-climb_m, 0.0)
    return features


def _drive_leg(track: _Track, *, request: TripRequest, soc: float) -> tuple[ItineraryLeg, Profile]:
    soc_along = _follow_soc(soc, taken=track.energy_kwh / request.vehicle.usable_kwh)
    distance_m = np.concatenate(([0.0], np.cumsum(track.features[:, Feature.LENGTH_M])))
    duration_s = np.concatenate(([0.0], np.cumsum(track.features[:, Feature.DURATION_S])))
    wanted_m = np.linspace(0.0, distance_m[-1], PROFILE_POINTS_A_LEG + 1)
    at = np.unique(np.searchsorted(distance_m, wanted_m).clip(max=len(distance_m) - 1))
    at = np.unique(np.append(at, len(distance_m) - 1))
    points = zip(
        distance_m[at].tolist(), duration_s[at].tolist(), soc_along[at].tolist(), strict=True
    )
    leg = ItineraryLeg(
        distance_m=float(distance_m[-1]),
        duration_s=float(duration_s[-1]),
        energy_kwh=float(track.energy_kwh.sum()),
        soc_depart=soc,
        soc_arrive=float(soc_along[-1]),
        soc_lowest=float(soc_along.min()),
        carried_m=float(track.features[:, Feature.CARRIED_M].sum()),
        arcs=track.arcs,
        geometry=track.geometry,
    )
    return leg, tuple(points)


def _follow_soc(soc: float, *, taken: NDArray[np.float64]) -> NDArray[np.float64]:
    along = soc - np.concatenate(([0.0], np.cumsum(taken)))
    # A full battery takes nothing more: what a descent would add beyond 1 is lost from there on.
    lost = np.maximum.accumulate(np.maximum(along - 1.0, 0.0))
    followed: NDArray[np.float64] = along - lost
    return followed


def _charge(
    network: Network, *, request: TripRequest, stop: Stop, soc: float
) -> tuple[ItineraryStop, Profile]:
    vehicle, sites = request.vehicle, network.sites
    table = make_charge_table(
        vehicle.curve,
        usable_kwh=vehicle.usable_kwh,
        site_kw=float(request.offers.power_kw[stop.site]),
    )
    # The search may leave a site as full as it came, above the ceiling; that is no charge.
    # Nor is what the rounding of the leg table leaves.
    leave = max(soc, min(stop.depart_soc, float(request.soc_ceiling)))
    if leave - soc < SOC_GUARD / 2:
        leave = soc
    charge_s = charge_time_s(table, from_soc=soc, to_soc=leave)
    energy_kwh = (leave - soc) * vehicle.usable_kwh
    points = tuple(
        (0.0, request.stop_overhead_s + charge_time_s(table, from_soc=soc, to_soc=at), at)
        for at in np.linspace(soc, leave, PROFILE_POINTS_A_CHARGE).tolist()
    )
    power_max_kw = _find_power_max_kw(table, from_soc=soc, to_soc=leave)
    charge = ItineraryStop(
        site_id=int(sites.site_id[stop.site]),
        lon=float(sites.lon[stop.site]),
        lat=float(sites.lat[stop.site]),
        soc_arrive=soc,
        soc_depart=leave,
        charge_s=charge_s,
        overhead_s=request.stop_overhead_s,
        energy_kwh=energy_kwh,
        power_max_kw=power_max_kw,
        power_mean_kw=3600 * energy_kwh / charge_s if charge_s > 0 else power_max_kw,
    )
    return charge, points


def _find_power_max_kw(table: ChargeTable, *, from_soc: float, to_soc: float) -> float:
    inner = (table.soc_fraction > from_soc) & (table.soc_fraction < to_soc)
    ends = (power_kw_at(table, soc_fraction=from_soc), power_kw_at(table, soc_fraction=to_soc))
    return float(max(*ends, *table.power_kw[inner].tolist()))


def _append_points(profile: list[tuple[float, float, float]], points: Profile) -> None:
    distance_m, duration_s, _ = profile[-1]
    profile.extend((distance_m + d, duration_s + t, soc) for d, t, soc in points)


def _sum_up(legs: list[ItineraryLeg], stops: list[ItineraryStop], *, profile: Profile) -> Itinerary:
    driving_s = sum(leg.duration_s for leg in legs)
    charging_s = sum(stop.charge_s for stop in stops)
    return Itinerary(
        distance_m=sum(leg.distance_m for leg in legs),
        duration_s=driving_s + charging_s + sum(stop.overhead_s for stop in stops),
        driving_s=driving_s,
        charging_s=charging_s,
        energy_kwh=sum(leg.energy_kwh for leg in legs),
        legs=tuple(legs),
        stops=tuple(stops),
        soc_profile=profile,
        geometry=(*legs[0].geometry, *(point for leg in legs[1:] for point in leg.geometry[1:])),
    )


def find_shortage(itinerary: Itinerary, *, request: TripRequest) -> float:
    """Give by how much the charge falls below its limits anywhere, 0 when it never does.

    Each leg ends with no less than its end asks for, and never falls below the smaller of that
    and ``soc_stop_min`` on the way.
    """
    shortage = 0.0
    for i, leg in enumerate(itinerary.legs):
        is_last = i == len(itinerary.legs) - 1
        least = request.soc_arrival_min if is_last else request.soc_stop_min
        shortage = max(
            shortage,
            least - leg.soc_arrive,
            min(least, request.soc_stop_min) - leg.soc_lowest,
        )
    return shortage
