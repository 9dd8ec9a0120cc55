"""The connector standards of OCPI by the names drivers know them under.

Source: OCPI 2.2.1, 8.4.6, and 2.3.0 for MCS and SAE_J3400.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple

from django.utils.translation import gettext as _


class ConnectorKind(NamedTuple):
    """A standard's name for drivers and the icon that shows it."""

    label: str
    icon: str


_SOCKET = "power-socket-de"
KINDS = {
    "IEC_62196_T2_COMBO": ConnectorKind("CCS 2", "ev-plug-ccs2"),
    "IEC_62196_T2": ConnectorKind("Type 2", "ev-plug-type2"),
    "CHADEMO": ConnectorKind("CHAdeMO", "ev-plug-chademo"),
    "IEC_62196_T1_COMBO": ConnectorKind("CCS 1", "ev-plug-ccs1"),
    "IEC_62196_T1": ConnectorKind("Type 1", "ev-plug-type1"),
    "IEC_62196_T3A": ConnectorKind("Type 3A", "plug"),
    "IEC_62196_T3C": ConnectorKind("Type 3C", "plug"),
    "TESLA_S": ConnectorKind("Tesla", "ev-plug-tesla"),
    "TESLA_R": ConnectorKind("Tesla Roadster", "ev-plug-tesla"),
    "SAE_J3400": ConnectorKind("NACS", "ev-plug-tesla"),
    "MCS": ConnectorKind("MCS", "plug"),
    "CHAOJI": ConnectorKind("ChaoJi", "plug"),
    "GBT_AC": ConnectorKind("GB/T AC", "plug"),
    "GBT_DC": ConnectorKind("GB/T DC", "plug"),
    "IEC_60309_2_single_16": ConnectorKind("CEE 1 x 16 A", _SOCKET),
    "IEC_60309_2_three_16": ConnectorKind("CEE 3 x 16 A", _SOCKET),
    "IEC_60309_2_three_32": ConnectorKind("CEE 3 x 32 A", _SOCKET),
    "IEC_60309_2_three_64": ConnectorKind("CEE 3 x 64 A", _SOCKET),
    **{f"DOMESTIC_{c}": ConnectorKind(f"Domestic {c}", _SOCKET) for c in "ABCDEFGHIJKLMNO"},
    **{
        f"NEMA_{size}": ConnectorKind(f"NEMA {size.replace('_', '-')}", _SOCKET)
        for size in ("5_20", "6_30", "6_50", "10_30", "10_50", "14_30", "14_50")
    },
    "PANTOGRAPH_BOTTOM_UP": ConnectorKind("Pantograph up", "plug"),
    "PANTOGRAPH_TOP_DOWN": ConnectorKind("Pantograph down", "plug"),
}
_BY_FOLDED = {
    **{kind.label.casefold().replace(" ", ""): standard for standard, kind in KINDS.items()},
    **{standard.casefold(): standard for standard in KINDS},
    "ccs": "IEC_62196_T2_COMBO",
}


class ConnectorUnknown(ValueError):
    """A connector's name is none that we know; ``suggestions`` are near ones."""

    def __init__(self, name: str) -> None:
        message = _(
            "“%(name)s” is no connector that we know. Use an OCPI standard like %(example)s."
        ) % {"name": name, "example": "IEC_62196_T2_COMBO"}
        super().__init__(message)
        near = get_close_matches(name.casefold(), _BY_FOLDED, n=3, cutoff=0.5)
        self.suggestions = tuple(dict.fromkeys(_BY_FOLDED[match] for match in near))


def find_standard(name: str) -> str:
    """Return the OCPI standard for a standard's or a driver's name of a connector.

    Raises
    ------
    ConnectorUnknown
        The name is neither.

    >>> find_standard("ccs2"), find_standard("chademo"), find_standard("IEC_62196_T2")
    ('IEC_62196_T2_COMBO', 'CHADEMO', 'IEC_62196_T2')
    """
    folded = name.strip().casefold()
    standard = _BY_FOLDED.get(folded) or _BY_FOLDED.get(folded.replace(" ", ""))
    if standard is None:
        raise ConnectorUnknown(name)
    return standard


def describe_standard(standard: str) -> ConnectorKind:
    """Name a standard for drivers; one that we do not know keeps the partner's own name.

    >>> describe_standard("X_NEW").label
    'X_NEW'
    """
    return KINDS.get(standard, ConnectorKind(standard, "plug"))
