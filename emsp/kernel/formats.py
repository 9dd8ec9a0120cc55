"""Quantities as people read them, in the language of the page."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from emsp.kernel.money import minor_digits

if TYPE_CHECKING:
    from emsp.kernel.money import Money

# No line break between a number and its unit.
_GAP = "\u00a0"
_DASH = "\u2013"
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
_SYMBOL_FIRST = {"en", "nl"}


def format_distance(distance_m: float) -> str:
    """Write a distance in metres up to 1 km, then in kilometres.

    >>> format_distance(8449), format_distance(584_400)
    ('8.4\\xa0km', '584\\xa0km')
    """
    if 0 < distance_m < 995:
        return f"{number_format(round(distance_m, -1), decimal_pos=0)}{_GAP}m"
    digits = 1 if 0 < distance_m < 9_950 else 0
    return f"{_number(distance_m / 1000, digits)}{_GAP}km"


def format_duration(duration_s: float) -> str:
    """Write a duration in whole minutes, from an hour on as ``6 h 02``.

    >>> format_duration(1080), format_duration(21_720)
    ('18\\xa0min', '6\\xa0h\\xa002')
    """
    minutes = round(duration_s / 60)
    if minutes < 60:
        return _("%(minutes)s min").replace(" ", _GAP) % {"minutes": minutes}
    hours, rest = divmod(minutes, 60)
    return _("%(hours)s h %(minutes)02d").replace(" ", _GAP) % {"hours": hours, "minutes": rest}


def format_percent(fraction: float) -> str:
    """Write a share of one as percent.

    >>> format_percent(0.904)
    '90\\xa0%'
    """
    return f"{_number(fraction * 100, 0)}{_GAP}%"


def format_energy(energy_kwh: float) -> str:
    """Write an energy in kWh with one digit."""
    return f"{_number(energy_kwh, 1)}{_GAP}kWh"


def format_power(power_kw: float) -> str:
    """Write a power in kW; below 20 kW, where it matters, with one digit unless it is whole.

    >>> format_power(150), format_power(3.68)
    ('150\\xa0kW', '3.7\\xa0kW')
    """
    digits = 0 if abs(power_kw - round(power_kw)) < 0.05 or power_kw >= 20 else 1
    return f"{_number(power_kw, digits)}{_GAP}kW"


def format_money(money: Money) -> str:
    """Write an amount, rounded half up to the currency's minor unit."""
    rounded = money.rounded()
    return _place_currency(
        _number(rounded.amount, minor_digits(money.currency)), currency=money.currency
    )


def format_price(amount: Decimal, currency: str) -> str:
    """Write a price per unit: the currency's digits, one more where they would hide a part.

    >>> from decimal import Decimal
    >>> format_price(Decimal("0.5900"), "EUR"), format_price(Decimal("0.1190"), "EUR")
    ('€0.59', '€0.119')
    """
    return _place_currency(_write_price(amount, currency), currency=currency)


def format_price_span(low: Decimal, high: Decimal, currency: str) -> str:
    """Write a span of prices per unit.

    >>> from decimal import Decimal
    >>> ascii(format_price_span(Decimal("0.4401"), Decimal("0.59"), "EUR"))
    "'\\\\u20ac0.44\\\\u20130.59'"
    """
    span = f"{_write_price(low, currency)}{_DASH}{_write_price(high, currency)}"
    return _place_currency(span, currency=currency)


def _write_price(amount: Decimal, currency: str) -> str:
    digits = minor_digits(currency)
    finer = amount.quantize(Decimal(1).scaleb(-digits - 1), rounding=ROUND_HALF_UP)
    return _number(finer, digits if finer == round(finer, digits) else digits + 1)


def _number(value: float | Decimal, digits: int) -> str:
    # Rounded here: number_format cuts the digits off.
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return number_format(rounded, decimal_pos=digits, use_l10n=True, force_grouping=True)


def _place_currency(number: str, *, currency: str) -> str:
    """Put the currency where the page's language has it: €17.60, € 17,60 or 17,60 €."""
    language = (get_language() or "en").partition("-")[0]
    symbol = _SYMBOLS.get(currency, currency)
    if language not in _SYMBOL_FIRST:
        return f"{number}{_GAP}{symbol}"
    gap = "" if language == "en" and symbol != currency else _GAP
    return f"{symbol}{gap}{number}"
