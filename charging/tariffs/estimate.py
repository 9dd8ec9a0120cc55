"""What a planned charge will cost under a tariff: energy, time and flat parts.

The charge is cut at the full minutes of local time, where time restrictions change, and power is
taken as steady within it. Source: OCPI 2.2.1, 11.4.2-11.4.6: for each dimension the first element
whose restrictions all hold is the one that counts; minimum inclusive, maximum exclusive.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from charging.tariffs.terms import Dimension, PriceComponent, Restrictions, TariffTerms

if TYPE_CHECKING:
    from collections.abc import Iterator

_WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_SECONDS_PER_HOUR = Decimal(3600)
_WH_PER_KWH = Decimal(1000)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class PlannedCharge:
    """A charge as planned: ``starts_at`` is in the location's own time zone."""

    starts_at: datetime
    duration_s: Decimal
    energy_kwh: Decimal

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None:
            raise ValueError("starts_at needs the location's time zone")
        if self.duration_s <= 0 or self.energy_kwh < 0:
            raise ValueError("a charge lasts longer than 0 s and takes no negative energy")

    @property
    def power_kw(self) -> Decimal:
        return self.energy_kwh * _SECONDS_PER_HOUR / self.duration_s


@dataclass(frozen=True)
class CostEstimate:
    """An unrounded cost. ``vat_known`` is False where a component states no VAT."""

    amount: Decimal
    currency: str
    vat_known: bool


@dataclass(frozen=True)
class _Slice:
    """A part of a charge in which no time restriction changes."""

    local_start: datetime
    duration_s: Decimal
    elapsed_s: Decimal  # from the start of the charge
    energy_before_kwh: Decimal
    energy_kwh: Decimal


def estimate_cost(terms: TariffTerms, charge: PlannedCharge) -> CostEstimate | None:
    """Price a planned charge, VAT included where the tariff states it.

    Returns None when no element prices any part of the charge: the price is unknown, not zero.
    """
    quantities: dict[PriceComponent, Decimal] = defaultdict(Decimal)
    flat: PriceComponent | None = None
    for part in _cut_at_minutes(charge):
        applying = _choose_components(terms, part, power_kw=charge.power_kw)
        if energy := applying.get(Dimension.ENERGY):
            quantities[energy] += part.energy_kwh
        if by_time := applying.get(Dimension.TIME):
            quantities[by_time] += part.duration_s
        flat = flat or applying.get(Dimension.FLAT)
    if flat is not None:
        quantities[flat] = Decimal(1)
    if not quantities:
        return None
    amount = sum(
        (_price(component, quantity) for component, quantity in _step(quantities)), Decimal(0)
    )
    if terms.min_price is not None:
        amount = max(amount, terms.min_price)
    if terms.max_price is not None:
        amount = min(amount, terms.max_price)
    vat_known = all(component.vat_percent is not None for component in quantities)
    return CostEstimate(amount, terms.currency, vat_known)


def _cut_at_minutes(charge: PlannedCharge) -> Iterator[_Slice]:
    zone = charge.starts_at.tzinfo
    elapsed = Decimal(0)
    while elapsed < charge.duration_s:
        # Steps are taken in absolute time: a zone's clock change neither adds nor loses seconds.
        start = datetime.fromtimestamp(charge.starts_at.timestamp() + float(elapsed), tz=zone)
        to_next_minute = _MINUTE - timedelta(seconds=start.second, microseconds=start.microsecond)
        lasting = min(
            Decimal(to_next_minute.total_seconds()).quantize(Decimal("0.000001")),
            charge.duration_s - elapsed,
        )
        yield _Slice(
            local_start=start,
            duration_s=lasting,
            elapsed_s=elapsed,
            energy_before_kwh=charge.energy_kwh * elapsed / charge.duration_s,
            energy_kwh=charge.energy_kwh * lasting / charge.duration_s,
        )
        elapsed += lasting


def _choose_components(
    terms: TariffTerms, part: _Slice, *, power_kw: Decimal
) -> dict[Dimension, PriceComponent]:
    chosen: dict[Dimension, PriceComponent] = {}
    for element in terms.elements:
        if not _holds(element.restrictions, part, power_kw=power_kw):
            continue
        for component in element.components:
            chosen.setdefault(component.dimension, component)
    return chosen


def _holds(restrictions: Restrictions, part: _Slice, *, power_kw: Decimal) -> bool:
    if restrictions.reservation is not None:
        return False
    # Without a voltage no current is known: an element restricted by current is left out.
    if restrictions.min_current_a is not None or restrictions.max_current_a is not None:
        return False
    return (
        _holds_at(restrictions, part.local_start)
        and _lies_within(part.energy_before_kwh, restrictions.min_kwh, restrictions.max_kwh)
        and _lies_within(power_kw, restrictions.min_power_kw, restrictions.max_power_kw)
        and _lies_within(
            part.elapsed_s,
            _as_decimal(restrictions.min_duration_s),
            _as_decimal(restrictions.max_duration_s),
        )
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


def _lies_within(value: Decimal, low: Decimal | None, high: Decimal | None) -> bool:
    return (low is None or value >= low) and (high is None or value < high)


def _as_decimal(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def _step(
    quantities: dict[PriceComponent, Decimal],
) -> Iterator[tuple[PriceComponent, Decimal]]:
    """Round the charge's last component of each dimension up so that the total fills whole steps.

    Source: OCPI 2.2.1, 11.4.2.1: step_size is applied once, at the end of the session.
    """
    for dimension in (Dimension.ENERGY, Dimension.TIME):
        parts = [(c, q) for c, q in quantities.items() if c.dimension is dimension]
        if not parts:
            continue
        last, last_quantity = parts[-1]
        unit = _WH_PER_KWH if dimension is Dimension.ENERGY else Decimal(1)
        total = sum((quantity for _, quantity in parts), Decimal(0)) * unit
        steps = (total / last.step_size).quantize(Decimal("0.000001"))
        filled = steps.to_integral_value(ROUND_CEILING) * last.step_size
        yield from parts[:-1]
        yield last, last_quantity + (filled - total) / unit
    yield from ((c, q) for c, q in quantities.items() if c.dimension is Dimension.FLAT)


def _price(component: PriceComponent, quantity: Decimal) -> Decimal:
    net = component.price * quantity
    if component.dimension is Dimension.TIME:
        net /= _SECONDS_PER_HOUR
    return net * (1 + (component.vat_percent or Decimal(0)) / 100)
