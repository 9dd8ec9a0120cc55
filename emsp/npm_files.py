"""Publish an allow-list of files from node_modules under chosen static names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.checks import CheckMessage


class NpmStorage(FileSystemStorage):
    """Reads only what ``settings.NPM_FILES`` names."""

    prefix = ""

    def path(self, name: str) -> str:
        return str(settings.NODE_MODULES / settings.NPM_FILES[name])


class NpmFinder(BaseFinder):
    """Find third parties' files where npm has put them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = NpmStorage(location=str(settings.NODE_MODULES), base_url=settings.STATIC_URL)

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        hits = [self.storage.path(path)] if path in settings.NPM_FILES else []
        if find_all:
            return hits
        return hits[0] if hits else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        return ((name, self.storage) for name in settings.NPM_FILES)
