"""The pages' forms, sent by GET: what was asked stands in the address and can be shared."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from drivers.models import VehicleModel

# The longest text that a field of ours takes.
MOST_CHARACTERS = 200
_POSITION = re.compile(r"\((-?\d{1,3}(?:\.\d+)?), *(-?\d{1,2}(?:\.\d+)?)\)\s*$")

CONNECTORS = [
    ("IEC_62196_T2_COMBO", "CCS 2"),
    ("IEC_62196_T2", "Type 2"),
    ("CHADEMO", "CHAdeMO"),
]
POWERS = [("", _("Any power")), ("50", "50 kW+"), ("150", "150 kW+"), ("300", "300 kW+")]


def write_position(name: str, *, lon: float, lat: float) -> str:
    """Write a place so that a form's text finds it again by its position.

    >>> write_position("Leipzig Nord", lon=12.24, lat=51.42)
    'Leipzig Nord (12.24000, 51.42000)'

    A long name is cut so that the whole fits into the form's field.
    """
    position = f" ({lon:.5f}, {lat:.5f})"
    most = MOST_CHARACTERS - len(position)
    shown = name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
    return f"{shown}{position}".strip()


def read_position(text: str) -> tuple[str, tuple[float, float]] | None:
    """Split what ``write_position`` has written into the name and (lon, lat); else None.

    >>> read_position("Leipzig Nord (12.24, 51.42)")
    ('Leipzig Nord', (12.24, 51.42))
    >>> read_position("Frankfurt (Oder)") is None
    True
    """
    found = _POSITION.search(text)
    if not found:
        return None
    lon, lat = float(found[1]), float(found[2])
    if abs(lon) > 180 or abs(lat) > 90:
        return None
    return text[: found.start()].strip(), (lon, lat)


class StationSearchForm(forms.Form):
    """Stations around a place."""

    q = forms.CharField(max_length=MOST_CHARACTERS, required=False)
    connector = forms.MultipleChoiceField(choices=CONNECTORS, required=False)
    power = forms.ChoiceField(choices=POWERS, required=False)
    available = forms.BooleanField(required=False)


class PlanForm(forms.Form):
    """A trip; states of charge in percent."""

    origin = forms.CharField(
        max_length=MOST_CHARACTERS, error_messages={"required": _("Where do you start?")}
    )
    destination = forms.CharField(
        max_length=MOST_CHARACTERS, error_messages={"required": _("Where do you want to go?")}
    )
    vehicle = forms.ModelChoiceField(
        VehicleModel.objects.all(),
        to_field_name="slug",
        empty_label=None,
        error_messages={
            "required": _("Which car do you drive?"),
            "invalid_choice": _("We do not know this car. Choose one of the list."),
        },
    )
    charge = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=90,
        required=False,
        error_messages={
            "invalid": _("The charge now must be a whole number of percent."),
            "min_value": _("The charge now must be at least %(limit_value)s percent."),
            "max_value": _("The charge now must be at most %(limit_value)s percent."),
        },
    )
    arrive = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=10,
        required=False,
        error_messages={
            "invalid": _("The charge on arrival must be a whole number of percent."),
            "min_value": _("The charge on arrival must be at least %(limit_value)s percent."),
            "max_value": _("The charge on arrival must be at most %(limit_value)s percent."),
        },
    )

    def clean_charge(self) -> int:
        return self._or_initial("charge")

    def clean_arrive(self) -> int:
        return self._or_initial("arrive")

    def _or_initial(self, name: str) -> int:
        """An address without the field means the value that the empty form shows."""
        value: Any = self.cleaned_data[name]
        return int(self.fields[name].initial if value is None else value)
