"""What the tests of OCPI share: partners, objects, our own server, running the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.test.utils import override_settings
from pytest_django.live_server_helper import LiveServer

from charging.models import Partner, SyncRun
from charging.partners import hash_token
from charging.sync_schedule import SYNC_PARTNER, PullKind, request_sync
from emsp.kernel import clock, jobs
from emsp.kernel.models import Job
from tests.fakes import FakeCpo

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EARLIER = "2026-05-01T08:00:00Z"
LATER = "2026-05-02T08:00:00Z"


@contextmanager
def serving_ourselves() -> Iterator[str]:
    """Serve our own pages and OCPI from a thread, so that partners can call back."""
    server = LiveServer("127.0.0.1")
    try:
        with override_settings(PUBLIC_URL=server.url):
            yield server.url
    finally:
        server.stop()


def make_active_partner(cpo: FakeCpo, **changes: Any) -> Partner:
    """Make a partner as the handshake leaves it."""
    fields: dict[str, Any] = {
        "name": "Fake Charging",
        "slug": "fake",
        "state": Partner.State.ACTIVE,
        "versions_url": cpo.versions_url,
        "ocpi_version": "2.2.1",
        "roles": [{"role": "CPO", "country_code": "NL", "party_id": "FAK", "name": "Fake"}],
        "endpoints": {
            "locations/SENDER": f"{cpo.url}{cpo.locations_path}",
            "tariffs/SENDER": f"{cpo.url}{cpo.tariffs_path}",
        },
        "token_out": cpo.token_c,
        "token_in_hash": hash_token("token-b-of-ours"),
        "registered_at": NOON,
    }
    return Partner.objects.create(**fields | changes)


def pull(partner: Partner, kind: PullKind = PullKind.AUTO, **wishes: Any) -> SyncRun:
    """Ask for a pull, run its job once, and return the partner's newest run."""
    with transaction.atomic():
        job_id = request_sync(partner.pk, kind=kind, now=clock.now(), **wishes)
    run_job(job_id)
    return SyncRun.objects.filter(partner=partner).latest("pk")


def run_job(job_id: int) -> None:
    """Run this job, and leave other due jobs alone."""
    Job.objects.filter(pk=job_id).update(due_at=clock.now())
    others = Job.objects.filter(done_at=None, dead_at=None).exclude(pk=job_id)
    waiting = list(others.values_list("pk", "due_at"))
    others.update(due_at=clock.now().replace(year=9000))
    for claimed_id, token in jobs.claim_due_jobs(now=clock.now(), slots=10):
        jobs.run_job(claimed_id, token)
    for pk, due_at in waiting:
        Job.objects.filter(pk=pk).update(due_at=due_at)


def find_sync_job(partner: Partner) -> Job:
    """Return the partner's open sync job."""
    return Job.objects.get(
        kind=SYNC_PARTNER, unique_key=f"sync:{partner.pk}", done_at=None, dead_at=None
    )


def make_connector(ocpi_id: str | int = "1", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": ocpi_id,
        "standard": "IEC_62196_T2_COMBO",
        "format": "CABLE",
        "power_type": "DC",
        "max_voltage": 920,
        "max_amperage": 400,
        "max_electric_power": 150_000,
        "tariff_ids": ["T1"],
        "last_updated": EARLIER,
    }
    return fields | changes


def make_evse(uid: str | int = "E1", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "uid": uid,
        "evse_id": f"NL*FAK*{uid}",
        "status": "AVAILABLE",
        "connectors": [make_connector()],
        "last_updated": EARLIER,
    }
    return fields | changes


def make_location(ocpi_id: str | int = "LOC1", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "country_code": "NL",
        "party_id": "FAK",
        "id": ocpi_id,
        "publish": True,
        "name": "Rest area",
        "address": "Road 1",
        "city": "Utrecht",
        "postal_code": "3511",
        "country": "NLD",
        "coordinates": {"latitude": "52.090700", "longitude": "5.121400"},
        "evses": [make_evse()],
        "operator": {"name": "Fake Charging"},
        "time_zone": "Europe/Amsterdam",
        "last_updated": EARLIER,
    }
    return fields | changes


def make_tariff(ocpi_id: str = "T1", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "country_code": "NL",
        "party_id": "FAK",
        "id": ocpi_id,
        "currency": "EUR",
        "elements": [
            {"price_components": [{"type": "ENERGY", "price": 0.45, "vat": 21, "step_size": 1}]}
        ],
        "last_updated": EARLIER,
    }
    return fields | changes
