"""A partner's schedule: one open job, never given up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from charging import sync
from charging.models import Partner
from charging.partners import suspend_partner
from charging.sync_schedule import (
    SYNC_PARTNER,
    PullKind,
    SyncWish,
    ensure_schedules,
    request_sync,
)
from charging.tasks import ensure_sync_schedules
from emsp.kernel import clock, jobs
from emsp.kernel.models import Job, Priority
from tests.charging.ocpi_helpers import NOON, find_sync_job, make_active_partner, pull, run_job
from tests.fakes import FakeCpo

pytestmark = pytest.mark.django_db


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo().serving() as cpo:
        yield cpo


@pytest.fixture
def partner(cpo: FakeCpo) -> Partner:
    return make_active_partner(cpo)


def ask(
    partner: Partner, kind: PullKind = PullKind.AUTO, now: datetime = NOON, **wishes: Any
) -> int:
    with transaction.atomic():
        return request_sync(partner.pk, kind=kind, now=now, **wishes)


class TestRequest:
    def test_brings_the_waiting_job_forward(self, partner: Partner) -> None:
        pull(partner)
        job = find_sync_job(partner)
        assert ask(partner) == job.pk
        assert find_sync_job(partner).due_at == NOON

    def test_writes_a_wish_for_a_full_pull_over_the_waiting_job_s(self, partner: Partner) -> None:
        ask(partner)
        ask(partner, PullKind.FULL)
        ask(partner)
        assert find_sync_job(partner).payload["kind"] == "full"
        assert Job.objects.filter(kind=SYNC_PARTNER).count() == 1

    def test_for_a_full_pull_is_not_forgotten_when_it_comes_during_a_pull(
        self, partner: Partner
    ) -> None:
        pull(partner)
        wish = SyncWish(partner.pk)
        job_id = ask(partner, now=clock.now())
        [(_, token)] = claim_only(job_id)
        now = clock.now()
        run = sync.open_run(partner, wish=wish, keep_lease=lambda: None, now=now)
        sync.pull_pages(run, keep_lease=lambda: None, deadline_s=5, now=now)
        # As an operator does while the last page is being stored.
        assert ask(partner, PullKind.FULL, now=clock.now()) == job_id
        sync.finish_run(run, wish=wish, keep_lease=lambda: None, now=now)
        job = find_sync_job(partner)
        assert (job.pk, job.lease_token) == (job_id, token)
        assert job.payload["kind"] == "full"
        assert job.again_at is not None
        assert job.again_at <= clock.now()

    def test_for_the_same_full_pull_again_is_not_forgotten_either(self, partner: Partner) -> None:
        job_id = ask(partner, PullKind.FULL, accept_removals=True)
        claim_only(job_id)
        now = clock.now()
        wish = SyncWish.read(Job.objects.get().payload)
        run = sync.open_run(partner, wish=wish, keep_lease=lambda: None, now=now)
        sync.pull_pages(run, keep_lease=lambda: None, deadline_s=5, now=now)
        ask(partner, PullKind.FULL, now=clock.now(), accept_removals=True)
        sync.finish_run(run, wish=wish, keep_lease=lambda: None, now=clock.now())
        payload = find_sync_job(partner).payload
        assert (payload["kind"], payload["accept_removals"]) == ("full", True)

    @pytest.mark.parametrize("kind", [PullKind.AUTO, PullKind.DELTA, PullKind.FULL])
    def test_keeps_the_acceptance_of_the_waiting_one(
        self, partner: Partner, kind: PullKind
    ) -> None:
        ask(partner, PullKind.FULL, accept_removals=True)
        ask(partner, kind)
        payload = find_sync_job(partner).payload
        assert (payload["kind"], payload["accept_removals"]) == ("full", True)

    def test_overtakes_the_pulls_that_nobody_waits_for(self, partner: Partner) -> None:
        ensure_schedules(now=NOON)
        assert find_sync_job(partner).priority == Priority.BULK
        job_id = ask(partner)
        assert find_sync_job(partner).priority == Priority.NORMAL
        run_job(job_id)
        assert find_sync_job(partner).priority == Priority.BULK

    def test_keeps_its_priority_when_it_comes_during_a_pull(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        ensure_schedules(now=NOON)
        job_id = find_sync_job(partner).pk
        claim_only(job_id)
        now = clock.now()
        wish = SyncWish(partner.pk)
        run = sync.open_run(partner, wish=wish, keep_lease=lambda: None, now=now)
        sync.pull_pages(run, keep_lease=lambda: None, deadline_s=5, now=now)
        ask(partner, now=clock.now())
        sync.finish_run(run, wish=wish, keep_lease=lambda: None, now=clock.now())
        assert find_sync_job(partner).priority == Priority.NORMAL


def claim_only(job_id: int) -> list[tuple[int, UUID]]:
    """Lease this job as a worker would, and no other."""
    Job.objects.exclude(pk=job_id).delete()
    return jobs.claim_due_jobs(now=clock.now(), slots=1)


class TestEnsure:
    def test_gives_a_partner_without_a_job_a_new_one(self, partner: Partner) -> None:
        assert ensure_schedules(now=NOON) == 1
        assert find_sync_job(partner).due_at == NOON
        assert ensure_schedules(now=NOON) == 0

    def test_replaces_a_job_that_is_dead(self, partner: Partner) -> None:
        dead = ask(partner)
        Job.objects.filter(pk=dead).update(dead_at=NOON)
        assert ensure_schedules(now=NOON) == 1
        assert find_sync_job(partner).pk != dead

    def test_leaves_a_waiting_job_as_it_is(self, partner: Partner) -> None:
        pull(partner)
        due_at = find_sync_job(partner).due_at
        assert ensure_schedules(now=NOON) == 0
        assert find_sync_job(partner).due_at == due_at

    def test_leaves_partners_alone_that_are_not_active(self, partner: Partner) -> None:
        suspend_partner(partner)
        assert ensure_schedules(now=NOON) == 0

    def test_is_ticked_by_beat(self, partner: Partner) -> None:
        ensure_sync_schedules()
        assert find_sync_job(partner).due_at <= clock.now()


class TestJob:
    def test_ends_for_a_partner_that_is_suspended_or_gone(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        job_id = ask(partner)
        suspend_partner(partner)
        run_job(job_id)
        assert Job.objects.get(pk=job_id).done_at is not None
        Partner.objects.update(state="active")
        job_id = ask(partner)
        partner.delete()
        run_job(job_id)
        assert Job.objects.get(pk=job_id).done_at is not None
        assert cpo.seen == []

    def test_runs_again_after_the_partner_s_interval(self, partner: Partner) -> None:
        pull(partner)
        wait = find_sync_job(partner).due_at - clock.now()
        assert timedelta(seconds=3590) < wait <= timedelta(seconds=3600)


class TestWish:
    def test_is_read_as_it_was_written(self) -> None:
        wish = SyncWish(7, PullKind.FULL, accept_removals=True, asked_at="2026-06-01")
        assert SyncWish.read(wish.write()) == wish
        assert SyncWish.read({"partner_id": 7}) == SyncWish(7)
