"""Pull a partner's tariffs and locations, page by page, so that a killed worker loses nothing.

A SyncRun's cursor is saved in the transaction of the page before it. Who resumes after a kill -9
asks for the page that the cursor names; objects that are stored already are found unchanged. Each
such transaction first renews the job's lease: a worker that was taken for dead writes nothing.

A full pull is the new truth: what a gapless one does not list is marked as removed, unless that
is more than a tenth of what the partner has. Whether there were gaps only the announced total
tells: without one nothing is marked. A delta asks for a module's changes since the beginning of
the last complete run that read it, by the partner's own clock, less an overlap.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from charging import network, sync_schedule, trip_network
from charging.models import Location, Partner, SyncRun, Tariff
from charging.ocpi.client import OcpiClient, OcpiFailure, RequestRefused, TokenRefused
from charging.ocpi.fields import CLOCKS_APART
from charging.ocpi.paging import ListQuery, LoopGuard, Position, find_next
from charging.partners import choose_their_party, name_ourselves
from charging.sync_schedule import PullKind, SyncWish

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from charging.ocpi.client import Page

log = structlog.get_logger(__name__)

# Tariffs first: when a location shows up, its prices are there.
MODULES = ("tariffs", "locations")
MODELS: dict[str, type[Tariff | Location]] = {"tariffs": Tariff, "locations": Location}
PAGE_LIMIT = 200
MOST_PAGES = 10_000
# An object's change may be committed at the partner some time after its last_updated was taken.
OVERLAP = timedelta(minutes=10)
# More missing objects than this at once are taken for the partner's mistake.
MOST_REMOVED_FRACTION = 0.1
# Failures in a row until a run is given up and the next one begins afresh.
MOST_TRIES = 8
ERROR_WIDTH = 2000


class LocationsMissing(OcpiFailure):
    """The partner's version details name no locations to pull."""


class TooManyPages(OcpiFailure):
    """The partner's list does not end."""


@dataclass
class Cursor:
    """Where a run stands, as kept in ``SyncRun.cursor``. ``module`` is empty when all is read."""

    module: str
    url: str = ""
    offset: int = 0
    total: int | None = None
    pages: int = 0
    tries: int = 0
    # None for a module that was read to its end without an announced total.
    totals: dict[str, int | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def open_run(
    partner: Partner, *, wish: SyncWish, keep_lease: Callable[[], None], now: datetime
) -> SyncRun:
    """Resume the partner's run that is under way, or begin one."""
    with transaction.atomic():
        keep_lease()
        running = SyncRun.objects.filter(partner=partner, state=SyncRun.State.RUNNING).first()
        kind, since = _choose_pull(partner, wish=wish, now=now)
        if running is not None:
            wanted = wish.kind is PullKind.FULL and running.kind == SyncRun.Kind.DELTA
            if not wanted:
                return running
            _close(running, state=SyncRun.State.FAILED, error="replaced by a full pull", now=now)
        return SyncRun.objects.create(
            partner=partner,
            kind=kind,
            since=since,
            cursor=asdict(Cursor(MODULES[0])),
            started_at=now,
        )


def pull_pages(
    run: SyncRun,
    *,
    keep_lease: Callable[[], None],
    deadline_s: float,
    now: datetime,
) -> None:
    """Read the pages that are left and store each with the cursor behind it.

    Raises
    ------
    OcpiFailure, HttpFailure
        The partner does not deliver. What was stored stays, the cursor stands at the failed page.
    LeaseLost
        From ``keep_lease``: another worker goes on.
    """
    partner = run.partner
    client = OcpiClient(
        token=partner.token_out,
        raw_token=partner.raw_token,
        ours=name_ourselves(),
        theirs=choose_their_party(partner),
        deadline_s=deadline_s,
    )
    with client:
        cursor = _read_cursor(run)
        while cursor.module:
            cursor = _pull_module(run, cursor, client=client, keep_lease=keep_lease, now=now)
    if client.raw_token != partner.raw_token:
        Partner.objects.filter(pk=partner.pk).update(raw_token=client.raw_token)


def finish_run(
    run: SyncRun, *, wish: SyncWish, keep_lease: Callable[[], None], now: datetime
) -> None:
    """Close a run whose pages are all stored: removals, the planner's legs, the next pull."""
    with transaction.atomic():
        keep_lease()
        cursor = _read_cursor(run)
        notes = list(cursor.notes)
        if run.kind == SyncRun.Kind.FULL:
            for module, announced in cursor.totals.items():
                removed, note = _mark_removed(
                    run, module=module, announced=announced, wish=wish, now=now
                )
                run.removed += removed
                notes += [note] if note else []
        run.cursor = None
        run.skipped = cursor.skipped
        _close(run, state=SyncRun.State.DONE, error="\n".join(notes), now=now)
        trip_network.request_legs(now=now)
        sync_schedule.plan_next_sync(run.partner, done=wish, now=now)
    log.info(
        "partner synchronised",
        partner_id=run.partner_id,
        kind=run.kind,
        stored=run.stored,
        unchanged=run.unchanged,
        quarantined=run.quarantined,
        removed=run.removed,
    )
    for note in notes:
        log.warning("synchronisation left something undone", partner_id=run.partner_id, note=note)


def record_failure(
    run: SyncRun,
    *,
    error: Exception,
    keep_lease: Callable[[], None],
    now: datetime,
) -> timedelta:
    """Write a failure into the run and return when to try again.

    A failure that may pass leaves the run open, to go on at the same page after a growing wait.
    After eight in a row, or when asking again is useless, the run is closed as failed and the
    partner's normal interval applies.
    """
    run.refresh_from_db()
    with transaction.atomic():
        keep_lease()
        cursor = _read_cursor(run)
        cursor.tries += 1
        reason = f"{type(error).__name__}: {error}"
        # An error that is none of the partner's, like a lost database, may pass as well.
        if getattr(error, "retryable", True) and cursor.tries < MOST_TRIES:
            run.cursor = asdict(cursor)
            run.error = f"{reason} (tried {cursor.tries} times)"[:ERROR_WIDTH]
            run.save(update_fields=["cursor", "error"])
            return sync_schedule.choose_wait(cursor.tries)
        _close(run, state=SyncRun.State.FAILED, error=reason, now=now)
        return timedelta(seconds=run.partner.sync_interval_s)


def _read_cursor(run: SyncRun) -> Cursor:
    return Cursor(**(run.cursor or {"module": MODULES[0]}))


def _choose_pull(
    partner: Partner, *, wish: SyncWish, now: datetime
) -> tuple[SyncRun.Kind, datetime | None]:
    done = SyncRun.objects.filter(partner=partner, state=SyncRun.State.DONE)
    last = done.order_by("-started_at").first()
    last_full = done.filter(kind=SyncRun.Kind.FULL).order_by("-started_at").first()
    if last is None or last_full is None or wish.kind is PullKind.FULL:
        return SyncRun.Kind.FULL, None
    age = now - last_full.started_at
    is_due = age >= timedelta(seconds=partner.full_sync_interval_s)
    if wish.kind is PullKind.AUTO and (is_due or _is_registered_anew(partner, last_full)):
        return SyncRun.Kind.FULL, None
    return SyncRun.Kind.DELTA, _read_partner_clock(last) - OVERLAP


def _believe_clock(answered_at: datetime | None, *, started_at: datetime) -> datetime:
    """Return when a run began by the partner's clock; by ours where theirs is beyond belief."""
    if answered_at is None or abs(answered_at - started_at) > CLOCKS_APART:
        return started_at
    # The earlier of both clocks: a delta may ask for too much, never for too little.
    return min(answered_at, started_at)


def _read_partner_clock(run: SyncRun) -> datetime:
    return _believe_clock(run.partner_clock_at, started_at=run.started_at)


def _is_registered_anew(partner: Partner, last_full: SyncRun) -> bool:
    return partner.registered_at is not None and partner.registered_at > last_full.started_at


def _pull_module(
    run: SyncRun,
    cursor: Cursor,
    *,
    client: OcpiClient,
    keep_lease: Callable[[], None],
    now: datetime,
) -> Cursor:
    """Read one module's pages and return the cursor of the next module."""
    query = _find_list(run, cursor.module)
    if query is None:
        return _begin_next_module(cursor)
    guard = LoopGuard()
    module = cursor.module
    while cursor.module == module:
        # An endpoint that moved since must not see its token sent to the old place.
        if not cursor.url or not query.is_at_origin(cursor.url):
            cursor.url, cursor.offset, cursor.total = query.write_url(offset=0), 0, None
        if cursor.pages >= MOST_PAGES:
            message = f"the partner's {module} do not end after {MOST_PAGES} pages"
            raise TooManyPages(message)
        try:
            page = client.get_page(cursor.url)
        except (RequestRefused, TokenRefused) as error:
            if module == "locations":
                raise
            # Stations without prices are better than no stations.
            cursor.notes = [*cursor.notes, f"{module}: {error}"]
            cursor.skipped = [*cursor.skipped, module]
            return _begin_next_module(cursor)
        guard.check(page)
        cursor = _advance(cursor, query=query, page=page, guard=guard)
        _store_page(run, module=module, page=page, cursor=cursor, keep_lease=keep_lease, now=now)
    return cursor


def _find_list(run: SyncRun, module: str) -> ListQuery | None:
    endpoint = run.partner.endpoints.get(f"{module}/SENDER", "")
    if not endpoint and module == "locations":
        raise LocationsMissing("the partner offers no locations; renew its registration")
    if not endpoint:
        log.info("partner offers no such module", partner_id=run.partner_id, module=module)
        return None
    return ListQuery(endpoint, since=_find_since(run, module), limit=PAGE_LIMIT)


def _find_since(run: SyncRun, module: str) -> datetime | None:
    """Return since when a module's changes are asked for; None for everything.

    A run that had to skip the module has not brought its changes: it does not count.
    """
    if run.since is None:
        return None
    done = SyncRun.objects.filter(partner=run.partner_id, state=SyncRun.State.DONE)
    for earlier in done.order_by("-started_at").iterator():
        if module not in earlier.skipped:
            return _read_partner_clock(earlier) - OVERLAP
        if earlier.kind == SyncRun.Kind.FULL:
            break
    return None


def _advance(cursor: Cursor, *, query: ListQuery, page: Page, guard: LoopGuard) -> Cursor:
    position = Position(cursor.url, cursor.offset, cursor.total)
    following = find_next(query, position=position, page=page, guard=guard)
    totals = dict(cursor.totals)
    if page.total is not None or cursor.module not in totals:
        totals[cursor.module] = page.total
    if following is None:
        return _begin_next_module(replace(cursor, totals=totals))
    note = f"{cursor.module}: {following.note}" if following.note else ""
    is_new = bool(note) and note not in cursor.notes
    return Cursor(
        cursor.module,
        url=following.url,
        offset=following.offset,
        total=following.total,
        pages=cursor.pages + 1,
        totals=totals,
        notes=[*cursor.notes, note] if is_new else cursor.notes,
        skipped=cursor.skipped,
    )


def _begin_next_module(cursor: Cursor) -> Cursor:
    modules = (*MODULES, "")
    return Cursor(
        modules[modules.index(cursor.module) + 1],
        totals=cursor.totals,
        notes=cursor.notes,
        skipped=cursor.skipped,
    )


def _store_page(
    run: SyncRun,
    *,
    module: str,
    page: Page,
    cursor: Cursor,
    keep_lease: Callable[[], None],
    now: datetime,
) -> None:
    store = network.store_tariffs if module == "tariffs" else network.store_locations
    with transaction.atomic():
        keep_lease()
        counts = store(run.partner, page.objects, now=now)
        run.stored += counts.stored
        run.unchanged += counts.unchanged
        run.quarantined += counts.quarantined
        run.cursor = asdict(cursor)
        run.total = sum(total or 0 for total in cursor.totals.values()) or None
        run.error = ""
        if run.partner_clock_at is None:
            run.partner_clock_at = _believe_clock(page.answered_at, started_at=run.started_at)
        run.save()
    log.info(
        "page stored",
        partner_id=run.partner_id,
        module=module,
        objects=len(page.objects),
        stored=counts.stored,
        quarantined=counts.quarantined,
    )


def _mark_removed(
    run: SyncRun, *, module: str, announced: int | None, wish: SyncWish, now: datetime
) -> tuple[int, str]:
    """Mark what a full pull did not list as removed; return how many, or why not."""
    rows = MODELS[module].objects.filter(partner=run.partner)
    present = rows.filter(removed_at=None)
    missing = present.filter(seen_at__lt=run.started_at)
    count, known = missing.count(), present.count()
    if not count:
        return 0, ""
    if announced is None:
        return 0, (
            f"{module}: {count} are missing, but the partner does not tell how many there are:"
            " none is marked as removed"
        )
    # A list that changes while it is read can skip objects: then fewer different ones came.
    came = network.count_different(run.partner, MODELS[module], module=module, since=run.started_at)
    if came < announced:
        return 0, (
            f"{module}: {count} are missing, but only {came} different ones of {announced}"
            " announced came: none is marked as removed"
        )
    if count > known * MOST_REMOVED_FRACTION and not wish.accept_removals:
        return 0, (
            f"{module}: {count} of {known} are missing, more than"
            f" {MOST_REMOVED_FRACTION:.0%}: none is marked as removed until an operator accepts it"
        )
    return missing.update(removed_at=now), ""


def _close(run: SyncRun, *, state: SyncRun.State, error: str, now: datetime) -> None:
    run.state = state
    run.error = error[:ERROR_WIDTH]
    run.finished_at = now
    run.save()
