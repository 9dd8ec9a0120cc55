"""Objects that partners sent and that could not be stored: kept with the reason, until they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import JSONField, Value

from charging.models import QuarantinedObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from charging.models import Partner

NAME_WIDTH = 255


@dataclass(frozen=True, slots=True)
class RefusedObject:
    """What came, under which name, and why it is not stored."""

    name: str
    reason: str
    raw: object


def quarantine_objects(
    partner: Partner, *, module: str, refused: Sequence[RefusedObject], now: datetime
) -> None:
    """Keep refused objects; one that is known already gets the newest reason and text."""
    rows = {
        each.name[:NAME_WIDTH]: QuarantinedObject(
            partner=partner,
            module=module,
            object_id=each.name[:NAME_WIDTH],
            reason=each.reason,
            # In bulk Django writes None as SQL's NULL, not as JSON's.
            raw=Value(None, JSONField()) if each.raw is None else each.raw,
            first_seen_at=now,
            last_seen_at=now,
        )
        for each in refused
    }
    QuarantinedObject.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["partner", "module", "object_id"],
        update_fields=["reason", "raw", "last_seen_at"],
    )


def list_quarantined(partner: Partner, *, module: str) -> dict[str, str]:
    """Map the folded names of a module's quarantined objects to their names as kept."""
    names = QuarantinedObject.objects.filter(partner=partner, module=module)
    return {name.lower(): name for name in names.values_list("object_id", flat=True)}


def release_objects(partner: Partner, *, module: str, names: Iterable[str]) -> None:
    """Forget objects that have been stored since."""
    QuarantinedObject.objects.filter(
        partner=partner, module=module, object_id__in=list(names)
    ).delete()
