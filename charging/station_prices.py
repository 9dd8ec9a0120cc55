"""Which tariff a connector is shown with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charging.models import Tariff
from charging.tariffs.summary import summarise
from charging.tariffs.terms import TariffUnreadable, read_terms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from charging.models import Connector
    from charging.tariffs.summary import TariffSummary
    from charging.tariffs.terms import TariffTerms

_LAST_CHOICE = "AD_HOC_PAYMENT"


class PriceBook:
    """The tariffs that some connectors name, read in one query."""

    def __init__(self, named: Iterable[tuple[int, Connector]]) -> None:
        """Take (partner id, connector) pairs."""
        pairs = [(partner_id, name) for partner_id, part in named for name in part.tariff_ids]
        # Tariffs of all parties of a partner count: roaming platforms name those of others.
        found = Tariff.objects.filter(
            partner__in={partner_id for partner_id, _name in pairs},
            ocpi_id__in={name for _partner_id, name in pairs},
            removed_at=None,
        ).order_by("-pk")
        self._tariffs = {(tariff.partner_id, tariff.ocpi_id): tariff for tariff in found}
        self._terms: dict[int, TariffTerms | None] = {}
        self._summaries: dict[int, TariffSummary | None] = {}

    def find_price(
        self, *, partner_id: int, connector: Connector, at: datetime
    ) -> TariffSummary | None:
        """Sum up the tariff that `find_tariff` takes.

        None where no price is known; that is not a price of zero.
        """
        tariff = self.find_tariff(partner_id=partner_id, connector=connector, at=at)
        return None if tariff is None else self._sum_up(tariff)

    def find_tariff(self, *, partner_id: int, connector: Connector, at: datetime) -> Tariff | None:
        """Take the first named tariff that we have and that is in force at a moment.

        The one for paying on the spot comes last. One that cannot be read is taken too: what it
        costs is unknown then, and not what another one says.
        """
        keys = [(partner_id, name) for name in connector.tariff_ids]
        named = [self._tariffs[key] for key in keys if key in self._tariffs]
        valid = [tariff for tariff in named if self._may_be_in_force(tariff, at=at)]
        valid.sort(key=_is_last_choice)
        return valid[0] if valid else None

    def read_tariff(self, tariff: Tariff) -> TariffTerms | None:
        """Read a tariff's terms, once; None where they cannot be read."""
        if tariff.pk not in self._terms:
            try:
                self._terms[tariff.pk] = read_terms(tariff.raw)
            except TariffUnreadable:
                self._terms[tariff.pk] = None
        return self._terms[tariff.pk]

    def _may_be_in_force(self, tariff: Tariff, *, at: datetime) -> bool:
        terms = self.read_tariff(tariff)
        return terms is None or terms.is_in_force(at)

    def _sum_up(self, tariff: Tariff) -> TariffSummary | None:
        if tariff.pk not in self._summaries:
            terms = self.read_tariff(tariff)
            summary = None if terms is None else summarise(terms)
            # Zeros that do not hold always tell nothing of what a charge costs.
            told = summary is not None and (summary.is_free or not summary.is_all_zero)
            self._summaries[tariff.pk] = summary if told else None
        return self._summaries[tariff.pk]


def _is_last_choice(tariff: Tariff) -> bool:
    return isinstance(tariff.raw, dict) and tariff.raw.get("type") == _LAST_CHOICE
