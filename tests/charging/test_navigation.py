"""Addresses that open a trip in other apps."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from charging.navigation import link_trip


def list_stretches(stops: int) -> list[tuple[str, list[str]]]:
    """Give each link's label and the longitudes that it leads through, ends included."""
    stretches = []
    for label, href in link_trip([(float(lon), 50.0) for lon in range(stops + 2)]):
        query = parse_qs(urlsplit(href).query)
        between = query["waypoints"][0].split("|") if "waypoints" in query else []
        points = [query["origin"][0], *between, query["destination"][0]]
        stretches.append((label, [point.removeprefix("50.00000,")[:-6] for point in points]))
    return stretches


class TestLinkTrip:
    def test_is_one_address_up_to_nine_stops(self) -> None:
        label = "Open the trip in Google Maps"
        assert list_stretches(0) == [(label, ["0", "1"])]
        assert list_stretches(9) == [(label, [str(lon) for lon in range(11)])]

    def test_is_cut_into_parts_that_lose_no_stop(self) -> None:
        assert list_stretches(10) == [
            ("Open part 1 of 2 in Google Maps", [str(lon) for lon in range(11)]),
            ("Open part 2 of 2 in Google Maps", ["10", "11"]),
        ]
        assert [label for label, _points in list_stretches(20)] == [
            "Open part 1 of 3 in Google Maps",
            "Open part 2 of 3 in Google Maps",
            "Open part 3 of 3 in Google Maps",
        ]
