"""The gap: where a trip fails that no charging makes possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from charging.planner.energy import compute_energy_kwh
from charging.planner.links import sum_site_access
from charging.planner.roads.dijkstra import fastest_path
from charging.planner.roads.geo import arc_from_chord_m, place_on_sphere
from charging.planner.roads.graph import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.links import Links
    from charging.planner.network import Network
    from charging.planner.trip import TripRequest

END = -1  # in place of a site: the origin as a start, the destination as an end


class NoRouteWithinRange(Exception):
    """Some drive between charges is longer than the vehicle's range, whichever way one goes.

    ``gap_from`` and ``gap_to`` (lon, lat) are the ends of the shortest such drive: from a place
    the vehicle reaches to a place from which it would reach the destination. ``gap_km`` is its
    length by road, ``gap_kwh`` what it takes and ``available_kwh`` what may be used for it.
    """

    def __init__(
        self,
        *,
        gap_from: tuple[float, float],
        gap_to: tuple[float, float],
        gap_km: float,
        gap_kwh: float,
        available_kwh: float,
    ) -> None:
        super().__init__(
            f"No route stays within range: the shortest drive that is missing, from "
            f"{gap_from[1]:.4f}, {gap_from[0]:.4f} to {gap_to[1]:.4f}, {gap_to[0]:.4f} (latitude, "
            f"longitude), is {gap_km:.0f} km long and takes {gap_kwh:.1f} kWh of the "
            f"{max(0.0, available_kwh):.1f} kWh that may be used."
        )
        self.gap_from = gap_from
        self.gap_to = gap_to
        self.gap_km = gap_km
        self.gap_kwh = gap_kwh
        self.available_kwh = available_kwh

    @property
    def details(self) -> dict[str, object]:
        """The figures behind the message, ready for JSON; positions are (lon, lat)."""
        return {
            "gap_from": list(self.gap_from),
            "gap_to": list(self.gap_to),
            "gap_km": round(self.gap_km, 1),
            "gap_kwh": round(self.gap_kwh, 2),
            "available_kwh": round(max(0.0, self.available_kwh), 2),
        }


@dataclass(frozen=True)
class _Drive:
    from_site: int
    to_site: int
    features: NDArray[np.float64]

    @property
    def length_m(self) -> float:
        return float(self.features[Feature.LENGTH_M])


def find_gap(
    network: Network, *, request: TripRequest, links: Links, reached: NDArray[np.bool_]
) -> NoRouteWithinRange:
    """Find the shortest missing drive of a trip that has no plan.

    ``reached`` bool[s] are the sites the vehicle reaches from the origin.
    """
    leading = _find_leading(network, request=request, links=links)
    drives = [
        _Drive(END, END, links.direct),
        *_find_from_origin(links, leading=leading),
        *_find_to_destination(links, reached=reached),
        *_find_legs_across(network, reached=reached, leading=leading),
    ]
    shortest = min(drives, key=lambda drive: drive.length_m)
    across = _find_beyond_table(
        network, reached=reached, leading=leading, limit_m=shortest.length_m
    )
    if across is not None:
        shortest = across
    return _describe(network, request=request, links=links, drive=shortest)


def _find_leading(network: Network, *, request: TripRequest, links: Links) -> NDArray[np.bool_]:
    """Mark the sites from which the destination is within range: bool[s]."""
    vehicle, sites_into = request.vehicle, network.legs_into
    usable = request.offers.power_kw > 0
    room = request.soc_ceiling - request.soc_arrival_min
    last_kwh = compute_energy_kwh(vehicle, features=links.to_destination)
    leading = usable & links.is_leading & (last_kwh <= room * vehicle.usable_kwh)
    leg_kwh_max = (request.soc_ceiling - request.soc_stop_min) * vehicle.usable_kwh
    waiting = [int(site) for site in np.flatnonzero(leading)]
    while waiting:
        site = waiting.pop()
        into = slice(sites_into.first[site], sites_into.first[site + 1])
        start = sites_into.from_site[into]
        fresh = ~leading[start] & usable[start]
        features = network.legs.features[sites_into.leg[into][fresh]]
        start = start[fresh][compute_energy_kwh(vehicle, features=features) <= leg_kwh_max]
        leading[start] = True
        waiting.extend(int(each) for each in start)
    return leading


def _find_from_origin(links: Links, *, leading: NDArray[np.bool_]) -> list[_Drive]:
    sites = np.flatnonzero(leading & links.is_reached)
    if len(sites) == 0:
        return []
    site = int(sites[links.from_origin[sites, Feature.LENGTH_M].argmin()])
    return [_Drive(END, site, links.from_origin[site])]


def _find_to_destination(links: Links, *, reached: NDArray[np.bool_]) -> list[_Drive]:
    sites = np.flatnonzero(reached & links.is_leading)
    if len(sites) == 0:
        return []
    site = int(sites[links.to_destination[sites, Feature.LENGTH_M].argmin()])
    return [_Drive(site, END, links.to_destination[site])]


def _find_legs_across(
    network: Network, *, reached: NDArray[np.bool_], leading: NDArray[np.bool_]
) -> list[_Drive]:
    legs = network.legs
    best: _Drive | None = None
    for site in np.flatnonzero(reached):
        row = np.arange(legs.first[site], legs.first[site + 1])
        row = row[leading[legs.to_site[row]]]
        if len(row) == 0:
            continue
        leg = row[legs.features[row, Feature.LENGTH_M].argmin()]
        drive = _Drive(int(site), int(legs.to_site[leg]), legs.features[leg].astype(np.float64))
        if best is None or drive.length_m < best.length_m:
            best = drive
    return [] if best is None else [best]


def _find_beyond_table(
    network: Network,
    *,
    reached: NDArray[np.bool_],
    leading: NDArray[np.bool_],
    limit_m: float,
) -> _Drive | None:
    """Try the two sites nearest to each other, which the leg table may be too short to join."""
    sites = network.sites
    near, far = np.flatnonzero(reached), np.flatnonzero(leading)
    if len(near) == 0 or len(far) == 0:
        return None
    points = place_on_sphere(sites.lon, sites.lat)
    chord, match = cKDTree(points[far]).query(points[near])
    at = int(chord.argmin())
    if arc_from_chord_m(chord[at]) >= limit_m:
        return None
    start, end = int(near[at]), int(far[match[at]])
    path = fastest_path(
        network.graph, origin=int(sites.node[start]), destination=int(sites.node[end])
    )
    if path is None:
        return None
    access = sum_site_access(sites)
    drive = _Drive(start, end, access[start] + path.features + access[end])
    return drive if drive.length_m < limit_m else None


def _describe(
    network: Network, *, request: TripRequest, links: Links, drive: _Drive
) -> NoRouteWithinRange:
    sites = network.sites
    start, end = drive.from_site, drive.to_site
    soc_start = request.soc_start if start == END else request.soc_ceiling
    soc_end = request.soc_arrival_min if end == END else request.soc_stop_min
    return NoRouteWithinRange(
        gap_from=_locate(links.origin.lon, links.origin.lat)
        if start == END
        else _locate(sites.lon[start], sites.lat[start]),
        gap_to=_locate(links.destination.lon, links.destination.lat)
        if end == END
        else _locate(sites.lon[end], sites.lat[end]),
        gap_km=drive.length_m / 1000,
        gap_kwh=float(compute_energy_kwh(request.vehicle, features=drive.features)),
        available_kwh=(soc_start - soc_end) * request.vehicle.usable_kwh,
    )


def _locate(lon: float, lat: float) -> tuple[float, float]:
    return float(lon), float(lat)
