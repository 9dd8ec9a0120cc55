"""Make a partner's JSON fit to be stored: databases refuse what JSON parsers let through."""

from __future__ import annotations

import json
import math


def make_storable(value: object) -> object:
    """Return the JSON value without NUL, lone surrogates, NaN and infinities; mostly as it is.

    PostgreSQL's jsonb refuses all four, so that one odd character would lose a whole page.

    >>> make_storable({"name": "Gent Zuid", "price": 0.25})
    {'name': 'Gent Zuid', 'price': 0.25}
    >>> make_storable({"name": "a" + chr(0) + "b", "price": math.nan})
    {'name': 'a�b', 'price': None}
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:  # a UnicodeEncodeError is one
        return _repair(value)
    return _repair(value) if "\\u0000" in text else value


def _repair(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_repair(item) for item in value]
    if isinstance(value, dict):
        return {str(_repair(key)): _repair(item) for key, item in value.items()}
    return value
