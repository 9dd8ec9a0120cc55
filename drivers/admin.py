"""Drivers in the admin: users who log in by e-mail, and vehicle models."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from drivers.models import User, VehicleModel
from drivers.vehicle_models import list_curve_problems


class EmailUserCreationForm(UserCreationForm):  # type: ignore[misc]  # unfold has no types
    class Meta:
        model = User
        fields = ("email",)


class EmailUserChangeForm(UserChangeForm):  # type: ignore[misc]  # unfold has no types
    class Meta:
        model = User
        fields = "__all__"  # the admin's fieldsets choose


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]  # unfold has no types
    form = EmailUserChangeForm
    add_form = EmailUserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "first_name", "last_name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name")}),
        (
            _("Rights"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "password1", "password2")}),)


class VehicleModelForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    class Meta:
        model = VehicleModel
        fields = "__all__"  # noqa: DJ007  # the admin's fieldsets choose

    def clean_dc_curve(self) -> list[list[float]]:
        """Refuse a curve with which no trip can be planned."""
        pairs = self.cleaned_data["dc_curve"]
        try:
            curve = tuple((float(soc), float(power_kw)) for soc, power_kw in pairs)
        except (TypeError, ValueError):
            message = _("Give pairs of numbers: [[0, 100], [0.5, 100], [1, 20]].")
            raise ValidationError(message) from None
        problems = list_curve_problems(curve)
        if problems:
            raise ValidationError([f"{problem.capitalize()}." for problem in problems])
        return [list(point) for point in curve]


@admin.register(VehicleModel)
class VehicleModelAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    form = VehicleModelForm
    list_display = ("__str__", "year_from", "usable_kwh", "show_dc_power", "curve_kind")
    list_filter = ("curve_kind", "make")
    search_fields = ("slug", "make", "name", "variant")
    fieldsets = (
        (None, {"fields": ("slug", "make", "name", "variant", "year_from")}),
        (
            _("Consumption"),
            {
                "fields": (
                    "mass_kg",
                    "drag_area_m2",
                    "rolling_coefficient",
                    "drivetrain_efficiency",
                    "auxiliary_kw",
                )
            },
        ),
        (
            _("Battery and charging"),
            {
                "fields": (
                    "usable_kwh",
                    "dc_curve",
                    "curve_kind",
                    "dc_inlet",
                    "ac_inlet",
                    "ac_power_kw",
                )
            },
        ),
        (_("Sources"), {"fields": ("sources",)}),
    )

    @admin.display(description=_("DC peak (kW)"))
    def show_dc_power(self, vehicle: VehicleModel) -> Any:
        return max(power_kw for _soc, power_kw in vehicle.dc_curve)
