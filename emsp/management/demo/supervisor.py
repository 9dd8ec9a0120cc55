"""Keeps the demo's processes running and says so when one falls."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emsp.management.demo.machine import DemoStopped, is_disk_full
from emsp.management.progress import say

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from emsp.management.groups import ProcessGroups

POLL_S = 0.2
WAIT_MAX_S = 60.0
# Who lives this long has recovered: the next fall starts with a short wait again.
HEALTHY_AFTER_S = 60.0
FALLS_BEFORE_READY_MAX = 4
LOG_BYTES_MAX = 10_000_000


@dataclass(frozen=True)
class Service:
    """One process of the demo."""

    name: str
    command: tuple[str, ...]


@dataclass
class _Running:
    service: Service
    child: subprocess.Popen[bytes]
    started_at_s: float
    falls: int = 0


@dataclass
class Supervisor:
    """Starts services and starts them again, waiting 1, 2, 4 ... 60 s between falls."""

    groups: ProcessGroups
    env: Mapping[str, str]
    cwd: Path
    logs: Path
    clock_s: Callable[[], float] = time.monotonic
    _running: list[_Running] = field(default_factory=list)
    _due: list[tuple[float, _Running]] = field(default_factory=list)

    def start(self, service: Service) -> None:
        """Start a service; from now on it is kept running."""
        log = self.find_log(service)
        if log.is_file() and log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".log.1"))
        self._running.append(_Running(service, self._launch(service), self.clock_s()))

    def find_log(self, service: Service) -> Path:
        return self.logs / f"{service.name}.log"

    def look(self) -> None:
        """Notice who has fallen, and start again those whose wait is over."""
        self.groups.keep_guarded()
        for running in [each for each in self._running if each.child.poll() is not None]:
            self._note_fall(running)
        for due_at_s, running in list(self._due):
            if self.clock_s() >= due_at_s:
                self._due.remove((due_at_s, running))
                running.child = self._launch(running.service)
                running.started_at_s = self.clock_s()
                self._running.append(running)

    def wait_until(self, is_ready: Callable[[], bool], *, deadline_s: float, name: str) -> None:
        """Keep the services running until ``is_ready`` says so.

        Raises
        ------
        DemoStopped
            The deadline passed, or a service falls again and again.
        """
        until_s = self.clock_s() + deadline_s
        while not is_ready():
            self.look()
            for _, running in self._due:
                if running.falls >= FALLS_BEFORE_READY_MAX:
                    raise DemoStopped(self._explain(running.service))
            if self.clock_s() > until_s:
                message = f"{name} took longer than {deadline_s:.0f} s. The logs are in {self.logs}"
                raise DemoStopped(message)
            time.sleep(POLL_S)

    def keep_running(self) -> None:
        """Look after the services until an exception (Ctrl-C) ends it."""
        while True:
            self.look()
            time.sleep(POLL_S)

    def _launch(self, service: Service) -> subprocess.Popen[bytes]:
        return self.groups.start(
            service.command, output=self.find_log(service), env=self.env, cwd=self.cwd
        )

    def _note_fall(self, running: _Running) -> None:
        self._running.remove(running)
        self.groups.clear_away(running.child)
        healthy = self.clock_s() - running.started_at_s > HEALTHY_AFTER_S
        running.falls = 1 if healthy else running.falls + 1
        wait_s = min(2.0 ** (running.falls - 1), WAIT_MAX_S)
        self._due.append((self.clock_s() + wait_s, running))
        full = " The disk is full: make room." if is_disk_full(self.logs) else ""
        say(
            f"The {running.service.name} has stopped (exit code {running.child.returncode});"
            f" it is started again in {wait_s:.0f} s.{full}"
            f" Its log: {self.find_log(running.service)}"
        )

    def _explain(self, service: Service) -> str:
        log = self.find_log(service)
        last_words = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        return f"The {service.name} does not stay up. The end of {log}:\n{last_words}"
