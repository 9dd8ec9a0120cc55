"""OCPI 2.2.1 as it travels: the fields that we use, read generously.

Unknown fields are ignored, null is absent, enumerations stay text because partners send values of
later versions, and a number may come where text is specified and the other way round. What a value
means is decided in ``charging.ocpi.mapping``.

Source: OCPI 2.2.1-d2, branch release-2.2.1-bugfixes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import msgspec

VERSION = "2.2.1"

Scalar: TypeAlias = str | int | float | None
T = TypeVar("T")


class WireInvalid(ValueError):
    """What came cannot be read as the object that it should be."""


class Version(msgspec.Struct):
    """Versions module: one supported version and where its details are."""

    version: Scalar = None
    url: str | None = None


class Endpoint(msgspec.Struct):
    """Versions module: one module of a version. Roles came with 2.2."""

    identifier: str | None = None
    role: str | None = None
    url: str | None = None


class VersionDetails(msgspec.Struct):
    endpoints: list[Endpoint] | None = None


class BusinessDetails(msgspec.Struct):
    name: Scalar = None


class CredentialsRole(msgspec.Struct):
    """Credentials module: one of the parties that a platform speaks for."""

    role: str | None = None
    country_code: str | None = None
    party_id: Scalar = None
    business_details: BusinessDetails | None = None


class Credentials(msgspec.Struct):
    token: str | None = None
    url: str | None = None
    roles: list[CredentialsRole] | None = None

    def __repr__(self) -> str:
        # The token must not reach a log or an error page.
        return f"Credentials(url={self.url!r}, roles={self.roles!r})"


class GeoLocation(msgspec.Struct):
    latitude: Scalar = None
    longitude: Scalar = None


class Connector(msgspec.Struct):
    id: Scalar = None
    standard: str | None = None
    format: str | None = None
    power_type: str | None = None
    max_voltage: Scalar = None
    max_amperage: Scalar = None
    max_electric_power: Scalar = None
    tariff_ids: list[Scalar] | None = None
    last_updated: str | None = None


class Evse(msgspec.Struct):
    """An EVSE; its connectors stay plain objects, kept beside their rows as they were sent."""

    uid: Scalar = None
    evse_id: Scalar = None
    status: str | None = None
    connectors: list[object] | None = None
    last_updated: str | None = None


class Location(msgspec.Struct):
    """A Location; its EVSEs stay plain objects, so that a broken one spoils no other."""

    country_code: str | None = None
    party_id: Scalar = None
    id: Scalar = None
    publish: bool | None = None
    name: Scalar = None
    address: Scalar = None
    city: Scalar = None
    postal_code: Scalar = None
    country: str | None = None
    coordinates: GeoLocation | None = None
    evses: list[object] | None = None
    operator: BusinessDetails | None = None
    time_zone: str | None = None
    last_updated: str | None = None


class Tariff(msgspec.Struct):
    """A Tariff's name; ``charging.tariffs.terms`` reads what it costs."""

    country_code: str | None = None
    party_id: Scalar = None
    id: Scalar = None
    currency: str | None = None
    elements: list[object] | None = None
    last_updated: str | None = None


def read_wire(value: object, *, kind: type[T]) -> T:
    """Read a parsed JSON value as one of this module's structs.

    Raises
    ------
    WireInvalid
        A field has another shape; the message names it.

    >>> read_wire({"uid": 3255, "status": "AVAILABLE", "unknown": 1}, kind=Evse).uid
    3255
    """
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise WireInvalid(str(error)) from error
    except RecursionError as error:
        raise WireInvalid("nested too deeply") from error


def parse_datetime(text: str) -> datetime:
    """Read an OCPI DateTime: with ``Z``, without zone (UTC), with fractions or an offset.

    Raises
    ------
    WireInvalid
        It is no date and time.

    >>> parse_datetime("2015-06-29T20:39:09") == parse_datetime("2015-06-29T22:39:09.000+02:00")
    True
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{text[:40]!r} is no date and time"
        raise WireInvalid(message) from error


def format_datetime(moment: datetime) -> str:
    """Write an aware moment as OCPI wants it: UTC, ``Z``, milliseconds only where there are any.

    >>> format_datetime(datetime(2026, 6, 1, 12, tzinfo=UTC))
    '2026-06-01T12:00:00Z'
    """
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"
