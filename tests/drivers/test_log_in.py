"""Logging in and out by the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.models import User

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def driver(db: None) -> User:
    return User.objects.create_user("driver@example.org", "a-long-password")


class TestLogIn:
    def test_leads_on_to_the_page_that_asked_for_it(self, client: Client, driver: User) -> None:
        answer = client.get("/account/")
        assert answer.headers["Location"] == "/account/login/?next=/account/"
        answer = client.post(
            answer.headers["Location"],
            {"username": "Driver@Example.org", "password": "a-long-password", "next": "/account/"},
        )
        assert answer.headers["Location"] == "/account/"
        assert b"driver@example.org" in client.get("/account/").content

    def test_does_not_say_which_part_was_wrong(self, client: Client, driver: User) -> None:
        pages = [
            client.post("/account/login/", {"username": email, "password": "wrong"}).content
            for email in ("driver@example.org", "nobody@example.org")
        ]
        sentence = b"E-mail address and password do not match. Check both and try again."
        assert [sentence in page for page in pages] == [True, True]

    def test_never_leads_to_another_host(self, client: Client, driver: User) -> None:
        answer = client.post(
            "/account/login/",
            {
                "username": "driver@example.org",
                "password": "a-long-password",
                "next": "https://evil.example/",
            },
        )
        assert answer.headers["Location"] == "/"

    def test_ends_with_the_log_out_button(self, client: Client, driver: User) -> None:
        client.force_login(driver)
        assert b"/account/logout/" in client.get("/account/").content
        assert client.post("/account/logout/").headers["Location"] == "/"
        assert client.get("/account/").status_code == 302

    def test_shows_the_administration_to_staff_alone(self, client: Client, driver: User) -> None:
        client.force_login(driver)
        assert b"/admin/" not in client.get("/account/").content
        User.objects.update(is_staff=True)
        assert b"/admin/" in client.get("/account/").content
