"""Kombu's filesystem transport with messages that appear whole.

Kombu creates a message's file under its final name and writes it afterwards: a reader in between
finds it empty and ends the worker with a JSONDecodeError. Here a message is written aside and
renamed. The demo runs on it; production has Redis.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from time import monotonic_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """A channel whose messages are put by renaming."""

    def _put(self, queue: str, payload: object, **kwargs: Any) -> None:  # type: ignore[override]
        # Readers take files in the order of their names and only those that end in the queue's.
        name = f"{monotonic_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        aside = folder / f"{name}.part"
        aside.write_text(dumps(payload), encoding="utf-8")
        aside.replace(folder / name)


class Transport(filesystem.Transport):
    Channel = Channel
