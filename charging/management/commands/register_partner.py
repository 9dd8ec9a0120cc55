"""``manage.py register_partner``: shake hands with a charge point operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from charging.models import Partner
from charging.ocpi.client import OcpiFailure
from charging.partners import is_still_registered, register_partner
from emsp.kernel import clock
from emsp.kernel.http import HttpFailure

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Register with a charge point operator by OCPI's handshake and ask for its first pull."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slug", required=True, help="a short name of your own, like acme")
        parser.add_argument("--name", help="the operator's name; the slug when left out")
        parser.add_argument("--versions-url", required=True, help="the operator's OCPI versions")
        token = parser.add_mutually_exclusive_group()
        token.add_argument("--token-a", help="the registration token that the operator gave you")
        token.add_argument("--token-file", type=Path, help="a file that holds it")
        parser.add_argument("--sync-interval", type=int, help="seconds between pulls")

    def handle(
        self,
        *,
        slug: str,
        name: str | None,
        versions_url: str,
        token_a: str | None,
        token_file: Path | None,
        sync_interval: int | None,
        **_options: object,
    ) -> None:
        partner = Partner.objects.filter(slug=slug).first() or Partner(slug=slug, name=slug)
        partner.name = name or partner.name
        partner.sync_interval_s = sync_interval or partner.sync_interval_s
        try:
            if partner.state == Partner.State.ACTIVE and is_still_registered(partner):
                partner.save(update_fields=["name", "sync_interval_s"])
                self.stdout.write(f"{partner.name} is registered already.")
                return
            _prepare(partner, versions_url=versions_url, token=_read_token(token_a, token_file))
            register_partner(partner, now=clock.now())
        except (OcpiFailure, HttpFailure) as error:
            message = f"{partner.name} could not be registered: {error}."
            raise CommandError(message) from error
        roles = ", ".join(
            f"{role['role']} {role['country_code']}*{role['party_id']}" for role in partner.roles
        )
        self.stdout.write(
            f"{partner.name} is registered ({roles or 'without roles'}); its first pull is queued."
        )


def _read_token(token: str | None, path: Path | None) -> str:
    if path is not None:
        try:
            token = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            message = f"The token file cannot be read: {error}"
            raise CommandError(message) from error
    if not token:
        raise CommandError("Give the operator's registration token: --token-a or --token-file.")
    return token


def _prepare(partner: Partner, *, versions_url: str, token: str) -> None:
    """Write the partner as one that is still to be registered."""
    partner.versions_url = versions_url
    partner.token_out = token
    partner.state = Partner.State.PLANNED
    partner.registered_at = None
    try:
        partner.full_clean()
    except ValidationError as error:
        problems = "; ".join(
            f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items()
        )
        message = f"The partner cannot be written: {problems}"
        raise CommandError(message) from error
    partner.save()
