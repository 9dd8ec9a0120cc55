"""The outbox under races and kills, on PostgreSQL and Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection, transaction

from emsp.kernel import clock, jobs
from emsp.kernel.jobs import JobRun
from emsp.kernel.models import Job
from tests.conftest import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

# A Celery worker with one kind of job, which leaves an effect in its own transaction: a job that is
# not due for a day. Leases are short, so that what a killed worker held is taken over soon.
WORKER = """
import time
from datetime import timedelta
import django
django.setup()
from emsp.celery import app
from emsp.kernel import jobs

jobs.DISPATCH_LEASE = timedelta(seconds=2)

@jobs.handles("test.effect")
def never_run(run):
    raise AssertionError

@jobs.handles("test.work", lease=timedelta(seconds=2))
def work(run):
    jobs.enqueue("test.effect", run.payload, now=run.now, due_at=run.now + timedelta(days=1))
    time.sleep(0.2)
"""
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
# The broker's databases that these tests use, apart from those of other workers.
REDIS_DATABASES = {"master": 8, "gw0": 8, "gw1": 9, "gw2": 10, "gw3": 11}


@pytest.fixture(autouse=True)
def on_postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("this test needs PostgreSQL and Redis: run it by `make test`")


@pytest.fixture
def runs() -> Iterator[list[int]]:
    """Register a job that notes its runs."""
    noted: list[int] = []

    def note(run: JobRun) -> None:
        noted.append(run.job_id)

    jobs.handles("test.note")(note)
    yield noted
    del jobs._handlers["test.note"]


def enqueue(*, key: str = "", due_at: datetime = NOON, now: datetime = NOON) -> int:
    with transaction.atomic():
        return jobs.enqueue("test.note", now=now, due_at=due_at, unique_key=key)


def run_together(*calls: Callable[[], object]) -> list[object]:
    """Run calls in threads of their own, let loose at the same moment; return their results."""
    barrier = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            results[index] = calls[index]()
        except Exception as error:  # noqa: BLE001 - the test sees it among the results
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


class TestClaim:
    def test_gives_each_job_to_one_of_several_dispatchers(self, runs: list[int]) -> None:
        expected = sorted(enqueue() for _ in range(120))

        def claim() -> list[int]:
            mine = []
            while claimed := jobs.claim_due_jobs(now=NOON, slots=1000):
                mine += [job_id for job_id, _ in claimed]
            return mine

        shares = run_together(claim, claim, claim, claim)
        assert sorted(job_id for share in shares for job_id in share) == expected  # type: ignore[attr-defined]

    def test_is_used_up_by_the_first_of_two_messages(self, runs: list[int]) -> None:
        for _ in range(40):
            job_id = enqueue(now=clock.now(), due_at=clock.now())
            [(_, token)] = jobs.claim_due_jobs(now=clock.now(), slots=10)
            run_together(*[partial(jobs.run_job, job_id, token)] * 2)
        assert len(runs) == 40
        assert Job.objects.filter(done_at=None).count() == 0


class TestEnqueue:
    def test_leaves_one_open_job_of_a_key_however_many_ask_at_once(self, runs: list[int]) -> None:
        for round_number in range(20):
            key = f"key {round_number}"
            times = [NOON + timedelta(minutes=minutes) for minutes in (5, 3, 1, 4)]
            ids = run_together(*(partial(enqueue, key=key, due_at=due_at) for due_at in times))
            job = Job.objects.get(unique_key=key)
            assert ids == [job.pk] * 4
            assert job.due_at == NOON + timedelta(minutes=1)

    def test_does_not_count_on_a_request_that_is_rolled_back(self, runs: list[int]) -> None:
        written, asked = threading.Event(), threading.Event()

        def change_one_s_mind() -> None:
            with transaction.atomic():
                jobs.enqueue("test.note", now=NOON, unique_key="a")
                written.set()
                asked.wait(10)
                # The other one waits at the unique index by now.
                time.sleep(0.3)
                transaction.set_rollback(True)

        def ask() -> int:
            written.wait(10)
            asked.set()
            return enqueue(key="a")

        _, job_id = run_together(change_one_s_mind, ask)
        assert Job.objects.get().pk == job_id

    def test_is_never_forgotten_when_the_job_is_just_ending(self, runs: list[int]) -> None:
        for _ in range(60):
            now = clock.now()
            job_id = enqueue(key="a", now=now, due_at=now)
            [(_, token)] = jobs.claim_due_jobs(now=clock.now(), slots=10)
            before = len(runs)
            run_together(
                partial(jobs.run_job, job_id, token),
                lambda: enqueue(key="a", now=clock.now(), due_at=clock.now()),
            )
            # Whoever was first: nothing hangs in a lease, and the second wish is still to come.
            left = jobs.claim_due_jobs(now=clock.now(), slots=10)
            assert len(left) == 1
            jobs.run_job(*left[0])
            assert len(runs) == before + 2
            assert not Job.objects.filter(done_at=None).exists()


class Workers:
    """Celery workers on the test's database, each with a beat of its own."""

    def __init__(self, folder: Path, worker_id: str) -> None:
        database = connection.settings_dict
        broker = urlsplit(settings.CELERY_BROKER_URL)
        self.folder = folder
        (folder / "outbox_worker.py").write_text(WORKER)
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "emsp.settings",
            "ENV_FILE": str(folder / "none"),
            "SECRET_KEY": "tests-only",
            "PYTHONPATH": f"{folder}:{ROOT}",
            "DATABASE_URL": (
                f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}"
                f"/{database['NAME']}"
            ),
            "CELERY_BROKER_URL": f"redis://{broker.netloc}/{REDIS_DATABASES[worker_id]}",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        number = len(self.processes)
        with (self.folder / f"worker{number}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "celery", "-A", "outbox_worker", "worker",
                     "--beat", "--pool", "threads", "--concurrency", "4"],
                    cwd=ROOT,
                    env=self.env | {"DATA_DIR": str(self.folder / str(number))},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )  # fmt: skip

    def kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def workers(tmp_path: Path, worker_id: str) -> Iterator[Workers]:
    workers = Workers(tmp_path, worker_id)
    yield workers
    workers.kill()


def wait_until(holds: Callable[[], bool], *, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.05)


class TestWorkers:
    def test_that_are_killed_lose_and_double_nothing(self, workers: Workers) -> None:
        now = clock.now()
        Job.objects.bulk_create(
            Job(kind="test.work", payload={"n": n}, created_at=now, due_at=now) for n in range(40)
        )
        done = Job.objects.filter(kind="test.work", done_at__isnull=False)
        # Two workers with a beat each, killed twice in the middle of their work.
        for until in (8, 20):
            workers.start()
            workers.start()
            wait_until(lambda until=until: done.count() >= until, within_s=60)  # type: ignore[misc]
            workers.kill()
            assert done.count() < 40
        workers.start()
        wait_until(lambda: done.count() == 40, within_s=60)
        effects = Job.objects.filter(kind="test.effect").values_list("payload", flat=True)
        assert sorted(effect["n"] for effect in effects) == list(range(40))
