"""GET /api/v1/vehicle-models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.small_world import make_vehicle_model

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


class TestVehicleModelList:
    def test_lists_models_as_plain_objects(self, client: Client) -> None:
        make_vehicle_model()
        answer = client.get("/api/v1/vehicle-models")
        assert answer.status_code == 200
        assert answer.json() == [
            {
                "slug": "test-car-60",
                "make": "Test",
                "name": "Car",
                "variant": "60",
                "year_from": 2024,
                "usable_kwh": 60.0,
                "curve_kind": "modelled",
                "dc_inlet": "IEC_62196_T2_COMBO",
                "dc_power_kw": 120.0,
                "ac_inlet": "IEC_62196_T2",
                "ac_power_kw": 11.0,
                "sources": {"all": "made for tests"},
            }
        ]
