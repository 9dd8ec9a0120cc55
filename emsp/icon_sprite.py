"""One sprite of the icons that pages use, built from the icon sets that npm has installed.

The sprite is a build product: it lies in ``DATA_DIR`` and is made again when ``package-lock.json``
or this file's list is newer.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.checks import CheckMessage

SPRITE_NAME = "icons/sprite.svg"
ICONS = {
    "lucide": (
        "arrow-right", "arrow-up-down", "battery-charging", "calendar-clock", "check",
        "chevron-right", "circle-help", "circle-user-round", "clock", "external-link", "list",
        "lock", "locate-fixed", "log-in", "log-out", "map-pin", "navigation", "plug", "plug-zap",
        "route", "search", "share-2", "ship", "sliders-horizontal", "triangle-alert", "x", "zap",
    ),
    "mdi": (
        "ev-plug-ccs1", "ev-plug-ccs2", "ev-plug-chademo", "ev-plug-tesla", "ev-plug-type1",
        "ev-plug-type2", "power-socket-de",
    ),
}  # fmt: skip


class IconMissing(Exception):
    """An icon is not in the installed set."""

    def __init__(self, name: str, collection: str) -> None:
        super().__init__(f"{collection} has no icon {name!r}; look at emsp/icon_sprite.py")


def build_sprite() -> str:
    """Return an SVG of one symbol per icon; ``<use href="…#zap">`` shows one.

    Raises
    ------
    IconMissing
        A name is not in its set.
    """
    symbols = []
    for collection, names in ICONS.items():
        path = settings.NODE_MODULES / "@iconify-json" / collection / "icons.json"
        found = json.loads(path.read_text(encoding="utf-8"))
        for name in names:
            alias = found.get("aliases", {}).get(name, {}).get("parent", name)
            if alias not in found["icons"]:
                raise IconMissing(name, collection)
            size = found["icons"][alias].get("width") or found.get("width", 24)
            body = found["icons"][alias]["body"]
            symbols.append(f'<symbol id="{name}" viewBox="0 0 {size} {size}">{body}</symbol>')
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>\n"])


def provide_sprite() -> Path:
    """Return the sprite's file, built first where it is missing or old."""
    path: Path = settings.DATA_DIR / "sprite" / SPRITE_NAME
    sources = (settings.BASE_DIR / "package-lock.json", Path(__file__))
    newest = max(source.stat().st_mtime for source in sources if source.exists())
    if not path.exists() or path.stat().st_mtime < newest:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Replaced in one step: another process may be reading it.
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(build_sprite(), encoding="utf-8")
        fresh.replace(path)
    return path


class IconFinder(BaseFinder):
    """Publish the sprite among the static files."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        hits = [str(provide_sprite())] if path == SPRITE_NAME else []
        if find_all:
            return hits
        return hits[0] if hits else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        provide_sprite()
        storage = FileSystemStorage(location=str(settings.DATA_DIR / "sprite"))
        storage.prefix = ""  # type: ignore[attr-defined]
        return [(SPRITE_NAME, storage)]
