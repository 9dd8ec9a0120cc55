"""What the demo asks of the machine: free ports, room on the disk, and its own small files."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"
SANDBOX_PORTS = range(8900, 8950)
FREE_BYTES_TO_BUILD = 600_000_000
FREE_BYTES_TO_RUN = 200_000_000


class DemoStopped(Exception):
    """The demo cannot start or go on; the message says why and what to do."""


def is_port_free(port: int) -> bool:
    """Say whether we could listen there, also when its holder shares it (SO_REUSEPORT)."""
    with socket.socket() as probe:
        # Connections of a run that just ended do not count, listeners do.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_web_port(port: int) -> None:
    """Make sure that the web can have its port.

    Raises
    ------
    DemoStopped
        Another program has it, or we may not have it.
    """
    if is_port_free(port):
        return
    other = next((free for free in range(8001, 8100) if is_port_free(free)), 8001)
    reason = "needs root" if port < 1024 and os.geteuid() != 0 else "is taken by another program"
    message = f"Port {port} {reason}. Choose another: make demo PORT={other}"
    raise DemoStopped(message)


def choose_sandbox_port(former: int | None, *, avoid: int) -> int:
    """Choose the sandbox's port: that of the last start where it is still free.

    Raises
    ------
    DemoStopped
        No port of the range is free.
    """
    wished = [former] if former else []
    for port in wished + list(SANDBOX_PORTS):
        if port != avoid and is_port_free(port):
            return port
    message = (
        f"No port from {SANDBOX_PORTS[0]} to {SANDBOX_PORTS[-1]} is free for the demo's charge"
        " point operator. End a program that listens there."
    )
    raise DemoStopped(message)


def require_disk_space(folder: Path, *, built: bool) -> None:
    """Make sure that the data have room.

    Raises
    ------
    DemoStopped
        The disk is too full; the message says how much is missing.
    """
    needed = FREE_BYTES_TO_RUN if built else FREE_BYTES_TO_BUILD
    free = shutil.disk_usage(folder).free
    if free < needed:
        message = (
            f"The disk that holds {folder} has {free / 1e9:.1f} GB free and the demo needs"
            f" {needed / 1e9:.1f} GB. Make room, or choose another disk by DATA_DIR in .env."
        )
        raise DemoStopped(message)


def is_disk_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < 20_000_000


def keep_secret(path: Path) -> str:
    """Return the secret kept in a file of its owner alone; make one up at the first call."""
    if path.is_file():
        kept = path.read_text(encoding="ascii").strip()
        if kept:
            return kept
    secret = secrets.token_urlsafe(12)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return secret
