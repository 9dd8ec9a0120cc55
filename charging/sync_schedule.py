"""When a partner is pulled: its schedule is the due_at of its one open job.

The job is never given up: it ends only when the partner is no longer active, and whatever ended
it otherwise (a dead job, a suspended partner that is active again) is found by
``ensure_schedules``, which beat ticks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db import transaction

from charging.models import Partner
from emsp.kernel import jobs
from emsp.kernel.models import Job, Priority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SYNC_PARTNER = "charging.sync_partner"
# Doubling waits while a partner is down, then its normal interval.
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)


class PullKind(StrEnum):
    """What to pull: AUTO is full when a full pull is due, else a delta."""

    AUTO = "auto"
    FULL = "full"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class SyncWish:
    """A sync job's payload."""

    partner_id: int
    kind: PullKind = PullKind.AUTO
    # Mark objects as removed even where they are suspiciously many.
    accept_removals: bool = False
    # Tells a wish from the same one asked again while it is being fulfilled.
    asked_at: str = ""

    @classmethod
    def read(cls, payload: Mapping[str, object]) -> SyncWish:
        return cls(
            partner_id=int(str(payload["partner_id"])),
            kind=PullKind(str(payload.get("kind", PullKind.AUTO))),
            accept_removals=payload.get("accept_removals") is True,
            asked_at=str(payload.get("asked_at", "")),
        )

    def write(self) -> dict[str, object]:
        return {
            "partner_id": self.partner_id,
            "kind": str(self.kind),
            "accept_removals": self.accept_removals,
            "asked_at": self.asked_at,
        }


def request_sync(
    partner_id: int,
    *,
    kind: PullKind = PullKind.AUTO,
    accept_removals: bool = False,
    priority: Priority = Priority.NORMAL,
    now: datetime,
) -> int:
    """Ask for a pull now, in the caller's transaction; return the job's id.

    A waiting job is brought forward; a running one runs once more. A wish for a full pull is
    written over the job's own, where removals stay accepted. Only what nobody waits for is BULK.
    """
    wish = SyncWish(partner_id, kind, accept_removals, asked_at=now.isoformat())
    job_id = _enqueue(wish, now=now, due_at=now, priority=priority)
    if kind is not PullKind.AUTO:
        job = Job.objects.select_for_update().get(pk=job_id)
        waiting = SyncWish.read(job.payload)
        # A full pull brings what a delta would.
        if kind is PullKind.FULL or waiting.kind is not PullKind.FULL:
            accepted = wish.accept_removals or waiting.accept_removals
            job.payload = replace(wish, accept_removals=accepted).write()
            job.save(update_fields=["payload"])
    return job_id


def plan_next_sync(partner: Partner, *, done: SyncWish, now: datetime) -> None:
    """Let the running job run again after the partner's interval, whatever is due then."""
    job_id = _enqueue(
        SyncWish(partner.pk), now=now, due_at=now + timedelta(seconds=partner.sync_interval_s)
    )
    job = Job.objects.select_for_update().get(pk=job_id)
    # Somebody may have asked for another pull while this one ran: that wish stays.
    if SyncWish.read(job.payload) == done:
        job.payload = SyncWish(partner.pk).write()
    if job.again_at is None or job.again_at > now:
        job.priority = Priority.BULK
    job.save(update_fields=["payload", "priority"])


def ensure_schedules(*, now: datetime) -> int:
    """Give every active partner without an open sync job a new one; return how many."""
    kept = 0
    for partner in Partner.objects.filter(state=Partner.State.ACTIVE).order_by("pk"):
        with transaction.atomic():
            key = _name_key(partner.pk)
            if not Job.objects.filter(unique_key=key, done_at=None, dead_at=None).exists():
                _enqueue(SyncWish(partner.pk), now=now, due_at=now)
                kept += 1
    return kept


def choose_wait(tries: int) -> timedelta:
    """Return how long to wait after so many failures in a row.

    >>> [choose_wait(tries).total_seconds() for tries in (1, 2, 3, 20)]
    [5.0, 10.0, 20.0, 3600.0]
    """
    doublings = min(tries - 1, 20)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _enqueue(
    wish: SyncWish, *, now: datetime, due_at: datetime, priority: Priority = Priority.BULK
) -> int:
    return jobs.enqueue(
        SYNC_PARTNER,
        wish.write(),
        now=now,
        due_at=due_at,
        priority=priority,
        unique_key=_name_key(wish.partner_id),
    )


def _name_key(partner_id: int) -> str:
    return f"sync:{partner_id}"
