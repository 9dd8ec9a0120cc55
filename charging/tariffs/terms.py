"""The shapes of a tariff, read from OCPI's JSON.

Source: OCPI 2.2.1, 11.4 (Tariff, TariffElement, PriceComponent, TariffRestrictions). Partners send
null for absent and strings or numbers for prices: both are read, never through a float's text.
Every number and every list has bounds, so that what is reckoned from them has too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 1_000_000  # of any money, kWh, kW, A or s
_MOST_ELEMENTS = 200  # a week by the hour is 168
_MOST_COMPONENTS = 10
# What comes after is a float's noise.
_LAST_DIGIT = Decimal("1e-10")


class TariffUnreadable(ValueError):
    """A tariff's JSON is not what the specification says; the message names the field."""


class Dimension(StrEnum):
    """What a price component is counted in."""

    ENERGY = "ENERGY"  # per kWh
    FLAT = "FLAT"  # once
    PARKING_TIME = "PARKING_TIME"  # per hour without charging
    TIME = "TIME"  # per hour of charging


@dataclass(frozen=True)
class PriceComponent:
    """One price: ``price`` excludes VAT; ``vat_percent`` is None where the partner states none."""

    dimension: Dimension
    price: Decimal
    vat_percent: Decimal | None
    step_size: int  # Wh for energy, seconds for times


@dataclass(frozen=True)
class Restrictions:
    """When an element applies; None does not restrict. Times are local to the location."""

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None
    min_power_kw: Decimal | None = None
    max_power_kw: Decimal | None = None
    min_duration_s: int | None = None
    max_duration_s: int | None = None
    day_of_week: frozenset[str] = frozenset()
    reservation: str | None = None


@dataclass(frozen=True)
class TariffElement:
    components: tuple[PriceComponent, ...]
    restrictions: Restrictions


@dataclass(frozen=True)
class PriceLimit:
    """The least or the most that a charge costs; None where the partner states no such limit."""

    excl_vat: Decimal | None
    incl_vat: Decimal | None


@dataclass(frozen=True)
class TariffTerms:
    """A tariff, in force in [starts_at, ends_at); None leaves that side open."""

    currency: str
    elements: tuple[TariffElement, ...]
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def is_in_force(self, moment: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= moment) and (
            self.ends_at is None or moment < self.ends_at
        )


def read_terms(raw: object) -> TariffTerms:
    """Read a tariff's JSON object.

    Raises
    ------
    TariffUnreadable
        It is no object, or a field is missing, of the wrong form or out of bounds.
    """
    if not isinstance(raw, dict):
        raise TariffUnreadable("the tariff is not an object")
    currency = raw.get("currency")
    if (
        not isinstance(currency, str)
        or not currency.isascii()
        or not re.fullmatch("[A-Z]{3}", currency.upper())
    ):
        message = f"currency is {currency!r}, not a three-letter code"
        raise TariffUnreadable(message)
    elements = raw.get("elements")
    if not isinstance(elements, list) or not elements:
        raise TariffUnreadable("elements is missing or empty")
    if len(elements) > _MOST_ELEMENTS:
        message = f"there are {len(elements)} elements, more than {_MOST_ELEMENTS}"
        raise TariffUnreadable(message)
    return TariffTerms(
        currency=currency.upper(),
        elements=tuple(_read_element(element) for element in elements),
        min_price=_read_limit(raw.get("min_price"), "min_price"),
        max_price=_read_limit(raw.get("max_price"), "max_price"),
        starts_at=_read_moment(raw.get("start_date_time"), "start_date_time"),
        ends_at=_read_moment(raw.get("end_date_time"), "end_date_time"),
    )


def _read_element(raw: Any) -> TariffElement:
    if not isinstance(raw, dict):
        raise TariffUnreadable("an element is not an object")
    components = raw.get("price_components")
    if not isinstance(components, list) or not components:
        raise TariffUnreadable("price_components is missing or empty")
    if len(components) > _MOST_COMPONENTS:
        message = f"there are {len(components)} price components, more than {_MOST_COMPONENTS}"
        raise TariffUnreadable(message)
    restrictions = raw.get("restrictions") or {}
    if not isinstance(restrictions, dict):
        raise TariffUnreadable("restrictions is not an object")
    return TariffElement(
        components=tuple(_read_component(component) for component in components),
        restrictions=_read_restrictions(restrictions),
    )


def _read_component(raw: Any) -> PriceComponent:
    if not isinstance(raw, dict):
        raise TariffUnreadable("a price component is not an object")
    try:
        dimension = Dimension(str(raw.get("type")))
    except ValueError:
        message = f"price component type {raw.get('type')!r} is unknown"
        raise TariffUnreadable(message) from None
    price = _read_decimal(raw.get("price"), "price")
    if price is None:
        raise TariffUnreadable("a price component has no price")
    step_size = _read_int(raw.get("step_size"), "step_size", least=0)
    return PriceComponent(
        dimension=dimension,
        price=price,
        vat_percent=_read_decimal(raw.get("vat"), "vat", least=0, most=100),
        # Partners that mean "no steps" send none or 0.
        step_size=step_size or 1,
    )


def _read_restrictions(raw: Mapping[str, Any]) -> Restrictions:
    days = raw.get("day_of_week") or []
    if not isinstance(days, list):
        raise TariffUnreadable("day_of_week is not a list")
    reservation = raw.get("reservation")
    return Restrictions(
        start_time=_read_time(raw.get("start_time"), "start_time"),
        end_time=_read_time(raw.get("end_time"), "end_time"),
        start_date=_read_date(raw.get("start_date"), "start_date"),
        end_date=_read_date(raw.get("end_date"), "end_date"),
        min_kwh=_read_decimal(raw.get("min_kwh"), "min_kwh"),
        max_kwh=_read_decimal(raw.get("max_kwh"), "max_kwh"),
        min_current_a=_read_decimal(raw.get("min_current"), "min_current"),
        max_current_a=_read_decimal(raw.get("max_current"), "max_current"),
        min_power_kw=_read_decimal(raw.get("min_power"), "min_power"),
        max_power_kw=_read_decimal(raw.get("max_power"), "max_power"),
        min_duration_s=_read_int(raw.get("min_duration"), "min_duration", least=0),
        max_duration_s=_read_int(raw.get("max_duration"), "max_duration", least=0),
        day_of_week=frozenset(str(day) for day in days),
        reservation=None if reservation is None else str(reservation),
    )


def _read_limit(raw: Any, field: str) -> PriceLimit | None:
    """Read a Price object; both of its amounts apply (OCPI 2.2.1, 11.3.1)."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        message = f"{field} is not a price"
        raise TariffUnreadable(message)
    return PriceLimit(
        excl_vat=_read_decimal(raw.get("excl_vat"), field),
        incl_vat=_read_decimal(raw.get("incl_vat"), field),
    )


def _read_decimal(
    raw: Any, field: str, *, least: int = -_MOST, most: int = _MOST
) -> Decimal | None:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        message = f"{field} is not a number"
        raise TariffUnreadable(message)
    try:
        number = Decimal(str(raw))
    except (InvalidOperation, ValueError):
        message = f"{field} is {raw!r:.40}, not a number"
        raise TariffUnreadable(message) from None
    if not number.is_finite():
        message = f"{field} is not finite"
        raise TariffUnreadable(message)
    # Only compared so far: reckoning with what is out of bounds may overflow.
    if not least <= number <= most:
        message = f"{field} is not between {least} and {most}"
        raise TariffUnreadable(message)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    return number.quantize(_LAST_DIGIT) if exponent < -10 or not number else number


def _read_int(raw: Any, field: str, *, least: int) -> int | None:
    number = _read_decimal(raw, field, least=least)
    return None if number is None else int(number)


def _read_time(raw: Any, field: str) -> time | None:
    if raw is None:
        return None
    try:
        parsed = time.fromisoformat(str(raw))
    except ValueError:
        message = f"{field} is {raw!r}, not a time like 08:30"
        raise TariffUnreadable(message) from None
    return parsed.replace(tzinfo=None)


def _read_date(raw: Any, field: str) -> date | None:
    if raw is None:
        return None
    try:
        return date.fromisoformat(str(raw))
    except ValueError:
        message = f"{field} is {raw!r}, not a date like 2026-06-01"
        raise TariffUnreadable(message) from None


def _read_moment(raw: Any, field: str) -> datetime | None:
    """OCPI's timestamps without an offset are UTC (OCPI 2.2.1, 16.5)."""
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(str(raw))
    except ValueError:
        message = f"{field} is {raw!r:.40}, not a moment like 2026-06-01T08:00:00Z"
        raise TariffUnreadable(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
