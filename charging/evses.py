"""EVSEs and connectors of locations that are being stored: new rows, changed rows, gone ones."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from charging.models import Connector, Evse, EvseStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from charging.ocpi.mapping import ConnectorValues, EvseValues, LocationValues

_EVSE_FIELDS = ("evse_id", "status", "raw", "last_updated")
_CONNECTOR_FIELDS = (
    "standard", "format", "power_type", "power_kw", "tariff_ids", "raw", "last_updated",
)  # fmt: skip


def create_evses(locations: Mapping[int, LocationValues]) -> None:
    """Create the EVSEs and connectors of locations that are new, by location id."""
    _create([(pk, evse) for pk, location in locations.items() for evse in location.evses])


def renew_evses(locations: Mapping[int, LocationValues]) -> None:
    """Bring the EVSEs and connectors of known locations up to date, by location id.

    An EVSE that the location no longer lists becomes REMOVED: sessions may still speak of it. A
    row that is newer than what came stays as it is.
    """
    if not locations:
        return
    known: defaultdict[int, dict[str, Evse]] = defaultdict(dict)
    for row in Evse.objects.filter(location__in=locations.keys()).order_by("pk"):
        known[row.location_id][row.uid.lower()] = row
    new: list[tuple[int, EvseValues]] = []
    changed: list[tuple[Evse, EvseValues]] = []
    gone: list[int] = []
    for pk, location in locations.items():
        rows = known[pk]
        for evse in location.evses:
            known_row = rows.get(evse.uid.lower())
            if known_row is None:
                new.append((pk, evse))
            # At the same time all may differ as well: partners change a tariff or a plug and raise
            # the location's time alone, and we call REMOVED what once was not listed.
            elif evse.last_updated >= known_row.last_updated:
                changed.append((known_row, evse))
        listed = {evse.uid.lower() for evse in location.evses}
        listed |= {broken.uid.lower() for broken in location.broken_evses}
        gone += [row.pk for uid, row in rows.items() if uid not in listed]
    _create(new)
    _change(changed)
    Evse.objects.filter(pk__in=gone).update(status=EvseStatus.REMOVED)


def _create(found: Iterable[tuple[int, EvseValues]]) -> None:
    pairs = [(_make_evse(evse, location_id=pk), evse) for pk, evse in found]
    Evse.objects.bulk_create([row for row, _ in pairs])
    Connector.objects.bulk_create(
        [_make_connector(each, evse_id=row.pk) for row, evse in pairs for each in evse.connectors]
    )


def _change(found: list[tuple[Evse, EvseValues]]) -> None:
    if not found:
        return
    Evse.objects.bulk_create(
        [_make_evse(evse, location_id=row.location_id, row=row) for row, evse in found],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_EVSE_FIELDS,
    )
    known: defaultdict[int, dict[str, Connector]] = defaultdict(dict)
    for plug in Connector.objects.filter(evse__in=[row.pk for row, _ in found]).order_by("pk"):
        known[plug.evse_id][plug.ocpi_id.lower()] = plug
    new: list[Connector] = []
    changed: list[Connector] = []
    for row, evse in found:
        for each in evse.connectors:
            key = each.ocpi_id.lower()
            if key not in known[row.pk]:
                new.append(_make_connector(each, evse_id=row.pk))
                continue
            plug = known[row.pk].pop(key)
            if plug.raw != each.raw or plug.power_kw != each.power_kw:
                changed.append(_make_connector(each, evse_id=row.pk, row=plug))
    # What is left over is no longer on its EVSE.
    gone = [plug.pk for plugs in known.values() for plug in plugs.values()]
    Connector.objects.filter(pk__in=gone).delete()
    Connector.objects.bulk_create(new)
    Connector.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_CONNECTOR_FIELDS,
    )


def _make_evse(evse: EvseValues, *, location_id: int, row: Evse | None = None) -> Evse:
    return Evse(
        pk=row.pk if row else None,
        location_id=location_id,
        uid=row.uid if row else evse.uid,
        evse_id=evse.evse_id,
        status=evse.status,
        raw=evse.raw,
        last_updated=evse.last_updated,
    )


def _make_connector(
    values: ConnectorValues, *, evse_id: int, row: Connector | None = None
) -> Connector:
    return Connector(
        pk=row.pk if row else None,
        evse_id=evse_id,
        ocpi_id=row.ocpi_id if row else values.ocpi_id,
        standard=values.standard,
        format=values.format,
        power_type=values.power_type,
        power_kw=values.power_kw,
        tariff_ids=values.tariff_ids,
        raw=values.raw,
        last_updated=values.last_updated,
    )
