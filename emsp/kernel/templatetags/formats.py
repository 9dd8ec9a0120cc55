"""Filters that write quantities; see ``emsp.kernel.formats``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from django import template

from emsp.kernel import formats

if TYPE_CHECKING:
    from decimal import Decimal

register = template.Library()


class PriceSpan(Protocol):
    """What a span of prices looks like; the rooms above have their own."""

    @property
    def low(self) -> Decimal: ...

    @property
    def high(self) -> Decimal: ...


@register.filter("span_in")
def write_span(span: PriceSpan, currency: str) -> str:
    return formats.format_price_span(span.low, span.high, currency)


register.filter("distance", formats.format_distance)
register.filter("duration", formats.format_duration)
register.filter("percent", formats.format_percent)
register.filter("energy", formats.format_energy)
register.filter("power", formats.format_power)
register.filter("money", formats.format_money)
register.filter("price_in", formats.format_price)
