"""The shapes of charging's API: what goes out, and the body of a plan."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from charging.station_shapes import Availability
from emsp.kernel.money import Money

AVAILABILITIES = [(state.value, state.value) for state in Availability]
MAX_PLACE_LENGTH = 200


class DecimalText(serializers.CharField):
    """A decimal number as text: a float would change it."""

    def to_representation(self, value: Any) -> str:
        return f"{value:f}"


class MoneySerializer(serializers.Serializer[Money]):
    amount = DecimalText(help_text="A decimal number, like 17.60.")
    currency = serializers.CharField(help_text="ISO 4217.")


class PriceSpanSerializer(serializers.Serializer[Any]):
    low = DecimalText()
    high = DecimalText()


class PriceSerializer(serializers.Serializer[Any]):
    """What a tariff asks per unit; a dimension is null where it costs nothing extra."""

    currency = serializers.CharField()
    per_kwh = PriceSpanSerializer(allow_null=True)
    per_minute = PriceSpanSerializer(allow_null=True)
    per_parked_minute = PriceSpanSerializer(allow_null=True)
    per_session = PriceSpanSerializer(allow_null=True)
    vat_included = serializers.BooleanField(
        source="vat_known", help_text="False where the operator does not state the VAT."
    )


class ConnectorGroupSerializer(serializers.Serializer[Any]):
    standard = serializers.CharField(help_text="As in OCPI.")
    name = serializers.CharField(source="label")
    power_kw = serializers.FloatField()
    available = serializers.IntegerField(help_text="Charge points with one that are free.")
    total = serializers.IntegerField()


class StationSerializer(serializers.Serializer[Any]):
    """A station; counts, connectors and price are of what fits the filter."""

    id = serializers.IntegerField(source="station_id")
    name = serializers.CharField()
    operator = serializers.CharField()
    address = serializers.CharField()
    postal_code = serializers.CharField()
    city = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-3.")
    lon = serializers.FloatField()
    lat = serializers.FloatField()
    status = serializers.ChoiceField(AVAILABILITIES, source="availability.value")
    available = serializers.IntegerField(help_text="Charge points that are free.")
    unknown = serializers.IntegerField(help_text="Charge points whose status is unknown.")
    total = serializers.IntegerField(help_text="Charge points.")
    max_power_kw = serializers.FloatField()
    connectors = ConnectorGroupSerializer(many=True)
    price = PriceSerializer(
        allow_null=True, help_text="At the strongest connector; null where it is unknown."
    )


class StationPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Stations that fit, on all pages.")
    next = serializers.URLField(allow_null=True, help_text="The next page; null on the last.")
    results = StationSerializer(many=True, help_text="In the order of their ids.")


class ConnectorSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="connector_id")
    standard = serializers.CharField(help_text="As in OCPI.")
    name = serializers.CharField(source="label")
    format = serializers.CharField()
    power_type = serializers.CharField()
    power_kw = serializers.FloatField()
    price = PriceSerializer(allow_null=True, help_text="Null where it is unknown.")


class EvseSerializer(serializers.Serializer[Any]):
    uid = serializers.CharField()
    evse_id = serializers.CharField()
    status = serializers.ChoiceField(AVAILABILITIES, source="availability.value")
    ocpi_status = serializers.CharField()
    last_updated = serializers.DateTimeField()
    connectors = ConnectorSerializer(many=True)


class OpenSpanSerializer(serializers.Serializer[Any]):
    weekday = serializers.IntegerField(help_text="1 is Monday.")
    begin = serializers.TimeField(format="%H:%M")
    end = serializers.TimeField(format="%H:%M", help_text="00:00 is the end of that day.")


class ExceptionSerializer(serializers.Serializer[Any]):
    begin_at = serializers.DateTimeField(source="0")
    end_at = serializers.DateTimeField(source="1")


class OpeningHoursSerializer(serializers.Serializer[Any]):
    always = serializers.BooleanField()
    regular = OpenSpanSerializer(many=True, help_text="Local time of the station.")
    openings = serializers.SerializerMethodField()
    closings = serializers.SerializerMethodField()

    @extend_schema_field(ExceptionSerializer(many=True))
    def get_openings(self, hours: Any) -> list[dict[str, str]]:
        return _list_periods(hours.openings)

    @extend_schema_field(ExceptionSerializer(many=True))
    def get_closings(self, hours: Any) -> list[dict[str, str]]:
        return _list_periods(hours.closings)


def _list_periods(periods: Any) -> list[dict[str, str]]:
    return [{"begin_at": begin.isoformat(), "end_at": end.isoformat()} for begin, end in periods]


class StationDetailSerializer(serializers.Serializer[Any]):
    """A station with everything that it has."""

    evses = EvseSerializer(many=True)
    opening_hours = OpeningHoursSerializer(allow_null=True, help_text="Null where unknown.")
    open_now = serializers.BooleanField(allow_null=True, help_text="Null where unknown.")
    time_zone = serializers.CharField()
    facilities = serializers.ListField(child=serializers.CharField(), help_text="As in OCPI.")
    last_updated = serializers.DateTimeField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Put the fields of a station in a list before those of the detail."""
        fields = StationSerializer().get_fields()
        for name, field in fields.items():
            # Bound anew: the source leads through the summary.
            field.source = f"summary.{field.source or name}"
        return {**fields, **super().get_fields()}


class PlaceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2.")
    kind = serializers.CharField(help_text="city, town or village.")
    lon = serializers.FloatField()
    lat = serializers.FloatField()


class FiniteNumber(serializers.FloatField):
    """A JSON number; true and "1" are none."""

    default_error_messages = {
        "invalid": _("{name} must be a number, not {given}."),
        "required": _("{name} is missing. Send a number."),
        "null": _("{name} is null. Send a number."),
    }

    def to_internal_value(self, data: Any) -> float:
        try:
            number = float(data) if type(data) in {int, float} else math.nan
        except OverflowError:
            number = math.nan
        if not math.isfinite(number):
            self.fail("invalid", name=self.field_name, given=_name_kind(data))
        return number

    def fail(self, key: str, **kwargs: Any) -> Any:
        super().fail(key, **{"name": self.field_name, **kwargs})


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": MAX_PLACE_LENGTH, "example": "Paris"},
            {
                "type": "object",
                "properties": {
                    "lon": {"type": "number", "minimum": -180, "maximum": 180},
                    "lat": {"type": "number", "minimum": -90, "maximum": 90},
                },
                "required": ["lon", "lat"],
                "additionalProperties": False,
            },
        ]
    }
)
class PlaceField(serializers.Field[Any, Any, Any, Any]):
    """A place: its name, or its position as ``{"lon", "lat"}``."""

    default_error_messages = {
        "required": _('{name} is missing. Send a place like "Paris", or {{"lon", "lat"}}.'),
        "null": _('{name} is null. Send a place like "Paris", or {{"lon", "lat"}}.'),
        "not_a_place": _('{name} must be a place like "Paris", or {{"lon", "lat"}}.'),
        "empty_place": _("{name} is empty. Send a place's name."),
        "too_long": _("{name} is longer than {limit} characters. Send a place's name."),
        "not_a_number": _("{name}.{axis} must be a number, not {given}."),
        "out_of_range": _("{name}.{axis} is {value}; it must lie in -{most} to {most}."),
    }

    def to_internal_value(self, data: Any) -> str | tuple[float, float]:
        if isinstance(data, str):
            return self._read_name(data)
        if not isinstance(data, dict) or set(data) != {"lon", "lat"}:
            self.fail("not_a_place")
        return self._read_axis(data, "lon", most=180), self._read_axis(data, "lat", most=90)

    def to_representation(self, value: Any) -> Any:
        return {"name": value.name, "lon": value.lon, "lat": value.lat}

    def fail(self, key: str, **kwargs: Any) -> Any:
        super().fail(key, **{"name": self.field_name, **kwargs})

    def _read_name(self, text: str) -> str:
        if not text.strip():
            self.fail("empty_place")
        if len(text) > MAX_PLACE_LENGTH:
            self.fail("too_long", limit=MAX_PLACE_LENGTH)
        return text.strip()

    def _read_axis(self, data: dict[str, Any], axis: str, *, most: int) -> float:
        value = data[axis]
        if type(value) not in {int, float}:
            self.fail("not_a_number", axis=axis, given=_name_kind(value))
        # Compared before it becomes a float: an int may be too large for one.
        if not -most <= value <= most:
            self.fail("out_of_range", axis=axis, value=f"{value:.12g}", most=most)
        return float(value)


class PlanRequestSerializer(serializers.Serializer[Any]):
    """A trip to plan. States of charge are shares of the usable battery, 0 to 1."""

    origin = PlaceField()
    destination = PlaceField()
    vehicle_model = serializers.CharField(
        max_length=60,
        trim_whitespace=False,
        help_text="A slug from /api/v1/vehicle-models.",
        error_messages={
            "required": _("vehicle_model is missing. Send a slug from /api/v1/vehicle-models."),
            "null": _("vehicle_model is null. Send a slug from /api/v1/vehicle-models."),
            "blank": _("vehicle_model is empty. Send a slug from /api/v1/vehicle-models."),
            "invalid": _("vehicle_model must be a slug from /api/v1/vehicle-models."),
        },
    )
    soc_start = FiniteNumber(help_text="The charge at departure.")
    soc_arrival_min = FiniteNumber(
        default=0.1, help_text="The least charge on arrival at the destination."
    )
    soc_stop_min = FiniteNumber(default=0.1, help_text="The least charge on arrival at a stop.")

    default_error_messages = {
        "invalid": _('The body must be a JSON object like {{"origin": "Paris", …}}.'),
        "unknown_field": _("There is no field “{name}” in a plan. Known are: {known}."),
    }

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            for name in data:
                if name not in self.fields:
                    message = self.error_messages["unknown_field"].format(
                        name=name[:60], known=", ".join(self.fields)
                    )
                    near = get_close_matches(name, list(self.fields), n=1)
                    raise serializers.ValidationError(
                        {near[0] if near else name[:60]: [message]}, code="unknown_field"
                    )
        return super().to_internal_value(data)


class TripLegSerializer(serializers.Serializer[Any]):
    distance_m = serializers.FloatField()
    duration_s = serializers.FloatField()
    energy_kwh = serializers.FloatField()
    soc_depart = serializers.FloatField()
    soc_arrive = serializers.FloatField()
    ferry_m = serializers.FloatField(help_text="The part of the distance on ferries.")


class TripStopSerializer(serializers.Serializer[Any]):
    station_id = serializers.IntegerField()
    name = serializers.CharField()
    operator = serializers.CharField()
    lon = serializers.FloatField()
    lat = serializers.FloatField()
    arrive_soc = serializers.FloatField()
    depart_soc = serializers.FloatField()
    charge_s = serializers.FloatField()
    overhead_s = serializers.FloatField(help_text="Leaving the road, plugging in, starting.")
    energy_kwh = serializers.FloatField()
    station_power_kw = serializers.FloatField()
    connector = serializers.CharField(help_text="As in OCPI.")
    available = serializers.IntegerField(help_text="Fitting charge points that are free now.")
    unknown = serializers.IntegerField(help_text="Fitting charge points of unknown status.")
    total = serializers.IntegerField(help_text="Fitting charge points.")
    cost = MoneySerializer(allow_null=True, help_text="Null where the price is unknown.")
    cost_note = serializers.CharField()


class SocPointSerializer(serializers.Serializer[Any]):
    distance_m = serializers.FloatField()
    duration_s = serializers.FloatField()
    soc = serializers.FloatField()


@extend_schema_field(
    {
        "type": "object",
        "description": "A GeoJSON LineString; positions are [lon, lat].",
        "properties": {
            "type": {"type": "string", "enum": ["LineString"]},
            "coordinates": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": "number"},
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
        },
        "required": ["type", "coordinates"],
    }
)
class LineStringField(serializers.Field[Any, Any, Any, Any]):
    """(lon, lat) pairs as GeoJSON."""

    def to_representation(self, value: Any) -> dict[str, object]:
        return {"type": "LineString", "coordinates": [[lon, lat] for lon, lat in value]}


class ItinerarySerializer(serializers.Serializer[Any]):
    distance_m = serializers.FloatField()
    duration_s = serializers.FloatField(help_text="Driving, charging and stopping.")
    driving_s = serializers.FloatField()
    charging_s = serializers.FloatField()
    energy_kwh = serializers.FloatField()
    cost = MoneySerializer(
        allow_null=True, help_text="Null unless every stop's price is known in one currency."
    )
    cost_note = serializers.CharField()
    legs = TripLegSerializer(many=True)
    stops = TripStopSerializer(many=True)
    soc_profile = serializers.SerializerMethodField()
    geometry = LineStringField()

    @extend_schema_field(SocPointSerializer(many=True))
    def get_soc_profile(self, itinerary: Any) -> list[dict[str, float]]:
        names = ("distance_m", "duration_s", "soc")
        return [dict(zip(names, point, strict=True)) for point in itinerary.soc_profile]


class NamedPointSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Empty where a position was sent.")
    lon = serializers.FloatField()
    lat = serializers.FloatField()


class PlanSerializer(serializers.Serializer[Any]):
    """The trip as understood, and the ways to drive it, best first."""

    origin = NamedPointSerializer()
    destination = NamedPointSerializer()
    vehicle_model = serializers.SlugField(source="vehicle_model.slug")
    itineraries = ItinerarySerializer(many=True)


def _name_kind(value: Any) -> str:
    """Name a JSON value's kind in JSON's own words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", list: "a list", dict: "an object", int: "a too large number"}
    return names.get(type(value), "a number that is not finite")
