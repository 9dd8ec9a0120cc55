"""Builds what the demo shows: tables, files, roads, places, cars, log-ins, sites."""

from __future__ import annotations

import hashlib
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from charging.places import places_ready
from charging.trip_network import roads_ready
from drivers.accounts import ensure_user
from drivers.models import VehicleModel
from emsp.management.demo.machine import DemoStopped, is_disk_full, keep_secret
from emsp.management.demo.sites import export_sites
from emsp.management.progress import say, step

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from emsp.management.groups import ProcessGroups

POLL_S = 0.1
TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class LogIn:
    """A user of the demo."""

    email: str
    what: str
    is_operator: bool = False


LOG_INS = (
    LogIn("driver@demo.example", "a driver"),
    LogIn("fleet@demo.example", "a fleet manager"),
    LogIn("admin@demo.example", "the operator of the service", is_operator=True),
)


@dataclass(frozen=True)
class Builder:
    """Runs the building steps; each is skipped, or quick, when its work is done already."""

    groups: ProcessGroups
    env: Mapping[str, str]
    root: Path
    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def sites_file(self) -> Path:
        return self.folder / "sites.csv"

    def build_all(self) -> None:
        """Build everything that must stand before the service starts."""
        with step("Preparing the database"):
            call_command("migrate", interactive=False, verbosity=0)
        self.collect_static_files()
        self.build_data()
        with step("Adding cars"):
            call_command("seed_vehicle_models", verbosity=0, stdout=StringIO())
        self.ensure_log_ins()
        with step("Choosing sites along the highways"):
            export_sites(settings.DATA_DIR / "roads", self.sites_file)

    def build_data(self) -> None:
        """Build roads and places, unless what they come from and their code are as they were."""
        charging = self.root / "charging"
        roads_from = [*charging.glob("planner/roads/*.py"), self.root / "requirements-data.txt"]
        with self._once("roads", describe_files(roads_from), is_there=roads_ready()) as due:
            if due:
                self.run("Building the roads", "build_roads")
        places_from = [*charging.glob("place*.py"), self.root / "requirements.txt"]
        with self._once("places", describe_files(places_from), is_there=places_ready()) as due:
            if due:
                self.run("Building the places", "build_places")

    def collect_static_files(self) -> None:
        """Collect and compress the files for browsers, unless none has changed."""
        is_there = settings.STATIC_ROOT.is_dir()
        with self._once("static", describe_static_files(), is_there=is_there) as due:
            if due:
                with step("Collecting the files for browsers"):
                    call_command("collectstatic", interactive=False, verbosity=0)

    @contextmanager
    def _once(self, name: str, version: str, *, is_there: bool = True) -> Iterator[bool]:
        """Say whether work is due for this version; remember it when the block succeeds."""
        stamp = self.folder / f"{name}.version"
        due = not (is_there and stamp.is_file() and stamp.read_text(encoding="ascii") == version)
        yield due
        if due:
            stamp.write_text(version, encoding="ascii")

    def ensure_log_ins(self) -> None:
        """Make the demo's users, or give them back their password."""
        with step("Adding log-ins"):
            for log_in in LOG_INS:
                ensure_user(
                    log_in.email,
                    self.read_password(),
                    is_staff=log_in.is_operator,
                    is_superuser=log_in.is_operator,
                )

    def warm_up(self) -> None:
        """Plan a first trip, which compiles the planner for all that follow."""
        planner = self.root.glob("charging/planner/**/*.py")
        trip = ("Paris", "Berlin", "--soc", "90", "--vehicle", find_first_car())
        try:
            with self._once("planner", describe_files(planner)) as due:
                if due:
                    self.run("Planning a first trip", "plan", *trip, lines_told=1)
        except DemoStopped as failure:
            # Everything else works; whoever plans next sees why this does not.
            say(str(failure))

    def read_password(self) -> str:
        return keep_secret(self.folder / "password")

    def run(self, title: str, *words: str, lines_told: int = 20) -> None:
        """Run a management command as a process of its own and pass on what it says.

        Its memory is given back when it ends, and it ends when we do.

        Raises
        ------
        DemoStopped
            It failed; the message ends with its last words.
        """
        log = self.logs / f"{words[0]}.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "manage.py", *words]
        with step(title) as running:
            child = self.groups.start(command, output=log, env=self.env, cwd=self.root)
            lines: list[str] = []
            for line in follow(log, child):
                lines.append(line)
                # A traceback is for the log; its last line becomes the message.
                if len(lines) <= lines_told and TRACEBACK not in lines:
                    running.tell(line)
            self.groups.clear_away(child)
            if child.returncode != 0:
                last_words = lines[-1] if lines else f"exit code {child.returncode}"
                reason = "the disk is full" if is_disk_full(log.parent) else last_words
                message = f"{title} failed: {reason} (all of it: {log})"
                raise DemoStopped(message)


def follow(path: Path, child: subprocess.Popen[bytes]) -> Iterator[str]:
    """Give the lines of a growing file until the child that writes it has ended."""
    with path.open(encoding="utf-8", errors="replace") as file:
        ended = False
        while not ended:
            # Asked before reading, so that the last words are read after the end.
            ended = child.poll() is not None
            yield from (line.rstrip() for line in file.readlines())
            time.sleep(0 if ended else POLL_S)


def find_first_car() -> str:
    slug: str = VehicleModel.objects.order_by("pk").values_list("slug", flat=True)[0]
    return slug


def describe_static_files() -> str:
    """Hash the names, sizes and times of all files that collectstatic would take."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(None):
            changed_at = storage.get_modified_time(name)
            digest.update(f"{name} {storage.size(name)} {changed_at}\n".encode())
    return digest.hexdigest()


def describe_files(paths: Iterable[Path]) -> str:
    """Hash the names, sizes and times of files, as numba does for its cache."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        found = path.stat()
        digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
