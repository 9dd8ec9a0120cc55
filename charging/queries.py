"""Read the query parameters of the API's addresses: what is not understood is refused by name."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from charging.connector_kinds import KINDS, ConnectorUnknown, find_standard
from charging.station_shapes import Area, AreaInvalid, StationFilter
from charging.stations import MAX_PAGE
from emsp.kernel.rest import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.http import QueryDict

MAX_POWER_KW = 10_000.0
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class ParameterInvalid(Refusal):
    """A query parameter is missing, unknown, doubled or unreadable."""


def check_names(query: QueryDict, *, known: Collection[str]) -> None:
    """Refuse parameters that we do not know, and those given twice."""
    for name, values in query.lists():
        if name not in known:
            message = _("There is no parameter “%(name)s” here. Known are: %(known)s.")
            raise ParameterInvalid(
                message % {"name": name[:60], "known": ", ".join(known) or _("none")},
                code="unknown_parameter",
                field=name[:60],
                suggestions=get_close_matches(name, known, n=1),
            )
        if len(values) > 1:
            message = _("%(name)s is given more than once. Send it once.") % {"name": name}
            raise ParameterInvalid(message, code="repeated_parameter", field=name)


def read_area(query: QueryDict) -> Area:
    """Read ``bbox=west,south,east,north`` in degrees."""
    text = query.get("bbox")
    if text is None:
        message = _("bbox is missing. Send bbox=west,south,east,north in degrees.")
        raise ParameterInvalid(message, code="missing", field="bbox")
    parts = text.split(",")
    if len(parts) != 4:
        message = _("bbox must be four numbers, west,south,east,north in degrees, not %(count)s.")
        message %= {"count": len(parts)}
        raise ParameterInvalid(message, code="bbox_invalid", field="bbox")
    edges = [_read_number("bbox", part) for part in parts]
    try:
        return Area(*edges)
    except AreaInvalid as error:
        raise ParameterInvalid(str(error), code=error.code, field="bbox") from None


def read_filter(query: QueryDict) -> StationFilter:
    """Read ``connector`` (several by commas), ``min_power_kw`` and ``available``.

    An empty value filters nothing, as a form sends it whose field was left alone.
    """
    return StationFilter(
        standards=_read_standards(query.get("connector", "")),
        min_power_kw=_read_power(query.get("min_power_kw", "")),
        available=_read_flag("available", query.get("available", "")),
    )


def read_whole(query: QueryDict, name: str, *, default: int, least: int, most: int) -> int:
    """Read a whole number within bounds."""
    text = query.get(name)
    if text is None:
        return default
    # isascii: int() would read digits of other scripts, too.
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        message = _("%(name)s is “%(value)s”. Send a whole number from %(least)s to %(most)s.") % {
            "name": name,
            "value": text[:40],
            "least": least,
            "most": most,
        }
        raise ParameterInvalid(message, code="out_of_range", field=name)
    return int(text)


def read_limit(query: QueryDict) -> int:
    return read_whole(query, "limit", default=100, least=1, most=MAX_PAGE)


def _read_standards(text: str) -> tuple[str, ...]:
    names = [name for name in text.split(",") if name.strip()]
    try:
        return tuple(dict.fromkeys(find_standard(name) for name in names))
    except ConnectorUnknown as error:
        raise ParameterInvalid(
            f"connector: {error}",
            code="unknown_connector",
            field="connector",
            suggestions=error.suggestions,
            details={"known": list(KINDS)},
        ) from None


def _read_power(text: str) -> float:
    if not text:
        return 0.0
    power_kw = _read_number("min_power_kw", text)
    if not 0 <= power_kw <= MAX_POWER_KW:
        message = _("min_power_kw is %(value)s. Send a number from 0 to %(most)s.") % {
            "value": f"{power_kw:g}",
            "most": f"{MAX_POWER_KW:g}",
        }
        raise ParameterInvalid(message, code="out_of_range", field="min_power_kw")
    return power_kw


def _read_flag(name: str, text: str) -> bool:
    if not text:
        return False
    if text.lower() not in _FLAGS:
        message = _("%(name)s is “%(value)s”. Send true or false.") % {
            "name": name,
            "value": text[:40],
        }
        raise ParameterInvalid(message, code="not_a_flag", field=name)
    return _FLAGS[text.lower()]


def _read_number(name: str, text: str) -> float:
    """Read a finite decimal number; underscores and other scripts' digits are refused."""
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        message = _("%(name)s holds “%(value)s”, which is not a finite number.") % {
            "name": name,
            "value": text.strip()[:40],
        }
        raise ParameterInvalid(message, code="not_a_number", field=name)
    return number
