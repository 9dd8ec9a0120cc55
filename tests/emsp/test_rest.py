"""The one shape of errors, where no address of ours shows it."""

from __future__ import annotations

import io

import pytest
from django.core.exceptions import PermissionDenied
from rest_framework import exceptions

from emsp.kernel.rest import BodyTooLarge, BoundedJSONParser, explain_error, read_json


def explain(exc: Exception) -> tuple[int, object]:
    response = explain_error(exc, {})
    assert response is not None
    return response.status_code, response.data


class TestExplainError:
    def test_says_when_to_come_back(self) -> None:
        assert explain(exceptions.Throttled(wait=2.2)) == (
            429,
            {
                "code": "throttled",
                "detail": "Too many requests. Try again in 3 s.",
                "details": {"retry_after_s": 3},
            },
        )

    @pytest.mark.parametrize(
        ("exc", "status", "code"),
        [
            (exceptions.NotAuthenticated(), 401, "not_authenticated"),
            (exceptions.PermissionDenied(), 403, "permission_denied"),
            (PermissionDenied(), 403, "permission_denied"),
        ],
    )
    def test_keeps_the_refusals_of_the_framework(
        self, exc: Exception, status: int, code: str
    ) -> None:
        found_status, data = explain(exc)
        assert isinstance(data, dict)
        assert (found_status, data["code"]) == (status, code)
        assert data["detail"].endswith(".")

    def test_names_the_nested_field_at_fault(self) -> None:
        problem = exceptions.ValidationError(
            {"stops": [{}, {"name": ["This field may not be blank."]}]}, code="blank"
        )
        assert explain(problem) == (
            400,
            {
                "code": "missing",
                "detail": "stops.name: This field may not be blank.",
                "field": "stops.name",
            },
        )

    def test_leaves_what_nobody_foresaw_to_the_log(self) -> None:
        assert explain_error(ZeroDivisionError(), {}) is None


class TestReadJson:
    def test_reads_honest_json(self) -> None:
        body = '\ufeff{"a": [1, -2.5e3, "Köln", null, true], "a b": {"deep": [[]]}}'.encode()
        assert read_json(body) == {"a": [1, -2500.0, "Köln", None, True], "a b": {"deep": [[]]}}

    def test_reads_no_more_than_a_megabyte(self) -> None:
        with pytest.raises(BodyTooLarge):
            BoundedJSONParser().parse(io.BytesIO(b" " * 1_000_001))
        assert BoundedJSONParser().parse(io.BytesIO(b"7" + b" " * 999_999)) == 7
