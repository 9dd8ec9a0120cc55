"""The network a trip is planned on: roads, charging sites and the legs between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from charging.planner.roads.graph import count_offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from charging.planner.legs import LegTable, SiteTable
    from charging.planner.roads.graph import RoadGraph
    from charging.planner.roads.snapping import Snapper


class LegsInto(NamedTuple):
    """The leg table read backwards: ``leg[first[i]:first[i + 1]]`` are the legs into site i."""

    first: NDArray[np.int64]  # [s + 1]
    leg: NDArray[np.int32]  # [l] row of the leg table
    from_site: NDArray[np.int32]  # [l]


@dataclass(frozen=True)
class Network:
    """Roads, legs between charging sites (``legs.sites``) and the way from places to roads.

    Immutable and shared by threads; one network serves every vehicle and every request.
    """

    graph: RoadGraph
    legs: LegTable
    snapper: Snapper

    @property
    def sites(self) -> SiteTable:
        return self.legs.sites

    @cached_property
    def legs_into(self) -> LegsInto:
        """The legs by the site they lead to; made on first use (`warm_up` does)."""
        first, to_site = self.legs.first, self.legs.to_site
        order = np.argsort(to_site, kind="stable").astype(np.int32)
        tail = np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first))
        return LegsInto(
            first=count_offsets(to_site, bins=len(first) - 1), leg=order, from_site=tail[order]
        )
