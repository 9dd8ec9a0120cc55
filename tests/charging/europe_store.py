"""Europe's real road store, built once a machine and kept between test runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from charging.planner.roads.scgraph_import import build_road_store, describe_import
from charging.planner.roads.store import FORMAT

ROOT = Path(__file__).resolve().parent.parent.parent


def ensure_europe_store() -> Path:
    """Give the store's folder; build it where a parameter changed since, or never was one.

    The folder lies in ``var/test-cache``, or where VOLTWAY_TEST_CACHE says.
    """
    cache = Path(os.environ.get("VOLTWAY_TEST_CACHE", ROOT / "var" / "test-cache"))
    made_of = f"{FORMAT} {describe_import()}"
    digest = hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"roads-{digest}"
    # Workers start together; the first builds, the others wait and find it done.
    with (cache / f"roads-{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_road_store(folder, progress=print)
    return folder
