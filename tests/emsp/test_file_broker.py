"""The demo's broker of files."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from queue import Empty

import kombu
import kombu.simple
import pytest

import emsp.celery  # noqa: F401 - puts the broker in Kombu's place

MESSAGES = 1_000


@pytest.fixture
def connection(tmp_path: Path) -> kombu.Connection:
    folder = str(tmp_path)
    return kombu.Connection(
        "filesystem://",
        transport_options={
            "data_folder_in": folder,
            "data_folder_out": folder,
            "control_folder": folder,
        },
    )


def take(queue: kombu.simple.SimpleQueue) -> int:
    message = queue.get_nowait()
    message.ack()
    number: int = message.payload["number"]
    return number


class TestFileBroker:
    def test_gives_messages_in_order(self, connection: kombu.Connection) -> None:
        queue = connection.SimpleQueue("in-order")
        for number in range(20):
            queue.put({"number": number})
        assert [take(queue) for _ in range(20)] == list(range(20))

    def test_never_shows_a_message_that_is_not_whole(self, connection: kombu.Connection) -> None:
        """With Kombu's own transport this reader meets an empty file within a second."""

        def write() -> None:
            queue = connection.clone().SimpleQueue("work")
            for number in range(MESSAGES):
                queue.put({"number": number})

        writer = threading.Thread(target=write, daemon=True)
        reader = connection.SimpleQueue("work")
        writer.start()
        received: list[int] = []
        deadline_s = time.monotonic() + 30
        while len(received) < MESSAGES and time.monotonic() < deadline_s:
            try:
                received.append(take(reader))
            except Empty:
                continue
        writer.join()
        assert received == list(range(MESSAGES))
