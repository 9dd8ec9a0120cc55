"""When a station can be used, read from OCPI's opening times.

Source: OCPI 2.2.1, 8.4.14 (Hours), 8.4.21 (RegularHours), 8.4.11 (ExceptionalPeriod).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class OpenSpan:
    """Open on ``weekday`` (1 is Monday) from ``begin`` to ``end``, local time.

    An ``end`` of midnight means the end of that day; one before ``begin`` lies on the next day.
    OCPI wants two spans for that, but operators send one.
    """

    weekday: int
    begin: time
    end: time

    def covers(self, moment: datetime) -> bool:
        today = self.weekday == moment.isoweekday()
        if self.end == time.min:
            return today and self.begin <= moment.time()
        if self.begin < self.end:
            return today and self.begin <= moment.time() < self.end
        yesterday = self.weekday % 7 + 1 == moment.isoweekday()
        return (today and self.begin <= moment.time()) or (yesterday and moment.time() < self.end)


@dataclass(frozen=True)
class OpeningHours:
    """``always`` or the regular spans, and the exceptions to them."""

    always: bool
    regular: tuple[OpenSpan, ...] = ()
    openings: tuple[tuple[datetime, datetime], ...] = ()
    closings: tuple[tuple[datetime, datetime], ...] = ()


def read_opening_hours(raw: object) -> OpeningHours | None:
    """Read a Hours object as partners send it; None where it is missing or says nothing.

    >>> read_opening_hours({"twentyfourseven": True})
    OpeningHours(always=True, regular=(), openings=(), closings=())
    >>> read_opening_hours(None) is None
    True
    """
    if not isinstance(raw, dict):
        return None
    always = raw.get("twentyfourseven") is True
    regular = tuple(filter(None, map(_read_span, _list_objects(raw.get("regular_hours")))))
    if not always and not regular:
        return None
    return OpeningHours(
        always=always,
        regular=()
        if always
        else tuple(sorted(regular, key=lambda span: (span.weekday, span.begin))),
        openings=tuple(_read_periods(raw.get("exceptional_openings"))),
        closings=tuple(_read_periods(raw.get("exceptional_closings"))),
    )


def is_open(hours: OpeningHours, *, at: datetime, time_zone: str) -> bool | None:
    """Say whether the station is open at a moment; None where its time zone is unknown."""
    if any(begin <= at < end for begin, end in hours.closings):
        return False
    if hours.always or any(begin <= at < end for begin, end in hours.openings):
        return True
    try:
        local = at.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return any(span.covers(local) for span in hours.regular)


def _list_objects(raw: object) -> Iterable[Mapping[str, Any]]:
    return (part for part in raw if isinstance(part, dict)) if isinstance(raw, list) else ()


def _read_span(raw: Mapping[str, Any]) -> OpenSpan | None:
    """Read one RegularHours object; one that cannot be read is left out, not guessed."""
    weekday = raw.get("weekday")
    if isinstance(weekday, bool) or not isinstance(weekday, int) or not 1 <= weekday <= 7:
        return None
    try:
        begin, end = _read_time(raw.get("period_begin")), _read_time(raw.get("period_end"))
    except ValueError:
        return None
    return OpenSpan(weekday, begin, end)


def _read_time(raw: object) -> time:
    text = str(raw)
    return time.min if text == "24:00" else time.fromisoformat(text).replace(tzinfo=None)


def _read_periods(raw: object) -> Iterable[tuple[datetime, datetime]]:
    for part in _list_objects(raw):
        try:
            yield _read_moment(part.get("period_begin")), _read_moment(part.get("period_end"))
        except ValueError:
            continue


def _read_moment(raw: object) -> datetime:
    """OCPI's timestamps without an offset are UTC (OCPI 2.2.1, 16.5)."""
    moment = datetime.fromisoformat(str(raw))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
