"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT.parent / "shared" / "fixtures"

hypothesis_settings.register_profile("default", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("default")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real data sets; in CI it must be there."""
    if FIXTURES.is_dir():
        return FIXTURES
    if os.environ.get("CI") == "true":
        pytest.fail(f"the real data sets are missing: {FIXTURES}")
    pytest.skip(f"the real data sets are not on this machine ({FIXTURES})")
