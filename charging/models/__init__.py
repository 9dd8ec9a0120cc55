"""Charging's tables."""

from charging.models.places import Place, PlaceName
from charging.models.supply import (
    Connector,
    Evse,
    EvseStatus,
    Location,
    Partner,
    PowerType,
    QuarantinedObject,
    SyncRun,
    Tariff,
)

__all__ = [
    "Connector",
    "Evse",
    "EvseStatus",
    "Location",
    "Partner",
    "Place",
    "PlaceName",
    "PowerType",
    "QuarantinedObject",
    "SyncRun",
    "Tariff",
]
