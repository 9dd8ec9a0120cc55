"""Folding of place names: how a name is written down so that any spelling finds it. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that Unicode does not take apart. (Case folding has turned ß into ss.)
_LETTERS: dict[int, str | None] = str.maketrans(
    {
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ə": "a",
        "ŋ": "n",
        # An apostrophe parts no words: L'Aquila is typed Laquila as well. Besides the two of
        # the keyboard: quotation marks, modifier letters, the acute accent and the prime.
        **dict.fromkeys("'`\u2018\u2019\u02b9\u02bb\u02bc\u00b4"),
    }
)
# How the letters are written where a keyboard lacks them: Muenchen, Koebenhavn, Aarhus.
_TRANSLITERATED = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ø": "oe",
        "å": "aa",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "Ø": "Oe",
        "Å": "Aa",
    }
)
_SEPARATORS = re.compile(r"[\W_]+")
_SAINTS = {"saint": "st", "sainte": "ste", "sankt": "st", "sint": "st"}
_SCRIPTS = ("LATIN ", "GREEK ", "CYRILLIC ")
_BRACKETED = re.compile(r"\([^)]*\)")
FOLDED_LENGTH = 200


def fold_name(text: str) -> str:
    """Fold a name: no case, no accents, apostrophes gone, other punctuation as one space.

    >>> fold_name("Saint-Étienne"), fold_name("L'Aquila"), fold_name("  Großenkneten ")
    ('saint etienne', 'laquila', 'grossenkneten')
    >>> fold_name("Malmö"), fold_name("Łódź"), fold_name("Θεσσαλονίκη"), fold_name("Йошкар-Ола")
    ('malmo', 'lodz', 'θεσσαλονικη', 'иошкар ола')
    """
    letters = text.casefold()
    if not letters.isascii():
        apart = unicodedata.normalize("NFKD", letters).casefold()
        letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return _SEPARATORS.sub(" ", letters.translate(_LETTERS)).strip()


def spell_variants(name: str) -> set[str]:
    """Return the folded spellings under which a name is looked for.

    Two names with a stroke between them are one each; what stands in brackets may be left out.

    >>> sorted(spell_variants("Köln")), sorted(spell_variants("Sankt Pölten"))
    (['koeln', 'koln'], ['sankt poelten', 'sankt polten', 'st poelten', 'st polten'])
    >>> sorted(spell_variants("Biel/Bienne"))
    ['biel', 'biel bienne', 'bienne']
    >>> sorted(spell_variants("Halle (Saale)"))
    ['halle', 'halle saale']
    """
    composed = unicodedata.normalize("NFC", name)
    wholes = {composed, *composed.split("/"), _BRACKETED.sub(" ", composed)}
    spellings = {fold_name(whole) for whole in wholes}
    spellings |= {fold_name(whole.translate(_TRANSLITERATED)) for whole in wholes}
    spellings |= {_shorten_saint(folded) for folded in spellings}
    return {folded for folded in spellings if folded and len(folded) <= FOLDED_LENGTH}


def is_useful_name(name: str) -> bool:
    """Say whether an alternate name is one that drivers type.

    Out are: scripts other than Latin, Greek and Cyrillic; airport and other codes in capitals;
    romanisations of other scripts, which GeoNames writes without a capital; addresses; phonetic
    spellings and dated medieval forms in brackets; sentences.

    >>> [name for name in ("Monachium", "MUC", "mu ni hei", "Μόναχο", "慕尼黑",
    ...     "Walbike [a. 992]", "https://munich.de") if is_useful_name(name)]
    ['Monachium', 'Μόναχο']
    """
    if len(name) > 60 or "[" in name or "://" in name:
        return False
    if name == name.lower() or (name.isupper() and len(name) <= 4 and name.isascii()):
        return False
    return name.isascii() or all(_is_typed(character) for character in name)


@lru_cache(maxsize=8192)
def _is_typed(character: str) -> bool:
    """Say whether this is no letter, or a letter of a script that we keep."""
    return not character.isalpha() or unicodedata.name(character, "").startswith(_SCRIPTS)


def _shorten_saint(folded: str) -> str:
    first, space, rest = folded.partition(" ")
    return _SAINTS.get(first, first) + space + rest if space else folded
