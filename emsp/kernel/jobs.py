"""The outbox. A job is written with its cause and done only when its effect is committed.

A service calls :func:`enqueue` inside its own transaction. Beat ticks :func:`claim_due_jobs`
each second; Celery runs :func:`run_job` with the claim's token. A worker that dies, or a message
that a broker loses, only lets the lease run out: the job is claimed again. Two beats are harmless,
because a claim is one conditional UPDATE.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Coalesce, Least

from emsp.kernel import clock
from emsp.kernel.models import Job, Priority

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Job", "JobRun", "LeaseLost", "Priority", "RetryLater", "enqueue", "handles"]

log = structlog.get_logger(__name__)

# How long a claimed job may wait in the broker before another worker may claim it.
DISPATCH_LEASE = timedelta(seconds=30)
DONE_JOBS_KEPT = timedelta(days=7)
_ORDINARY = Q(priority__gt=Priority.HIGH)


class NotInTransaction(RuntimeError):
    """A job was enqueued outside of its cause's transaction."""


class UnknownJobKind(LookupError):
    """No handler is registered for this kind of job."""


class LeaseLost(Exception):
    """Another worker has taken this job over: stop without writing."""


class RetryLater(Exception):
    """The work cannot be done now; try again after the given time, without counting an error."""

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Handler:
    """How one kind of job is run."""

    run: Callable[[JobRun], None]
    lease: timedelta
    max_attempts: int
    transactional: bool


@dataclass
class JobRun:
    """One attempt at a job, as its handler sees it."""

    job_id: int
    kind: str
    payload: dict[str, object]
    attempt: int
    now: datetime
    lease: timedelta
    _token: uuid.UUID = field(repr=False)

    def extend_lease(self) -> None:
        """Keep the job for another lease.

        Raises
        ------
        LeaseLost
            Another worker has claimed the job meanwhile.
        """
        held = Job.objects.filter(pk=self.job_id, lease_token=self._token, done_at=None)
        if not held.update(lease_until=clock.now() + self.lease):
            raise LeaseLost(self.job_id)


_handlers: dict[str, Handler] = {}


def handles(
    kind: str,
    *,
    lease: timedelta = timedelta(seconds=60),
    max_attempts: int = 10,
    transactional: bool = True,
) -> Callable[[Callable[[JobRun], None]], Callable[[JobRun], None]]:
    """Register a function as the handler of a kind of job.

    A transactional handler runs in one transaction with the job's completion: its effect happens
    exactly once. One that speaks to the network is not transactional, must be idempotent, and
    calls ``run.extend_lease()`` as it goes.
    """

    def register(function: Callable[[JobRun], None]) -> Callable[[JobRun], None]:
        if kind in _handlers and _handlers[kind].run is not function:
            message = f"two handlers for jobs of kind {kind}"
            raise RuntimeError(message)
        _handlers[kind] = Handler(function, lease, max_attempts, transactional)
        return function

    return register


def enqueue(
    kind: str,
    payload: dict[str, object] | None = None,
    *,
    now: datetime,
    due_at: datetime | None = None,
    priority: Priority = Priority.NORMAL,
    unique_key: str = "",
) -> int:
    """Write a job into the caller's transaction and return its id.

    With a ``unique_key`` at most one open job exists: a waiting one is brought forward, a running
    one will run again after it ends.

    Raises
    ------
    NotInTransaction
        The caller has no transaction open, so cause and job could part.
    UnknownJobKind
        No handler is registered.
    """
    if not transaction.get_connection().in_atomic_block:
        message = f"enqueue({kind!r}) needs the transaction of its cause"
        raise NotInTransaction(message)
    if kind not in _handlers:
        raise UnknownJobKind(kind)
    due_at = due_at or now
    if unique_key:
        existing = _bring_forward(unique_key, due_at=due_at, priority=priority)
        if existing is not None:
            return existing
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                payload=payload or {},
                created_at=now,
                due_at=due_at,
                priority=priority,
                unique_key=unique_key,
            )
    except IntegrityError:
        # Someone else wrote the same key between our look and our insert.
        existing = _bring_forward(unique_key, due_at=due_at, priority=priority)
        if existing is None:
            raise
        return existing
    return job.pk


def _bring_forward(unique_key: str, *, due_at: datetime, priority: Priority) -> int | None:
    job = (
        Job.objects.select_for_update()
        .filter(unique_key=unique_key, done_at=None, dead_at=None)
        .first()
    )
    if job is None:
        return None
    # Also when its lease has run out: the worker may still be about to end it.
    if job.lease_token is not None:
        job.again_at = min(job.again_at or due_at, due_at)
    else:
        job.due_at = min(job.due_at, due_at)
    job.priority = min(job.priority, priority)
    job.save(update_fields=["again_at", "due_at", "priority"])
    return job.pk


def claim_due_jobs(*, now: datetime, slots: int) -> list[tuple[int, uuid.UUID]]:
    """Lease due jobs, the most urgent first, as far as slots are free; return ids with tokens.

    No more than ``slots`` jobs are leased at a time, so an urgent job never queues behind a
    thousand bulk ones that were handed to the broker before it; and long ordinary ones leave one
    slot free for what is urgent.
    """
    open_jobs = Job.objects.filter(done_at=None, dead_at=None)
    leased = open_jobs.filter(lease_until__gt=now)
    free = slots - leased.count()
    free_for_ordinary = max(1, slots - 1) - leased.filter(_ORDINARY).count()
    unleased = Q(lease_until=None) | Q(lease_until__lte=now)
    due = open_jobs.filter(unleased, due_at__lte=now).order_by("priority", "due_at", "pk")
    urgent = list(due.exclude(_ORDINARY).values_list("pk", flat=True)[: max(0, free)])
    ordinary_count = max(0, min(free - len(urgent), free_for_ordinary))
    ordinary = list(due.filter(_ORDINARY).values_list("pk", flat=True)[:ordinary_count])
    claimed = []
    for job_id in urgent + ordinary:
        token = uuid.uuid4()
        won = open_jobs.filter(unleased, pk=job_id).update(
            lease_token=token, lease_until=now + DISPATCH_LEASE
        )
        if won:
            claimed.append((job_id, token))
    return claimed


def run_job(job_id: int, token: uuid.UUID) -> None:
    """Run a claimed job; a claim that is no longer ours is left alone."""
    run = _start(job_id, token)
    if run is None:
        return
    handler = _handlers.get(run.kind)
    try:
        if handler is None:
            raise UnknownJobKind(run.kind)  # noqa: TRY301 - handled like any failure of the job
        if handler.transactional:
            with transaction.atomic():
                handler.run(run)
                _finish(run)
        else:
            handler.run(run)
            _finish(run)
    except LeaseLost:
        log.warning("job lease lost", job_id=job_id, kind=run.kind)
    except RetryLater as later:
        _put_back(run, reason=str(later), after=later.after, counted=False)
    except Exception as error:
        log.exception("job failed", job_id=job_id, kind=run.kind, attempt=run.attempt)
        _fail(run, error=error, max_attempts=handler.max_attempts if handler else 1)


def _start(job_id: int, token: uuid.UUID) -> JobRun | None:
    now = clock.now()
    job = Job.objects.filter(
        pk=job_id, lease_token=token, lease_until__gt=now, done_at=None, dead_at=None
    ).first()
    if job is None:
        return None
    handler = _handlers.get(job.kind)
    if handler and job.attempts >= handler.max_attempts:
        # Failures are counted where they are caught: this job has ended its workers.
        _bury(
            Q(pk=job_id, lease_token=token),
            reason=f"{job.attempts} attempts ended without a word: the worker died each time",
        )
        return None
    lease = handler.lease if handler else DISPATCH_LEASE
    # A new token: a message that the broker delivers twice finds its claim used up.
    run_token = uuid.uuid4()
    won = Job.objects.filter(pk=job_id, lease_token=token).update(
        lease_token=run_token, lease_until=now + lease, attempts=F("attempts") + 1
    )
    if not won:
        return None
    return JobRun(
        job_id=job.pk,
        kind=job.kind,
        payload=job.payload,
        attempt=job.attempts + 1,
        now=now,
        lease=lease,
        _token=run_token,
    )


def _held(run: JobRun) -> Q:
    return Q(pk=run.job_id, lease_token=run._token)


def _finish(run: JobRun) -> None:
    # One statement: a request for another run arrives before it or after it, never in between.
    finished = Job.objects.filter(_held(run)).update(
        done_at=Case(When(again_at=None, then=Value(clock.now()))),
        attempts=Case(When(again_at=None, then=Value(run.attempt)), default=Value(0)),
        due_at=Coalesce("again_at", "due_at"),
        again_at=None,
        lease_token=None,
        lease_until=None,
        last_error="",
    )
    if not finished:
        raise LeaseLost(run.job_id)


def _fail(run: JobRun, *, error: Exception, max_attempts: int) -> None:
    reason = f"{type(error).__name__}: {error}"
    permanent = getattr(error, "retryable", True) is False
    if permanent or run.attempt >= max_attempts:
        _bury(_held(run), reason=reason)
        log.error("job is dead", job_id=run.job_id, kind=run.kind, attempts=run.attempt)
        return
    # Doubling waits from 5 s to an hour: a partner's outage is not answered by a storm.
    wait = min(timedelta(seconds=5 * 2 ** (run.attempt - 1)), timedelta(hours=1))
    _put_back(run, reason=reason, after=wait, counted=True)


def _bury(held: Q, *, reason: str) -> None:
    """Make a job a dead letter, or start it afresh where someone has asked for it meanwhile."""
    Job.objects.filter(held).update(
        dead_at=Case(When(again_at=None, then=Value(clock.now()))),
        attempts=Case(When(again_at=None, then=F("attempts")), default=Value(0)),
        due_at=Coalesce("again_at", "due_at"),
        again_at=None,
        lease_token=None,
        lease_until=None,
        last_error=reason[:2000],
    )


def _put_back(run: JobRun, *, reason: str, after: timedelta, counted: bool) -> None:
    due_at = Value(clock.now() + after, output_field=DateTimeField())
    Job.objects.filter(_held(run)).update(
        # Who asked meanwhile does not wait for the back-off.
        due_at=Least(Coalesce("again_at", due_at), due_at),
        again_at=None,
        lease_token=None,
        lease_until=None,
        attempts=run.attempt if counted else run.attempt - 1,
        last_error=reason[:2000],
    )


def revive(job_id: int, *, now: datetime) -> bool:
    """Give a dead job a new life; False when it was not dead or a newer one has its key."""
    try:
        with transaction.atomic():
            return bool(
                Job.objects.filter(pk=job_id, dead_at__isnull=False).update(
                    dead_at=None, due_at=now, attempts=0, again_at=None
                )
            )
    except IntegrityError:
        return False


def purge_done_jobs(*, now: datetime) -> int:
    """Delete jobs that were done more than a week ago; dead ones stay until someone looks."""
    deleted, _ = Job.objects.filter(done_at__lt=now - DONE_JOBS_KEPT).delete()
    return deleted
