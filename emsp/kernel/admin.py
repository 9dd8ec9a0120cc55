"""The outbox in the admin: what waits, what runs, what is dead and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from emsp.kernel import clock, jobs
from emsp.kernel.models import Job

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise


class JobStateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, StrOrPromise]]:
        return [("open", _("open")), ("dead", _("dead")), ("done", _("done"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        conditions = {
            "open": Q(done_at=None, dead_at=None),
            "dead": Q(dead_at__isnull=False),
            "done": Q(done_at__isnull=False),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(Job)
class JobAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ("kind", "unique_key", "show_state", "due_at", "attempts", "last_error")
    list_filter = (JobStateFilter, "kind")
    search_fields = ("kind", "unique_key", "last_error")
    ordering = ("-pk",)
    show_full_result_count = False
    exclude = ("lease_token",)
    actions = ("revive",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        return False

    @admin.display(description=_("state"))
    def show_state(self, job: Job) -> object:
        if job.dead_at:
            return _("dead")
        if job.done_at:
            return _("done")
        return _("running") if job.lease_until and job.lease_until > clock.now() else _("waiting")

    @admin.action(description=_("Give dead jobs a new life"), permissions=["view"])
    def revive(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        revived = sum(jobs.revive(job.pk, now=clock.now()) for job in queryset)
        text = ngettext("%d job will be tried again.", "%d jobs will be tried again.", revived)
        self.message_user(request, text % revived, messages.SUCCESS)
