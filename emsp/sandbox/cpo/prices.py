"""The demo network's price lists: OCPI Tariff objects of several shapes for every country."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from emsp.sandbox.cpo.countries import UNITS_PER_EURO, Country
from emsp.sandbox.cpo.moments import format_moment
from emsp.sandbox.cpo.protocol import Party

Shape = Literal["ENERGY", "START", "IDLE", "NIGHT", "FREE"]
Band = Literal["AC", "DC", "HPC"]

# What a driver pays per kWh in the European middle, VAT included, in euros.
GROSS_PER_KWH = {"AC": Decimal("0.45"), "DC": Decimal("0.59"), "HPC": Decimal("0.69")}
START_FEE = Decimal("0.95")
NIGHT_FACTOR = Decimal("0.75")
IDLE_PER_HOUR = {"AC": Decimal("2.40"), "DC": Decimal("6.00"), "HPC": Decimal("12.00")}
IDLE_AFTER_S = {"AC": 4 * 3600, "DC": 90 * 60, "HPC": 45 * 60}

# (price list, how often a station of this band has it; the rest has no tariff at all).
SHAPES: dict[Band, tuple[tuple[Shape, float], ...]] = {
    "AC": (("ENERGY", 0.42), ("IDLE", 0.34), ("START", 0.17), ("FREE", 0.03)),
    "DC": (("ENERGY", 0.46), ("START", 0.24), ("IDLE", 0.26)),
    "HPC": (("ENERGY", 0.44), ("IDLE", 0.30), ("NIGHT", 0.23)),
}


@dataclass(frozen=True, slots=True)
class PriceList:
    """One price list of one country."""

    country: Country
    band: Band
    shape: Shape

    @property
    def tariff_id(self) -> str:
        """The Tariff's id."""
        return f"{self.country.code}-{self.band}-{self.shape}"

    def as_tariff(self, *, party: Party, updated_at: datetime) -> dict[str, Any]:
        """Write the OCPI Tariff object; prices are net, VAT stands at each component."""
        return {
            "country_code": party.country_code,
            "party_id": party.party_id,
            "id": self.tariff_id,
            "currency": self.country.currency,
            "type": "REGULAR",
            "tariff_alt_text": [{"language": "en", "text": self._in_words()}],
            "elements": self._elements(),
            "last_updated": format_moment(updated_at),
        }

    def _elements(self) -> list[dict[str, Any]]:
        energy = {"price_components": [self._component("ENERGY", self._per_kwh())]}
        if self.shape == "FREE":
            return [{"price_components": [self._component("FLAT", Decimal(0))]}]
        if self.shape == "START":
            return [
                {"price_components": [self._component("FLAT", START_FEE)]},
                energy,
            ]
        if self.shape == "NIGHT":
            night = {
                "price_components": [self._component("ENERGY", self._per_kwh() * NIGHT_FACTOR)],
                "restrictions": {"start_time": "22:00", "end_time": "06:00"},
            }
            return [night, energy]
        if self.shape == "IDLE":
            return [energy, self._idle_element()]
        return [energy]

    def _idle_element(self) -> dict[str, Any]:
        """Charge for staying: AC only by day and only without charging, DC for any time."""
        per_hour = IDLE_PER_HOUR[self.band]
        restrictions: dict[str, Any] = {"min_duration": IDLE_AFTER_S[self.band]}
        components = [self._component("PARKING_TIME", per_hour)]
        if self.band == "AC":
            restrictions |= {"start_time": "08:00", "end_time": "22:00"}
        else:
            components.append(self._component("TIME", per_hour))
        return {"price_components": components, "restrictions": restrictions}

    def _component(self, dimension: str, gross_eur: Decimal) -> dict[str, Any]:
        component: dict[str, Any] = {
            "type": dimension,
            "price": float(net(self.country, self._local_gross(gross_eur))),
            "step_size": 60 if dimension in {"TIME", "PARKING_TIME"} else 1,
        }
        if self.country.vat_percent is not None:
            component["vat"] = float(self.country.vat_percent)
        return component

    def _per_kwh(self) -> Decimal:
        return GROSS_PER_KWH[self.band] * Decimal(self.country.price_level)

    def _local_gross(self, gross_eur: Decimal) -> Decimal:
        """Turn euros into a price as it would stand on the charger."""
        units = UNITS_PER_EURO[self.country.currency]
        smallest = Decimal("0.01") if units < 3 else Decimal("0.1") if units < 30 else Decimal(1)
        return (gross_eur * units).quantize(smallest, ROUND_HALF_UP)

    def _in_words(self) -> str:
        if self.shape == "FREE":
            return "Demo price: free of charge."
        gross = self._local_gross(self._per_kwh())
        words = f"Demo price: {gross} {self.country.currency} per kWh incl. VAT"
        extra = {
            "ENERGY": "",
            "START": f", plus {self._local_gross(START_FEE)} per session",
            "NIGHT": f", {self._local_gross(self._per_kwh() * NIGHT_FACTOR)} from 22:00 to 06:00",
            "IDLE": f", plus {self._local_gross(IDLE_PER_HOUR[self.band])} per hour"
            f" after {IDLE_AFTER_S[self.band] // 60} minutes"
            + (" without charging, 08:00 to 22:00" if self.band == "AC" else ""),
        }
        return words + extra[self.shape] + "."


def net(country: Country, gross: Decimal) -> Decimal:
    """Take the VAT out of a price, to OCPI's four decimals.

    >>> from emsp.sandbox.cpo.countries import COUNTRIES
    >>> net(COUNTRIES["DE"], Decimal("0.59"))
    Decimal('0.4958')
    """
    factor = 1 + Decimal(country.vat_percent or 0) / 100
    return (gross / factor).quantize(Decimal("0.0001"), ROUND_HALF_UP)
