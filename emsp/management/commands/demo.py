"""Run the demo."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from emsp.management.demo.flow import run_demo
from emsp.management.demo.machine import DemoStopped
from emsp.management.progress import say


class Command(BaseCommand):
    """``manage.py demo``; ``make demo`` installs what it needs first."""

    help = "Build the demo's data, start all its processes and keep them running."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run_demo()
        except DemoStopped as reason:
            sys.stderr.write(f"\n{reason}\n")
            sys.exit(1)
        except KeyboardInterrupt:
            say("\nStopped. `make demo` starts it again in seconds.")
