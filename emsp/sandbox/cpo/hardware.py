"""What stands at a station: connectors whose volts, amperes and watts agree, and mixes of them."""

import random
from dataclasses import dataclass
from typing import Any, Literal

from emsp.sandbox.cpo.prices import Band

Plug = Literal["IEC_62196_T2", "IEC_62196_T2_COMBO", "CHADEMO"]


@dataclass(frozen=True, slots=True)
class ConnectorModel:
    """A kind of connector; `max_power_w` never exceeds what voltage and current allow."""

    plug: Plug
    cable: bool
    power_type: Literal["AC_1_PHASE", "AC_3_PHASE", "DC"]
    max_voltage: int  # line to neutral for AC, as OCPI has it
    max_amperage: int
    max_power_w: int

    def as_connector(self, number: int, *, tariff_ids: list[str], updated: str) -> dict[str, Any]:
        """Write the OCPI Connector object; a connector without tariff has no `tariff_ids`."""
        connector: dict[str, Any] = {
            "id": str(number),
            "standard": self.plug,
            "format": "CABLE" if self.cable else "SOCKET",
            "power_type": self.power_type,
            "max_voltage": self.max_voltage,
            "max_amperage": self.max_amperage,
            "max_electric_power": self.max_power_w,
        }
        if tariff_ids:
            connector["tariff_ids"] = tariff_ids
        return connector | {"last_updated": updated}


@dataclass(frozen=True, slots=True)
class EvseModel:
    """One EVSE: connectors of which one is used at a time."""

    connectors: tuple[ConnectorModel, ...]

    @property
    def band(self) -> Band:
        """The price list its fastest connector belongs to."""
        power_w = max(connector.max_power_w for connector in self.connectors)
        return "HPC" if power_w > 150_000 else "DC" if power_w >= 50_000 else "AC"


def _ac(amperage: int, *, phases: int, cable: bool = False) -> EvseModel:
    power_type: Literal["AC_1_PHASE", "AC_3_PHASE"] = "AC_3_PHASE" if phases == 3 else "AC_1_PHASE"
    power_w = 230 * amperage * phases
    return EvseModel((ConnectorModel("IEC_62196_T2", cable, power_type, 230, amperage, power_w),))


def _ccs(power_kw: int, *, voltage: int, amperage: int) -> ConnectorModel:
    power_w = power_kw * 1000
    return ConnectorModel("IEC_62196_T2_COMBO", True, "DC", voltage, amperage, power_w)


_CHADEMO_50 = ConnectorModel("CHADEMO", True, "DC", 500, 125, 50_000)
_CHADEMO_100 = ConnectorModel("CHADEMO", True, "DC", 500, 200, 100_000)
_CCS_50 = _ccs(50, voltage=500, amperage=125)

AC_7 = _ac(32, phases=1)
AC_11 = _ac(16, phases=3)
AC_22 = _ac(32, phases=3)
AC_22_CABLE = _ac(32, phases=3, cable=True)
DC_50 = EvseModel((_CCS_50,))
DC_50_DUAL = EvseModel((_CCS_50, _CHADEMO_50))
DC_75 = EvseModel((_ccs(75, voltage=920, amperage=200),))
DC_100 = EvseModel((_ccs(100, voltage=920, amperage=250),))
DC_150 = EvseModel((_ccs(150, voltage=920, amperage=400),))
DC_150_DUAL = EvseModel((_ccs(150, voltage=920, amperage=400), _CHADEMO_100))
HPC_200 = EvseModel((_ccs(200, voltage=920, amperage=500),))
HPC_300 = EvseModel((_ccs(300, voltage=1000, amperage=500),))
HPC_350 = EvseModel((_ccs(350, voltage=1000, amperage=500),))
HPC_400 = EvseModel((_ccs(400, voltage=1000, amperage=600),))


def motorway_mix(rng: random.Random) -> list[EvseModel]:
    """Choose 2 to 12 EVSEs for a site along a motorway."""
    kind = rng.random()
    if kind < 0.12:
        # Four ports of 150 kW and more, one for older cars, and sockets for who stays.
        mixed = [rng.choice((DC_150, HPC_200))] * 4 + [DC_50_DUAL]
        return mixed + [AC_22] * rng.randint(0, 2)
    if kind < 0.30:
        return [DC_150] * rng.randint(2, 4) + [DC_150_DUAL] * rng.randint(0, 1)
    main = rng.choices((HPC_200, HPC_300, HPC_350, HPC_400), weights=(2, 5, 3, 2))[0]
    older = [DC_50_DUAL] if rng.random() < 0.2 else []
    return [main] * rng.choices((2, 4, 6, 8, 10), weights=(3, 5, 4, 3, 1))[0] + older


def hub_mix(rng: random.Random) -> list[EvseModel]:
    """Choose the fast chargers of a hub at a town's edge."""
    main = rng.choices((HPC_200, HPC_300, HPC_400), weights=(3, 4, 1))[0]
    return [main] * rng.choice((2, 4, 4, 6)) + [AC_22] * rng.choice((0, 0, 2))


def town_fast_mix(rng: random.Random) -> list[EvseModel]:
    """Choose DC chargers of 50 to 150 kW for a town."""
    main = rng.choices((DC_50, DC_50_DUAL, DC_75, DC_100, DC_150), weights=(4, 3, 2, 2, 4))[0]
    return [main] * rng.choice((1, 2, 2, 4)) + [AC_22_CABLE] * rng.choice((0, 0, 1, 2))


def town_slow_mix(rng: random.Random) -> list[EvseModel]:
    """Choose AC sockets for a town's street or car park."""
    main = rng.choices((AC_22, AC_11, AC_7), weights=(6, 4, 1))[0]
    return [main] * rng.choices((1, 2, 4, 6), weights=(2, 10, 4, 1))[0]
