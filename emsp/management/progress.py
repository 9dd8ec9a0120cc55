"""Progress lines: one a step, with its time."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def say(sentence: str) -> None:
    """Write one line for the person at the terminal."""
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


class Step:
    """A running step: its title stands on an open line until details or the time end it."""

    def __init__(self, title: str) -> None:
        self._has_details = False
        sys.stdout.write(f"{title} ... ")
        sys.stdout.flush()

    def tell(self, detail: str) -> None:
        """Write a detail on a line of its own."""
        lead = "" if self._has_details else "\n"
        self._has_details = True
        say(f"{lead}    {detail}")

    def end(self, word: str) -> None:
        """Close the step's last line."""
        say(f"    {word}" if self._has_details else word)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Announce a step, then say how long it took (or that it failed)."""
    begun_at_s = time.monotonic()
    running = Step(title)
    try:
        yield running
    except BaseException:
        running.end("stopped")
        raise
    running.end(f"{time.monotonic() - begun_at_s:.1f} s")
