"""Run all tests: ``python -m tests.run [pytest's words]``.

First everything on SQLite in memory, then whatever touches the database once more on PostgreSQL
and Redis, together with the tests that need them. The last line sums both up as pytest would.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from emsp.management.install import ROOT, PrerequisiteMissing
from emsp.management.progress import say, step
from tests.machine import install_missing_packages
from tests.services import run_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.services import Services

NO_TESTS_COLLECTED = 5
WORKERS_MAX = 4
ON_SQLITE = ("-m", "not postgres", "--ignore=tests/benchmarks")
ON_POSTGRES = ("-m", "postgres or django_db", "--ignore=tests/benchmarks")


def main(words: Sequence[str]) -> int:
    """Run the tests; give the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if "--bench" in words:
            return run_benchmarks([word for word in words if word != "--bench"])
        install_missing_packages()
        return run_both(words)
    except PrerequisiteMissing as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130


def run_both(words: Sequence[str]) -> int:
    """Run the suite on SQLite and what matters on PostgreSQL, and sum up."""
    begun_at_s = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="voltway-reports-")))
        reports = [folder / "sqlite.xml", folder / "postgres.xml"]
        with step("Starting PostgreSQL and Redis"):
            services = stack.enter_context(run_services())
        say("On SQLite: every test")
        codes = [run_pytest([*ON_SQLITE, *words], report=reports[0], env={})]
        say("On PostgreSQL and Redis: every test that touches the database")
        codes.append(
            run_pytest([*ON_POSTGRES, *words], report=reports[1], env=name_services(services))
        )
        closing_line = sum_up(reports, elapsed_s=time.monotonic() - begun_at_s)
    say(closing_line)
    return next((code for code in codes if code not in {0, NO_TESTS_COLLECTED}), min(codes))


def name_services(services: Services) -> dict[str, str]:
    """Name the services as tests/settings.py reads them."""
    return {
        "TEST_DATABASE_URL": services.database_url,
        "TEST_BROKER_URL": services.broker_url,
    }


def run_pytest(words: Sequence[str], *, report: Path, env: Mapping[str, str]) -> int:
    """Run pytest on all cores; give its exit code."""
    workers = min(os.cpu_count() or 1, WORKERS_MAX)
    # A class's tests stay together, so that what they share is built once.
    spread = ["-n", str(workers), "--dist", "loadscope", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *spread, f"--junitxml={report}", *words]
    return subprocess.run(command, cwd=ROOT, env=os.environ | env, check=False).returncode


def run_benchmarks(words: Sequence[str]) -> int:
    """Run tests/benchmarks, which the suite leaves out."""
    command = [sys.executable, "-m", "pytest", "tests/benchmarks", "--benchmark-only", *words]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def sum_up(reports: Sequence[Path], *, elapsed_s: float) -> str:
    """Write pytest's closing line for several runs together."""
    counts: Counter[str] = Counter()
    for report in reports:
        if report.is_file():
            counts += count_outcomes(report)
    parts = [
        f"{counts[outcome]} {outcome}"
        for outcome in ("failed", "passed", "skipped", "error")
        if counts[outcome]
    ]
    return f" {', '.join(parts) or 'no tests ran'} in {elapsed_s:.2f}s ".center(80, "=")


def count_outcomes(report: Path) -> Counter[str]:
    """Count the outcomes that a JUnit report holds."""
    counts: Counter[str] = Counter()
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - written by our own run
        failed, skipped, errors, total = (
            int(suite.get(key, "0")) for key in ("failures", "skipped", "errors", "tests")
        )
        counts += Counter(
            failed=failed, skipped=skipped, error=errors, passed=total - failed - skipped - errors
        )
    return counts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
