"""What a connector can deliver, in kW, from what partners write about it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

# Above it lies a unit mistake: megawatt chargers end at 4.5 MW.
MOST_POWER_KW = 5000.0
# A line-to-neutral voltage above this is one between lines, written by mistake.
MOST_LINE_TO_NEUTRAL_V = 300
MOST_SPLIT_PHASE_LEG_V = 150


def find_power_kw(
    *,
    stated_w: Decimal | None,
    voltage_v: Decimal | None,
    amperage_a: Decimal | None,
    power_type: str,
) -> float | None:
    """Return a connector's power: as stated, else from voltage, current and phases, else None.

    A stated figure below 1,000 is one in kW. One that is more than ten times what voltage and
    current give, or beyond any charger, is a slip of a unit and not believed.

    Source: OCPI 2.2.1, 8.3.3 Connector: max_electric_power is in watts, max_voltage is line to
    neutral for AC_3_PHASE.

    >>> from decimal import Decimal
    >>> find_power_kw(stated_w=None, voltage_v=Decimal(230), amperage_a=Decimal(16),
    ...               power_type="AC_3_PHASE")
    11.04
    """
    derived_kw = _derive_power_kw(voltage_v, amperage_a, power_type)
    if stated_w is None or stated_w <= 0:
        return derived_kw
    stated_kw = float(stated_w) if stated_w < 1000 else float(stated_w) / 1000
    limit_kw = MOST_POWER_KW if derived_kw is None else min(MOST_POWER_KW, 10 * derived_kw)
    return stated_kw if stated_kw <= limit_kw else derived_kw


def _derive_power_kw(
    voltage_v: Decimal | None, amperage_a: Decimal | None, power_type: str
) -> float | None:
    if not voltage_v or not amperage_a or voltage_v <= 0 or amperage_a <= 0:
        return None
    power_kw = float(voltage_v * amperage_a) / 1000 * _count_phases(power_type, float(voltage_v))
    return round(power_kw, 3) if power_kw <= MOST_POWER_KW else None


def _count_phases(power_type: str, voltage_v: float) -> float:
    between_lines = voltage_v > MOST_LINE_TO_NEUTRAL_V
    if power_type == "AC_3_PHASE":
        return math.sqrt(3) if between_lines else 3
    if power_type == "AC_2_PHASE":
        return 2 / math.sqrt(3) if between_lines else 2
    if power_type == "AC_2_PHASE_SPLIT":
        return 1 if voltage_v > MOST_SPLIT_PHASE_LEG_V else 2
    return 1
