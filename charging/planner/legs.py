"""The leg table: the fastest drive between every pair of charging sites within reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
