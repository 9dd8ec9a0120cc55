"""/healthz and /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from charging.models import Place, SyncRun
from tests.small_world import SmallWorld, make_partner

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client
    from pytest_django.fixtures import Settings


class TestHealth:
    def test_is_alive_without_a_database(self, client: Client) -> None:
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
        assert "no-store" in answer.headers["Cache-Control"]

    def test_is_ready_when_all_is_built_and_synced(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "missing": []})

    @pytest.mark.django_db
    def test_names_all_that_is_missing(
        self, client: Client, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path
        make_partner("slow")
        SyncRun.objects.all().delete()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {
            "status": "not_ready",
            "missing": [
                "roads: not built yet",
                "places: not built yet",
                "partner slow: no completed synchronisation yet",
            ],
        }

    def test_is_not_ready_without_places_alone(
        self, client: Client, small_world: SmallWorld
    ) -> None:
        Place.objects.all().delete()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["missing"] == ["places: not built yet"]
