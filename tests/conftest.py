"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from tests.small_world import SmallWorld

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT.parent / "shared" / "fixtures"

hypothesis_settings.register_profile("default", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the house's own rules: mypy alone takes one core a minute."""
    items.sort(key=lambda item: "test_house" not in item.nodeid)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real data sets; in CI it must be there."""
    if FIXTURES.is_dir():
        return FIXTURES
    if os.environ.get("CI") == "true":
        pytest.fail(f"the real data sets are missing: {FIXTURES}")
    pytest.skip(f"the real data sets are not on this machine ({FIXTURES})")


@pytest.fixture
def small_world(db: None, settings: Settings, tmp_path: Path) -> SmallWorld:
    """Give one straight road with stations, towns and a car: rows and files, all real."""
    from tests.small_world import build_small_world

    settings.DATA_DIR = tmp_path
    return build_small_world(tmp_path)
