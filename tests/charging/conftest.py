"""What the charging tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from charging.planner.roads.graph import RoadGraph
from charging.planner.roads.store import open_road_graph
from tests.charging.europe_store import ensure_europe_store


@pytest.fixture(scope="session")
def europe_folder() -> Path:
    """Give the folder of Europe's road store."""
    return ensure_europe_store()


@pytest.fixture(scope="session")
def europe(europe_folder: Path) -> RoadGraph:
    """Give the real road graph of Europe."""
    return open_road_graph(europe_folder)
