"""Planning a trip: links, bounds, search, and the drive along the roads that checks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from charging.planner.bounds import Bounds, bound_before, bound_to_go, find_any_plan, price_sessions
from charging.planner.energy import compute_energy_coefficients
from charging.planner.gap import find_gap
from charging.planner.itinerary import Itinerary, drive_plan, find_shortage
from charging.planner.kernels import Drives, Ends, Limits, freeze
from charging.planner.links import Links, find_links
from charging.planner.objectives import minimise_time, tabulate_charging
from charging.planner.roads.graph import Feature
from charging.planner.search import search
from charging.planner.trip import SOC_GUARD, OffersInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.itinerary import Itinerary
    from charging.planner.kernels import Charging
    from charging.planner.labels import Stop
    from charging.planner.network import Network
    from charging.planner.objectives import Objective
    from charging.planner.trip import TripRequest


# Descents can leave a full battery no room, or dip below the limit before they recover; the
# search, which sees whole legs, then plans again with what was short kept in hand, and a step more
# that doubles. So the rounds end soon, if need be with more in hand than the battery holds.
MAX_ROUNDS = 12
FIRST_STEP = 0.0005

# What single precision may do to the sum of a plan's legs.
TIME_TOLERANCE_S = 0.05
TIME_TOLERANCE_SHARE = 1e-6


class PlanDisagrees(RuntimeError):
    """The search and the drive along the roads give different results: a defect, not a trip."""


def plan(*, network: Network, request: TripRequest) -> Itinerary:
    """Plan the fastest trip: which sites to stop at and how far to charge at each.

    Raises NoRouteWithinRange (with the gap), NoRoad, EndOffRoad, PositionOutOfRange and
    OffersInvalid.

    Source: docs/algorithms/planner.md.
    """
    if len(request.offers.power_kw) != len(network.sites):
        msg = f"{len(request.offers.power_kw)} offers for {len(network.sites)} sites"
        raise OffersInvalid(msg)
    links = find_links(network, origin=request.origin, destination=request.destination)
    objective = minimise_time(
        site_count=len(network.sites), stop_overhead_s=request.stop_overhead_s
    )
    hand = SOC_GUARD
    for turn in range(MAX_ROUNDS):
        cost_s, stops = find_stops(
            network, request=request, objective=objective, links=links, hand=hand
        )
        itinerary = drive_plan(network, request=request, links=links, stops=stops)
        shortage = find_shortage(itinerary, request=request)
        if shortage <= 0:
            _check_agreement(itinerary, request=request, cost_s=cost_s, stops=stops)
            return itinerary
        hand += shortage + FIRST_STEP * 2**turn
    msg = f"the plan still falls short by {shortage:g} of the battery after {MAX_ROUNDS} rounds"
    raise PlanDisagrees(msg)


def find_stops(
    network: Network, *, request: TripRequest, objective: Objective, links: Links, hand: float
) -> tuple[float, tuple[Stop, ...]]:
    """Find the cheapest stops with ``hand`` of the battery kept above every limit.

    Raises NoRouteWithinRange.
    """
    vehicle = request.vehicle
    # Whole numbers would be other types to numba, and seconds of compiling to the caller.
    limits = Limits(
        start=float(request.soc_start),
        floor=float(request.soc_stop_min + hand),
        arrival=float(request.soc_arrival_min + hand),
        ceiling=float(request.soc_ceiling),
    )
    soc_per_unit = compute_energy_coefficients(vehicle) / vehicle.usable_kwh
    # No way is faster than the fastest drive, so a trip that needs no stop makes none.
    # Its features are not rounded, so it needs no guard.
    if limits.start - float(links.direct @ soc_per_unit) >= limits.arrival - SOC_GUARD:
        return objective.drive_per_s * float(links.direct[Feature.DURATION_S]), ()
    drives = Drives(
        first=freeze(network.legs.first),
        to_site=freeze(network.legs.to_site),
        features=freeze(network.legs.features),
        soc_per_unit=soc_per_unit,
        cost_per_s=objective.drive_per_s,
    )
    charging = tabulate_charging(objective, vehicle=vehicle, offers=request.offers)
    ends = _measure_ends(links, soc_per_unit=soc_per_unit, cost_per_s=objective.drive_per_s)
    is_possible, reached = False, np.zeros(len(network.sites), dtype=np.bool_)
    if limits.floor < limits.ceiling:  # over hills, more may be kept in hand than can be charged
        session, per_soc = price_sessions(charging, limits=limits)
        upper, reached = find_any_plan(drives, charging, ends, limits, per_soc, False)
        if upper == np.inf:
            upper, reached = find_any_plan(drives, charging, ends, limits, per_soc, True)
        is_possible = upper < np.inf
    if not is_possible:
        raise find_gap(network, request=request, links=links, reached=reached)
    return _search_below(
        network,
        drives=drives,
        charging=charging,
        ends=ends,
        limits=limits,
        price=(session, per_soc),
        # The plan behind the upper bound must survive its own bound, which adds up legs that are
        # not rounded to float32 as the table's are.
        upper=upper + TIME_TOLERANCE_S + TIME_TOLERANCE_SHARE * upper,
    )


def _search_below(
    network: Network,
    *,
    drives: Drives,
    charging: Charging,
    ends: Ends,
    limits: Limits,
    price: tuple[NDArray[np.float64], float],
    upper: float,
) -> tuple[float, tuple[Stop, ...]]:
    session, per_soc = price
    before = bound_before(drives, charging, ends, limits, session, per_soc, upper)
    # On flat roads charge only falls between stops; a descent may fill the battery.
    is_flat = np.ptp(network.graph.node_elevation_m) == 0
    most_soc = max(limits.ceiling, limits.start) if is_flat else 1.0
    to_go = bound_to_go(
        drives, network.legs_into, ends, limits, session, per_soc, before, most_soc, upper
    )
    found = search(
        drives=drives,
        charging=charging,
        ends=ends,
        limits=limits,
        bounds=Bounds(to_go=to_go, session=session, per_soc=per_soc),
        best_cost=upper,
    )
    if not found.stops:
        raise PlanDisagrees("a plan exists, but the search found none")
    return found.cost, found.stops


def _measure_ends(links: Links, *, soc_per_unit: NDArray[np.float64], cost_per_s: float) -> Ends:
    out_s = np.where(links.is_reached, links.from_origin[:, Feature.DURATION_S], np.inf)
    in_s = np.where(links.is_leading, links.to_destination[:, Feature.DURATION_S], np.inf)
    return Ends(
        out_cost=out_s * cost_per_s,
        out_soc=links.from_origin @ soc_per_unit,
        in_cost=in_s * cost_per_s,
        in_soc=links.to_destination @ soc_per_unit,
    )


def _check_agreement(
    itinerary: Itinerary, *, request: TripRequest, cost_s: float, stops: tuple[Stop, ...]
) -> None:
    usable_kwh = request.vehicle.usable_kwh
    if any(
        leg.soc_depart - leg.energy_kwh / usable_kwh - leg.soc_arrive > SOC_GUARD
        for leg in itinerary.legs
    ):
        return  # a battery was full on a descent: the drive lost charge that the search counted
    tolerance_s = (TIME_TOLERANCE_S + TIME_TOLERANCE_SHARE * cost_s) * (len(stops) + 1)
    if abs(itinerary.duration_s - cost_s) > tolerance_s:
        msg = f"the search found {cost_s:.3f} s, the drive takes {itinerary.duration_s:.3f} s"
        raise PlanDisagrees(msg)
