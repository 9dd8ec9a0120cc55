"""The vehicle models that Voltway knows from the start: read, checked and stored.

The figures lie in ``data/vehicle_models.json``, each with where it was looked up;
docs/guides/vehicle-data.md says how they were chosen and how to add a car.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from django.db import transaction

from drivers.charging_curves import Curve, CurveImpossible, derive_curve
from drivers.models import CurveKind, VehicleModel

DATA_FILE = Path(__file__).parent / "data" / "vehicle_models.json"

DC_INLETS = frozenset({"IEC_62196_T2_COMBO", "CHADEMO"})
AC_INLETS = frozenset({"IEC_62196_T2", "IEC_62196_T1"})

# What lies outside is a wrong unit or a slip of the pen, not a car.
_RANGES = {
    "year_from": (2008, 2100),
    "usable_kwh": (5.0, 250.0),
    "mass_kg": (500.0, 5_000.0),
    "drag_area_m2": (0.3, 2.0),
    "rolling_coefficient": (0.005, 0.02),
    "drivetrain_efficiency": (0.6, 1.0),
    "auxiliary_kw": (0.0, 5.0),
    "ac_power_kw": (1.4, 50.0),
}
_SOURCED = frozenset({*_RANGES, "dc_curve", "dc_inlet", "ac_inlet"})


class VehicleDataInvalid(ValueError):
    """A vehicle model's data cannot be right."""

    def __init__(self, slug: str, problem: str) -> None:
        super().__init__(f"Vehicle model {slug}: {problem}.")
        self.slug = slug


@dataclass(frozen=True, slots=True)
class VehicleFigures:
    """One vehicle model's row, checked; the fields are those of ``VehicleModel``."""

    slug: str
    make: str
    name: str
    variant: str
    year_from: int
    usable_kwh: float
    mass_kg: float
    drag_area_m2: float
    rolling_coefficient: float
    drivetrain_efficiency: float
    auxiliary_kw: float
    dc_curve: Curve
    curve_kind: str
    dc_inlet: str
    ac_inlet: str
    ac_power_kw: float
    sources: dict[str, str]


def read_vehicle_models(path: Path = DATA_FILE) -> list[VehicleFigures]:
    """Read and check the data file; a modelled curve is derived from its published time.

    Raises ``VehicleDataInvalid``.
    """
    entries = json.loads(path.read_text(encoding="utf-8"))["vehicle_models"]
    models = [read_vehicle_model(entry) for entry in entries]
    for before, after in itertools.pairwise(models):
        if before.slug >= after.slug:
            raise VehicleDataInvalid(after.slug, "stands twice or out of order")
    return models


def read_vehicle_model(entry: dict[str, Any]) -> VehicleFigures:
    """Check one entry of the data file and give it as a row.

    Raises ``VehicleDataInvalid``.
    """
    slug = str(entry.get("slug", "without a slug"))
    known = {
        field.name: entry[field.name] for field in fields(VehicleFigures) if field.name in entry
    }
    try:
        figures = VehicleFigures(**{**known, "dc_curve": _read_curve(entry)})
    except (KeyError, TypeError) as error:
        raise VehicleDataInvalid(
            slug, f"a figure is missing or of a wrong kind ({error})"
        ) from None
    except CurveImpossible as error:
        raise VehicleDataInvalid(slug, str(error)) from None
    for problem in _list_problems(figures):
        raise VehicleDataInvalid(slug, problem)
    return figures


@transaction.atomic
def seed_vehicle_models() -> tuple[int, int]:
    """Store every model of the data file by its slug; return how many are new and were there.

    Models that are not in the file stay as they are.
    """
    created = [
        VehicleModel.objects.update_or_create(slug=figures.slug, defaults=asdict(figures))[1]
        for figures in read_vehicle_models()
    ]
    return created.count(True), created.count(False)


def list_curve_problems(curve: Curve) -> list[str]:
    """Say what is wrong with a charging curve; nothing is an empty list.

    >>> list_curve_problems(((0.0, 50.0), (0.8, 20.0)))
    ['the curve does not run from 0 to 1']
    """
    problems = []
    if len(curve) < 2 or curve[0][0] != 0 or curve[-1][0] != 1:
        problems.append("the curve does not run from 0 to 1")
    if any(before[0] >= after[0] for before, after in itertools.pairwise(curve)):
        problems.append("the curve's states of charge do not ascend")
    if not all(math.isfinite(power_kw) and 0 < power_kw <= 1_000 for _, power_kw in curve):
        problems.append("a power of the curve does not lie between 0 and 1,000 kW")
    return problems


def _read_curve(entry: dict[str, Any]) -> Curve:
    if entry["curve_kind"] != CurveKind.MODELLED:
        return tuple((float(soc), float(power_kw)) for soc, power_kw in entry["dc_curve"])
    return derive_curve(
        peak_kw=entry["dc_peak_kw"], usable_kwh=entry["usable_kwh"], **entry["dc_time"]
    )


def _list_problems(figures: VehicleFigures) -> list[str]:
    problems = []
    for name, (least, most) in _RANGES.items():
        value = getattr(figures, name)
        if not isinstance(value, int | float) or not least <= value <= most:
            problems.append(f"{name} is {value}; it must lie between {least} and {most}")
    if figures.curve_kind not in CurveKind.values:
        problems.append(f"{figures.curve_kind} is no kind of curve")
    if figures.dc_inlet not in DC_INLETS or figures.ac_inlet not in AC_INLETS:
        problems.append("an inlet is not a connector standard of OCPI that cars have")
    unsourced = sorted(_SOURCED - figures.sources.keys())
    if unsourced:
        problems.append(f"no source is named for {', '.join(unsourced)}")
    return problems + list_curve_problems(figures.dc_curve)
