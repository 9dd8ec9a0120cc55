"""Find stations for drivers: those in an area, those around a place, one in detail.

A station is a Location that may be shown: published, not removed, its partner not suspended, with
at least one EVSE that exists and has a connector.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django.db.models import Exists, Max, OuterRef, Prefetch

from charging.connector_kinds import describe_standard
from charging.models import Connector, Evse, EvseStatus, Location, Partner, SyncRun
from charging.opening_hours import is_open, read_opening_hours
from charging.station_prices import PriceBook
from charging.station_shapes import (
    ANY_STATION,
    Area,
    Availability,
    ConnectorDetail,
    ConnectorGroup,
    EvseDetail,
    StationDetail,
    StationFilter,
    StationPage,
    StationSummary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

MAX_PAGE = 200
NEARBY_RADII_M = (5_000.0, 20_000.0, 60_000.0)
_DEGREE_M = 111_320.0
_NOT_THERE = (EvseStatus.PLANNED, EvseStatus.REMOVED)
_AVAILABILITY: dict[str, Availability] = {
    EvseStatus.AVAILABLE: Availability.AVAILABLE,
    EvseStatus.CHARGING: Availability.IN_USE,
    EvseStatus.RESERVED: Availability.RESERVED,
    EvseStatus.BLOCKED: Availability.OUT_OF_ORDER,
    EvseStatus.INOPERATIVE: Availability.OUT_OF_ORDER,
    EvseStatus.OUTOFORDER: Availability.OUT_OF_ORDER,
}
# A station shows the best that one of its EVSEs offers; unknown gives more hope than broken.
_BEST_FIRST = (
    Availability.AVAILABLE,
    Availability.IN_USE,
    Availability.RESERVED,
    Availability.UNKNOWN,
    Availability.OUT_OF_ORDER,
)


class StationUnknown(LookupError):
    """No station that may be shown has this id."""


def list_stations(
    area: Area,
    *,
    now: datetime,
    wanted: StationFilter = ANY_STATION,
    after: int = 0,
    limit: int = 100,
) -> StationPage:
    """List the stations of an area in the order of their ids, from beyond the id ``after``."""
    found = _select(wanted).filter(
        lat__gte=area.south, lat__lte=area.north, lon__gte=area.west, lon__lte=area.east
    )
    rows = list(_with_parts(found.filter(pk__gt=after)).order_by("pk")[: limit + 1])
    page = rows[:limit]
    whole = after == 0 and len(rows) <= limit
    return StationPage(
        stations=tuple(_summarise_all(page, wanted=wanted, now=now)),
        count=len(rows) if whole else found.count(),
        next_after=page[-1].pk if len(rows) > limit else None,
    )


def list_nearby(
    *, lon: float, lat: float, now: datetime, wanted: StationFilter = ANY_STATION, limit: int = 40
) -> tuple[StationSummary, ...]:
    """List the nearest stations, nearest first, from as far as the last of NEARBY_RADII_M."""
    nearest: list[tuple[float, int]] = []
    for radius_m in NEARBY_RADII_M:
        nearest = _find_within(radius_m, lon=lon, lat=lat, wanted=wanted)
        if len(nearest) >= limit:
            break
    distances = {pk: distance_m for distance_m, pk in nearest[:limit]}
    rows = sorted(
        _with_parts(Location.objects.filter(pk__in=distances)),
        key=lambda row: (distances[row.pk], row.pk),
    )
    return tuple(_summarise_all(rows, wanted=wanted, now=now, distances=distances))


def get_station(station_id: int, *, now: datetime) -> StationDetail:
    """Return one station with the status and price of everything it has.

    Raises
    ------
    StationUnknown
        There is none, or it may not be shown.
    """
    # Larger than any key: databases refuse the comparison itself.
    if station_id >= 2**63:
        raise StationUnknown(station_id)
    row = _with_parts(_select(ANY_STATION).filter(pk=station_id), raw=True).first()
    if row is None:
        raise StationUnknown(station_id)
    prices = _open_price_book([row])
    [summary] = _summarise_all([row], wanted=ANY_STATION, now=now, prices=prices)
    hours = read_opening_hours(row.raw.get("opening_times"))
    facilities = row.raw.get("facilities")
    return StationDetail(
        summary=summary,
        evses=tuple(
            _detail_evse(evse, row=row, prices=prices, now=now) for evse in _list_evses(row)
        ),
        opening_hours=hours,
        open_now=is_open(hours, at=now, time_zone=row.time_zone) if hours else None,
        time_zone=row.time_zone,
        facilities=tuple(map(str, facilities)) if isinstance(facilities, list) else (),
        last_updated=max(row.last_updated, *(evse.last_updated for evse in _list_evses(row))),
        checked_at=_find_last_check(row),
    )


def _find_last_check(row: Location) -> datetime:
    """Say when its operator was last heard: a pull of changes confirms all that it leaves out."""
    done = SyncRun.objects.filter(partner=row.partner_id, state=SyncRun.State.DONE)
    pulled_at: datetime | None = done.aggregate(latest=Max("started_at"))["latest"]
    return max(row.seen_at, pulled_at or row.seen_at)


def _select(wanted: StationFilter) -> QuerySet[Location]:
    fitting = Connector.objects.filter(evse__location=OuterRef("pk")).exclude(
        evse__status__in=_NOT_THERE
    )
    if wanted.standards:
        fitting = fitting.filter(standard__in=wanted.standards)
    if wanted.min_power_kw:
        fitting = fitting.filter(power_kw__gte=wanted.min_power_kw)
    if wanted.available:
        fitting = fitting.filter(evse__status=EvseStatus.AVAILABLE)
    return (
        Location.objects.filter(publish=True, removed_at=None)
        .exclude(partner__state=Partner.State.SUSPENDED)
        .filter(Exists(fitting))
    )


def _with_parts(found: QuerySet[Location], *, raw: bool = False) -> QuerySet[Location]:
    """Fetch EVSEs and connectors along: three queries for any number of stations."""
    connectors = Connector.objects.defer("raw").order_by("ocpi_id", "pk")
    evses = (
        Evse.objects.exclude(status__in=_NOT_THERE)
        .defer("raw")
        .order_by("evse_id", "uid")
        .prefetch_related(Prefetch("connectors", connectors))
    )
    fetched = found.prefetch_related(Prefetch("evses", evses))
    return fetched if raw else fetched.defer("raw")


def _find_within(
    radius_m: float, *, lon: float, lat: float, wanted: StationFilter
) -> list[tuple[float, int]]:
    """Return (distance in m, id) of the stations within a radius, nearest first."""
    half_height = radius_m / _DEGREE_M
    half_width = half_height / max(math.cos(math.radians(lat)), 0.01)
    rows = (
        _select(wanted)
        .filter(lat__gte=lat - half_height, lat__lte=lat + half_height)
        .filter(lon__gte=lon - half_width, lon__lte=lon + half_width)
        .values_list("pk", "lon", "lat")
    )
    found = ((_measure_m(lon, lat, there_lon, there_lat), pk) for pk, there_lon, there_lat in rows)
    return sorted(pair for pair in found if pair[0] <= radius_m)


def _measure_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Great-circle distance in metres, after the haversine formula."""
    half_lat = math.radians(other_lat - lat) / 2
    half_lon = math.radians(other_lon - lon) / 2
    along = math.cos(math.radians(lat)) * math.cos(math.radians(other_lat))
    chord = math.sin(half_lat) ** 2 + along * math.sin(half_lon) ** 2
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(chord)))


def _list_evses(row: Location) -> list[Evse]:
    return [evse for evse in row.evses.all() if evse.connectors.all()]


def _open_price_book(rows: Iterable[Location]) -> PriceBook:
    return PriceBook(
        (row.partner_id, connector)
        for row in rows
        for evse in _list_evses(row)
        for connector in evse.connectors.all()
    )


def _summarise_all(
    rows: Sequence[Location],
    *,
    wanted: StationFilter,
    now: datetime,
    prices: PriceBook | None = None,
    distances: dict[int, float] | None = None,
) -> Iterable[StationSummary]:
    prices = prices or _open_price_book(rows)
    for row in rows:
        evses = [evse for evse in _list_evses(row) if wanted.fits(evse)]
        # A status may have changed between the queries: what no longer fits is left out.
        if evses:
            distance_m = distances[row.pk] if distances else None
            yield _summarise(
                row, evses=evses, wanted=wanted, now=now, prices=prices, distance_m=distance_m
            )


def _summarise(
    row: Location,
    *,
    evses: list[Evse],
    wanted: StationFilter,
    now: datetime,
    prices: PriceBook,
    distance_m: float | None,
) -> StationSummary:
    statuses = [_read_availability(evse) for evse in evses]
    fitting = [
        connector
        for evse in evses
        for connector in evse.connectors.all()
        if wanted.fits_connector(connector)
    ]
    strongest = max(fitting, key=lambda connector: connector.power_kw)
    return StationSummary(
        station_id=row.pk,
        name=row.name or row.address,
        operator=row.operator_name,
        address=row.address,
        postal_code=row.postal_code,
        city=row.city,
        country=row.country,
        lon=row.lon,
        lat=row.lat,
        availability=next(status for status in _BEST_FIRST if status in statuses),
        available=statuses.count(Availability.AVAILABLE),
        unknown=statuses.count(Availability.UNKNOWN),
        total=len(evses),
        max_power_kw=strongest.power_kw,
        connectors=_group(evses, wanted=wanted),
        price=prices.find_price(partner_id=row.partner_id, connector=strongest, at=now),
        distance_m=distance_m,
    )


def _read_availability(evse: Evse) -> Availability:
    return _AVAILABILITY.get(evse.status, Availability.UNKNOWN)


def _group(evses: list[Evse], *, wanted: StationFilter) -> tuple[ConnectorGroup, ...]:
    counts: dict[tuple[float, str], list[int]] = {}
    for evse in evses:
        kinds = {
            (-connector.power_kw, connector.standard)
            for connector in evse.connectors.all()
            if wanted.fits_connector(connector)
        }
        for kind in kinds:
            count = counts.setdefault(kind, [0, 0])
            count[0] += evse.status == EvseStatus.AVAILABLE
            count[1] += 1
    return tuple(
        ConnectorGroup(
            standard=standard,
            label=describe_standard(standard).label,
            icon=describe_standard(standard).icon,
            power_kw=-negative_kw,
            available=available,
            total=total,
        )
        for (negative_kw, standard), (available, total) in sorted(counts.items())
    )


def _detail_evse(evse: Evse, *, row: Location, prices: PriceBook, now: datetime) -> EvseDetail:
    connectors = evse.connectors.all()
    return EvseDetail(
        uid=evse.uid,
        evse_id=evse.evse_id,
        availability=_read_availability(evse),
        ocpi_status=evse.status,
        last_updated=evse.last_updated,
        connectors=tuple(
            ConnectorDetail(
                connector_id=connector.ocpi_id,
                standard=connector.standard,
                label=describe_standard(connector.standard).label,
                icon=describe_standard(connector.standard).icon,
                format=connector.format,
                power_type=connector.power_type,
                power_kw=connector.power_kw,
                price=prices.find_price(partner_id=row.partner_id, connector=connector, at=now),
            )
            for connector in connectors
        ),
    )
