"""Opening hours of the demo stations, with Christmas and a shopping Sunday as exceptions."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from emsp.sandbox.cpo.moments import format_moment

ALWAYS_OPEN = {"ALONG_MOTORWAY", "ON_STREET"}
HOURS = (("06:00", "23:00"), ("07:00", "22:00"), ("08:00", "20:00"))
RARELY_OPEN_SHARE = 0.45


def opening_times(
    parking: str, winter_offset_h: int, *, rng: random.Random, now: datetime
) -> dict[str, Any]:
    """Write an OCPI Hours object.

    Exceptions stand in UTC although they mean local days; all of them lie in winter.
    Source: OCPI 2.2.1, mod_locations, Hours class.
    """
    if parking in ALWAYS_OPEN or rng.random() > RARELY_OPEN_SHARE:
        return {"twentyfourseven": True}
    begin, end = rng.choice(HOURS)
    last_day = rng.choice((6, 7))
    christmas = _next_christmas(now) - timedelta(hours=winter_offset_h)
    hours: dict[str, Any] = {
        "twentyfourseven": False,
        "regular_hours": [
            {"weekday": weekday, "period_begin": begin, "period_end": end}
            for weekday in range(1, last_day + 1)
        ],
        "exceptional_closings": [_period(christmas, hours=24)],
    }
    if last_day == 6:
        # isoweekday of Christmas is the number of days back to a Sunday, 7 for a Sunday itself.
        sunday = christmas - timedelta(days=_next_christmas(now).isoweekday())
        hours["exceptional_openings"] = [_period(sunday + timedelta(hours=10), hours=8)]
    return hours


def _period(begin: datetime, *, hours: int) -> dict[str, str]:
    return {
        "period_begin": format_moment(begin),
        "period_end": format_moment(begin + timedelta(hours=hours)),
    }


def _next_christmas(now: datetime) -> datetime:
    christmas = datetime(now.year, 12, 25, tzinfo=UTC)
    return christmas if now < christmas else christmas.replace(year=now.year + 1)
