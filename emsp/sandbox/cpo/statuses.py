"""How EVSE statuses live: a share is drawn anew at each tick, busier by day than by night."""

import asyncio
import json
import math
import random
from datetime import UTC, datetime
from typing import Any

from emsp.sandbox.cpo.moments import epoch_us, format_moment
from emsp.sandbox.cpo.store import Store, compact

# What happens besides standing free and charging, as shares of all EVSEs.
RARE = {
    "OUTOFORDER": 0.02,
    "INOPERATIVE": 0.005,
    "BLOCKED": 0.01,
    "RESERVED": 0.005,
    "UNKNOWN": 0.005,
}


def occupancy(now: datetime, *, lon: float, along_motorway: bool) -> float:
    """Say which share of EVSEs charges at this hour: motorways peak at 15, towns at 19 o'clock.

    The sun's time at the longitude stands in for the local clock.
    """
    utc = now.astimezone(UTC)
    hour = (utc.hour + utc.minute / 60 + lon / 15) % 24
    peak, least, most = (15, 0.04, 0.38) if along_motorway else (19, 0.12, 0.42)
    wave = (1 + math.cos((hour - peak) / 24 * 2 * math.pi)) / 2
    return least + (most - least) * wave


def draw_status(rng: random.Random, charging_share: float) -> str:
    """Draw a status."""
    free_share = 1 - charging_share - sum(RARE.values())
    statuses = {"AVAILABLE": free_share, "CHARGING": charging_share, **RARE}
    return rng.choices(list(statuses), list(statuses.values()))[0]


class StatusLife:
    """The background loop that lets statuses change in the database."""

    def __init__(self, store: Store, *, interval_s: float, share: float) -> None:
        self._store = store
        self._interval_s = interval_s
        self._share = share
        self._rng = random.Random()
        counts = store.evse_counts()
        self._seqs = [seq for seq, _ in counts]
        self._weights = [count for _, count in counts]

    async def live(self) -> None:
        """Change statuses until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            self.tick(datetime.now(UTC))

    def tick(self, now: datetime) -> int:
        """Draw a share of all EVSEs anew; give how many came out different."""
        evses = sum(self._weights)
        drawn = max(1, round(evses * self._share)) if evses else 0
        changed = 0
        with self._store.transaction():
            for seq in self._rng.choices(self._seqs, self._weights, k=drawn) if drawn else ():
                changed += self._redraw_one(seq, now)
        return changed

    def _redraw_one(self, seq: int, now: datetime) -> bool:
        location: dict[str, Any] = json.loads(self._store.location_at(seq))
        evse = self._rng.choice(location["evses"])
        share = occupancy(
            now,
            lon=float(location["coordinates"]["longitude"]),
            along_motorway=location["parking_type"] == "ALONG_MOTORWAY",
        )
        status = draw_status(self._rng, share)
        if status == evse["status"]:
            return False
        # Milliseconds as written, so that a delta from this very moment on still holds the change.
        moment = now.replace(microsecond=now.microsecond // 1000 * 1000)
        evse["status"] = status
        evse["last_updated"] = location["last_updated"] = format_moment(moment)
        self._store.rewrite_location(seq, body=compact(location), updated_us=epoch_us(moment))
        return True
