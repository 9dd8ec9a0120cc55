"""Build the road graph that trips are planned on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from charging.planner.roads.scgraph_import import LandingOffNetwork, build_road_store
from charging.planner.roads.world_highways import WorldHighwaysMissing, WorldHighwaysUnreadable
from charging.trip_network import request_legs
from emsp.kernel import clock

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Build the road graph from the installed road data, unless it is there already."

    # Containers build data before there is a database.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="build again even if nothing changed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            is_new = build_road_store(
                settings.DATA_DIR / "roads", force=options["force"], progress=self._write_step
            )
        except (WorldHighwaysMissing, WorldHighwaysUnreadable, LandingOffNetwork) as error:
            raise CommandError(str(error)) from error
        if is_new:
            self._ask_for_legs()

    def _ask_for_legs(self) -> None:
        """Have the legs fitted to the new roads; trips wait for them."""
        try:
            with transaction.atomic():
                request_legs(now=clock.now())
        except DatabaseError:
            self._write_step("There is no database yet: the first synchronisation builds the legs.")

    def _write_step(self, sentence: str) -> None:
        self.stdout.write(sentence)
        # Through a pipe the lines would otherwise arrive all at once at the end.
        self.stdout.flush()
