"""The demo from start to stop."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import OperationalError, connections

from charging.trip_network import BUILD_LEGS
from emsp.kernel.models import Job
from emsp.management.demo.building import LOG_INS, Builder
from emsp.management.demo.health import ReadyWatch, is_up
from emsp.management.demo.machine import (
    LOOPBACK,
    DemoStopped,
    require_disk_space,
    require_web_port,
)
from emsp.management.demo.partner import choose_partner
from emsp.management.demo.supervisor import Service, Supervisor
from emsp.management.groups import ProcessGroups
from emsp.management.progress import say, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UP_WITHIN_S = 120.0
READY_WITHIN_S = 900.0
PR_SET_PDEATHSIG = 1


def run_demo() -> None:
    """Build what is missing, start everything, and keep it running until Ctrl-C.

    Raises
    ------
    DemoStopped
        It cannot start or go on; the message says why and what to do.
    """
    begun_at_s = time.monotonic()
    stop_on_signals()
    if not settings.DEMO:
        message = (
            "The settings here are not a demo's: DEMO=1 is missing in .env. The demo makes users"
            " with known names, so it does not touch other installations."
        )
        raise DemoStopped(message)
    folder = settings.DATA_DIR / "demo"
    try:
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        with _alone_in(folder), ProcessGroups() as groups:
            _check_machine(folder)
            _build_and_serve(groups, folder, begun_at_s=begun_at_s)
    except (OSError, OperationalError) as error:
        raise _explain_trouble(error, folder) from error


def stop_on_signals() -> None:
    """Make every way of asking us to stop look like Ctrl-C, and stop when make dies."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    if "MAKELEVEL" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep a second demo out of the same data."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"The demo runs already with the data in {folder}. Stop it first, by Ctrl-C."
            raise DemoStopped(message) from None
        yield


def _check_machine(folder: Path) -> None:
    require_web_port(settings.PORT)
    require_disk_space(folder, built=(folder / "sites.csv").is_file())


def _build_and_serve(groups: ProcessGroups, folder: Path, *, begun_at_s: float) -> None:
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    builder = Builder(groups, env=env, root=settings.BASE_DIR, folder=folder)
    builder.build_all()
    partner = choose_partner(folder)
    partner.prepare()
    supervisor = Supervisor(groups, env=env, cwd=settings.BASE_DIR, logs=folder / "logs")
    with step("Starting the web, the worker and the charge point operator"):
        supervisor.start(partner.describe_service(builder.sites_file))
        supervisor.start(describe_web())
        supervisor.start(describe_worker())
        for url in (f"{find_local_url()}/healthz", partner.health_url):
            supervisor.wait_until(partial(is_up, url), deadline_s=UP_WITHIN_S, name="The start")
    if not partner.is_registered():
        with step("Registering the charge point operator over OCPI"):
            partner.register()
    with step("Fetching stations and preparing trips") as waiting:
        watch = ReadyWatch(f"{find_local_url()}/readyz", waiting)
        for is_done in (watch.is_ready, has_legs):
            supervisor.wait_until(
                is_done, deadline_s=READY_WITHIN_S, name="The first synchronisation"
            )
    builder.warm_up()
    # The supervisor looks on for hours; its own connection would only hold the file open.
    connections.close_all()
    _welcome(builder, elapsed_s=time.monotonic() - begun_at_s)
    supervisor.keep_running()


def has_legs() -> bool:
    """Say whether no leg table waits to be built for the stations that just came."""
    return not Job.objects.filter(kind=BUILD_LEGS, done_at=None, dead_at=None).exists()


def find_local_url() -> str:
    return f"http://{LOOPBACK}:{settings.PORT}"


def describe_web() -> Service:
    """One ASGI server for every page."""
    command = (
        sys.executable, "-m", "granian", "emsp.asgi:application",
        "--interface", "asgi",
        "--host", LOOPBACK,
        "--port", str(settings.PORT),
        "--workers", "2",
        "--workers-kill-timeout", "2",
        "--respawn-failed-workers",
        "--log-level", "warning",
    )  # fmt: skip
    return Service("web", command)


def describe_worker() -> Service:
    """One Celery worker with its own beat."""
    command = (
        sys.executable, "-m", "celery", "-A", "emsp.celery", "worker",
        "--beat", "--pool", "threads", "--concurrency", "4", "--loglevel", "warning",
    )  # fmt: skip
    return Service("worker", command)


def _explain_trouble(error: Exception, folder: Path) -> DemoStopped:
    full = getattr(error, "errno", None) == errno.ENOSPC or "disk is full" in str(error)
    if full:
        return DemoStopped(f"The disk that holds {folder} is full. Make room and start again.")
    if isinstance(error, OperationalError):
        return DemoStopped(f"The database cannot be used: {error}.")
    return DemoStopped(f"{error.filename or folder}: {error.strerror}.")  # type: ignore[attr-defined]


def _welcome(builder: Builder, *, elapsed_s: float) -> None:
    lines = [
        "",
        f"{settings.BRAND_NAME} is ready after {elapsed_s:.0f} s:  {settings.PUBLIC_URL}/",
        "",
        *(f"  {log_in.email:<22} {log_in.what}" for log_in in LOG_INS),
        f"  password of all three: {builder.read_password()}",
        "",
        f"The operator's pages: {settings.PUBLIC_URL}/admin/",
        f"The processes' logs:  {builder.logs}",
        "Ctrl-C stops everything.",
    ]
    say("\n".join(lines))
