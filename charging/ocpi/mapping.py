"""From OCPI objects to rows' values. What cannot be stored is named, with the reason.

Tolerant where the meaning is beyond doubt (a country by its two-letter code, coordinates as
numbers, text that is too long for its column), strict where a wrong row would do harm: identity,
position, time, power.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from charging.ocpi import v2_2_1 as wire
from charging.ocpi.fields import (
    ID_WIDTH,
    ObjectKey,
    Unmappable,
    explain,
    read_country,
    read_country_code,
    read_id,
    read_key,
    read_last_updated,
    read_name,
    read_number,
    read_object,
    read_party_id,
    read_position,
    read_struct,
    read_text,
    read_time_zone,
)
from charging.ocpi.power import find_power_kw

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from datetime import datetime

STATUSES = frozenset(
    {
        "AVAILABLE", "BLOCKED", "CHARGING", "INOPERATIVE", "OUTOFORDER", "PLANNED", "REMOVED",
        "RESERVED", "UNKNOWN",
    }
)  # fmt: skip
UNKNOWN_PART = "?"


@dataclass(frozen=True, slots=True)
class ConnectorValues:
    ocpi_id: str
    standard: str
    format: str
    power_type: str
    power_kw: float
    tariff_ids: list[str]
    raw: dict[str, object]
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class EvseValues:
    uid: str
    evse_id: str
    status: str
    raw: dict[str, object]
    last_updated: datetime
    connectors: tuple[ConnectorValues, ...]


@dataclass(frozen=True, slots=True)
class BrokenEvse:
    """An EVSE that was left out of its location. ``uid`` is empty where it is unreadable."""

    uid: str
    reason: str
    raw: object


@dataclass(frozen=True, slots=True)
class LocationValues:
    key: ObjectKey
    publish: bool
    name: str
    operator_name: str
    address: str
    city: str
    postal_code: str
    country: str
    lon: float
    lat: float
    time_zone: str
    raw: dict[str, object]
    last_updated: datetime
    evses: tuple[EvseValues, ...]
    broken_evses: tuple[BrokenEvse, ...]

    @property
    def is_alive(self) -> bool:
        """Tell whether an EVSE is left: OCPI calls a location without one expired."""
        return any(evse.status != "REMOVED" for evse in self.evses)

    @property
    def max_power_kw(self) -> float:
        return max((plug.power_kw for plug in self._list_connectors()), default=0)

    @property
    def max_dc_power_kw(self) -> float:
        dc = (plug.power_kw for plug in self._list_connectors() if plug.power_type == "DC")
        return max(dc, default=0)

    def _list_connectors(self) -> list[ConnectorValues]:
        left = (evse for evse in self.evses if evse.status != "REMOVED")
        return [plug for evse in left for plug in evse.connectors]


@dataclass(frozen=True, slots=True)
class TariffValues:
    key: ObjectKey
    currency: str
    raw: dict[str, object]
    last_updated: datetime


def map_tariff(raw: object, *, now: datetime) -> TariffValues:
    """Turn a Tariff into a row's values.

    Raises
    ------
    Unmappable
        Its owner, id, currency, elements or last_updated are missing or wrong.
    """
    fields = read_object(raw)
    tariff = read_struct(fields, wire.Tariff)
    key = read_key(tariff.country_code, tariff.party_id, tariff.id)
    currency = (tariff.currency or "").strip().upper()
    if not currency:
        raise Unmappable("currency is missing")
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise Unmappable(explain("currency", tariff.currency, "no three-letter code"))
    if not tariff.elements:
        raise Unmappable("elements is missing or empty: the tariff has no price")
    return TariffValues(
        key=key,
        currency=currency,
        raw=fields,
        last_updated=read_last_updated(tariff.last_updated, now=now),
    )


def map_location(raw: object, *, now: datetime) -> LocationValues:
    """Turn a Location into rows' values; broken EVSEs are left out and named.

    ``last_updated`` is the latest of the location and all its parts: OCPI demands that a part's
    change raises its parents' time, and not every partner does it.

    Raises
    ------
    Unmappable
        The location as a whole cannot be stored.
    """
    fields = dict(read_object(raw))
    location = read_struct(fields, wire.Location)
    key = read_key(location.country_code, location.party_id, location.id)
    lon, lat = read_position(location.coordinates)
    last_updated = read_last_updated(location.last_updated, now=now)
    evses, broken = _map_evses(location.evses or [], now=now)
    if broken and not evses:
        message = f"none of its {len(broken)} EVSEs can be stored: {broken[0].reason}"
        raise Unmappable(message)
    fields.pop("evses", None)
    return LocationValues(
        key=key,
        publish=location.publish is not False,
        name=read_text(location.name, width=255),
        operator_name=read_text(location.operator.name if location.operator else None, width=100),
        address=read_text(location.address, width=255),
        city=read_text(location.city, width=45),
        postal_code=read_text(location.postal_code, width=10),
        country=read_country(location.country),
        lon=lon,
        lat=lat,
        time_zone=read_time_zone(location.time_zone),
        raw=fields,
        last_updated=max([last_updated, *(evse.last_updated for evse in evses)]),
        evses=tuple(evses),
        broken_evses=tuple(broken),
    )


def name_object(raw: object) -> str:
    """Name an object for people, as far as it tells who it is, as it will be named once stored.

    >>> name_object({"country_code": "NLD", "id": "LOC1"})
    'NL/?/LOC1'
    """
    fields = raw if isinstance(raw, dict) else {}
    ocpi_id = fields.get("id")
    if not isinstance(ocpi_id, str | int | float) or ocpi_id == "":
        # Content that changes with every pull finds no more than 4096 names.
        digest = sha256(repr(raw).encode("utf-8", "replace")).hexdigest()[:3]
        return f"without id, {digest}"
    parts = (
        _name_part(fields.get("country_code"), read=read_country_code),
        _name_part(fields.get("party_id"), read=read_party_id),
        _name_part(ocpi_id, read=lambda text: read_id("id", text)),
    )
    return "/".join(parts)


def _name_part(value: object, *, read: Callable[[str], str]) -> str:
    text = UNKNOWN_PART if value is None or value == "" else str(value)
    try:
        return read(text)
    except Unmappable:
        return text[:80]


def list_names(key: ObjectKey) -> tuple[str, ...]:
    """List the names that an object may have had while its owner was not readable."""
    return tuple(
        f"{country}/{party}/{key.ocpi_id}"
        for country in (key.country_code, UNKNOWN_PART)
        for party in (key.party_id, UNKNOWN_PART)
    )


def find_key(raw: object) -> ObjectKey | None:
    """Return an object's key even where the rest of it is broken."""
    try:
        found = read_struct(
            {name: read_object(raw).get(name) for name in ("country_code", "party_id", "id")},
            wire.Tariff,
        )
        return read_key(found.country_code, found.party_id, found.id)
    except Unmappable:
        return None


def _map_evses(raws: list[object], *, now: datetime) -> tuple[list[EvseValues], list[BrokenEvse]]:
    good: dict[str, EvseValues] = {}
    broken = []
    for raw in raws:
        try:
            evse = _map_evse(raw, known=good, now=now)
        except Unmappable as error:
            uid = raw.get("uid") if isinstance(raw, dict) else None
            name = str(uid) if isinstance(uid, str | int) else ""
            broken.append(BrokenEvse(name, f"EVSE {name or UNKNOWN_PART}: {error}", raw))
        else:
            good[evse.uid.lower()] = evse
    return list(good.values()), broken


def _map_evse(raw: object, *, known: Container[str], now: datetime) -> EvseValues:
    fields = dict(read_object(raw))
    evse = read_struct(fields, wire.Evse)
    uid = read_id("uid", evse.uid)
    if uid.lower() in known:
        raise Unmappable("its uid stands twice")
    status = (evse.status or "").strip().upper()
    last_updated = read_last_updated(evse.last_updated, now=now)
    connectors = [
        _map_connector(each, parent=last_updated, now=now) for each in evse.connectors or []
    ]
    if not connectors and status != "REMOVED":
        raise Unmappable("it has no connector")
    ids = {connector.ocpi_id.lower() for connector in connectors}
    if len(ids) < len(connectors):
        raise Unmappable("two connectors have the same id")
    fields.pop("connectors", None)
    return EvseValues(
        uid=uid,
        evse_id=read_text(evse.evse_id, width=48),
        # A status of a later version is kept in raw; drivers see that we do not know.
        status=status if status in STATUSES else "UNKNOWN",
        raw=fields,
        last_updated=max([last_updated, *(each.last_updated for each in connectors)]),
        connectors=tuple(connectors),
    )


def _map_connector(raw: object, *, parent: datetime, now: datetime) -> ConnectorValues:
    fields = read_object(raw)
    connector = read_struct(fields, wire.Connector)
    name = read_id("connector id", connector.id)
    power_type = read_name("power_type", connector.power_type, width=16)
    power_kw = find_power_kw(
        stated_w=read_number(connector.max_electric_power),
        voltage_v=read_number(connector.max_voltage),
        amperage_a=read_number(connector.max_amperage),
        power_type=power_type,
    )
    if power_kw is None:
        message = f"connector {name} tells neither its power nor its voltage and current"
        raise Unmappable(message)
    ids = [read_text(each, width=ID_WIDTH) for each in connector.tariff_ids or []]
    return ConnectorValues(
        ocpi_id=name,
        standard=read_name("standard", connector.standard, width=40),
        format=read_name("format", connector.format, width=8),
        power_type=power_type,
        power_kw=power_kw,
        tariff_ids=[each for each in ids if each],
        raw=fields,
        last_updated=read_last_updated(connector.last_updated, now=now)
        if connector.last_updated
        else parent,
    )
