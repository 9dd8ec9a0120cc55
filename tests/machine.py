"""What the tests need of the machine beside Python and Node, installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from emsp.management.install import PrerequisiteMissing
from emsp.management.progress import step

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_postgres_folder() -> Path | None:
    """Find the folder of PostgreSQL's server programs: the newest that Debian has, or on PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(versions, key=lambda path: int(path.parts[-3]))
    if newest:
        return newest[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def find_chromium() -> str | None:
    """Find a Chromium that playwright can drive."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def list_missing_packages() -> list[str]:
    """Name the Debian packages whose programs are not here."""
    missing = []
    if find_postgres_folder() is None:
        missing.append("postgresql")
    if not shutil.which("redis-server"):
        missing.append("redis-server")
    if not find_chromium():
        missing.append("chromium")
    return missing


def install_missing_packages() -> None:
    """Install by apt-get what is missing, as root or by sudo without a password.

    Raises
    ------
    PrerequisiteMissing
        Something is missing and may not or cannot be installed; the message names it.
    """
    missing = list_missing_packages()
    if not missing:
        return
    names = " ".join(missing)
    apt = _find_apt()
    if apt is None:
        message = (
            f"The tests need {', '.join(missing)}, which are not here and which we may not"
            f" install. On Debian or Ubuntu: sudo apt-get install {names}"
        )
        raise PrerequisiteMissing(message)
    with step(f"Installing {', '.join(missing)}"):
        for words in (
            ["update", "-qq"],
            ["install", "-qq", "-y", "--no-install-recommends", *missing],
        ):
            done = subprocess.run([*apt, *words], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                last_words = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
                message = f"apt-get could not install {names}:\n{last_words}"
                raise PrerequisiteMissing(message)
    left = list_missing_packages()
    if left:
        message = f"apt-get has installed {names}, but {', '.join(left)} cannot be found."
        raise PrerequisiteMissing(message)


def _find_apt() -> list[str] | None:
    if not shutil.which("apt-get"):
        return None
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if os.geteuid() == 0:
        return apt
    if not shutil.which("sudo"):
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n", *apt] if asked.returncode == 0 else None
