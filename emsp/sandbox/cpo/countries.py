"""Facts about the countries the demo network stands in.

VAT is the standard rate of 2026; exchange factors are rough and only shape demo prices.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Country:
    """Where a station stands: what money, tax, clock and street names are used there."""

    code: str
    alpha3: str
    currency: str
    vat_percent: str | None  # None: no VAT exists there
    price_level: str  # 1 is the European middle
    winter_offset_h: int  # hours ahead of UTC in winter
    time_zone: str
    language: str
    street: str  # with {number}


# One rough factor per currency: units for one euro.
UNITS_PER_EURO = {
    "EUR": Decimal(1),
    "ALL": Decimal(98),
    "BAM": Decimal("1.96"),
    "CHF": Decimal("0.95"),
    "CZK": Decimal("24.5"),
    "DKK": Decimal("7.46"),
    "GBP": Decimal("0.86"),
    "HUF": Decimal(390),
    "MDL": Decimal("19.8"),
    "MKD": Decimal("61.5"),
    "NOK": Decimal("11.6"),
    "PLN": Decimal("4.27"),
    "RON": Decimal("5.05"),
    "RSD": Decimal(117),
    "SEK": Decimal("11.1"),
    "TRY": Decimal(48),
    "UAH": Decimal(48),
}

# How many more chargers than elsewhere a town of the same size has; 1 where none is named.
CHARGERS_PER_HEAD = {
    "AT": 1.4,
    "BA": 0.4,
    "BE": 1.4,
    "CH": 1.5,
    "DK": 2.0,
    "FI": 1.5,
    "MD": 0.4,
    "NL": 1.8,
    "NO": 3.0,
    "RO": 0.6,
    "RS": 0.4,
    "SE": 2.0,
    "TR": 0.25,
    "UA": 0.25,
}

_FRENCH, _GERMAN = "{number} Rue de la Démo", "Demostraße {number}"
_SERBIAN, _ITALIAN = "Demo ulica {number}", "Via Demo {number}"

_ROWS = (
    Country("AD", "AND", "EUR", "4.5", "0.9", 1, "Europe/Andorra", "ca", "Carrer Demo {number}"),
    Country("AL", "ALB", "ALL", "20", "0.8", 1, "Europe/Tirane", "sq", "Rruga Demo {number}"),
    Country("AT", "AUT", "EUR", "20", "1.0", 1, "Europe/Vienna", "de", _GERMAN),
    Country("BA", "BIH", "BAM", "17", "0.75", 1, "Europe/Sarajevo", "bs", _SERBIAN),
    Country("BE", "BEL", "EUR", "21", "1.05", 1, "Europe/Brussels", "nl", "Demostraat {number}"),
    Country("BG", "BGR", "EUR", "20", "0.75", 2, "Europe/Sofia", "bg", "ulitsa Demo {number}"),
    Country("CH", "CHE", "CHF", "8.1", "1.05", 1, "Europe/Zurich", "de", "Demostrasse {number}"),
    Country("CY", "CYP", "EUR", "19", "0.9", 2, "Asia/Nicosia", "el", "Odos Demo {number}"),
    Country("CZ", "CZE", "CZK", "21", "0.9", 1, "Europe/Prague", "cs", "Demo ulice {number}"),
    Country("DE", "DEU", "EUR", "19", "1.05", 1, "Europe/Berlin", "de", _GERMAN),
    Country("DK", "DNK", "DKK", "25", "1.0", 1, "Europe/Copenhagen", "da", "Demovej {number}"),
    Country("EE", "EST", "EUR", "24", "0.85", 2, "Europe/Tallinn", "et", "Demo tänav {number}"),
    Country("ES", "ESP", "EUR", "21", "0.9", 1, "Europe/Madrid", "es", "Calle Demo {number}"),
    Country("FI", "FIN", "EUR", "25.5", "0.85", 2, "Europe/Helsinki", "fi", "Demokatu {number}"),
    Country("FR", "FRA", "EUR", "20", "0.95", 1, "Europe/Paris", "fr", _FRENCH),
    Country("GB", "GBR", "GBP", "20", "1.15", 0, "Europe/London", "en", "{number} Demo Road"),
    Country("GR", "GRC", "EUR", "24", "0.95", 2, "Europe/Athens", "el", "Odos Demo {number}"),
    Country("HR", "HRV", "EUR", "25", "0.9", 1, "Europe/Zagreb", "hr", _SERBIAN),
    Country("HU", "HUN", "HUF", "27", "0.9", 1, "Europe/Budapest", "hu", "Demo utca {number}"),
    Country("IE", "IRL", "EUR", "23", "1.0", 0, "Europe/Dublin", "en", "{number} Demo Road"),
    Country("IT", "ITA", "EUR", "22", "1.1", 1, "Europe/Rome", "it", _ITALIAN),
    Country("LI", "LIE", "CHF", "8.1", "1.05", 1, "Europe/Vaduz", "de", "Demostrasse {number}"),
    Country("LT", "LTU", "EUR", "21", "0.8", 2, "Europe/Vilnius", "lt", "Demo gatvė {number}"),
    Country("LU", "LUX", "EUR", "17", "1.0", 1, "Europe/Luxembourg", "fr", _FRENCH),
    Country("LV", "LVA", "EUR", "21", "0.8", 2, "Europe/Riga", "lv", "Demo iela {number}"),
    Country("MC", "MCO", "EUR", "20", "1.05", 1, "Europe/Monaco", "fr", _FRENCH),
    Country("MD", "MDA", "MDL", "20", "0.75", 2, "Europe/Chisinau", "ro", "Strada Demo {number}"),
    Country("ME", "MNE", "EUR", "21", "0.8", 1, "Europe/Podgorica", "sr", _SERBIAN),
    Country("MK", "MKD", "MKD", "18", "0.75", 1, "Europe/Skopje", "mk", _SERBIAN),
    Country("MT", "MLT", "EUR", "18", "0.9", 1, "Europe/Malta", "en", "{number} Demo Street"),
    Country("NL", "NLD", "EUR", "21", "1.05", 1, "Europe/Amsterdam", "nl", "Demoweg {number}"),
    Country("NO", "NOR", "NOK", "25", "0.9", 1, "Europe/Oslo", "no", "Demoveien {number}"),
    Country("PL", "POL", "PLN", "23", "0.95", 1, "Europe/Warsaw", "pl", "ulica Demo {number}"),
    Country("PT", "PRT", "EUR", "23", "0.9", 0, "Europe/Lisbon", "pt", "Rua Demo {number}"),
    Country("RO", "ROU", "RON", "21", "0.85", 2, "Europe/Bucharest", "ro", "Strada Demo {number}"),
    Country("RS", "SRB", "RSD", "20", "0.75", 1, "Europe/Belgrade", "sr", _SERBIAN),
    Country("SE", "SWE", "SEK", "25", "0.95", 1, "Europe/Stockholm", "sv", "Demogatan {number}"),
    Country("SI", "SVN", "EUR", "22", "0.9", 1, "Europe/Ljubljana", "sl", _SERBIAN),
    Country("SK", "SVK", "EUR", "23", "0.9", 1, "Europe/Bratislava", "sk", "Demo ulica {number}"),
    Country("SM", "SMR", "EUR", None, "1.0", 1, "Europe/San_Marino", "it", _ITALIAN),
    Country("TR", "TUR", "TRY", "20", "0.6", 3, "Europe/Istanbul", "tr", "Demo Caddesi {number}"),
    Country("UA", "UKR", "UAH", "20", "0.7", 2, "Europe/Kyiv", "uk", "vulytsia Demo {number}"),
    Country("XK", "XKX", "EUR", "18", "0.75", 1, "Europe/Belgrade", "sq", "Rruga Demo {number}"),
)

COUNTRIES = {country.code: country for country in _ROWS}
