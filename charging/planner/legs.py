"""The leg table: the fastest drive between every pair of charging sites within reach.

Built once for a road graph and a set of sites, it serves every vehicle: a leg holds features
(see roads.graph.Feature), and energy is a weighted sum of them. The rules of reach and of ties are
in docs/algorithms/roads.md.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from charging.planner.roads.array_folder import (
    ArrayFolderBroken,
    ArrayFolderMissing,
    hash_arrays,
    open_arrays,
    read_manifest,
    save_arrays,
)
from charging.planner.roads.dijkstra import NO_LIMIT_DS, search_tree
from charging.planner.roads.graph import N_FEATURES, Feature, count_offsets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from charging.planner.roads.graph import RoadGraph

# Counts up whenever the arrays or their meaning change; older stores are then refused.
FORMAT = 1

# Beyond the range of any car at motorway speed.
REACH_M = 400_000.0

PROGRESS_STEPS = 10

SITE_DTYPES: Mapping[str, type] = {
    "site_id": np.int64,
    "lon": np.float64,
    "lat": np.float64,
    "node": np.int32,
    "access_m": np.float64,
    "access_s": np.float64,
}

LEG_DTYPES: Mapping[str, type] = {
    "first": np.int64,
    "to_site": np.int32,
    "features": np.float32,
}


class SiteTableInvalid(ValueError):
    """The sites given do not make a site table for this road graph."""


class LegStoreMissing(Exception):
    """No leg table was built here yet."""


class LegStoreBroken(Exception):
    """The leg table is damaged or was written by another version of this program."""


@dataclass(frozen=True)
class SiteTable:
    """Charging sites joined to the road graph, one row a site.

    ``access_m`` and ``access_s`` are the drive between the site and its node, the same both ways.
    """

    site_id: NDArray[np.int64]  # [s] the caller's own key, ascending
    lon: NDArray[np.float64]  # [s]
    lat: NDArray[np.float64]  # [s]
    node: NDArray[np.int32]  # [s] road node
    access_m: NDArray[np.float64]  # [s]
    access_s: NDArray[np.float64]  # [s]

    def __len__(self) -> int:
        return len(self.site_id)


@dataclass(frozen=True)
class LegTable:
    """Legs in compressed sparse row form; ``first[i]:first[i + 1]`` leave site i.

    A leg runs from site to site, access included. Rows are ordered by duration.
    """

    sites: SiteTable
    first: NDArray[np.int64]  # [s + 1]
    to_site: NDArray[np.int32]  # [l]
    features: NDArray[np.float32]  # [l, N_FEATURES], columns as in roads.graph.Feature
    reach_m: float  # legs longer than this are not in the table
    version: str  # hash over roads, sites and reach


@dataclass(frozen=True)
class _Row:
    """The legs that leave one site, fastest first."""

    to_site: NDArray[np.int32]  # [k]
    features: NDArray[np.float32]  # [k, N_FEATURES]


def build_leg_table(
    graph: RoadGraph,
    *,
    sites: SiteTable,
    reach_m: float = REACH_M,
    progress: Callable[[str], None] | None = None,
) -> LegTable:
    """Find the fastest drive from every site to every other one within ``reach_m`` of driving.

    The length of the fastest drive counts, access at both ends included: a pair whose fastest
    drive is longer has no leg, even if a shorter and slower one exists. Ferries are allowed.

    Raises SiteTableInvalid, and ValueError for a reach that is not above zero.
    """
    if not reach_m > 0:  # NaN included
        msg = f"reach_m is {reach_m}; it must be above zero"
        raise ValueError(msg)
    _check_sites(graph, sites=sites)
    index = _index_sites(graph, sites=sites)
    rows: list[_Row] = []
    every = max(1, -(-len(sites) // PROGRESS_STEPS))
    # The kernels release the interpreter lock, so threads share the graph and use all cores.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = pool.map(
            lambda site: _find_legs(graph, site=site, index=index, reach_m=reach_m),
            range(len(sites)),
        )
        for row in found:
            rows.append(row)
            if progress is not None and (len(rows) % every == 0 or len(rows) == len(sites)):
                progress(f"Found the legs of {len(rows):,} of {len(sites):,} sites.")
    return _join_rows(
        rows,
        sites=sites,
        reach_m=reach_m,
        version=name_leg_table(graph, sites=sites, reach_m=reach_m),
    )


def name_leg_table(graph: RoadGraph, *, sites: SiteTable, reach_m: float = REACH_M) -> str:
    """Name the table that `build_leg_table` would make, without making it.

    A stored table whose ``version`` differs was built from other roads, sites or reach.
    """
    arrays = {name: getattr(sites, name) for name in SITE_DTYPES}
    return hash_arrays(arrays, salt=f"legs {FORMAT} {graph.version} {reach_m!r}")


def _check_sites(graph: RoadGraph, *, sites: SiteTable) -> None:
    for name in SITE_DTYPES:
        if getattr(sites, name).shape != sites.site_id.shape:
            msg = f"{name} is not one number a site"
            raise SiteTableInvalid(msg)
    if np.any(np.diff(sites.site_id) <= 0):
        raise SiteTableInvalid("site_id does not ascend")
    if len(sites) and not 0 <= sites.node.min() <= sites.node.max() < graph.node_count:
        raise SiteTableInvalid("a site's node is not in the road graph")
    for name in ("access_m", "access_s"):
        access = getattr(sites, name)
        if not np.all(np.isfinite(access) & (access >= 0)):
            msg = f"{name} is negative or not finite"
            raise SiteTableInvalid(msg)


@dataclass(frozen=True)
class _SiteIndex:
    """Sites in the two orders the search asks for: by row, and by the node they hang on."""

    node: NDArray[np.int32]  # [s]
    access: NDArray[np.float64]  # [s, N_FEATURES]
    first_at: NDArray[np.int64]  # [n + 1]
    at_node: NDArray[np.int64]  # [s] rows ordered by node, then by row


def _index_sites(graph: RoadGraph, *, sites: SiteTable) -> _SiteIndex:
    # A site at its node has no access drive, hence no speed.
    speed_m_s = np.divide(
        sites.access_m, sites.access_s, out=np.zeros(len(sites)), where=sites.access_s > 0
    )
    access = np.zeros((len(sites), N_FEATURES))
    access[:, Feature.DURATION_S] = sites.access_s
    access[:, Feature.LENGTH_M] = sites.access_m
    access[:, Feature.DRAG_M3_S2] = sites.access_m * speed_m_s**2
    return _SiteIndex(
        node=sites.node,
        access=access,
        first_at=count_offsets(sites.node, bins=graph.node_count),
        at_node=np.argsort(sites.node, kind="stable"),
    )


def _find_legs(graph: RoadGraph, *, site: int, index: _SiteIndex, reach_m: float) -> _Row:
    reach = search_tree(
        graph,
        node=int(index.node[site]),
        limit_ds=NO_LIMIT_DS,
        reach_m=reach_m - float(index.access[site, Feature.LENGTH_M]),
        reverse=False,
        allow_ferries=True,
    )
    first = index.first_at[reach.nodes]
    count = index.first_at[reach.nodes + 1] - first
    settled = np.repeat(np.arange(len(reach.nodes)), count)
    # Which of its node's sites a leg goes to: 0, 1, ... anew for every node.
    turn = np.arange(len(settled)) - np.repeat(np.cumsum(count) - count, count)
    to_site = index.at_node[first[settled] + turn]
    features = reach.features[settled] + index.access[to_site] + index.access[site]
    keep = (features[:, Feature.LENGTH_M] <= reach_m) & (to_site != site)
    to_site, features = to_site[keep], features[keep]
    order = np.lexsort((to_site, features[:, Feature.DURATION_S]))
    return _Row(
        to_site=to_site[order].astype(np.int32), features=features[order].astype(np.float32)
    )


def _join_rows(rows: list[_Row], *, sites: SiteTable, reach_m: float, version: str) -> LegTable:
    first = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum([len(row.to_site) for row in rows], out=first[1:])
    none = _Row(
        to_site=np.empty(0, dtype=np.int32), features=np.empty((0, N_FEATURES), dtype=np.float32)
    )
    return LegTable(
        sites=sites,
        first=first,
        to_site=np.concatenate([row.to_site for row in [none, *rows]]),
        features=np.concatenate([row.features for row in [none, *rows]]),
        reach_m=reach_m,
        version=version,
    )


def save_leg_table(table: LegTable, folder: Path) -> None:
    """Write the table to ``folder``, replacing what was there as a whole."""
    sites: dict[str, NDArray[Any]] = {name: getattr(table.sites, name) for name in SITE_DTYPES}
    legs: dict[str, NDArray[Any]] = {name: getattr(table, name) for name in LEG_DTYPES}
    save_arrays(
        sites | legs,
        folder=folder,
        manifest={
            "format": FORMAT,
            "version": table.version,
            "reach_m": table.reach_m,
            "site_count": len(table.sites),
            "leg_count": len(table.to_site),
        },
    )


def open_leg_table(folder: Path) -> LegTable:
    """Map the table in ``folder`` into memory, read-only; nothing is read until it is used.

    Compare its ``version`` with `name_leg_table` before planning with it.

    Raises LegStoreMissing or LegStoreBroken.
    """
    try:
        manifest = _read_leg_manifest(folder)
        arrays = open_arrays(folder, dtypes={**SITE_DTYPES, **LEG_DTYPES})
        table = LegTable(
            sites=SiteTable(**{name: arrays[name] for name in SITE_DTYPES}),
            **{name: arrays[name] for name in LEG_DTYPES},
            reach_m=manifest["reach_m"],
            version=manifest["version"],
        )
        _check_shapes(table)
    except ArrayFolderMissing as error:
        msg = f"There is no leg table in {folder}: build it first."
        raise LegStoreMissing(msg) from error
    except ArrayFolderBroken as error:
        msg = f"The leg table in {folder} cannot be used ({error}): build it again."
        raise LegStoreBroken(msg) from error
    return table


def _read_leg_manifest(folder: Path) -> dict[str, Any]:
    manifest = read_manifest(folder)
    if manifest.get("format") != FORMAT:
        msg = f"its format is {manifest.get('format')}, not {FORMAT}"
        raise ArrayFolderBroken(msg)
    if not isinstance(manifest.get("version"), str):
        raise ArrayFolderBroken("it has no version")
    if not isinstance(manifest.get("reach_m"), (int, float)):
        raise ArrayFolderBroken("it has no reach")
    return manifest


def _check_shapes(table: LegTable) -> None:
    s, legs = len(table.sites), len(table.to_site)
    if any(getattr(table.sites, name).shape != (s,) for name in SITE_DTYPES):
        raise ArrayFolderBroken("its sites differ in length")
    if table.features.shape != (legs, N_FEATURES):
        raise ArrayFolderBroken("its legs differ in length")
    if table.first.shape != (s + 1,) or table.first[0] != 0 or table.first[-1] != legs:
        raise ArrayFolderBroken("its legs do not belong to its sites")
