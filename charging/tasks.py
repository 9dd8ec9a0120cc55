"""Charging's jobs: what the outbox runs, and what beat ticks."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings

from charging import sync, sync_schedule
from charging.models import Partner
from charging.sync_schedule import SYNC_PARTNER, SyncWish
from emsp.kernel import clock, jobs

log = structlog.get_logger(__name__)

# No exchange may outlast half the lease, or a slow partner's job would change hands for ever.
DEADLINE_S = min(60.0, settings.SYNC_LEASE_S / 2)


@jobs.handles(SYNC_PARTNER, transactional=False, lease=timedelta(seconds=settings.SYNC_LEASE_S))
def sync_partner(run: jobs.JobRun) -> None:
    """Pull a partner and plan the next pull; no failure ends a partner's schedule."""
    wish = SyncWish.read(run.payload)
    partner = Partner.objects.filter(pk=wish.partner_id, state=Partner.State.ACTIVE).first()
    if partner is None:
        log.info("partner is not active: its pulls end", partner_id=wish.partner_id)
        return
    try:
        sync_run = sync.open_run(partner, wish=wish, keep_lease=run.extend_lease, now=run.now)
    except jobs.LeaseLost:
        raise
    except Exception as error:
        log.exception("synchronisation cannot begin", partner_id=partner.pk)
        wait = timedelta(seconds=partner.sync_interval_s)
        raise jobs.RetryLater(str(error), after=wait) from error
    try:
        sync.pull_pages(sync_run, keep_lease=run.extend_lease, deadline_s=DEADLINE_S, now=run.now)
        sync.finish_run(sync_run, wish=wish, keep_lease=run.extend_lease, now=clock.now())
    except (jobs.LeaseLost, jobs.RetryLater):
        raise
    except Exception as error:
        # An error of ours must not end the schedule either: a dead job would.
        if not hasattr(error, "retryable"):
            log.exception("synchronisation failed", partner_id=partner.pk)
        wait = sync.record_failure(
            sync_run, error=error, keep_lease=run.extend_lease, now=clock.now()
        )
        raise jobs.RetryLater(str(error), after=wait) from error


@shared_task(name="charging.ensure_sync_schedules")
def ensure_sync_schedules() -> None:
    sync_schedule.ensure_schedules(now=clock.now())
