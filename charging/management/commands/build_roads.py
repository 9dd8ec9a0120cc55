"""Build the road graph that trips are planned on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from charging.planner.roads.scgraph_import import LandingOffNetwork, build_road_store
from charging.planner.roads.world_highways import WorldHighwaysMissing, WorldHighwaysUnreadable

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
            build_road_store(
                settings.DATA_DIR / "roads", force=options["force"], progress=self._write_step
            )
        except (WorldHighwaysMissing, WorldHighwaysUnreadable, LandingOffNetwork) as error:
            raise CommandError(str(error)) from error

    def _write_step(self, sentence: str) -> None:
        self.stdout.write(sentence)
        # Through a pipe the lines would otherwise arrive all at once at the end.
        self.stdout.flush()
