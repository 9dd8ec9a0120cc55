"""A tariff at a glance: from what to what each dimension costs, as a driver compares stations.

Never used for billing: restrictions are reduced to a range of prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from charging.tariffs.terms import Dimension

if TYPE_CHECKING:
    from collections.abc import Iterator

    from charging.tariffs.terms import PriceComponent, PriceLimit, Restrictions, TariffTerms

_HOUR_IN_MINUTES = Decimal(60)
_DIGITS = Decimal("0.0001")


@dataclass(frozen=True)
class PriceSpan:
    """The lowest and the highest price of one dimension; equal where it does not vary."""

    low: Decimal
    high: Decimal

    @property
    def varies(self) -> bool:
        return self.low != self.high


@dataclass(frozen=True)
class TariffSummary:
    """Prices with VAT where the partner states it (``vat_known``), else without.

    A dimension is None where the tariff does not charge for it at all. ``is_free``: every price
    is zero, one of them at any time, and no charge has a least price.
    """

    currency: str
    per_kwh: PriceSpan | None
    per_minute: PriceSpan | None
    per_parked_minute: PriceSpan | None
    per_session: PriceSpan | None
    vat_known: bool
    is_free: bool

    @property
    def is_all_zero(self) -> bool:
        spans = (self.per_kwh, self.per_minute, self.per_parked_minute, self.per_session)
        return all(span is None or span.high == 0 for span in spans)


def summarise(terms: TariffTerms) -> TariffSummary:
    """Reduce a tariff to a span of prices per dimension.

    Source: OCPI 2.2.1, 11.2.2: of each dimension the first element whose restrictions hold
    counts, so what follows an unrestricted element never applies.

    >>> from charging.tariffs.terms import read_terms
    >>> energy = {"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1}
    >>> raw = {"currency": "EUR", "elements": [{"price_components": [energy]}]}
    >>> summarise(read_terms(raw)).per_kwh
    PriceSpan(low=Decimal('0.6000'), high=Decimal('0.6000'))
    """
    found = {dimension: list(_list_applicable(terms, dimension)) for dimension in Dimension}
    parts = [part for of_one_dimension in found.values() for part in of_one_dimension]
    return TariffSummary(
        currency=terms.currency,
        per_kwh=_span(found[Dimension.ENERGY]),
        per_minute=_span(found[Dimension.TIME], divisor=_HOUR_IN_MINUTES),
        per_parked_minute=_span(found[Dimension.PARKING_TIME], divisor=_HOUR_IN_MINUTES),
        per_session=_span(found[Dimension.FLAT]),
        vat_known=all(part.vat_percent is not None or part.price == 0 for part, _ in parts),
        is_free=(
            all(part.price == 0 for part, _ in parts)
            and any(not _is_restricted(restrictions) for _, restrictions in parts)
            and not _is_above_zero(terms.min_price)
        ),
    )


def _is_above_zero(limit: PriceLimit | None) -> bool:
    return limit is not None and bool((limit.excl_vat or 0) > 0 or (limit.incl_vat or 0) > 0)


def _list_applicable(
    terms: TariffTerms, dimension: Dimension
) -> Iterator[tuple[PriceComponent, Restrictions]]:
    for element in terms.elements:
        if element.restrictions.reservation is not None:
            continue
        for component in element.components:
            if component.dimension == dimension:
                yield component, element.restrictions
                if not _is_restricted(element.restrictions):
                    return


def _is_restricted(restrictions: Restrictions) -> bool:
    return restrictions != type(restrictions)()


def _span(
    found: list[tuple[PriceComponent, Restrictions]], *, divisor: Decimal = Decimal(1)
) -> PriceSpan | None:
    prices = [_add_vat(component) / divisor for component, _restrictions in found]
    if not prices:
        return None
    return PriceSpan(min(prices).quantize(_DIGITS), max(prices).quantize(_DIGITS))


def _add_vat(component: PriceComponent) -> Decimal:
    return component.price * (1 + (component.vat_percent or Decimal(0)) / 100)
