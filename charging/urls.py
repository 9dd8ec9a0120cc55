"""Charging's pages."""

from __future__ import annotations

from django.urls import path

from charging import views

app_name = "charging"
urlpatterns = [
    path("", views.show_stations, name="stations"),
    path("stations/<int:station_id>/", views.show_station, name="station"),
    path("plan/", views.show_plan, name="plan"),
]
