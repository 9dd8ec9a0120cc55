"""Store the vehicle models that Voltway knows from the start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from drivers.vehicle_models import seed_vehicle_models


class Command(BaseCommand):
    """``manage.py seed_vehicle_models``."""

    help = "Store the vehicle models of drivers/data/vehicle_models.json; run it again at will."

    def handle(self, *args: Any, **options: Any) -> None:
        created, updated = seed_vehicle_models()
        self.stdout.write(f"Vehicle models: {created} new, {updated} brought up to date.")
