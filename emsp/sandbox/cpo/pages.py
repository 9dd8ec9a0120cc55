"""Paged lists: offset, limit, date_from, date_to in; Link, X-Total-Count, X-Limit out."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from emsp.sandbox.cpo.moments import NotAMoment, epoch_us, parse_moment
from emsp.sandbox.cpo.protocol import INVALID_PARAMETERS, Refused, raw_answer
from emsp.sandbox.cpo.store import Kind, Store

LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PageWish:
    """What the client asked for, checked."""

    offset: int
    limit: int
    date_from: str | None
    date_to: str | None

    @property
    def updated(self) -> tuple[int | None, int | None]:
        """The interval `[date_from, date_to)` in microseconds since 1970."""
        return _moment_us(self.date_from), _moment_us(self.date_to)

    def next_url(self, list_url: str) -> str:
        """Write the address of the page after this one, with the filters kept."""
        query = {"offset": str(self.offset + self.limit), "limit": str(self.limit)}
        if self.date_from is not None:
            query["date_from"] = self.date_from
        if self.date_to is not None:
            query["date_to"] = self.date_to
        return f"{list_url}?{urlencode(query, safe=':')}"


def read_wish(query: Mapping[str, str], *, page_limit: int) -> PageWish:
    """Read a list's query parameters.

    Raises: Refused with 2001 for a number or a date that is none.
    Source: OCPI 2.2.1, transport_and_format, Paginated Request.
    """
    wish = PageWish(
        offset=_number(query, "offset", default=0, least=0),
        limit=min(_number(query, "limit", default=page_limit, least=1), page_limit),
        date_from=query.get("date_from"),
        date_to=query.get("date_to"),
    )
    try:
        _ = wish.updated
    except NotAMoment as error:
        raise Refused(200, INVALID_PARAMETERS, str(error)) from error
    return wish


def list_page(
    store: Store,
    kind: Kind,
    wish: PageWish,
    *,
    list_url: str,
    page_limit: int,
    headers: Mapping[str, str],
) -> Response:
    """Answer one page of locations or tariffs.

    Source: OCPI 2.2.1, transport_and_format, Paginated Response.
    """
    total = store.count(kind, wish.updated)
    bodies = store.page(kind, wish.updated, offset=wish.offset, limit=wish.limit)
    paging = {"X-Total-Count": str(total), "X-Limit": str(page_limit)}
    if wish.offset + wish.limit < total:
        paging["Link"] = f'<{wish.next_url(list_url)}>; rel="next"'
    return raw_answer(f"[{','.join(bodies)}]", headers={**headers, **paging})


def _number(query: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:12]) <= LARGEST_NUMBER:
        sentence = f"{name} is to be a whole number from {least}, not '{text[:40]}'"
        raise Refused(200, INVALID_PARAMETERS, sentence)
    return int(text)


def _moment_us(text: str | None) -> int | None:
    return None if text is None else epoch_us(parse_moment(text))
