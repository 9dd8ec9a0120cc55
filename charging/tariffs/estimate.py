"""What a planned charge will cost under a tariff: energy, time and flat parts.

The charge is cut where the tariff's own restrictions change: at their times of day, at midnight, at
their kWh and durations. Power is taken as steady. Reckoned in fractions: nothing is rounded but
the sum. Source: OCPI 2.2.1, 11.4.2-11.4.6: for each dimension the first element whose restrictions
all hold is the one that counts; minimum inclusive, maximum exclusive.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from charging.tariffs.terms import (
    Dimension,
    PriceComponent,
    PriceLimit,
    Restrictions,
    TariffElement,
    TariffTerms,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_SECONDS_PER_HOUR = 3600
_WH_PER_KWH = 1000
_MINUTE = timedelta(minutes=1)
# A longer charge is none that a driver plans; it would be cut into very many slices.
MOST_CHARGE_S = 48 * 3600


@dataclass(frozen=True)
class PlannedCharge:
    """A charge as planned: ``starts_at`` is in the location's own time zone.

    ``energy_kwh`` is taken as what the meter will count. The planner gives what reaches the
    battery: until it knows the charging losses, an estimate is that share too low.
    """

    starts_at: datetime
    duration_s: Decimal
    energy_kwh: Decimal

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None:
            raise ValueError("starts_at needs the location's time zone")
        if self.duration_s <= 0 or self.energy_kwh < 0:
            raise ValueError("a charge lasts longer than 0 s and takes no negative energy")

    @property
    def power_kw(self) -> Fraction:
        return Fraction(self.energy_kwh) * _SECONDS_PER_HOUR / Fraction(self.duration_s)


@dataclass(frozen=True)
class CostEstimate:
    """An unrounded cost. ``vat_known`` is False where a component states no VAT."""

    amount: Decimal
    currency: str
    vat_known: bool


class _CurrentUnknown(Exception):
    """Which price applies hangs on the current, which nobody knows without a voltage."""


@dataclass(frozen=True)
class _Slice:
    """A part of a charge in which no restriction of the tariff changes."""

    local_start: datetime
    duration_s: Fraction
    elapsed_s: Fraction  # from the start of the charge
    energy_before_kwh: Fraction
    energy_kwh: Fraction


def estimate_cost(terms: TariffTerms, charge: PlannedCharge) -> CostEstimate | None:
    """Price a planned charge, VAT included where the tariff states it.

    Returns None where the price is unknown, which is not zero: no element prices any part of the
    charge, the tariff is not in force when it starts, an element that may count hangs on the
    current, or the charge is longer than MOST_CHARGE_S.
    """
    if charge.duration_s > MOST_CHARGE_S or not terms.is_in_force(charge.starts_at):
        return None
    try:
        quantities = _measure(terms, charge)
    except _CurrentUnknown:
        return None
    if not quantities:
        return None
    amount = _clamp(terms, quantities)
    vat_known = all(component.vat_percent is not None for component in quantities)
    return CostEstimate(
        Decimal(amount.numerator) / Decimal(amount.denominator), terms.currency, vat_known
    )


def _measure(terms: TariffTerms, charge: PlannedCharge) -> dict[PriceComponent, Fraction]:
    """Return what is charged under each component: kWh, seconds or 1, whole steps filled."""
    quantities: dict[PriceComponent, Fraction] = defaultdict(Fraction)
    applied_last: dict[Dimension, PriceComponent] = {}
    flat: PriceComponent | None = None
    for part in _cut(charge, terms=terms):
        applying = _choose_components(terms, part, power_kw=charge.power_kw)
        if energy := applying.get(Dimension.ENERGY):
            quantities[energy] += part.energy_kwh
        if by_time := applying.get(Dimension.TIME):
            quantities[by_time] += part.duration_s
        flat = flat or applying.get(Dimension.FLAT)
        applied_last |= applying
    _fill_steps(quantities, applied_last)
    if flat is not None:
        quantities[flat] = Fraction(1)
    return quantities


def _cut(charge: PlannedCharge, *, terms: TariffTerms) -> Iterator[_Slice]:
    duration_s, energy_kwh = Fraction(charge.duration_s), Fraction(charge.energy_kwh)
    bounds = [element.restrictions for element in terms.elements]
    cuts = {
        *_list_time_cuts(charge, bounds=bounds),
        *(Fraction(s) for one in bounds for s in (one.min_duration_s, one.max_duration_s) if s),
    }
    if energy_kwh:
        cuts |= {
            Fraction(kwh) * duration_s / energy_kwh
            for one in bounds
            for kwh in (one.min_kwh, one.max_kwh)
            if kwh
        }
    inside = sorted(cut for cut in cuts if 0 < cut < duration_s)
    starts_at = charge.starts_at.astimezone(UTC)
    for elapsed_s, end_s in itertools.pairwise([Fraction(0), *inside, duration_s]):
        # Steps are taken in UTC: a zone's clock change neither adds nor loses seconds.
        start = starts_at + timedelta(microseconds=math.floor(elapsed_s * 1_000_000))
        yield _Slice(
            local_start=start.astimezone(charge.starts_at.tzinfo),
            duration_s=end_s - elapsed_s,
            elapsed_s=elapsed_s,
            energy_before_kwh=energy_kwh * elapsed_s / duration_s,
            energy_kwh=energy_kwh * (end_s - elapsed_s) / duration_s,
        )


def _list_time_cuts(charge: PlannedCharge, *, bounds: list[Restrictions]) -> Iterator[Fraction]:
    """Give the seconds from the start at which a restriction's time of day or a day begins.

    The minutes are gone through one by one, so that no clock change is missed.
    """
    minutes_of_day = {0}
    for moment in (at for one in bounds for at in (one.start_time, one.end_time) if at):
        minute = moment.hour * 60 + moment.minute
        minutes_of_day |= {minute, minute + (moment.second > 0)}
    starts_at = charge.starts_at.astimezone(UTC)
    moment_utc = starts_at.replace(second=0, microsecond=0)
    offset = charge.starts_at.utcoffset()
    for _minute in range(math.ceil(charge.duration_s / 60)):
        moment_utc += _MINUTE
        local = moment_utc.astimezone(charge.starts_at.tzinfo)
        if local.hour * 60 + local.minute in minutes_of_day or local.utcoffset() != offset:
            yield Fraction((moment_utc - starts_at) // timedelta(microseconds=1), 1_000_000)
            offset = local.utcoffset()


def _choose_components(
    terms: TariffTerms, part: _Slice, *, power_kw: Fraction
) -> dict[Dimension, PriceComponent]:
    chosen: dict[Dimension, PriceComponent] = {}
    for element in terms.elements:
        if not _holds(element.restrictions, part, power_kw=power_kw):
            continue
        if _hangs_on_current(element.restrictions):
            _require_priced(element, chosen)
            continue
        for component in element.components:
            chosen.setdefault(component.dimension, component)
    return chosen


def _hangs_on_current(restrictions: Restrictions) -> bool:
    return restrictions.min_current_a is not None or restrictions.max_current_a is not None


def _require_priced(element: TariffElement, chosen: dict[Dimension, PriceComponent]) -> None:
    """An element that may or may not hold tells nothing only where others came before it."""
    dimensions = {component.dimension for component in element.components}
    if dimensions - chosen.keys() - {Dimension.PARKING_TIME}:
        raise _CurrentUnknown


def _holds(restrictions: Restrictions, part: _Slice, *, power_kw: Fraction) -> bool:
    """Tell whether all restrictions hold but those by current."""
    return (
        restrictions.reservation is None
        and _holds_at(restrictions, part.local_start)
        and _lies_within(part.energy_before_kwh, restrictions.min_kwh, restrictions.max_kwh)
        and _lies_within(power_kw, restrictions.min_power_kw, restrictions.max_power_kw)
        and _lies_within(part.elapsed_s, restrictions.min_duration_s, restrictions.max_duration_s)
    )


def _holds_at(restrictions: Restrictions, local: datetime) -> bool:
    day = local.date()
    if restrictions.start_date is not None and day < restrictions.start_date:
        return False
    if restrictions.end_date is not None and day >= restrictions.end_date:
        return False
    if restrictions.day_of_week and _WEEKDAYS[day.weekday()] not in restrictions.day_of_week:
        return False
    return _is_in_window(local.time(), restrictions.start_time, restrictions.end_time)


def _is_in_window(moment: time, start: time | None, end: time | None) -> bool:
    """Tell whether a time of day lies in [start, end); an end before the start wraps midnight.

    >>> _is_in_window(time(23, 30), time(22), time(6)), _is_in_window(time(12), time(22), time(6))
    (True, False)
    >>> _is_in_window(time(23, 30), time(23), time(0))
    True
    """
    if start is None and end is None:
        return True
    start = start or time.min
    if end is None or end == time.min:
        return moment >= start
    if start < end:
        return start <= moment < end
    return moment >= start or moment < end


def _lies_within(value: Fraction, low: Decimal | int | None, high: Decimal | int | None) -> bool:
    return (low is None or value >= Fraction(low)) and (high is None or value < Fraction(high))


def _fill_steps(
    quantities: dict[PriceComponent, Fraction], applied_last: dict[Dimension, PriceComponent]
) -> None:
    """Add to the component that applied last in each dimension what fills the last step.

    Source: OCPI 2.2.1, 11.4.2.1: step_size is applied once, at the end of the session, to the
    total of the dimension.
    """
    for dimension, unit in ((Dimension.ENERGY, _WH_PER_KWH), (Dimension.TIME, 1)):
        last = applied_last.get(dimension)
        if last is None:
            continue
        of_dimension = (q for c, q in quantities.items() if c.dimension is dimension)
        total = sum(of_dimension, Fraction(0)) * unit
        filled = math.ceil(total / last.step_size) * last.step_size
        quantities[last] += (filled - total) / unit


def _clamp(terms: TariffTerms, quantities: dict[PriceComponent, Fraction]) -> Fraction:
    """Add the parts up, VAT included, and keep to the tariff's limits.

    Source: OCPI 2.2.1, 11.3.1: the limits without and with VAT both apply. Where only the one
    without VAT is stated, the VAT of the charge comes on top of it.
    """
    net = [(component, _price(component, quantity)) for component, quantity in quantities.items()]
    factors = [1 + Fraction(component.vat_percent or 0) / 100 for component, _ in net]
    net_sum = sum((part for _, part in net), Fraction(0))
    gross_sum = sum(
        (part * factor for (_, part), factor in zip(net, factors, strict=True)), Fraction(0)
    )
    vat_factor = gross_sum / net_sum if net_sum > 0 else max(factors)
    least = _with_vat(terms.min_price, vat_factor)
    most = _with_vat(terms.max_price, vat_factor)
    if least is not None:
        gross_sum = max(gross_sum, least)
    return gross_sum if most is None else min(gross_sum, most)


def _with_vat(limit: PriceLimit | None, vat_factor: Fraction) -> Fraction | None:
    if limit is None or (limit.incl_vat is None and limit.excl_vat is None):
        return None
    if limit.incl_vat is not None:
        return Fraction(limit.incl_vat)
    return Fraction(limit.excl_vat or 0) * vat_factor


def _price(component: PriceComponent, quantity: Fraction) -> Fraction:
    net = Fraction(component.price) * quantity
    return net / _SECONDS_PER_HOUR if component.dimension is Dimension.TIME else net
