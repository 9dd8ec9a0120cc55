"""Child processes in groups of their own that never outlive us."""

from __future__ import annotations

import pwd
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from emsp.management import guard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GUARD_SCRIPT = Path(guard.__file__)


class ProcessGroups:
    """Starts children, each leader of a group, and ends them all when the block is left.

    A guard process ends them when we are killed before we can. A child's own children belong to
    its group and end with it.
    """

    def __enter__(self) -> Self:
        self._stop_signals: dict[int, int] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._start_guard()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()
        if self._guard.stdin:
            self._guard.stdin.close()
        self._guard.wait()

    def start(
        self,
        command: Sequence[str],
        *,
        output: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> subprocess.Popen[bytes]:
        """Start a child in a group of its own; what it says is appended to ``output``."""
        with output.open("ab") as sink:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                user=user,
                group=pwd.getpwnam(user).pw_gid if user else None,
                extra_groups=[] if user else None,
                start_new_session=True,
            )
        self._stop_signals[child.pid] = stop_signal
        self._children[child.pid] = child
        self._tell_guard(f"+{child.pid} {int(stop_signal)}")
        return child

    def clear_away(self, child: subprocess.Popen[bytes]) -> None:
        """Kill what an ended child has left behind in its group, and forget it."""
        guard.end_groups({child.pid: signal.SIGKILL}, grace_s=1.0, reap=child.poll)
        self._forget(child.pid)

    def stop_all(self) -> None:
        """Ask all children to stop; kill those that do not within the grace."""
        guard.end_groups(self._stop_signals, grace_s=guard.GRACE_S, reap=self._reap)
        for child in list(self._children.values()):
            child.wait()
            self._forget(child.pid)

    def keep_guarded(self) -> None:
        """Replace the guard if someone has killed it."""
        if self._guard.poll() is not None:
            self._start_guard()

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()

    def _forget(self, group: int) -> None:
        del self._stop_signals[group]
        del self._children[group]
        self._tell_guard(f"-{group}")

    def _start_guard(self) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for group, number in self._stop_signals.items():
            self._tell_guard(f"+{group} {number}")

    def _tell_guard(self, line: str) -> None:
        pipe = self._guard.stdin
        if pipe is None:
            return
        try:
            pipe.write(line.encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            # Killed a moment ago; keep_guarded() starts another, which is told everything.
            return
