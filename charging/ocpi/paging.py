"""Walk through a paged list, however well or badly the partner links its pages.

The Link header is followed verbatim as long as it stays at the partner's origin. Where it leads
elsewhere or cannot be read, and where it is missing though objects are, pages are asked for by
offset. The token never travels to an address that a page names on another host.

Source: OCPI 2.2.1, 4.1.3.1 Pagination.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from charging.ocpi.client import OcpiFailure
from charging.ocpi.storable import make_storable
from charging.ocpi.v2_2_1 import format_datetime
from emsp.kernel.http import find_origin

if TYPE_CHECKING:
    from datetime import datetime

    from charging.ocpi.client import Page

MOST_EMPTY_PAGES = 3
MOST_STEPS_BACK = 5
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,<>]*)*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?\s*next\s*\"?", re.IGNORECASE)


class PagingLoops(OcpiFailure):
    """The partner's pages lead in a circle."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list that is being read: where, since when, in pages of how many."""

    endpoint: str
    since: datetime | None
    limit: int

    def write_url(self, *, offset: int) -> str:
        """Write the address of the page from this offset on; the endpoint's own query is kept."""
        scheme, host, path, query, _ = urlsplit(self.endpoint)
        fields = dict(parse_qsl(query, keep_blank_values=True))
        if self.since is not None:
            fields["date_from"] = format_datetime(self.since)
        fields |= {"offset": str(offset), "limit": str(self.limit)}
        return urlunsplit((scheme, host, path, urlencode(fields, safe=":"), ""))

    def is_at_origin(self, url: str) -> bool:
        """Tell whether an address lies at the endpoint's scheme, host and port."""
        try:
            return find_origin(url) == find_origin(self.endpoint)
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next page is, and how many objects lie before it."""

    url: str
    offset: int = 0
    total: int | None = None
    # Why pages are asked for by offset, for the operator.
    note: str = ""


@dataclass
class LoopGuard:
    """What has been read since the walk began, to notice a circle."""

    urls: set[str] = field(default_factory=set)
    digests: set[bytes] = field(default_factory=set)
    empty_in_a_row: int = 0
    steps_back: int = 0

    def check(self, page: Page) -> None:
        """Remember a page.

        Raises
        ------
        PagingLoops
            The page was read before, or page after page is empty.
        """
        self.urls.add(page.url)
        if not page.objects:
            self.empty_in_a_row += 1
            if self.empty_in_a_row >= MOST_EMPTY_PAGES:
                raise PagingLoops("the partner sends one empty page after the other")
            return
        self.empty_in_a_row = 0
        digest = _digest(page.objects)
        if digest in self.digests:
            raise PagingLoops("the partner sends the same page twice: its paging does not advance")
        self.digests.add(digest)

    def may_step_back(self) -> bool:
        """Allow pages to be read again, but not for ever: some totals fall with every page."""
        self.steps_back += 1
        if self.steps_back > MOST_STEPS_BACK:
            return False
        self.urls.clear()
        self.digests.clear()
        return True


def _digest(objects: list[object]) -> bytes:
    try:
        content = json.dumps(objects)
    except RecursionError:
        content = json.dumps(make_storable(objects))
    return hashlib.blake2b(content.encode(), digest_size=16).digest()


def find_next(
    query: ListQuery, *, position: Position, page: Page, guard: LoopGuard
) -> Position | None:
    """Return where the page after this one is; None when this was the last.

    Raises
    ------
    PagingLoops
        The Link leads back to a page that was read.
    """
    read = position.offset + len(page.objects)
    total = page.total
    fallen = max(0, (position.total or 0) - total) if total is not None else 0
    if fallen and guard.may_step_back():
        # Objects vanished before us and the rest moved up: some lie now before this page.
        back = max(0, position.offset - fallen)
        return Position(query.write_url(offset=back), back, total, position.note)
    if page.link:
        return _follow_link(query, read=read, note=position.note, page=page, guard=guard)
    if total is not None and read < total and page.objects:
        note = "pages were read by offset: the partner sends no Link though more is announced"
        return Position(query.write_url(offset=read), read, total, note)
    return None


def _follow_link(
    query: ListQuery, *, read: int, note: str, page: Page, guard: LoopGuard
) -> Position | None:
    target = read_next_link(page.link)
    if target is None:
        # Other relations only (first, last): this was the last page.
        return None
    url = _resolve(page.url, target)
    if url and query.is_at_origin(url):
        if url in guard.urls:
            raise PagingLoops("the partner's Link leads back to a page that was read before")
        return Position(url, read, page.total, note)
    if not page.objects or (page.total is not None and read >= page.total):
        return None
    why = "leads to another address" if url else "cannot be read"
    note = f"pages were read by offset: the partner's Link {why}"
    return Position(query.write_url(offset=read), read, page.total, note)


def read_next_link(header: str) -> str | None:
    """Return the target of ``rel="next"``: "" for a Link that cannot be read, None without one.

    >>> read_next_link('<https://cpo.example/l?offset=50>; rel="next"')
    'https://cpo.example/l?offset=50'
    >>> read_next_link('<https://cpo.example/l>; rel="first"')
    """
    links = _LINK.findall(header)
    if not links:
        return ""
    return next((target.strip() for target, rest in links if _NEXT.search(rest)), None)


def _resolve(base: str, target: str) -> str:
    try:
        url = urljoin(base, target) if target else ""
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.hostname else ""
