"""Make a partner's JSON fit to be stored: databases refuse what JSON parsers let through."""

from __future__ import annotations

import json
import math

from charging.ocpi.fields import Unmappable

# Honest objects have about ten; parsers and databases give up at some hundred.
MOST_LEVELS = 64


def make_storable(value: object) -> object:
    """Return the JSON value without NUL, lone surrogates, NaN and infinities; mostly as it is.

    PostgreSQL's jsonb refuses all four, so that one odd character would lose a whole page. What is
    nested too deeply is cut off.

    >>> make_storable({"name": "Gent Zuid", "price": 0.25})
    {'name': 'Gent Zuid', 'price': 0.25}
    >>> make_storable({"name": "a" + chr(0) + "b", "price": math.nan})
    {'name': 'a�b', 'price': None}
    """
    if _is_too_deep(value, MOST_LEVELS):
        return _repair(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:  # a UnicodeEncodeError is one
        return _repair(value)
    return _repair(value) if "\\u0000" in text else value


def check_depth(value: object) -> None:
    """Refuse a JSON value that is nested too deeply.

    Raises
    ------
    Unmappable
        It has more than 64 levels of objects and lists.
    """
    if _is_too_deep(value, MOST_LEVELS):
        message = f"it is nested more than {MOST_LEVELS} levels deep"
        raise Unmappable(message)


def _is_too_deep(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if not levels:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(_is_too_deep(item, levels - 1) for item in inner)


def _repair(value: object, levels: int = MOST_LEVELS) -> object:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list) and not levels:
        return None
    if isinstance(value, list):
        return [_repair(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {str(_repair(key)): _repair(item, levels - 1) for key, item in value.items()}
    return value
