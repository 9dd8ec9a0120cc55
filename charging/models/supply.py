"""What partners offer: their locations down to the connector, their tariffs, and how it came in.

Objects keep the raw JSON beside the columns: unknown fields of a partner are never lost. Columns
hold what is searched, joined or computed with.
"""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class Partner(models.Model):
    """A charge point operator (or hub) with whom we have a contract and speak OCPI."""

    class State(models.TextChoices):
        PLANNED = "planned", _("not registered yet")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("slug"), unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    versions_url = models.CharField(_("OCPI versions address"), max_length=255)
    ocpi_version = models.CharField(_("OCPI version"), max_length=10, blank=True)
    # Their roles as stated at the handshake: [{"role", "country_code", "party_id", "name"}].
    roles = models.JSONField(_("roles"), default=list, blank=True)
    # {"<module>/<role>": address}, from their version details.
    endpoints = models.JSONField(_("endpoints"), default=dict, blank=True)
    # The token that we show them: first their registration token (A), then the one they gave (C).
    token_out = models.CharField(_("token we send"), max_length=64, blank=True)
    # They read our token as it is, not in Base64 (OCPI before 2.2-d2); found out at the handshake.
    raw_token = models.BooleanField(_("token is sent without Base64"), default=False)
    # SHA-256 of the token that they show us: a copy of the table opens no door.
    token_in_hash = models.CharField(max_length=64, blank=True, db_index=True)
    sync_interval_s = models.PositiveIntegerField(
        _("seconds between pulls"), default=3600, validators=[MinValueValidator(10)]
    )
    full_sync_interval_s = models.PositiveIntegerField(
        _("seconds between full pulls"), default=86_400, validators=[MinValueValidator(60)]
    )
    registered_at = models.DateTimeField(_("registered"), null=True, blank=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tariff(models.Model):
    """A partner's tariff as last sent; charging.tariffs.terms reads ``raw``."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="tariffs")
    country_code = models.CharField(_("country code"), max_length=2)
    party_id = models.CharField(_("party"), max_length=3)
    ocpi_id = models.CharField(_("tariff id"), max_length=36)
    currency = models.CharField(_("currency"), max_length=3)
    raw = models.JSONField(_("as sent"))
    last_updated = models.DateTimeField(_("last updated"))
    seen_at = models.DateTimeField(_("last seen"))
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")
        constraints = [
            # OCPI compares ids without case.
            models.UniqueConstraint(
                "partner", "country_code", "party_id", Lower("ocpi_id"), name="tariff_one_per_id"
            )
        ]
        indexes = [models.Index(fields=["partner", "ocpi_id"], name="tariff_by_partner_id")]

    def __str__(self) -> str:
        return f"{self.country_code}*{self.party_id} {self.ocpi_id}"


class Location(models.Model):
    """A group of EVSEs at one place: a station."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="locations")
    country_code = models.CharField(_("country code"), max_length=2)
    party_id = models.CharField(_("party"), max_length=3)
    ocpi_id = models.CharField(_("location id"), max_length=36)
    publish = models.BooleanField(_("published"), default=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    operator_name = models.CharField(_("operator"), max_length=100, blank=True)
    address = models.CharField(_("address"), max_length=255)
    city = models.CharField(_("city"), max_length=45)
    postal_code = models.CharField(_("postal code"), max_length=10, blank=True)
    country = models.CharField(_("country (ISO 3166-1 alpha-3)"), max_length=3)
    lon = models.FloatField(_("longitude"))
    lat = models.FloatField(_("latitude"))
    time_zone = models.CharField(_("time zone"), max_length=255)
    # The strongest direct-current connector, in kW; 0 without one. The planner's sites.
    max_dc_power_kw = models.FloatField(_("strongest DC connector (kW)"), default=0)
    max_power_kw = models.FloatField(_("strongest connector (kW)"), default=0)
    raw = models.JSONField(_("as sent"), help_text=_("Without the EVSEs, which have rows."))
    last_updated = models.DateTimeField(_("last updated"))
    seen_at = models.DateTimeField(_("last seen"))
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        constraints = [
            # OCPI compares ids without case.
            models.UniqueConstraint(
                "partner", "country_code", "party_id", Lower("ocpi_id"), name="location_one_per_id"
            ),
            models.CheckConstraint(
                condition=Q(lon__gte=-180, lon__lte=180, lat__gte=-90, lat__lte=90),
                name="location_on_earth",
            ),
        ]
        indexes = [
            models.Index(fields=["lat", "lon"], name="location_by_position"),
            models.Index(
                fields=["max_dc_power_kw"], condition=Q(removed_at=None), name="location_fast"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.country_code}*{self.party_id} {self.ocpi_id}"


class EvseStatus(models.TextChoices):
    """OCPI 2.2.1, 8.4.22 Status."""

    AVAILABLE = "AVAILABLE", _("available")
    BLOCKED = "BLOCKED", _("blocked")
    CHARGING = "CHARGING", _("in use")
    INOPERATIVE = "INOPERATIVE", _("not in service")
    OUTOFORDER = "OUTOFORDER", _("out of order")
    PLANNED = "PLANNED", _("planned")
    REMOVED = "REMOVED", _("removed")
    RESERVED = "RESERVED", _("reserved")
    UNKNOWN = "UNKNOWN", _("unknown")


class Evse(models.Model):
    """One charge point: serves one car at a time, through one of its connectors."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="evses")
    uid = models.CharField(_("uid"), max_length=36)
    evse_id = models.CharField(_("EVSE id"), max_length=48, blank=True, db_index=True)
    status = models.CharField(_("status"), max_length=16, choices=EvseStatus)
    raw = models.JSONField(_("as sent"), help_text=_("Without the connectors, which have rows."))
    last_updated = models.DateTimeField(_("last updated"))

    class Meta:
        verbose_name = _("EVSE")
        verbose_name_plural = _("EVSEs")
        constraints = [models.UniqueConstraint(fields=["location", "uid"], name="evse_one_per_uid")]
        indexes = [models.Index(fields=["location", "status"], name="evse_by_status")]

    def __str__(self) -> str:
        return self.evse_id or self.uid


class PowerType(models.TextChoices):
    """OCPI 2.2.1, 8.4.19 PowerType."""

    AC_1_PHASE = "AC_1_PHASE", _("AC, one phase")
    AC_2_PHASE = "AC_2_PHASE", _("AC, two phases")
    AC_2_PHASE_SPLIT = "AC_2_PHASE_SPLIT", _("AC, split phase")
    AC_3_PHASE = "AC_3_PHASE", _("AC, three phases")
    DC = "DC", _("DC")


class Connector(models.Model):
    """A plug or socket of an EVSE. ``standard`` is open: partners send types we do not know."""

    evse = models.ForeignKey(Evse, models.CASCADE, related_name="connectors")
    ocpi_id = models.CharField(_("connector id"), max_length=36)
    standard = models.CharField(_("standard"), max_length=40)
    format = models.CharField(_("format"), max_length=8)
    power_type = models.CharField(_("power type"), max_length=16)
    # As stated, else derived from voltage, current and phases (raw tells which).
    power_kw = models.FloatField(_("power (kW)"))
    tariff_ids = models.JSONField(_("tariff ids"), default=list)
    raw = models.JSONField(_("as sent"))
    last_updated = models.DateTimeField(_("last updated"))

    class Meta:
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints = [
            models.UniqueConstraint(fields=["evse", "ocpi_id"], name="connector_one_per_id"),
            models.CheckConstraint(condition=Q(power_kw__gte=0), name="connector_power_positive"),
        ]
        indexes = [models.Index(fields=["standard", "power_kw"], name="connector_by_kind")]

    def __str__(self) -> str:
        return f"{self.standard} {self.power_kw:g} kW"


class SyncRun(models.Model):
    """One pull of a partner's tariffs and locations, resumable page by page."""

    class Kind(models.TextChoices):
        FULL = "full", _("full")
        DELTA = "delta", _("delta")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="sync_runs")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING)
    # Changes from here on are asked for (null: everything).
    since = models.DateTimeField(_("changes since"), null=True, blank=True)
    # Where the next page is: {"module": ..., "url": ..., "offset": ...}; null when it ended.
    cursor = models.JSONField(_("cursor"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    # When it began by the partner's own clock: the next delta asks for changes since then.
    partner_clock_at = models.DateTimeField(
        _("started by the partner's clock"), null=True, blank=True
    )
    # Modules that the partner would not give: what changed in them is still to be asked for.
    skipped = models.JSONField(_("skipped modules"), default=list, blank=True)
    total = models.PositiveIntegerField(_("announced"), null=True, blank=True)
    stored = models.PositiveIntegerField(_("stored"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    quarantined = models.PositiveIntegerField(_("quarantined"), default=0)
    removed = models.PositiveIntegerField(_("removed"), default=0)
    # Why it failed or waits; after success what was left undone.
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("synchronisation")
        verbose_name_plural = _("synchronisations")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state="running"), name="sync_one_running"
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.kind} {self.started_at:%Y-%m-%d %H:%M}"


class QuarantinedObject(models.Model):
    """An object that a partner sent and that could not be stored, with the reason."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="quarantined")
    module = models.CharField(_("module"), max_length=16)
    object_id = models.CharField(_("id"), max_length=255)
    reason = models.TextField(_("reason"))
    raw = models.JSONField(_("as sent"))
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("quarantined object")
        verbose_name_plural = _("quarantined objects")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "module", "object_id"], name="quarantine_one_per_object"
            )
        ]

    def __str__(self) -> str:
        return f"{self.module} {self.object_id}"
