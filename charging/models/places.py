"""Towns and cities by name, for the offline geocoder."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Place(models.Model):
    """A populated place."""

    geoname_id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(_("name"), max_length=200)
    country = models.CharField(_("country (ISO 3166-1 alpha-2)"), max_length=2)
    kind = models.CharField(_("kind"), max_length=16)
    lon = models.FloatField(_("longitude"))
    lat = models.FloatField(_("latitude"))
    population = models.PositiveIntegerField(_("population"))

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        indexes = [
            models.Index(fields=["lat", "lon"], name="place_by_position"),
            models.Index(fields=["-population"], name="place_by_population"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.country}"


class PlaceName(models.Model):
    """A name under which a place is found, folded: lower case, without accents."""

    # Places and names are written together, in one transaction (charging/place_build.py). Without
    # an index of its own, which no search needs, the database would read the whole table for each
    # place that a rebuild deletes, if it were to check the key.
    place = models.ForeignKey(
        Place, models.CASCADE, related_name="names", db_index=False, db_constraint=False
    )
    folded = models.CharField(max_length=200)
    # Its own name, not one in another language or of another time.
    is_main = models.BooleanField()
    # A copy of the place's population: ranking by size needs no join.
    population = models.PositiveIntegerField()

    class Meta:
        constraints = [
            # The columns in the middle depend on the outer two; inside the index they let a search
            # by prefix answer from the index alone. The operator class is what PostgreSQL needs
            # to find prefixes in any collation; SQLite compares bytes anyway.
            models.UniqueConstraint(
                fields=["folded", "is_main", "population", "place"],
                name="place_name_once",
                opclasses=["varchar_pattern_ops", "bool_ops", "int4_ops", "int4_ops"],
            )
        ]

    def __str__(self) -> str:
        return self.folded
