"""What goes wrong outside of any room: a page for people, JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import translation

from emsp import views

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse
    from django.test import RequestFactory

EXPLAIN: list[tuple[int, str, Callable[..., HttpResponse]]] = [
    (400, "bad_request", views.explain_bad_request),
    (403, "forbidden", views.explain_forbidden),
    (404, "not_found", views.explain_not_found),
]


class TestErrorPage:
    @pytest.mark.parametrize(("status", "code", "explain"), EXPLAIN)
    def test_is_json_under_the_api(
        self,
        rf: RequestFactory,
        status: int,
        code: str,
        explain: Callable[..., HttpResponse],
    ) -> None:
        answer = explain(rf.get("/api/v1/stations"), ValueError())
        assert answer.status_code == status
        assert json.loads(answer.content)["code"] == code

    @pytest.mark.django_db
    def test_tells_that_an_address_leads_nowhere(self, client: Client) -> None:
        answer = client.get("/nowhere/")
        assert answer.status_code == 404
        assert b"<h1>There is nothing here</h1>" in answer.content
        assert b'aria-label="Main"' in answer.content

    def test_tells_that_a_host_is_not_ours(self) -> None:
        answer = Client().get("/api/v1/stations", headers={"host": "evil.example"})
        assert answer.status_code == 400
        assert answer.json() == {
            "code": "bad_request",
            "detail": "The request cannot be understood.",
        }

    def test_tells_that_a_form_has_expired(self, db: None) -> None:
        answer = Client(enforce_csrf_checks=True).post("/account/login/", {"username": "a"})
        assert answer.status_code == 403
        assert b"<h1>This form has expired</h1>" in answer.content

    def test_says_which_language_it_speaks(self, rf: RequestFactory) -> None:
        with translation.override("de"):
            page = views.explain_failure(rf.get("/plan/"))
        assert b'<html lang="de">' in page.content

    def test_stands_by_itself_when_our_side_broke(self, rf: RequestFactory) -> None:
        page = views.explain_failure(rf.get("/plan/"))
        assert page.status_code == 500
        assert b"<h1>Something broke on our side</h1>" in page.content
        answer = views.explain_failure(rf.get("/api/v1/plans"))
        assert json.loads(answer.content) == {
            "code": "internal_error",
            "detail": "Something broke on our side. It is logged. Try again.",
        }
