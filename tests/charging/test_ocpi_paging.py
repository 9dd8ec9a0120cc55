"""Walking through paged lists."""

from __future__ import annotations

from typing import Any

import pytest

from charging.ocpi.client import Page
from charging.ocpi.paging import ListQuery, LoopGuard, PagingLoops, Position, find_next
from tests.charging.ocpi_helpers import NOON

ENDPOINT = "https://cpo.example/ocpi/locations"


def walk_on(
    *,
    link: str = "",
    total: int | None = None,
    objects: int = 2,
    offset: int = 0,
    known_total: int | None = None,
    guard: LoopGuard | None = None,
    since: Any = None,
    endpoint: str = ENDPOINT,
) -> Position | None:
    query = ListQuery(endpoint, since=since, limit=2)
    url = query.write_url(offset=offset)
    page = Page([{"id": n} for n in range(objects)], url, link, total, None)
    guard = guard or LoopGuard()
    guard.check(page)
    return find_next(query, position=Position(url, offset, known_total), page=page, guard=guard)


class TestFirstPage:
    def test_asks_for_changes_since_a_moment(self) -> None:
        query = ListQuery(ENDPOINT, since=NOON, limit=200)
        assert query.write_url(offset=0) == (
            "https://cpo.example/ocpi/locations?date_from=2026-06-01T12:00:00Z&offset=0&limit=200"
        )

    def test_keeps_the_query_of_the_endpoint(self) -> None:
        query = ListQuery(f"{ENDPOINT}/?tenant=7", since=None, limit=200)
        assert query.write_url(offset=400) == (
            "https://cpo.example/ocpi/locations/?tenant=7&offset=400&limit=200"
        )


class TestFindNext:
    def test_follows_the_link_to_the_letter(self) -> None:
        url = "https://cpo.example/ocpi/locations?cursor=a%2Fb&limit=2"
        following = walk_on(link=f'<{url}>; rel="next"', total=5)
        assert following == Position(url, 2, 5)

    @pytest.mark.parametrize("link", ['</ocpi/x?o=2>; rel="next"', "</ocpi/x?o=2>;REL = Next"])
    def test_follows_a_relative_link(self, link: str) -> None:
        following = walk_on(link=link)
        assert following is not None
        assert following.url == "https://cpo.example/ocpi/x?o=2"

    def test_finds_the_next_page_among_other_links(self) -> None:
        link = '<https://cpo.example/1>; rel="first", <https://cpo.example/3>; rel="next"'
        following = walk_on(link=link)
        assert following is not None
        assert following.url == "https://cpo.example/3"

    def test_ends_without_a_link(self) -> None:
        assert walk_on(total=2) is None
        assert walk_on() is None

    def test_ends_when_only_other_links_are_left(self) -> None:
        assert walk_on(link='<https://cpo.example/1>; rel="first"', total=None) is None

    def test_goes_on_by_offset_when_more_is_announced_than_linked(self) -> None:
        following = walk_on(total=5)
        assert following is not None
        assert following.url == "https://cpo.example/ocpi/locations?offset=2&limit=2"
        assert "sends no Link" in following.note

    def test_ends_when_an_empty_page_stays_below_the_total(self) -> None:
        assert walk_on(total=5, objects=0, offset=2) is None

    @pytest.mark.parametrize(
        "link",
        [
            '<https://evil.example/ocpi/locations?offset=2>; rel="next"',
            '<http://cpo.example/ocpi/locations?offset=2>; rel="next"',
            '<https://cpo.example:8443/ocpi/locations?offset=2>; rel="next"',
            '<//evil.example/locations>; rel="next"',
        ],
    )
    def test_never_follows_a_link_to_another_address(self, link: str) -> None:
        following = walk_on(link=link, total=5)
        assert following == Position(
            "https://cpo.example/ocpi/locations?offset=2&limit=2",
            2,
            5,
            "pages were read by offset: the partner's Link leads to another address",
        )

    @pytest.mark.parametrize("link", ["nonsense", '<>; rel="next"', '<http://[x>; rel="next"'])
    def test_goes_on_by_offset_where_the_link_cannot_be_read(self, link: str) -> None:
        following = walk_on(link=link)
        assert following is not None
        assert following.url == "https://cpo.example/ocpi/locations?offset=2&limit=2"
        assert following.note == "pages were read by offset: the partner's Link cannot be read"

    def test_ends_at_the_total_where_the_link_is_broken(self) -> None:
        assert walk_on(link="nonsense", total=2) is None

    def test_steps_back_when_objects_vanish_while_it_reads(self) -> None:
        link = '<https://cpo.example/ocpi/locations?offset=6&limit=2>; rel="next"'
        following = walk_on(link=link, offset=4, total=9, known_total=10)
        assert following is not None
        assert following.url == "https://cpo.example/ocpi/locations?offset=3&limit=2"
        assert (following.offset, following.total) == (3, 9)

    def test_steps_back_no_more_when_the_total_falls_with_every_page(self) -> None:
        guard = LoopGuard()
        for _ in range(5):
            walk_on(objects=1, offset=4, total=9, known_total=10, guard=guard)
        following = walk_on(offset=4, total=9, known_total=10, guard=guard)
        assert following is not None
        assert following.offset == 6

    def test_refuses_a_link_back_to_a_page_that_was_read(self) -> None:
        guard = LoopGuard()
        guard.urls.add("https://cpo.example/a")
        with pytest.raises(PagingLoops, match="leads back"):
            walk_on(link='<https://cpo.example/a>; rel="next"', guard=guard)


class TestLoopGuard:
    def test_notices_a_page_that_comes_again_under_another_address(self) -> None:
        guard = LoopGuard()
        guard.check(Page([{"id": 1}], "https://cpo.example/1", "", None, None))
        with pytest.raises(PagingLoops, match="same page twice"):
            guard.check(Page([{"id": 1}], "https://cpo.example/2", "", None, None))

    def test_notices_one_empty_page_after_the_other(self) -> None:
        guard = LoopGuard()
        for number in (1, 2):
            guard.check(Page([], f"https://cpo.example/{number}", "", None, None))
        with pytest.raises(PagingLoops, match="one empty page after the other"):
            guard.check(Page([], "https://cpo.example/3", "", None, None))
