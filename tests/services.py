"""The tests' own PostgreSQL and Redis: throw-away, on free ports of the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emsp.management.groups import ProcessGroups
from emsp.management.install import PrerequisiteMissing
from tests.machine import find_postgres_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_DEADLINE_S = 60.0


@dataclass(frozen=True)
class Services:
    """Where the running services are."""

    database_url: str
    broker_url: str


@contextmanager
def run_services() -> Iterator[Services]:
    """Start both, and end them whatever happens: also when we are killed."""
    user = _choose_postgres_user()
    folder = Path(tempfile.mkdtemp(prefix="voltway-tests-"))
    try:
        # The other user must be able to pass through.
        folder.chmod(0o755)
        with ProcessGroups() as groups:
            postgres_port = _start_postgres(groups, folder, user=user)
            redis_port = _start_redis(groups, folder)
            yield Services(
                database_url=f"postgresql://voltway@127.0.0.1:{postgres_port}/voltway",
                broker_url=f"redis://127.0.0.1:{redis_port}/0",
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_free_port() -> int:
    """Let the system name a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _choose_postgres_user() -> str | None:
    """PostgreSQL refuses to run as root; return whom to run it as, or None for ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in known), None)
    if user is None:
        raise PrerequisiteMissing("PostgreSQL refuses root, and no user postgres or nobody exists.")
    return user


def _start_postgres(groups: ProcessGroups, folder: Path, *, user: str | None) -> int:
    programs = find_postgres_folder()
    if programs is None:
        raise PrerequisiteMissing("PostgreSQL's initdb was not found.")
    cluster, log = folder / "postgres", folder / "postgres.log"
    cluster.mkdir(mode=0o700)
    if user:
        shutil.chown(cluster, user, pwd.getpwnam(user).pw_gid)
    made = subprocess.run(
        [programs / "initdb", "-D", cluster, "-U", "voltway", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"],
        cwd=cluster, user=user, extra_groups=[] if user else None,
        group=pwd.getpwnam(user).pw_gid if user else None,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        message = f"PostgreSQL could not make its cluster: {made.stderr.strip()}"
        raise PrerequisiteMissing(message)
    port = find_free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 60,
        "shared_buffers": "128MB",
        "jit": "off",
        # Nothing here outlives the run, so nothing needs to survive a power cut.
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
    }
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
    child = groups.start(
        [str(programs / "postgres"), "-D", str(cluster), *words],
        output=log, cwd=cluster, user=user, stop_signal=signal.SIGINT,
    )  # fmt: skip
    # PostgreSQL opens its port before it takes clients; the pid file's last line says "ready".
    pid_file = cluster / "postmaster.pid"
    _wait_until(
        lambda: pid_file.is_file() and pid_file.read_text().rstrip().endswith("ready"),
        child, name="PostgreSQL", log=log,
    )  # fmt: skip
    return port


def _start_redis(groups: ProcessGroups, folder: Path) -> int:
    port, log = find_free_port(), folder / "redis.log"
    child = groups.start(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
         "--save", "", "--appendonly", "no"],
        output=log,
    )  # fmt: skip
    _wait_until(lambda: _answers(port), child, name="Redis", log=log)
    return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _wait_until(
    ready: Callable[[], bool], child: subprocess.Popen[bytes], *, name: str, log: Path
) -> None:
    deadline_s = time.monotonic() + START_DEADLINE_S
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline_s:
            last_words = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            message = f"{name} did not start:\n{last_words}"
            raise PrerequisiteMissing(message)
        time.sleep(0.05)
