"""The planner's network: built by a job from roads and fast-charging locations, shared by files.

The leg table lies in ``DATA_DIR/legs/<key>``, where the key is a hash over the roads and the sites.
``DATA_DIR/legs/current`` names the one in use and is replaced in one step, so every process maps
a whole table: the old one until it looks again, then the new one.
"""

from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import structlog
from django.conf import settings

from charging.models import Location
from charging.planner import Network
from charging.planner.legs import (
    LegStoreBroken,
    LegStoreMissing,
    SiteTable,
    build_leg_table,
    name_leg_table,
    open_leg_table,
    save_leg_table,
)
from charging.planner.roads.snapping import Snapper
from charging.planner.roads.store import RoadStoreBroken, RoadStoreMissing, open_road_graph
from emsp.kernel import jobs

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from charging.planner.roads.graph import RoadGraph

log = structlog.get_logger(__name__)

# What counts as fast: below it a stop on a trip takes hours.
FAST_POWER_KW = 43.0
REACH_M = 400_000.0
BUILD_LEGS = "charging.build_legs"


class TripNetworkMissing(Exception):
    """Roads or legs are not built yet."""


_lock = threading.Lock()


def request_legs(*, now: datetime) -> None:
    """Ask for a leg table that fits the sites; call it in the transaction that changed them."""
    jobs.enqueue(BUILD_LEGS, now=now, unique_key=BUILD_LEGS)


@jobs.handles(BUILD_LEGS, lease=timedelta(minutes=10), transactional=False)
def build_legs(run: jobs.JobRun) -> None:
    """Build the leg table unless the one in use already fits roads and sites."""
    try:
        graph, snapper = _open_roads()
    except RoadStoreMissing as error:
        raise jobs.RetryLater(str(error), after=timedelta(minutes=1)) from error
    sites = _join_sites(snapper)
    key = name_leg_table(graph, sites=sites, reach_m=REACH_M)
    folder = _legs_folder() / key
    is_whole = (folder / "manifest.json").is_file()
    if is_whole and _read_current_key() == key:
        return
    if not is_whole:
        table = build_leg_table(graph, sites=sites, reach_m=REACH_M)
        run.extend_lease()
        save_leg_table(table, folder)
    _switch_to(key)
    log.info("legs built", key=key, sites=len(sites))


def load_network() -> Network:
    """Return the network in use; maps a newer one when there is one.

    Raises
    ------
    TripNetworkMissing
        Roads or legs are not built yet.
    """
    key = _read_current_key()
    if not key:
        raise TripNetworkMissing("the legs between fast-charging stations are still being built")
    try:
        # The lock keeps threads from mapping the same files twice.
        with _lock:
            return _map_network(_legs_folder() / key, _roads_folder(), _read_roads_age_ns())
    except (RoadStoreMissing, RoadStoreBroken, LegStoreMissing, LegStoreBroken) as error:
        raise TripNetworkMissing(str(error)) from error


# A failure is not kept: the next request looks again.
@lru_cache(maxsize=1)
def _map_network(legs_folder: Path, roads_folder: Path, built_at_ns: int) -> Network:
    graph, snapper = _map_roads(roads_folder, built_at_ns)
    legs = open_leg_table(legs_folder)
    if name_leg_table(graph, sites=legs.sites, reach_m=REACH_M) != legs.version:
        raise TripNetworkMissing("the roads were built anew and the legs do not fit them yet")
    return Network(graph=graph, legs=legs, snapper=snapper)


def roads_ready() -> bool:
    return (_roads_folder() / "manifest.json").is_file()


def legs_ready() -> bool:
    key = _read_current_key()
    return bool(key) and (_legs_folder() / key / "manifest.json").is_file()


def _open_roads() -> tuple[RoadGraph, Snapper]:
    with _lock:
        return _map_roads(_roads_folder(), _read_roads_age_ns())


def _read_roads_age_ns() -> int:
    """Return when the roads were written, so that a process maps them anew after a rebuild."""
    try:
        return (_roads_folder() / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=1)
def _map_roads(folder: Path, built_at_ns: int) -> tuple[RoadGraph, Snapper]:
    graph = open_road_graph(folder)
    return graph, Snapper(graph)


def _join_sites(snapper: Snapper) -> SiteTable:
    """Join every fast-charging location to its road node; those off every road are left out."""
    rows = list(
        Location.objects.filter(removed_at=None, publish=True, max_dc_power_kw__gte=FAST_POWER_KW)
        .order_by("pk")
        .values_list("pk", "lon", "lat")
    )
    site_id = np.array([row[0] for row in rows], dtype=np.int64)
    lon = np.array([row[1] for row in rows], dtype=np.float64)
    lat = np.array([row[2] for row in rows], dtype=np.float64)
    points = snapper.snap_many(lon, lat)
    joined = points.node >= 0
    if not joined.all():
        log.warning("fast locations off every road", count=int((~joined).sum()))
    return SiteTable(
        site_id=site_id[joined],
        lon=lon[joined],
        lat=lat[joined],
        node=points.node[joined],
        access_m=points.access_m[joined],
        access_s=points.access_s[joined],
    )


def _switch_to(key: str) -> None:
    folder = _legs_folder()
    previous = _read_current_key()
    fresh = folder / f"current.{os.getpid()}"
    fresh.write_text(key, encoding="ascii")
    fresh.replace(folder / "current")
    for old in folder.iterdir():
        # The previous table stays: other processes may be about to map it.
        if old.is_dir() and old.name not in {key, previous}:
            shutil.rmtree(old, ignore_errors=True)


def _read_current_key() -> str:
    try:
        return (_legs_folder() / "current").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _legs_folder() -> Path:
    folder: Path = settings.DATA_DIR / "legs"
    return folder


def _roads_folder() -> Path:
    folder: Path = settings.DATA_DIR / "roads"
    return folder
