"""What charging sites offer one vehicle: power while planning, price and status afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from django.db.models import Max
from django.utils.translation import gettext as _

from charging.models import Connector, EvseStatus, Location, Partner
from charging.station_prices import PriceBook
from charging.tariffs.estimate import PlannedCharge, estimate_cost
from emsp.kernel.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from charging.models import Tariff
    from charging.planner import ItineraryStop
    from charging.planner.legs import SiteTable
    from charging.tariffs.terms import TariffTerms

# A station that is busy now may be free when the car arrives; a broken one hardly will.
NOT_THERE = (EvseStatus.PLANNED, EvseStatus.REMOVED)
NOT_USABLE = (
    EvseStatus.BLOCKED,
    EvseStatus.INOPERATIVE,
    EvseStatus.OUTOFORDER,
    *NOT_THERE,
)
# Weaker plugs are a household's or a mistake; a charge there takes days.
LEAST_POWER_KW = 3.0
_MILLI = Decimal("0.001")
_MICRO = Decimal("0.000001")


class StationVanished(Exception):
    """A station of the plan is no longer there."""


@dataclass(frozen=True)
class StopOffer:
    """What one planned stop's station offers."""

    location: Location
    connector: str
    power_kw: float
    available: int
    unknown: int
    total: int
    cost: Money | None
    cost_note: str


def find_site_powers(sites: SiteTable, *, inlet: str) -> NDArray[np.float64]:
    """Return the strongest usable connector per site in kW for an inlet; 0 where none fits.

    Plugs weaker than LEAST_POWER_KW are left out.
    """
    powers = np.zeros(len(sites))
    found = (
        Connector.objects.filter(
            standard=inlet,
            power_type="DC",
            power_kw__gte=LEAST_POWER_KW,
            evse__location__removed_at=None,
            evse__location__publish=True,
        )
        .exclude(evse__status__in=NOT_USABLE)
        .exclude(evse__location__partner__state=Partner.State.SUSPENDED)
        .values_list("evse__location_id")
        .annotate(power_kw=Max("power_kw"))
    )
    rows = list(found)
    if rows and len(sites):
        site_id = np.array([row[0] for row in rows], dtype=np.int64)
        power_kw = np.array([row[1] for row in rows], dtype=np.float64)
        index = np.minimum(np.searchsorted(sites.site_id, site_id), len(sites) - 1)
        known = sites.site_id[index] == site_id
        powers[index[known]] = power_kw[known]
    return powers


def describe_stops(
    stops: Sequence[ItineraryStop], *, arrivals_at: Sequence[datetime], inlet: str
) -> list[StopOffer]:
    """Give each planned stop its station, connector, availability and price.

    Raises
    ------
    StationVanished
        A station was deleted since its power was read.
    """
    ids = [stop.site_id for stop in stops]
    locations = Location.objects.select_related("partner").in_bulk(ids)
    connectors: dict[int, list[Connector]] = {}
    fitting = Connector.objects.filter(evse__location__in=ids, standard=inlet, power_type="DC")
    for connector in fitting.select_related("evse").order_by("-power_kw", "pk"):
        connectors.setdefault(connector.evse.location_id, []).append(connector)
    if vanished := set(ids) - (connectors.keys() & locations.keys()):
        raise StationVanished(min(vanished))
    chosen = [_choose_connector(connectors[site_id]) for site_id in ids]
    prices = PriceBook(
        (locations[site_id].partner_id, best) for site_id, best in zip(ids, chosen, strict=True)
    )
    offers = []
    for stop, best, arrives_at in zip(stops, chosen, arrivals_at, strict=True):
        location = locations[stop.site_id]
        starts_at = arrives_at + timedelta(seconds=stop.overhead_s)
        tariff = prices.find_tariff(partner_id=location.partner_id, connector=best, at=starts_at)
        cost, note = _price_stop(
            stop,
            location=location,
            tariff=tariff,
            terms=prices.read_tariff(tariff) if tariff else None,
            starts_at=starts_at,
        )
        evses = {plug.evse_id: plug.evse for plug in connectors[stop.site_id]}
        statuses = [evse.status for evse in evses.values() if evse.status not in NOT_THERE]
        offers.append(
            StopOffer(
                location=location,
                connector=best.standard,
                power_kw=best.power_kw,
                available=statuses.count(EvseStatus.AVAILABLE),
                unknown=statuses.count(EvseStatus.UNKNOWN),
                total=len(statuses),
                cost=cost,
                cost_note=note,
            )
        )
    return offers


def _choose_connector(connectors: list[Connector]) -> Connector:
    """Take the strongest that can be used.

    The status may have changed since the power was read; then the plug itself is still there.
    """
    usable = [plug for plug in connectors if plug.evse.status not in NOT_USABLE]
    return (usable or connectors)[0]


def _price_stop(
    stop: ItineraryStop,
    *,
    location: Location,
    tariff: Tariff | None,
    terms: TariffTerms | None,
    starts_at: datetime,
) -> tuple[Money | None, str]:
    """Return the rounded cost of a stop, or None with the reason."""
    if tariff is None:
        return None, _("The operator states no price.")
    if terms is None:
        return None, _("The operator's price cannot be read.")
    if stop.charge_s <= 0:
        # Rare, where a detour past a station spares energy: no session, no price.
        return Money(Decimal(0), terms.currency).rounded(), _("Nothing is charged here.")
    try:
        zone = ZoneInfo(location.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # "Europe" is a folder, "" and "../x" are no keys.
        return None, _("The operator's price cannot be read.")
    charge = PlannedCharge(
        starts_at=starts_at.astimezone(zone),
        # The noise in a float's last digits would begin another step.
        duration_s=max(_MILLI, Decimal(repr(stop.charge_s)).quantize(_MILLI)),
        energy_kwh=Decimal(repr(stop.energy_kwh)).quantize(_MICRO),
    )
    estimate = estimate_cost(terms, charge)
    if estimate is None:
        return None, _("The operator states no price for this time.")
    note = "" if estimate.vat_known else _("The operator does not state the VAT.")
    return Money(estimate.amount, estimate.currency).rounded(), note
