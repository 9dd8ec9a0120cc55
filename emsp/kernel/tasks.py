"""Celery's doors into the outbox: tick, run, purge."""

from __future__ import annotations

import uuid

from celery import shared_task
from django.conf import settings

from emsp.kernel import clock, jobs


@shared_task(name="kernel.dispatch_due_jobs")
def dispatch_due_jobs() -> None:
    for job_id, token in jobs.claim_due_jobs(now=clock.now(), slots=settings.JOB_SLOTS):
        run_job.delay(job_id, str(token))


@shared_task(name="kernel.run_job")
def run_job(job_id: int, token: str) -> None:
    jobs.run_job(job_id, uuid.UUID(token))


@shared_task(name="kernel.purge_done_jobs")
def purge_done_jobs() -> None:
    jobs.purge_done_jobs(now=clock.now())
