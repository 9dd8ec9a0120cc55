"""Charging in the admin: partners and their pulls, and what came in. Tokens are never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminPasswordWidget

from charging.models import Evse, Location, Partner, QuarantinedObject, SyncRun, Tariff
from charging.ocpi.client import OcpiFailure
from charging.partners import (
    CredentialsInvalid,
    check_token,
    register_partner,
    resume_partner,
    suspend_partner,
)
from charging.sync_schedule import PullKind, request_sync
from emsp.kernel import clock
from emsp.kernel.http import HttpFailure

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class PartnerForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    registration_token = forms.CharField(
        label=_("registration token"),
        help_text=_(
            "The token (A) that the partner gave you to register with. It is kept until the"
            " handshake and is not shown again."
        ),
        widget=UnfoldAdminPasswordWidget,
        max_length=64,
        required=False,
    )

    class Meta:
        model = Partner
        fields = ("name", "slug", "versions_url", "sync_interval_s", "full_sync_interval_s")

    def clean_versions_url(self) -> str:
        url: str = self.cleaned_data["versions_url"]
        if not url.startswith(("https://", "http://")):
            raise ValidationError(_("Give an address that begins with https:// or http://."))
        return url

    def clean_registration_token(self) -> str:
        token: str = self.cleaned_data["registration_token"]
        if token:
            try:
                check_token(token)
            except CredentialsInvalid as error:
                message = _(
                    "A token has letters, digits and signs of ASCII only, without blanks. Copy it"
                    " again from what the partner sent."
                )
                raise ValidationError(message) from error
        return token


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Rows that partners own: people look, partners change."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Partner)
class PartnerAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    form = PartnerForm
    list_display = ("name", "state", "ocpi_version", "registered_at", "show_last_pull")
    list_filter = ("state",)
    search_fields = ("name", "slug")
    readonly_fields = ("state", "ocpi_version", "registered_at", "roles", "endpoints")
    fieldsets = (
        (None, {"fields": ("name", "slug", "versions_url", "registration_token")}),
        (_("Pulls"), {"fields": ("sync_interval_s", "full_sync_interval_s")}),
        (
            _("Registration"),
            {"fields": ("state", "ocpi_version", "registered_at", "roles", "endpoints")},
        ),
    )
    actions = ("register", "sync_now", "sync_fully", "accept_removals", "suspend", "resume")

    def save_model(
        self, request: HttpRequest, obj: Partner, form: PartnerForm, change: bool
    ) -> None:
        token = form.cleaned_data["registration_token"]
        if not change:
            obj.token_out = token
            obj.save()
            return
        # Only what the operator changed: a handshake may have written the rest meanwhile.
        obj.save(
            update_fields=[name for name in form.changed_data if name in PartnerForm.Meta.fields]
        )
        if token:
            # A registered partner's own token is not overwritten.
            planned = Partner.objects.filter(pk=obj.pk, state=Partner.State.PLANNED)
            planned.update(token_out=token)

    @admin.display(description=_("last pull"))
    def show_last_pull(self, partner: Partner) -> str:
        run = partner.sync_runs.first()
        return f"{run.get_state_display()}, {run.started_at:%Y-%m-%d %H:%M}" if run else "-"

    @admin.action(description=_("Register by handshake"), permissions=["change"])
    def register(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        for partner in queryset:
            try:
                done = register_partner(partner, now=clock.now())
            except (OcpiFailure, HttpFailure) as error:
                self.message_user(request, f"{partner}: {error}", messages.ERROR)
            else:
                text = _("registered") if done else _("was registered already")
                self.message_user(request, f"{partner}: {text}", messages.SUCCESS)

    @admin.action(description=_("Sync now"), permissions=["change"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        self._request_syncs(request, queryset, kind=PullKind.AUTO)

    @admin.action(description=_("Sync everything now"), permissions=["change"])
    def sync_fully(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        self._request_syncs(request, queryset, kind=PullKind.FULL)

    @admin.action(description=_("Sync everything and accept all removals"), permissions=["change"])
    def accept_removals(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        self._request_syncs(request, queryset, kind=PullKind.FULL, accept_removals=True)

    @admin.action(description=_("Suspend"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        for partner in queryset:
            suspend_partner(partner)

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Partner]) -> None:
        for partner in queryset:
            resume_partner(partner, now=clock.now())

    def _request_syncs(
        self,
        request: HttpRequest,
        queryset: QuerySet[Partner],
        *,
        kind: PullKind,
        accept_removals: bool = False,
    ) -> None:
        for partner in queryset:
            if partner.state != Partner.State.ACTIVE:
                text = _("not active, so nothing to pull")
                self.message_user(request, f"{partner}: {text}", messages.WARNING)
                continue
            with transaction.atomic():
                request_sync(
                    partner.pk, kind=kind, accept_removals=accept_removals, now=clock.now()
                )
            self.message_user(request, f"{partner}: {_('pull queued')}", messages.SUCCESS)


class EvseInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    model = Evse
    fields = ("uid", "evse_id", "status", "last_updated")
    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "city", "country", "partner", "max_power_kw", "removed_at")
    list_filter = ("partner", "country", "publish", ("removed_at", admin.EmptyFieldListFilter))
    list_select_related = ("partner",)
    search_fields = ("name", "city", "ocpi_id", "evses__evse_id")
    inlines = (EvseInline,)


@admin.register(Tariff)
class TariffAdmin(ReadOnlyAdmin):
    list_display = ("ocpi_id", "partner", "currency", "last_updated", "removed_at")
    list_filter = ("partner", "currency", ("removed_at", admin.EmptyFieldListFilter))
    list_select_related = ("partner",)
    search_fields = ("ocpi_id", "party_id")


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = (
        "partner",
        "kind",
        "state",
        "started_at",
        "finished_at",
        "stored",
        "unchanged",
        "quarantined",
        "removed",
        "error",
    )
    list_filter = ("partner", "kind", "state")
    list_select_related = ("partner",)


@admin.register(QuarantinedObject)
class QuarantinedObjectAdmin(ReadOnlyAdmin):
    list_display = ("object_id", "module", "partner", "reason", "last_seen_at")
    list_filter = ("partner", "module")
    list_select_related = ("partner",)
    search_fields = ("object_id", "reason")
