"""The network's tables: store what partners send, a page at a time, in a handful of queries.

Call within a transaction. An object is written when its ``last_updated`` is newer than the row's,
left alone when it is equal, ignored when it is older. A part (EVSE) is judged by its own time, so
that a pull that was under way does not undo a newer push. What was stored before and comes broken
now keeps its last good version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import structlog
from django.db.models.functions import Lower

from charging import evses
from charging.models import Location, QuarantinedObject, Tariff
from charging.ocpi.fields import Unmappable
from charging.ocpi.mapping import (
    LocationValues,
    TariffValues,
    find_key,
    list_names,
    map_location,
    map_tariff,
    name_object,
)
from charging.ocpi.storable import check_depth, make_storable
from charging.quarantine import (
    RefusedObject,
    list_quarantined,
    quarantine_objects,
    release_objects,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from charging.models import Partner

log = structlog.get_logger(__name__)

BROKEN_EVSES = "evses"
# Rows per round: bounds the memory and the length of IN lists, whatever a partner's page holds.
CHUNK = 500
FoldedKey = tuple[str, str, str]
Values = TypeVar("Values", LocationValues, TariffValues)

_TARIFF_FIELDS = ("currency", "raw", "last_updated", "seen_at", "removed_at")
_LOCATION_FIELDS = (
    "publish", "name", "operator_name", "address", "city", "postal_code", "country", "lon", "lat",
    "time_zone", "max_dc_power_kw", "max_power_kw", "raw", "last_updated", "seen_at", "removed_at",
)  # fmt: skip


class Counts(NamedTuple):
    """What became of the objects of a page."""

    stored: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def plus(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a row tells before it is written again."""

    pk: int
    ocpi_id: str
    last_updated: datetime
    removed: bool


@dataclass(frozen=True, slots=True)
class _Sorted(Generic[Values]):
    """The readable objects of a page: to be written, and rows that only are seen again."""

    new: list[Values]
    changed: list[tuple[_Stored, Values]]
    seen: list[_Stored]


def store_tariffs(partner: Partner, raws: Sequence[object], *, now: datetime) -> Counts:
    """Store a page of Tariffs and quarantine those that cannot be stored."""
    return _store_chunks(partner, raws, now=now, store=_store_tariff_chunk)


def store_locations(partner: Partner, raws: Sequence[object], *, now: datetime) -> Counts:
    """Store a page of Locations with EVSEs and connectors; quarantine what cannot be stored."""
    return _store_chunks(partner, raws, now=now, store=_store_location_chunk)


def count_different(
    partner: Partner, model: type[Location | Tariff], *, module: str, since: datetime
) -> int:
    """Count the different objects of a module that came since then, good or broken."""
    quarantined = QuarantinedObject.objects.filter(
        partner=partner, module=module, last_seen_at__gte=since
    )
    broken: set[object] = set()
    for name, raw in quarantined.values_list("object_id", "raw").iterator():
        key = find_key(raw)
        broken.add(name if key is None else key.folded)
    came = 0
    rows = model._default_manager.filter(partner=partner, seen_at__gte=since)
    for country, party, ocpi_id in rows.values_list(
        "country_code", "party_id", "ocpi_id"
    ).iterator():
        came += 1
        # What was stored before and came broken now has a row as well.
        broken.discard((country, party, ocpi_id.lower()))
    return came + len(broken)


def _store_chunks(
    partner: Partner,
    raws: Sequence[object],
    *,
    now: datetime,
    store: Callable[[Partner, Sequence[object], datetime], Counts],
) -> Counts:
    counts = Counts()
    for start in range(0, len(raws), CHUNK):
        counts = counts.plus(store(partner, raws[start : start + CHUNK], now))
    return counts


def _store_tariff_chunk(partner: Partner, raws: Sequence[object], now: datetime) -> Counts:
    values, refused = _map_all(raws, mapper=map_tariff, now=now)
    stored = _lock_rows(Tariff, partner, _list_keys(values, refused))
    found = _sort_out(values, stored, again=lambda row, _: row.removed)

    Tariff.objects.bulk_create([_make_tariff(partner, value, now=now) for value in found.new])
    Tariff.objects.bulk_create(
        [_make_tariff(partner, value, row=row, now=now) for row, value in found.changed],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_TARIFF_FIELDS,
    )
    seen = found.seen + _find_refused_rows(refused, stored)
    Tariff.objects.filter(pk__in=[row.pk for row in seen]).update(seen_at=now)
    _settle_quarantine(partner, module="tariffs", values=values, refused=refused, now=now)
    return _count(found, refused)


def _store_location_chunk(partner: Partner, raws: Sequence[object], now: datetime) -> Counts:
    values, refused = _map_all(raws, mapper=map_location, now=now)
    stored = _lock_rows(Location, partner, _list_keys(values, refused))
    incomplete = list_quarantined(partner, module=BROKEN_EVSES)
    found = _sort_out(
        values,
        stored,
        # An expired or removed location may be back; one with broken EVSEs is read again.
        again=lambda row, value: (
            (row.removed and value.is_alive)
            or (
                row.last_updated == value.last_updated
                and list_names(value.key)[0].lower() in incomplete
            )
        ),
    )

    new = Location.objects.bulk_create(
        [_make_location(partner, value, now=now) for value in found.new]
    )
    Location.objects.bulk_create(
        [_make_location(partner, value, row=row, now=now) for row, value in found.changed],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_LOCATION_FIELDS,
    )
    evses.create_evses({row.pk: value for row, value in zip(new, found.new, strict=True)})
    evses.renew_evses({row.pk: value for row, value in found.changed})
    seen = found.seen + _find_refused_rows(refused, stored)
    Location.objects.filter(pk__in=[row.pk for row in seen]).update(seen_at=now)
    written = found.new + [value for _, value in found.changed]
    _settle_quarantine(partner, module="locations", values=values, refused=refused, now=now)
    _settle_broken_evses(partner, written=written, now=now)
    return _count(found, refused)


def _make_tariff(
    partner: Partner, value: TariffValues, *, row: _Stored | None = None, now: datetime
) -> Tariff:
    return Tariff(
        pk=row.pk if row else None,
        partner=partner,
        country_code=value.key.country_code,
        party_id=value.key.party_id,
        ocpi_id=row.ocpi_id if row else value.key.ocpi_id,
        currency=value.currency,
        raw=value.raw,
        last_updated=value.last_updated,
        seen_at=now,
        removed_at=None,
    )


def _make_location(
    partner: Partner, value: LocationValues, *, row: _Stored | None = None, now: datetime
) -> Location:
    return Location(
        pk=row.pk if row else None,
        partner=partner,
        country_code=value.key.country_code,
        party_id=value.key.party_id,
        ocpi_id=row.ocpi_id if row else value.key.ocpi_id,
        publish=value.publish,
        name=value.name,
        operator_name=value.operator_name,
        address=value.address,
        city=value.city,
        postal_code=value.postal_code,
        country=value.country,
        lon=value.lon,
        lat=value.lat,
        time_zone=value.time_zone,
        max_dc_power_kw=value.max_dc_power_kw,
        max_power_kw=value.max_power_kw,
        raw=value.raw,
        last_updated=value.last_updated,
        seen_at=now,
        # OCPI: a location without a valid EVSE is expired and no longer to be shown.
        removed_at=None if value.is_alive else now,
    )


def _map_all(
    raws: Sequence[object],
    *,
    mapper: Callable[..., Values],
    now: datetime,
) -> tuple[dict[FoldedKey, Values], list[RefusedObject]]:
    """Map objects; of two with one key in a page the newer one counts."""
    values: dict[FoldedKey, Values] = {}
    refused = []
    for sent in raws:
        raw = make_storable(sent)
        try:
            check_depth(sent)
            value = mapper(raw, now=now)
        except Unmappable as error:
            refused.append(RefusedObject(name_object(raw), str(error), raw))
            continue
        known = values.get(value.key.folded)
        if known is None or known.last_updated <= value.last_updated:
            values[value.key.folded] = value
    return values, refused


def _list_keys(values: dict[FoldedKey, Values], refused: Sequence[RefusedObject]) -> set[FoldedKey]:
    broken = (find_key(each.raw) for each in refused)
    return values.keys() | {key.folded for key in broken if key is not None}


def _lock_rows(
    model: type[Location | Tariff], partner: Partner, keys: set[FoldedKey]
) -> dict[FoldedKey, _Stored]:
    """Read what is stored under these keys, and keep others from changing it until we commit."""
    rows = (
        model._default_manager.select_for_update()
        .filter(partner=partner)
        .annotate(folded_id=Lower("ocpi_id"))
        .filter(folded_id__in={folded for _, _, folded in keys})
        .order_by("pk")
        .values_list("pk", "country_code", "party_id", "ocpi_id", "last_updated", "removed_at")
    )
    return {
        (country, party, ocpi_id.lower()): _Stored(
            pk, ocpi_id, last_updated, removed_at is not None
        )
        for pk, country, party, ocpi_id, last_updated, removed_at in rows
    }


def _sort_out(
    values: dict[FoldedKey, Values],
    stored: dict[FoldedKey, _Stored],
    *,
    again: Callable[[_Stored, Values], bool],
) -> _Sorted[Values]:
    found: _Sorted[Values] = _Sorted([], [], [])
    for key, value in values.items():
        row = stored.get(key)
        if row is None:
            found.new.append(value)
        elif value.last_updated > row.last_updated or again(row, value):
            found.changed.append((row, value))
        else:
            found.seen.append(row)
    return found


def _find_refused_rows(
    refused: Sequence[RefusedObject], stored: dict[FoldedKey, _Stored]
) -> list[_Stored]:
    """List the rows whose new version is broken: they are still there at the partner."""
    keys = (find_key(each.raw) for each in refused)
    found = (stored.get(key.folded) for key in keys if key is not None)
    return [row for row in found if row is not None]


def _settle_quarantine(
    partner: Partner,
    *,
    module: str,
    values: dict[FoldedKey, Values],
    refused: Sequence[RefusedObject],
    now: datetime,
) -> None:
    known = list_quarantined(partner, module=module)
    good = {name for value in values.values() for name in _fold(list_names(value.key))}
    cured = known.keys() & good
    if cured:
        release_objects(partner, module=module, names=[known[name] for name in cured])
    if refused:
        quarantine_objects(partner, module=module, refused=refused, now=now)


def _settle_broken_evses(
    partner: Partner, *, written: Sequence[LocationValues], now: datetime
) -> None:
    known = list_quarantined(partner, module=BROKEN_EVSES)
    refused = [
        RefusedObject(
            name=list_names(value.key)[0],
            reason="; ".join(each.reason for each in value.broken_evses),
            raw=[each.raw for each in value.broken_evses],
        )
        for value in written
        if value.broken_evses
    ]
    whole = {list_names(value.key)[0].lower() for value in written if not value.broken_evses}
    cured = known.keys() & whole
    if cured:
        release_objects(partner, module=BROKEN_EVSES, names=[known[name] for name in cured])
    if refused:
        quarantine_objects(partner, module=BROKEN_EVSES, refused=refused, now=now)
        log.warning("EVSEs left out", partner_id=partner.pk, locations=len(refused))


def _count(found: _Sorted[Values], refused: Sequence[RefusedObject]) -> Counts:
    return Counts(
        stored=len(found.new) + len(found.changed),
        unchanged=len(found.seen),
        quarantined=len(refused),
    )


def _fold(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}
