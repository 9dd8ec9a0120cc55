"""A worker that is killed in the middle of a pull: nothing is lost and nothing doubled."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.emsp.sandbox_cpo import ROOT, TOKEN_A, Cpo, free_port, is_listening, running_cpo

STATIONS = 500
WITHIN_S = 60.0


class Installation:
    """A whole eMSP of its own: database, queue folders, web server and worker, all processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.database = folder / "db.sqlite3"
        self.env = os.environ | {
            "ENV_FILE": str(folder / "none.env"),
            "DJANGO_SETTINGS_MODULE": "emsp.settings",
            "SECRET_KEY": "tests-only-not-a-secret",
            "ALLOWED_HOSTS": "127.0.0.1",
            "ALLOW_PRIVATE_ADDRESSES": "1",
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "CELERY_BROKER_URL": "filesystem://",
            "SYNC_LEASE_S": "4",
            "DEBUG": "1",
        }

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        subprocess.run(command, cwd=ROOT, env=self.env, check=True, timeout=WITHIN_S)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve our pages, for the call back during the handshake."""
        command = ["manage.py", "runserver", "--noreload", f"127.0.0.1:{self.port}"]
        with self.running(command) as process:
            wait_until(lambda: is_listening(self.port), process)
            yield

    @contextmanager
    def working(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a Celery worker with beat."""
        command = ["-m", "celery", "-A", "emsp.celery", "worker", "-B", "-c", "1"]
        with self.running([*command, "--loglevel", "WARNING"]) as process:
            yield process

    @contextmanager
    def running(self, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        log = (self.folder / "processes.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill_group(process)
            log.close()

    def ask(self, sql: str) -> tuple[object, ...]:
        """Read one row, as an onlooker."""
        with suppress(sqlite3.OperationalError):
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5)
            try:
                row: tuple[object, ...] | None = connection.execute(sql).fetchone()
                return row or ()
            finally:
                connection.close()
        return ()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 a process and everything it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not holds():
        assert process.poll() is None, "the process ended by itself"
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[tuple[Installation, Cpo]]:
    """Give a migrated installation that is registered at a CPO and has not pulled yet."""
    ours = Installation(tmp_path)
    with ExitStack() as stack:
        cpo = stack.enter_context(
            running_cpo(
                tmp_path,
                *("--stations", str(STATIONS), "--status-interval", "0", "--page-limit", "10"),
            )
        )
        ours.manage("migrate", "--verbosity", "0", "--skip-checks")
        with ours.serving():
            ours.manage(
                *("register_partner", "--slug", "sandbox", "--versions-url", cpo.versions),
                *("--token-a", TOKEN_A, "--sync-interval", "3600"),
            )
        yield ours, cpo


class TestKilledWorker:
    def test_is_followed_by_one_that_ends_the_pull_exactly(
        self, installation: tuple[Installation, Cpo]
    ) -> None:
        ours, cpo = installation
        with ours.working() as worker:
            wait_until(lambda: self.count(ours, "charging_location") >= 50, worker)
            kill_group(worker)
        state, stored = ours.ask("SELECT state, stored FROM charging_syncrun")
        assert state == "running"
        halfway = self.count(ours, "charging_location")
        assert 50 <= halfway < STATIONS
        assert stored == halfway + self.count(ours, "charging_tariff")

        with ours.working() as worker:
            wait_until(lambda: ours.ask("SELECT state FROM charging_syncrun") == ("done",), worker)
        expected = self.read_what_the_cpo_serves(cpo, ours.folder)
        assert self.count(ours, "charging_location") == expected["location"] == STATIONS
        assert self.count(ours, "charging_tariff") == expected["tariff"]
        assert self.count(ours, "charging_evse") == expected["evse"]
        assert self.count(ours, "charging_syncrun") == 1
        assert self.count(ours, "charging_quarantinedobject") == 0
        stored, unchanged, error = ours.ask("SELECT stored, unchanged, error FROM charging_syncrun")
        assert (stored, unchanged, error) == (STATIONS + expected["tariff"], 0, "")
        open_jobs = "SELECT count(*) FROM kernel_job WHERE kind = 'charging.sync_partner'"
        assert ours.ask(f"{open_jobs} AND done_at IS NULL AND dead_at IS NULL") == (1,)

    def count(self, ours: Installation, table: str) -> int:
        found = ours.ask(f"SELECT count(*) FROM {table}")  # noqa: S608 - a table's name of ours
        return int(str(found[0])) if found else 0

    def read_what_the_cpo_serves(self, cpo: Cpo, folder: Path) -> dict[str, int]:
        connection = sqlite3.connect(f"file:{folder / 'cpo.sqlite3'}?mode=ro", uri=True)
        try:
            rows = connection.execute(
                "SELECT kind, count(*), sum(evse_count) FROM thing GROUP BY kind"
            ).fetchall()
        finally:
            connection.close()
        counts = {kind: count for kind, count, _ in rows}
        return counts | {"evse": sum(evses for _, _, evses in rows)}
