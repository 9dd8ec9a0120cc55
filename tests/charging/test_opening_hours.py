"""Opening times as partners send them."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from charging.opening_hours import OpeningHours, OpenSpan, is_open, read_opening_hours

# Weekdays of Berlin: 1 June 2026 is a Monday; the clock there is two hours ahead of UTC.
SHOP = {
    "twentyfourseven": False,
    "regular_hours": [
        {"weekday": 2, "period_begin": "08:00", "period_end": "24:00"},
        {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"},
    ],
    "exceptional_openings": [
        {"period_begin": "2026-06-07T10:00:00Z", "period_end": "2026-06-07T12:00:00Z"}
    ],
    "exceptional_closings": [
        {"period_begin": "2026-06-01T10:00:00", "period_end": "2026-06-01T11:00:00"}
    ],
}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


class TestReadOpeningHours:
    def test_sorts_the_week(self) -> None:
        hours = read_opening_hours(SHOP)
        assert hours is not None
        assert hours.regular == (
            OpenSpan(1, time(8), time(20)),
            OpenSpan(2, time(8), time(0)),
        )

    @pytest.mark.parametrize(
        "raw",
        [
            None,
            "always",
            [],
            {},
            {"twentyfourseven": False},
            {"twentyfourseven": False, "regular_hours": [{"weekday": 8}]},
            {"regular_hours": [{"weekday": 1, "period_begin": "8 o'clock"}]},
        ],
    )
    def test_guesses_nothing(self, raw: object) -> None:
        assert read_opening_hours(raw) is None


class TestIsOpen:
    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            (at(1, 5, 59), False),
            (at(1, 6), True),
            (at(1, 10, 30), False),  # closed by exception, stated without an offset: UTC
            (at(1, 17, 59), True),
            (at(1, 18), False),
            (at(2, 21, 59), True),
            (at(2, 22), False),  # midnight of Berlin: Wednesday
            (at(7, 11), True),  # open by exception
        ],
    )
    def test_counts_local_time_and_exceptions(self, moment: datetime, expected: bool) -> None:
        hours = read_opening_hours(SHOP)
        assert hours is not None
        assert is_open(hours, at=moment, time_zone="Europe/Berlin") is expected

    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            (at(7, 19, 59), False),
            (at(7, 20), True),  # 22:00 of Sunday in Berlin
            (at(8, 3, 59), True),  # into Monday
            (at(8, 4), False),
            (at(8, 20), False),
        ],
    )
    def test_reads_a_span_over_midnight_into_the_next_day(
        self, moment: datetime, expected: bool
    ) -> None:
        hours = OpeningHours(always=False, regular=(OpenSpan(7, time(22), time(6)),))
        assert is_open(hours, at=moment, time_zone="Europe/Berlin") is expected

    @pytest.mark.parametrize("time_zone", ["Berlin", "", "../x", "Europe"])
    def test_is_unknown_in_an_unknown_time_zone(self, time_zone: str) -> None:
        hours = OpeningHours(always=False, regular=(OpenSpan(1, time(8), time(20)),))
        assert is_open(hours, at=at(1, 12), time_zone=time_zone) is None

    def test_closes_a_station_that_is_always_open_by_exception(self) -> None:
        hours = read_opening_hours(
            {"twentyfourseven": True, "exceptional_closings": SHOP["exceptional_closings"]}
        )
        assert hours is not None
        assert is_open(hours, at=at(1, 10), time_zone="Europe/Berlin") is False
        assert is_open(hours, at=at(1, 11), time_zone="Europe/Berlin") is True
