"""Asks the demo's processes how they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emsp.kernel.http import GuardedClient, HttpFailure, HttpResponse

if TYPE_CHECKING:
    from emsp.management.progress import Step

DEADLINE_S = 10.0


def is_up(url: str) -> bool:
    """Say whether an address answers with 200."""
    answer = _ask(url)
    return answer is not None and answer.status == 200


@dataclass
class ReadyWatch:
    """Asks /readyz again and again, and tells each missing thing once."""

    url: str
    step: Step
    _told: set[str] = field(default_factory=set)

    def is_ready(self) -> bool:
        answer = _ask(self.url)
        if answer is None:
            return False
        for thing in read_missing(answer):
            if thing not in self._told:
                self._told.add(thing)
                self.step.tell(thing)
        return answer.status == 200


def read_missing(answer: HttpResponse) -> list[str]:
    """Read what is missing from an answer of /readyz; nothing when it is no such answer."""
    try:
        found = answer.read_json()
    except HttpFailure:
        return []
    missing = found.get("missing") if isinstance(found, dict) else None
    return [str(thing) for thing in missing] if isinstance(missing, list) else []


def _ask(url: str) -> HttpResponse | None:
    try:
        with GuardedClient(deadline_s=DEADLINE_S, allow_private=True) as client:
            return client.request("GET", url)
    except HttpFailure:
        return None
