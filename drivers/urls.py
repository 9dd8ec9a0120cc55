"""Drivers' pages: log-in, log-out, the account."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from drivers import views

app_name = "drivers"
urlpatterns = [
    path("", views.show_account, name="account"),
    path(
        "login/",
        LoginView.as_view(template_name="drivers/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
]
