"""Drivers' addresses under /api/v1/."""

from __future__ import annotations

from django.urls import path

from drivers import api

urlpatterns = [path("vehicle-models", api.VehicleModelListView.as_view(), name="vehicle-models")]
