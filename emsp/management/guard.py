"""Ends process groups once their owner is gone, however it went: even by kill -9.

``python guard.py`` reads lines from its standard input, whose only writing end the owner holds:
``+123 15`` says that group 123 has started and is asked to stop by signal 15, ``-123`` that it has
ended. End of file means that the owner has died; what still runs is then ended. Standard library
alone: this process lives beside every demo and should be small.
"""

from __future__ import annotations

import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GRACE_S = 5.0
_POLL_S = 0.05


def end_groups(
    stop_signals: Mapping[int, int], *, grace_s: float, reap: Callable[[], object] = lambda: None
) -> None:
    """Ask each group (id to signal) to stop, and kill those that still run after the grace.

    ``reap`` collects the caller's own ended children: until then they count as running.
    """
    for group, number in stop_signals.items():
        _send(group, number)
    deadline_s = time.monotonic() + grace_s
    running = set(stop_signals)
    while running and time.monotonic() < deadline_s:
        reap()
        running = {group for group in running if _send(group, 0)}
        time.sleep(_POLL_S if running else 0)
    for group in running:
        _send(group, signal.SIGKILL)


def _send(group: int, number: int) -> bool:
    """Signal a group; return False when nothing of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def watch() -> None:
    """Follow the owner's lines until they end, then end what it left behind."""
    groups: dict[int, int] = {}
    for line in sys.stdin:
        words = line.split()
        if words[0].startswith("+"):
            groups[int(words[0])] = int(words[1])
        else:
            groups.pop(-int(words[0]), None)
    end_groups(groups, grace_s=GRACE_S)


if __name__ == "__main__":
    # The owner's Ctrl-C is the owner's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch()
