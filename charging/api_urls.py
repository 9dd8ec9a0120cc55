"""Charging's addresses under /api/v1/."""

from __future__ import annotations

from django.urls import path

from charging import api

urlpatterns = [
    path("stations", api.StationListView.as_view(), name="stations"),
    path("stations/<int:station_id>", api.StationView.as_view(), name="station"),
    path("places", api.PlaceListView.as_view(), name="places"),
    path("plans", api.PlanListView.as_view(), name="plans"),
]
