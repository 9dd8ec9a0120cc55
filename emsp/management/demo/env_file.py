"""Write the demo's settings: ``python -m emsp.management.demo.env_file``.

Django cannot load before they exist, so this uses the standard library alone. A file that is there
already is left as it is: someone may have changed it.
"""

from __future__ import annotations

import os
import secrets
import sys
from typing import TYPE_CHECKING

from emsp.management.install import ROOT
from emsp.management.progress import say

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
# Made by `make demo`, for this machine alone. .env.example explains every variable.
SECRET_KEY={secret_key}
DEMO=1
ALLOWED_HOSTS=127.0.0.1,localhost
ALLOW_PRIVATE_ADDRESSES=1
LOG_LEVEL=WARNING
"""


def write_demo_settings(path: Path) -> bool:
    """Write ``path``, readable by its owner alone; return False when it was there already."""
    if path.exists():
        return False
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(TEMPLATE.format(secret_key=secrets.token_urlsafe(50)))
    fresh.rename(path)
    return True


def main() -> int:
    """Write the project's .env; give the exit code."""
    try:
        if write_demo_settings(ROOT / ".env"):
            say("Wrote the demo's settings to .env")
    except OSError as error:
        sys.stderr.write(f"The demo's settings cannot be written to .env: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
