"""The API's description and its snapshot in docs/openapi.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.management import call_command

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

SNAPSHOT = ROOT / "docs" / "openapi.yaml"


class TestOpenApi:
    def test_is_the_snapshot_s(self, tmp_path: Path) -> None:
        """Refresh it with: manage.py spectacular --file docs/openapi.yaml"""
        fresh = tmp_path / "openapi.yaml"
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(fresh))
        assert fresh.read_text(encoding="utf-8") == SNAPSHOT.read_text(encoding="utf-8")

    def test_is_served(self, client: Client) -> None:
        answer = client.get("/api/v1/schema", headers={"accept": "application/json"})
        assert answer.status_code == 200
        assert sorted(answer.json()["paths"]) == [
            "/api/v1/places",
            "/api/v1/plans",
            "/api/v1/stations",
            "/api/v1/stations/{station_id}",
            "/api/v1/vehicle-models",
        ]
