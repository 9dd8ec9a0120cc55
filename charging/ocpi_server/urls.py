"""OCPI's addresses. Partners write them with and without a trailing slash."""

from __future__ import annotations

from django.urls import path

from charging.ocpi_server import credentials, versions

app_name = "ocpi"
urlpatterns = [
    path("versions", versions.list_versions, name="versions"),
    path("2.2.1", versions.show_details, name="details"),
    path("2.2.1/credentials", credentials.credentials, name="credentials"),
    path("versions/", versions.list_versions),
    path("2.2.1/", versions.show_details),
    path("2.2.1/credentials/", credentials.credentials),
]
