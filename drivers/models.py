"""Who drives, and in which car."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Makes users that log in with their e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            message = "a user needs an e-mail address"
            raise ValueError(message)
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        fields |= {"is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person with a log-in; the e-mail address is the name they log in with."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[misc,assignment]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_one_per_email",
                violation_error_message=_("An account with this e-mail address exists."),
            )
        ]

    def __str__(self) -> str:
        return self.email


class CurveKind(models.TextChoices):
    """Where a charging curve comes from; shown to the driver."""

    MEASURED = "measured", _("measured")
    MANUFACTURER = "manufacturer", _("from the manufacturer")
    MODELLED = "modelled", _("modelled from peak power and the 10-80 % time")


class VehicleModel(models.Model):
    """A car as it is sold: what the planner and the price estimate need to know of it."""

    slug = models.SlugField(_("slug"), unique=True)
    make = models.CharField(_("make"), max_length=40)
    name = models.CharField(_("model"), max_length=60)
    variant = models.CharField(_("variant"), max_length=60, blank=True)
    year_from = models.PositiveSmallIntegerField(_("built from"))
    usable_kwh = models.FloatField(_("usable battery (kWh)"), validators=[MinValueValidator(1)])
    mass_kg = models.FloatField(_("mass with driver (kg)"))
    drag_area_m2 = models.FloatField(_("drag area CdA (m²)"))
    rolling_coefficient = models.FloatField(_("rolling resistance coefficient"))
    drivetrain_efficiency = models.FloatField(
        _("drive train efficiency"), validators=[MinValueValidator(0.1), MaxValueValidator(1)]
    )
    auxiliary_kw = models.FloatField(_("auxiliary power (kW)"))
    dc_curve = models.JSONField(
        _("DC charging curve"), help_text=_("Pairs of state of charge (0 to 1) and power in kW.")
    )
    curve_kind = models.CharField(_("kind of curve"), max_length=12, choices=CurveKind)
    dc_inlet = models.CharField(_("DC inlet"), max_length=32)
    ac_inlet = models.CharField(_("AC inlet"), max_length=32)
    ac_power_kw = models.FloatField(_("AC charging power (kW)"))
    sources = models.JSONField(_("sources"), help_text=_("Where each figure was looked up."))

    class Meta:
        verbose_name = _("vehicle model")
        verbose_name_plural = _("vehicle models")
        ordering = ["make", "name", "variant"]
        constraints = [
            models.CheckConstraint(
                condition=Q(usable_kwh__gt=0, mass_kg__gt=0, drag_area_m2__gt=0),
                name="vehicle_model_physical",
            )
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.make, self.name, self.variant) if part)
