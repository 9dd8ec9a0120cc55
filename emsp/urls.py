"""The roof: which address leads to which room."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from emsp import health, views

urlpatterns = [
    path("", include("charging.urls")),
    path("account/", include("drivers.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("charging.api_urls")),
    path("api/v1/", include("drivers.api_urls")),
    path(
        "api/v1/schema",
        SpectacularAPIView.as_view(authentication_classes=[]),
        name="schema",
    ),
    re_path(r"^api/", views.UnknownApiView.as_view()),
    path("ocpi/", include("charging.ocpi_server.urls")),
    path("brand.css", views.show_brand_colours, name="brand-colours"),
    path("healthz", health.show_alive, name="healthz"),
    path("readyz", health.show_ready, name="readyz"),
]

handler400 = views.explain_bad_request
handler403 = views.explain_forbidden
handler404 = views.explain_not_found
handler500 = views.explain_failure
