"""Is the service ready to serve? It names what is missing."""

from __future__ import annotations

from django.utils.translation import gettext as _

from charging import trip_network
from charging.models import Partner, SyncRun
from charging.places import places_ready


def list_missing() -> list[str]:
    """Say what still has to be built or fetched before drivers can be served; empty when ready."""
    missing = []
    if not trip_network.roads_ready():
        missing.append(_("roads: not built yet"))
    if not places_ready():
        missing.append(_("places: not built yet"))
    missing += [
        _("partner %(partner)s: no completed synchronisation yet") % {"partner": partner.slug}
        for partner in _list_unsynced_partners()
    ]
    if not missing and not trip_network.legs_ready():
        missing.append(_("legs between fast-charging stations: not built yet"))
    return missing


def _list_unsynced_partners() -> list[Partner]:
    done = SyncRun.objects.filter(state=SyncRun.State.DONE).values("partner")
    return list(Partner.objects.filter(state=Partner.State.ACTIVE).exclude(pk__in=done))
