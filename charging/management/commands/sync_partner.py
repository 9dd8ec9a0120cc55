"""``manage.py sync_partner``: pull a charge point operator's tariffs and locations now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from charging.models import Partner, SyncRun
from charging.sync_schedule import PullKind, request_sync
from emsp.kernel import clock, jobs
from emsp.kernel.models import Job

if TYPE_CHECKING:
    from argparse import ArgumentParser

LOOK_EVERY_S = 0.5


class Command(BaseCommand):
    help = "Pull a partner through the outbox and wait for the end; works without a worker, too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the partner's short name")
        parser.add_argument("--full", action="store_true", help="everything, not only changes")
        parser.add_argument(
            "--accept-removals",
            action="store_true",
            help="a full pull that marks missing objects as removed, however many they are",
        )
        parser.add_argument("--enqueue", action="store_true", help="leave it to the workers")

    def handle(
        self, *, slug: str, full: bool, accept_removals: bool, enqueue: bool, **_options: object
    ) -> None:
        partner = Partner.objects.filter(slug=slug).first()
        if partner is None:
            message = f"There is no partner {slug}."
            raise CommandError(message)
        if partner.state != Partner.State.ACTIVE:
            message = f"{partner.name} is {partner.get_state_display()}: register it first."
            raise CommandError(message)
        last = SyncRun.objects.filter(partner=partner).order_by("-pk").first()
        with transaction.atomic():
            job_id = request_sync(
                partner.pk,
                kind=PullKind.FULL if full or accept_removals else PullKind.AUTO,
                accept_removals=accept_removals,
                now=clock.now(),
            )
        if enqueue:
            self.stdout.write(f"A pull of {partner.name} is queued.")
            return
        after = last.pk if last is not None else 0
        if last is not None and last.state == SyncRun.State.RUNNING:
            # A run that is under way is resumed and counts as ours.
            after -= 1
        self._work_until_done(partner, job_id=job_id, after=after)

    def _work_until_done(self, partner: Partner, *, job_id: int, after: int) -> None:
        """Be one more worker until the pull has ended, and say how it goes on."""
        shown = ""
        while True:
            claimed = jobs.claim_due_jobs(now=clock.now(), slots=settings.JOB_SLOTS)
            for claimed_id, token in claimed:
                jobs.run_job(claimed_id, token)
            job = Job.objects.get(pk=job_id)
            run = SyncRun.objects.filter(partner=partner, pk__gt=after).order_by("-pk").first()
            if run is not None and (told := _describe(run)) != shown:
                self.stdout.write(told)
                shown = told
            if run is not None and run.state == SyncRun.State.DONE:
                return
            # It was put off, so it has been tried.
            put_off = job.lease_until is None and job.due_at > clock.now()
            if put_off or job.done_at or job.dead_at:
                reason = run.error if run is not None else job.last_error or "it is not active"
                message = f"The pull of {partner.name} failed: {reason}"
                raise CommandError(message)
            if not claimed:
                time.sleep(LOOK_EVERY_S)


def _describe(run: SyncRun) -> str:
    figures = (
        f"{run.stored} stored, {run.unchanged} unchanged, {run.quarantined} quarantined,"
        f" {run.removed} removed"
    )
    left = f" of {run.total}" if run.total else ""
    notes = f"\n{run.error}" if run.error else ""
    return f"{run.get_kind_display()} pull {run.get_state_display()}: {figures}{left}{notes}"
