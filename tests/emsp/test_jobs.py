"""The outbox."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from emsp.kernel import clock, jobs
from emsp.kernel.jobs import JobRun, LeaseLost, Priority, RetryLater
from emsp.kernel.models import Job

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class Book:
    """What the handlers of these tests have done."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.failure: Exception | None = None
        self.during: object = None


@pytest.fixture
def book() -> Iterator[Book]:
    book = Book()

    def work(run: JobRun) -> None:
        book.runs.append(run.attempt)
        if callable(book.during):
            book.during(run)
        if book.failure:
            raise book.failure

    jobs.handles("test.short", max_attempts=3)(work)
    jobs.handles("test.long", transactional=False)(work)
    yield book
    del jobs._handlers["test.short"]
    del jobs._handlers["test.long"]


def enqueue(kind: str = "test.short", **kwargs: object) -> int:
    kwargs.setdefault("now", clock.now())
    with transaction.atomic():
        return jobs.enqueue(kind, **kwargs)  # type: ignore[arg-type]


def claim(slots: int = 10, now: datetime | None = None) -> list[tuple[int, uuid.UUID]]:
    return jobs.claim_due_jobs(now=now or clock.now(), slots=slots)


def run_all() -> int:
    claimed = claim()
    for job_id, token in claimed:
        jobs.run_job(job_id, token)
    return len(claimed)


class TestEnqueue:
    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_write_outside_of_the_cause_s_transaction(self, book: Book) -> None:
        with pytest.raises(jobs.NotInTransaction):
            jobs.enqueue("test.short", now=NOON)
        assert Job.objects.count() == 0

    def test_refuses_a_kind_that_nobody_handles(self) -> None:
        with pytest.raises(jobs.UnknownJobKind):
            enqueue("test.nobody")

    @pytest.mark.django_db(transaction=True)
    def test_leaves_nothing_when_the_cause_is_rolled_back(self, book: Book) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            jobs.enqueue("test.short", now=NOON)
            raise ZeroDivisionError
        assert Job.objects.count() == 0

    def test_brings_a_waiting_job_of_the_same_key_forward(self, book: Book) -> None:
        first = enqueue(now=NOON, due_at=NOON + timedelta(hours=1), unique_key="a")
        second = enqueue(now=NOON, due_at=NOON, unique_key="a", priority=Priority.HIGH)
        job = Job.objects.get()
        assert (first, second) == (job.pk, job.pk)
        assert (job.due_at, job.priority) == (NOON, Priority.HIGH)

    def test_lets_a_running_job_of_the_same_key_run_again(self, book: Book) -> None:
        enqueue("test.long", unique_key="a")
        book.during = lambda run: enqueue("test.long", unique_key="a") if run.attempt == 1 else None
        assert run_all() == 1
        book.during = None
        assert run_all() == 1
        assert run_all() == 0
        assert len(book.runs) == 2
        assert Job.objects.get().done_at is not None

    def test_makes_a_new_job_when_the_last_of_its_key_is_done(self, book: Book) -> None:
        enqueue(unique_key="a")
        run_all()
        enqueue(unique_key="a")
        assert Job.objects.count() == 2


class TestClaim:
    def test_takes_the_most_urgent_first_and_no_more_than_the_slots(self, book: Book) -> None:
        bulk = [enqueue(now=NOON, priority=Priority.BULK) for _ in range(3)]
        urgent = enqueue(now=NOON, priority=Priority.URGENT)
        assert [job_id for job_id, _ in claim(2, NOON)] == [urgent, bulk[0]]
        assert claim(2, NOON) == []

    def test_keeps_a_slot_free_for_what_is_urgent(self, book: Book) -> None:
        ordinary = [enqueue(now=NOON) for _ in range(5)]
        assert [job_id for job_id, _ in claim(4, NOON)] == ordinary[:3]
        urgent = enqueue(now=NOON, priority=Priority.URGENT)
        assert [job_id for job_id, _ in claim(4, NOON)] == [urgent]

    def test_leaves_jobs_that_are_not_due(self, book: Book) -> None:
        enqueue(now=NOON, due_at=NOON + timedelta(seconds=1))
        assert claim(10, NOON) == []
        assert len(claim(10, NOON + timedelta(seconds=1))) == 1

    def test_takes_a_job_again_when_its_lease_has_run_out(self, book: Book) -> None:
        enqueue(now=NOON)
        assert len(claim(10, NOON)) == 1
        assert claim(10, NOON + timedelta(seconds=29)) == []
        assert len(claim(10, NOON + timedelta(seconds=30))) == 1


class TestRun:
    def test_marks_the_job_done(self, book: Book) -> None:
        enqueue()
        assert run_all() == 1
        job = Job.objects.get()
        assert job.done_at is not None
        assert (job.attempts, job.lease_token) == (1, None)

    def test_ignores_a_message_that_comes_twice(self, book: Book) -> None:
        enqueue()
        [(job_id, token)] = claim()
        jobs.run_job(job_id, token)
        jobs.run_job(job_id, token)
        assert book.runs == [1]

    def test_rolls_the_effect_back_when_the_handler_fails(self, book: Book) -> None:
        def write_then_fail(run: JobRun) -> None:
            enqueue(unique_key="effect", due_at=clock.now() + timedelta(days=1))
            raise ZeroDivisionError

        book.during = write_then_fail
        enqueue()
        run_all()
        assert not Job.objects.filter(unique_key="effect").exists()

    def test_waits_longer_after_each_failure_and_gives_up_at_the_limit(self, book: Book) -> None:
        book.failure = OSError("no answer")
        job_id = enqueue()
        waits = []
        for _ in range(2):
            run_all()
            job = Job.objects.get()
            waits.append(round((job.due_at - clock.now()).total_seconds()))
            Job.objects.update(due_at=clock.now())
        run_all()
        job = Job.objects.get()
        assert waits == [5, 10]
        assert book.runs == [1, 2, 3]
        assert job.dead_at is not None
        assert job.last_error == "OSError: no answer"
        assert run_all() == 0
        assert jobs.revive(job_id, now=clock.now())
        book.failure = None
        assert run_all() == 1
        assert Job.objects.get().done_at is not None

    def test_gives_up_at_once_on_a_permanent_failure(self, book: Book) -> None:
        failure = OSError("refused for good")
        failure.retryable = False  # type: ignore[attr-defined]
        book.failure = failure
        enqueue()
        run_all()
        assert Job.objects.get().dead_at is not None

    def test_does_not_count_an_attempt_that_asks_for_later(self, book: Book) -> None:
        book.failure = RetryLater("roads are being built", after=timedelta(minutes=1))
        enqueue()
        run_all()
        job = Job.objects.get()
        assert (job.attempts, job.dead_at) == (0, None)
        assert job.due_at > clock.now() + timedelta(seconds=50)

    def test_stops_a_worker_whose_lease_another_has_taken(self, book: Book) -> None:
        enqueue("test.long")

        def lose_lease(run: JobRun) -> None:
            Job.objects.update(lease_token=uuid.uuid4())
            with pytest.raises(LeaseLost):
                run.extend_lease()
            raise LeaseLost(run.job_id)

        book.during = lose_lease
        run_all()
        job = Job.objects.get()
        assert (job.done_at, job.dead_at) == (None, None)

    def test_runs_again_for_a_wish_that_came_after_its_lease_had_run_out(self, book: Book) -> None:
        def wish_late(run: JobRun) -> None:
            Job.objects.update(lease_until=NOON)
            enqueue("test.long", unique_key="a")

        book.during = wish_late
        enqueue("test.long", unique_key="a")
        run_all()
        assert Job.objects.get().done_at is None
        book.during = None
        assert run_all() == 1
        assert Job.objects.get().done_at is not None

    def test_lives_on_for_a_wish_that_came_while_it_failed_for_good(self, book: Book) -> None:
        def wish_and_fail(run: JobRun) -> None:
            enqueue("test.long", unique_key="a")
            failure = OSError("refused for good")
            failure.retryable = False  # type: ignore[attr-defined]
            raise failure

        book.during = wish_and_fail
        enqueue("test.long", unique_key="a")
        run_all()
        job = Job.objects.get()
        assert (job.dead_at, job.attempts) == (None, 0)
        assert job.last_error == "OSError: refused for good"
        book.during = None
        assert run_all() == 1
        assert Job.objects.get().done_at is not None

    def test_does_not_make_a_wish_wait_for_the_back_off(self, book: Book) -> None:
        def wish_and_fail(run: JobRun) -> None:
            enqueue("test.long", unique_key="a")
            raise OSError("no answer")

        book.during = wish_and_fail
        enqueue("test.long", unique_key="a")
        run_all()
        assert Job.objects.get().due_at <= clock.now()

    def test_ends_a_job_that_kills_its_workers(self, book: Book) -> None:
        job_id = enqueue()
        Job.objects.update(attempts=3)
        assert run_all() == 1
        job = Job.objects.get(pk=job_id)
        assert book.runs == []
        assert job.dead_at is not None
        assert job.last_error == "3 attempts ended without a word: the worker died each time"

    def test_keeps_a_job_of_an_unknown_kind_as_dead(self, book: Book) -> None:
        enqueue()
        Job.objects.update(kind="test.removed")
        run_all()
        job = Job.objects.get()
        assert job.dead_at is not None
        assert "UnknownJobKind" in job.last_error


class TestRevive:
    def test_leaves_a_dead_job_alone_that_a_newer_one_replaces(self, book: Book) -> None:
        dead = enqueue(unique_key="a")
        Job.objects.update(dead_at=NOON)
        enqueue(unique_key="a")
        assert jobs.revive(dead, now=NOON) is False
        assert Job.objects.get(pk=dead).dead_at == NOON


class TestPurge:
    def test_deletes_only_what_was_done_a_week_ago(self, book: Book) -> None:
        for age_days in (8, 6):
            job_id = enqueue(now=NOON)
            Job.objects.filter(pk=job_id).update(done_at=NOON - timedelta(days=age_days))
        enqueue(now=NOON)
        assert jobs.purge_done_jobs(now=NOON) == 1
        assert Job.objects.count() == 2
