"""What drivers call the countries of Europe: in English, French, German, Dutch and at home."""

from __future__ import annotations

from functools import cache

from charging.place_names import fold_name

# ISO 3166-1 alpha-2 (and XK for Kosovo): the English name first, then what else is typed.
COUNTRY_NAMES: dict[str, tuple[str, ...]] = {
    "AD": ("Andorra", "Andorre"),
    "AL": ("Albania", "Albanie", "Albanien", "Albanië", "Shqipëria"),
    "AT": ("Austria", "Autriche", "Österreich", "Oostenrijk"),
    "AX": ("Åland Islands", "Åland"),
    "BA": ("Bosnia and Herzegovina", "Bosnie-Herzégovine", "Bosnien", "Bosnië", "Bosna"),
    "BE": ("Belgium", "Belgique", "Belgien", "België"),
    "BG": ("Bulgaria", "Bulgarie", "Bulgarien", "Bulgarije", "България"),
    "BY": ("Belarus", "Biélorussie", "Беларусь"),
    "CH": ("Switzerland", "Suisse", "Schweiz", "Zwitserland", "Svizzera", "Svizra"),
    "CY": ("Cyprus", "Chypre", "Zypern", "Κύπρος"),
    "CZ": ("Czechia", "Czech Republic", "Tchéquie", "Tschechien", "Tsjechië", "Česko"),
    "DE": ("Germany", "Allemagne", "Deutschland", "Duitsland"),
    "DK": ("Denmark", "Danemark", "Dänemark", "Denemarken", "Danmark"),
    "DZ": ("Algeria", "Algérie", "Algerien", "Algerije"),
    "EE": ("Estonia", "Estonie", "Estland", "Eesti"),
    "ES": ("Spain", "Espagne", "Spanien", "Spanje", "España"),
    "FI": ("Finland", "Finlande", "Finnland", "Suomi"),
    "FO": ("Faroe Islands", "Îles Féroé", "Färöer", "Føroyar"),
    "FR": ("France", "Frankreich", "Frankrijk"),
    "GB": (
        "United Kingdom",
        "Great Britain",
        "England",
        "Scotland",
        "Wales",
        "Northern Ireland",
        "UK",
        "Royaume-Uni",
        "Angleterre",
        "Großbritannien",
        "Vereinigtes Königreich",
        "Verenigd Koninkrijk",
        "Engeland",
    ),
    "GG": ("Guernsey", "Guernesey"),
    "GI": ("Gibraltar",),
    "GR": ("Greece", "Grèce", "Griechenland", "Griekenland", "Ελλάδα"),
    "HR": ("Croatia", "Croatie", "Kroatien", "Kroatië", "Hrvatska"),
    "HU": ("Hungary", "Hongrie", "Ungarn", "Hongarije", "Magyarország"),
    "IE": ("Ireland", "Irlande", "Irland", "Ierland", "Éire"),
    "IM": ("Isle of Man",),
    "IT": ("Italy", "Italie", "Italien", "Italië", "Italia"),
    "JE": ("Jersey",),
    "LI": ("Liechtenstein",),
    "LT": ("Lithuania", "Lituanie", "Litauen", "Litouwen", "Lietuva"),
    "LU": ("Luxembourg", "Luxemburg", "Lëtzebuerg"),
    "LV": ("Latvia", "Lettonie", "Lettland", "Letland", "Latvija"),
    "MA": ("Morocco", "Maroc", "Marokko"),
    "MC": ("Monaco",),
    "MD": ("Moldova", "Moldavie", "Moldau", "Moldavië"),
    "ME": ("Montenegro", "Monténégro", "Crna Gora"),
    "MK": ("North Macedonia", "Macédoine du Nord", "Nordmazedonien", "Северна Македонија"),
    "MT": ("Malta", "Malte"),
    "NL": ("Netherlands", "The Netherlands", "Pays-Bas", "Niederlande", "Nederland", "Holland"),
    "NO": ("Norway", "Norvège", "Norwegen", "Noorwegen", "Norge"),
    "PL": ("Poland", "Pologne", "Polen", "Polska"),
    "PT": ("Portugal",),
    "RO": ("Romania", "Roumanie", "Rumänien", "Roemenië", "România"),
    "RS": ("Serbia", "Serbie", "Serbien", "Servië", "Srbija", "Србија"),
    "RU": ("Russia", "Russie", "Russland", "Rusland", "Россия"),
    "SE": ("Sweden", "Suède", "Schweden", "Zweden", "Sverige"),
    "SI": ("Slovenia", "Slovénie", "Slowenien", "Slovenië", "Slovenija"),
    "SJ": ("Svalbard and Jan Mayen", "Svalbard"),
    "SK": ("Slovakia", "Slovaquie", "Slowakei", "Slowakije", "Slovensko"),
    "SM": ("San Marino", "Saint-Marin"),
    "SY": ("Syria", "Syrie", "Syrien", "Syrië"),
    "TN": ("Tunisia", "Tunisie", "Tunesien", "Tunesië"),
    "TR": ("Turkey", "Turquie", "Türkei", "Turkije", "Türkiye"),
    "UA": ("Ukraine", "Oekraïne", "Україна"),
    "VA": ("Vatican City", "Vatican", "Vatikan", "Vaticaanstad"),
    "XK": ("Kosovo", "Kosovë"),
}


@cache
def _folded_names() -> dict[str, str]:
    """Map each folded name and each code to its country."""
    names = {code.casefold(): code for code in COUNTRY_NAMES}
    names |= {fold_name(name): code for code, all_of in COUNTRY_NAMES.items() for name in all_of}
    return names


def name_country(code: str) -> str:
    """Return a country's English name, or the code where we know none.

    >>> name_country("CH"), name_country("US")
    ('Switzerland', 'US')
    """
    return COUNTRY_NAMES.get(code, (code,))[0]


def find_country(text: str) -> str | None:
    """Return the code of the country that is called exactly this, by name or code.

    >>> find_country("Österreich"), find_country("fr"), find_country("Fra")
    ('AT', 'FR', None)
    """
    return _folded_names().get(fold_name(text))


def complete_country(text: str) -> frozenset[str]:
    """Return the countries that a half-typed name can mean; a full name or code means one.

    >>> sorted(complete_country("Fran")), sorted(complete_country("it"))
    (['FR'], ['IT'])
    >>> sorted(complete_country("Texas"))
    []
    """
    exact = find_country(text)
    if exact:
        return frozenset({exact})
    start = fold_name(text)
    return frozenset(
        code for name, code in _folded_names().items() if start and name.startswith(start)
    )
