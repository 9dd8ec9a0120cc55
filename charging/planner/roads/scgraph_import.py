"""Builds Europe's road graph from the world highways: parse, clip, weld, connect, time, keep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from charging.planner.roads import cleaning, speeds
from charging.planner.roads.connectors import CONNECTORS, Connector
from charging.planner.roads.geo import EUROPE, Bounds, arc_from_chord_m, place_on_sphere
from charging.planner.roads.graph import RoadGraph, RoadKind
from charging.planner.roads.store import (
    RoadOrigin,
    RoadStoreBroken,
    RoadStoreMissing,
    make_road_graph,
    open_road_graph,
    read_road_origin,
    save_road_graph,
)
from charging.planner.roads.world_highways import (
    LICENCE,
    PACKAGE,
    Roads,
    clip_roads,
    find_world_highways,
    keep_nodes,
    parse_world_highways,
    read_package_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# Counts up when this file's steps change in a way that no parameter below shows.
REVISION = 1

# Landings are given as nodes of the source; a later version may have moved them a little.
LANDING_M = 1_000.0

# Landings look for nodes of real pieces; a stray pier of a few nodes would lead nowhere.
MIN_PIECE_NODES = 10

# So many of the pieces that are dropped are named to whoever watches the import.
DROPPED_PIECES_NAMED = 5


class LandingOffNetwork(Exception):
    """A connector ends where the source has no road; the source must have changed."""


@dataclass(frozen=True)
class _Arcs:
    """Arcs with everything a graph wants, in both directions already."""

    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    duration_s: NDArray[np.float64]
    length_m: NDArray[np.float64]
    kind: NDArray[np.uint8]


def describe_import(*, bounds: Bounds = EUROPE) -> RoadOrigin:
    """Say what an import would be made of; equal descriptions give equal graphs.

    Raises WorldHighwaysMissing.
    """
    links = hashlib.blake2b(repr(CONNECTORS).encode(), digest_size=8).hexdigest()
    return RoadOrigin(
        source=PACKAGE,
        source_version=read_package_version(),
        licence=LICENCE,
        parameters={
            "revision": REVISION,
            "min_lon": bounds.min_lon,
            "min_lat": bounds.min_lat,
            "max_lon": bounds.max_lon,
            "max_lat": bounds.max_lat,
            "length_factor": speeds.LENGTH_FACTOR,
            "speed_steps_m_kmh": repr(speeds.SPEED_STEPS),
            "min_length_m": speeds.MIN_LENGTH_M,
            "weld_gap_m": cleaning.WELD_GAP_M,
            "coincident_m": cleaning.COINCIDENT_M,
            "connectors": links,
        },
    )


def import_world_highways(
    *,
    source: Path | None = None,
    bounds: Bounds = EUROPE,
    progress: Callable[[str], None],
) -> RoadGraph:
    """Build the road graph within ``bounds``; ``source`` defaults to the installed package.

    ``progress`` gets one sentence a step. Elevation is zero: the source has none.

    Raises WorldHighwaysMissing, WorldHighwaysUnreadable and LandingOffNetwork.
    """
    world = parse_world_highways(find_world_highways() if source is None else source)
    progress(f"Read {len(world.lon):,} nodes and {len(world.tail):,} arcs of the world.")
    roads = clip_roads(world, bounds=bounds)
    progress(f"Kept {len(roads.lon):,} nodes and {len(roads.tail):,} arcs within bounds.")
    welds = cleaning.find_welds(roads)
    progress(
        f"Welded {len(welds.tail):,} gaps of up to {cleaning.WELD_GAP_M:,.0f} m between pieces."
    )
    roads = _add_welds(roads, welds=welds)
    driven = _time_roads(roads)
    links = _make_links(roads, connectors=choose_connectors(bounds))
    progress(f"Added {len(links.tail) // 2} bridges, ferries and shuttles.")
    arcs = _join([driven, links])
    keep = cleaning.mark_largest_strong_component(
        node_count=len(roads.lon), tail=arcs.tail, head=arcs.head
    )
    progress(_describe_dropped(roads, keep=keep))
    graph = _make_graph(roads, arcs=arcs, keep=keep)
    progress(f"Kept {graph.node_count:,} nodes and {graph.arc_count:,} arcs.")
    return graph


def build_road_store(folder: Path, *, force: bool = False, progress: Callable[[str], None]) -> bool:
    """Import the world highways into ``folder`` unless just that import is there already.

    A store that is missing, broken or of another origin is replaced; ``force`` replaces any.
    Says whether it was built.

    Raises what `import_world_highways` raises.
    """
    origin = describe_import()
    if not force and _is_current(folder, origin=origin):
        progress(f"The road graph in {folder} is up to date.")
        return False
    graph = import_world_highways(progress=progress)
    save_road_graph(graph, folder, origin=origin)
    progress(f"Saved the road graph to {folder}.")
    return True


def _is_current(folder: Path, *, origin: RoadOrigin) -> bool:
    try:
        open_road_graph(folder)
        return read_road_origin(folder) == origin
    except (RoadStoreMissing, RoadStoreBroken):
        return False


def choose_connectors(bounds: Bounds) -> tuple[Connector, ...]:
    """Choose the connectors with both landings within bounds."""
    return tuple(
        link
        for link in CONNECTORS
        if bounds.contain(link.from_lon, link.from_lat) and bounds.contain(link.to_lon, link.to_lat)
    )


def _add_welds(roads: Roads, *, welds: cleaning.Welds) -> Roads:
    return Roads(
        lon=roads.lon,
        lat=roads.lat,
        tail=np.concatenate((roads.tail, welds.tail, welds.head)),
        head=np.concatenate((roads.head, welds.head, welds.tail)),
        length_m=np.concatenate((roads.length_m, welds.gap_m, welds.gap_m)),
    )


def _time_roads(roads: Roads) -> _Arcs:
    length_m = speeds.stretch_lengths_m(roads.length_m)
    return _Arcs(
        tail=roads.tail,
        head=roads.head,
        duration_s=length_m / (speeds.guess_speeds_kmh(roads.length_m) / 3.6),
        length_m=length_m,
        kind=np.full(len(roads.tail), RoadKind.ROAD, dtype=np.uint8),
    )


def _make_links(roads: Roads, *, connectors: Sequence[Connector]) -> _Arcs:
    start = _find_landings(
        roads, lon=[c.from_lon for c in connectors], lat=[c.from_lat for c in connectors]
    )
    end = _find_landings(
        roads, lon=[c.to_lon for c in connectors], lat=[c.to_lat for c in connectors]
    )
    return _Arcs(
        tail=np.concatenate((start, end)),
        head=np.concatenate((end, start)),
        duration_s=np.tile([c.duration_s for c in connectors], 2),
        length_m=np.tile([c.length_m for c in connectors], 2),
        kind=np.tile(np.array([c.kind for c in connectors], dtype=np.uint8), 2),
    )


def _find_landings(roads: Roads, *, lon: list[float], lat: list[float]) -> NDArray[np.int32]:
    piece = cleaning.label_pieces(roads)
    candidates = np.flatnonzero(np.bincount(piece)[piece] >= MIN_PIECE_NODES)
    if not lon:
        return np.empty(0, dtype=np.int32)
    tree = cKDTree(place_on_sphere(roads.lon[candidates], roads.lat[candidates]))
    chord, nearest = tree.query(place_on_sphere(lon, lat))
    away_m = arc_from_chord_m(chord)
    if away_m.max() > LANDING_M:
        at = int(away_m.argmax())
        msg = f"the landing at lon {lon[at]}, lat {lat[at]} is {away_m[at]:,.0f} m off the roads"
        raise LandingOffNetwork(msg)
    landings: NDArray[np.int32] = candidates[nearest].astype(np.int32)
    return landings


def _join(parts: Sequence[_Arcs]) -> _Arcs:
    return _Arcs(
        tail=np.concatenate([part.tail for part in parts]),
        head=np.concatenate([part.head for part in parts]),
        duration_s=np.concatenate([part.duration_s for part in parts]),
        length_m=np.concatenate([part.length_m for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
    )


def _describe_dropped(roads: Roads, *, keep: NDArray[np.bool_]) -> str:
    dropped = keep_nodes(roads, keep=~keep)
    piece = cleaning.label_pieces(dropped)
    largest = [
        f"{np.count_nonzero(piece == number):,} around "
        f"lon {dropped.lon[piece == number].mean():.1f}, "
        f"lat {dropped.lat[piece == number].mean():.1f}"
        for number in range(min(DROPPED_PIECES_NAMED, int(piece.max(initial=-1)) + 1))
    ]
    named = f", most of them {'; '.join(largest)}" if largest else ""
    return f"Dropped {len(dropped.lon):,} nodes that nothing joins to the rest{named}."


def _make_graph(roads: Roads, *, arcs: _Arcs, keep: NDArray[np.bool_]) -> RoadGraph:
    nodes = np.flatnonzero(keep)
    nodes = nodes[order_along_curve(roads.lon[nodes], roads.lat[nodes])]
    number = np.full(len(roads.lon), -1, dtype=np.int32)
    number[nodes] = np.arange(len(nodes), dtype=np.int32)
    stay = keep[arcs.tail] & keep[arcs.head]
    return make_road_graph(
        node_lon=roads.lon[nodes],
        node_lat=roads.lat[nodes],
        tail=number[arcs.tail[stay]],
        head=number[arcs.head[stay]],
        duration_ds=speeds.round_durations_ds(arcs.duration_s[stay]),
        length_m=arcs.length_m[stay],
        kind=arcs.kind[stay],
    )


def order_along_curve(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order positions along a Z curve, so that neighbours on the map are neighbours in memory.

    Searches touch a patch of the map; in this order they touch few pages. Source: Morton, "A
    computer oriented geodetic data base", IBM 1966.
    """
    key = np.zeros(len(lon), dtype=np.uint64)
    for shift, degrees, half_turn in ((0, lon, 180.0), (1, lat, 90.0)):
        cell = ((degrees + half_turn) / (2.0 * half_turn) * (2**24 - 1)).astype(np.uint64)
        for bit in range(24):
            key |= ((cell >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + shift)
    return np.argsort(key, kind="stable")
