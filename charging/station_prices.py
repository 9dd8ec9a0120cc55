"""Which tariff a connector is shown with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charging.models import Tariff
from charging.tariffs.summary import summarise
from charging.tariffs.terms import TariffUnreadable, read_terms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from charging.models import Connector
    from charging.tariffs.summary import TariffSummary

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
        self._summaries: dict[int, TariffSummary | None] = {}

    def find_price(self, *, partner_id: int, connector: Connector) -> TariffSummary | None:
        """Sum up the tariff that `find_tariff` takes.

        None where no price is known; that is not a price of zero.
        """
        tariff = self.find_tariff(partner_id=partner_id, connector=connector)
        return None if tariff is None else self._sum_up(tariff)

    def find_tariff(self, *, partner_id: int, connector: Connector) -> Tariff | None:
        """Take the first named tariff that we have; the one for paying on the spot comes last."""
        keys = [(partner_id, name) for name in connector.tariff_ids]
        named = [self._tariffs[key] for key in keys if key in self._tariffs]
        named.sort(key=lambda tariff: tariff.raw.get("type") == _LAST_CHOICE)
        return named[0] if named else None

    def _sum_up(self, tariff: Tariff) -> TariffSummary | None:
        if tariff.pk not in self._summaries:
            try:
                self._summaries[tariff.pk] = summarise(read_terms(tariff.raw))
            except TariffUnreadable:
                self._summaries[tariff.pk] = None
        return self._summaries[tariff.pk]
