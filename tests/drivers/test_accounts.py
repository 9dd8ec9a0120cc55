"""People with a log-in."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.accounts import ensure_user
from drivers.models import User

pytestmark = pytest.mark.django_db


class TestEnsureUser:
    def test_makes_a_user_who_can_log_in(self, client: Any) -> None:
        user, is_new = ensure_user("ada@example.org", "correct horse")
        assert is_new
        assert (user.is_staff, user.is_superuser) == (False, False)
        assert client.login(username="ADA@example.org", password="correct horse")

    def test_changes_nothing_the_second_time(self) -> None:
        first, _ = ensure_user("ada@example.org", "correct horse", is_staff=True)
        second, is_new = ensure_user("Ada@Example.org", "correct horse", is_staff=True)
        assert not is_new
        assert second.pk == first.pk
        assert second.password == first.password
        assert User.objects.count() == 1

    def test_sets_the_password_and_the_rights_that_are_asked_for(self) -> None:
        ensure_user("ada@example.org", "old", is_staff=True)
        User.objects.update(is_active=False)
        user, _ = ensure_user("ada@example.org", "new", is_superuser=True)
        user.refresh_from_db()
        assert user.check_password("new")
        assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, True)


class TestUserAdmin:
    @pytest.fixture(autouse=True)
    def _operator(self, client: Any) -> None:
        boss, _ = ensure_user("boss@example.org", "x", is_staff=True, is_superuser=True)
        client.force_login(boss)

    def test_lists_users_by_their_address(self, client: Any) -> None:
        assert "boss@example.org" in client.get("/admin/drivers/user/").content.decode()

    def test_makes_a_user_by_e_mail_and_password(self, client: Any) -> None:
        page = client.get("/admin/drivers/user/add/").content.decode()
        assert 'name="email"' in page
        assert 'name="username"' not in page
        fields = {
            "email": "new@example.org",
            "password1": "long enough 9",
            "usable_password": "true",
        }
        client.post("/admin/drivers/user/add/", fields | {"password2": "long enough 9"})
        assert User.objects.get(email="new@example.org").check_password("long enough 9")

    def test_refuses_an_address_that_differs_by_case_only(self, client: Any) -> None:
        fields = {"email": "BOSS@example.org", "password1": "long enough 9"}
        answer = client.post("/admin/drivers/user/add/", fields | {"password2": "long enough 9"})
        assert "An account with this e-mail address exists." in answer.content.decode()

    def test_shows_and_changes_a_user(self, client: Any) -> None:
        user, _ = ensure_user("ada@example.org", "x")
        page = client.get(f"/admin/drivers/user/{user.pk}/change/").content.decode()
        assert 'name="first_name"' in page
        client.post(
            f"/admin/drivers/user/{user.pk}/change/",
            {"email": "ada@example.org", "first_name": "Ada", "is_active": "on"},
        )
        user.refresh_from_db()
        assert user.first_name == "Ada"

    def test_sets_another_password(self, client: Any) -> None:
        user, _ = ensure_user("ada@example.org", "x")
        address = f"/admin/drivers/user/{user.pk}/password/"
        assert client.get(address).status_code == 200
        client.post(address, {"password1": "long enough 9", "password2": "long enough 9"})
        user.refresh_from_db()
        assert user.check_password("long enough 9")
