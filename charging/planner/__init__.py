"""The trip planner: which sites to charge at on a long trip, and how far.

Pure: no Django, no network, no clock. docs/algorithms/planner.md explains the model.
"""

from charging.planner.curve import ChargingCurve, CurveInvalid
from charging.planner.gap import NoRouteWithinRange
from charging.planner.itinerary import Itinerary, ItineraryLeg, ItineraryStop
from charging.planner.links import EndOffRoad, NoRoad
from charging.planner.network import Network
from charging.planner.planning import PlanDisagrees, plan
from charging.planner.trip import Offers, OffersInvalid, SocOutOfRange, TripRequest
from charging.planner.vehicle import FigureOutOfRange, Vehicle
from charging.planner.warming import warm_up

__all__ = [
    "ChargingCurve",
    "CurveInvalid",
    "EndOffRoad",
    "FigureOutOfRange",
    "Itinerary",
    "ItineraryLeg",
    "ItineraryStop",
    "Network",
    "NoRoad",
    "NoRouteWithinRange",
    "Offers",
    "OffersInvalid",
    "PlanDisagrees",
    "SocOutOfRange",
    "TripRequest",
    "Vehicle",
    "plan",
    "warm_up",
]
