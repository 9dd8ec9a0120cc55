"""The demo's charge point operator: where it listens and how it becomes our partner."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from io import StringIO
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import CommandError, call_command

from charging import partners
from charging.models import Partner
from emsp.management.demo.machine import LOOPBACK, DemoStopped, choose_sandbox_port
from emsp.management.demo.supervisor import Service

if TYPE_CHECKING:
    from pathlib import Path

NAME = "Voltway Demo Grid"
SLUG = "voltway-demo-grid"
STATUS_INTERVAL_S = 30


@dataclass(frozen=True)
class Addresses:
    """Where both sides of the registration can be reached."""

    sandbox_port: int
    our_url: str

    @property
    def versions_url(self) -> str:
        return f"http://{LOOPBACK}:{self.sandbox_port}/ocpi/versions"


@dataclass(frozen=True)
class DemoPartner:
    """The sandbox CPO of one demo folder.

    Both sides keep the other's address from the handshake, so a changed port on either side
    means another handshake, with a fresh token.
    """

    folder: Path
    addresses: Addresses

    def describe_service(self, sites: Path) -> Service:
        """Describe the sandbox's process."""
        command = (
            sys.executable, "-m", "emsp.sandbox.cpo",
            "--host", LOOPBACK,
            "--port", str(self.addresses.sandbox_port),
            "--name", NAME,
            "--database", str(self.folder / "cpo.sqlite3"),
            "--sites", str(sites),
            "--token-file", str(self.token_file),
            "--status-interval", str(STATUS_INTERVAL_S),
        )  # fmt: skip
        return Service("charge point operator", command)

    @property
    def health_url(self) -> str:
        return f"http://{LOOPBACK}:{self.addresses.sandbox_port}/healthz"

    @property
    def token_file(self) -> Path:
        return self.folder / "cpo.token-a"

    def prepare(self) -> None:
        """Before the sandbox starts: have it make a fresh token where a handshake is due."""
        if not self.is_registered():
            self.token_file.unlink(missing_ok=True)

    def is_registered(self) -> bool:
        """Say whether the handshake was made, with the addresses of today."""
        active = Partner.objects.filter(slug=SLUG, state=Partner.State.ACTIVE).exists()
        return active and _read_addresses(self.folder) == self.addresses

    def register(self) -> None:
        """Make the handshake.

        Raises
        ------
        DemoStopped
            One side refused; the message says why.
        """
        former = Partner.objects.filter(slug=SLUG, state=Partner.State.ACTIVE).first()
        if former:
            partners.end_registration(former)
        try:
            call_command(
                "register_partner",
                name=NAME,
                slug=SLUG,
                versions_url=self.addresses.versions_url,
                token_file=self.token_file,
                sync_interval=STATUS_INTERVAL_S,
                stdout=StringIO(),
            )
        except CommandError as error:
            message = f"The demo's charge point operator could not be registered: {error}"
            raise DemoStopped(message) from error
        kept = json.dumps(asdict(self.addresses))
        (self.folder / "registered.json").write_text(kept, encoding="utf-8")


def choose_partner(folder: Path) -> DemoPartner:
    """Give the demo's partner the port of the last start, or another where that one is taken."""
    former = _read_addresses(folder)
    port = choose_sandbox_port(former.sandbox_port if former else None, avoid=settings.PORT)
    return DemoPartner(folder, Addresses(sandbox_port=port, our_url=settings.PUBLIC_URL))


def _read_addresses(folder: Path) -> Addresses | None:
    try:
        kept = json.loads((folder / "registered.json").read_text(encoding="utf-8"))
        return Addresses(sandbox_port=int(kept["sandbox_port"]), our_url=str(kept["our_url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
