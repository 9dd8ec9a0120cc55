"""What comes from npm: pinned, without download addresses, all there."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from charging.connector_kinds import KINDS
from emsp.icon_sprite import ICONS, IconMissing, build_sprite, provide_sprite
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings

SVG = "{http://www.w3.org/2000/svg}"


class TestPackages:
    def test_are_pinned_exactly(self) -> None:
        package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", pin) for pin in package["dependencies"].values())

    def test_are_locked_without_download_addresses(self) -> None:
        lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
        packages = {name: part for name, part in lock["packages"].items() if name}
        assert packages
        assert all("resolved" not in part for part in packages.values())
        assert all(part["integrity"].startswith("sha512-") for part in packages.values())

    @pytest.mark.parametrize("name", sorted(settings.NPM_FILES))
    def test_bring_each_published_file(self, name: str) -> None:
        found = finders.find(name)
        assert isinstance(found, str)
        assert (settings.NODE_MODULES / settings.NPM_FILES[name]).is_file()


class TestSprite:
    def test_holds_each_icon_once(self) -> None:
        symbols = ET.fromstring(build_sprite()).findall(f"{SVG}symbol")  # noqa: S314 - our own
        names = [symbol.get("id") for symbol in symbols]
        assert names == [name for collection in ICONS.values() for name in collection]
        assert len(set(names)) == len(names)
        assert all(len(symbol) for symbol in symbols)

    def test_holds_every_icon_that_pages_name(self) -> None:
        known = {name for collection in ICONS.values() for name in collection}
        assert {kind.icon for kind in KINDS.values()} <= known
        for template in (ROOT / "templates").rglob("*.html"):
            named = re.findall(r'{% icon "([^"]+)"', template.read_text(encoding="utf-8"))
            assert set(named) <= known, template

    def test_is_built_once_and_again_when_it_is_old(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path
        path = provide_sprite()
        path.write_text("kept", encoding="utf-8")
        assert provide_sprite().read_text(encoding="utf-8") == "kept"
        os.utime(path, (0, 0))
        assert provide_sprite().read_text(encoding="utf-8") == build_sprite()
        assert [file.name for file in path.parent.iterdir()] == ["sprite.svg"]

    def test_says_which_icon_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(ICONS, "lucide", ("no-such-icon",))
        with pytest.raises(IconMissing, match="lucide has no icon 'no-such-icon'"):
            build_sprite()
