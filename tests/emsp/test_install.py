"""Installing: what is there is skipped, and what is missing is named in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from emsp.management import install
from emsp.management.install import Packages, PrerequisiteMissing
from tests import machine
from tests.conftest import ROOT
from tests.run import count_outcomes, sum_up


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add_program(folder: Path, name: str, says: str = "") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


class TestNode:
    def test_is_asked_for_when_missing(self, programs: Path) -> None:
        with pytest.raises(
            PrerequisiteMissing, match=r"`node` was not found\. Install Node\.js 20"
        ):
            install.check_node()

    @pytest.mark.parametrize(("version", "shown"), [("v18.20.4", "v18.20.4"), ("", "unknown")])
    def test_must_be_new_enough(self, programs: Path, version: str, shown: str) -> None:
        add_program(programs, "node", version)
        with pytest.raises(PrerequisiteMissing, match=f"Node.js here is .*{shown}.* 20 or newer"):
            install.check_node()

    def test_comes_with_npm(self, programs: Path) -> None:
        add_program(programs, "node", "v20.20.2")
        with pytest.raises(PrerequisiteMissing, match="npm is needed and was not found"):
            install.check_node()
        add_program(programs, "npm")
        install.check_node()


class TestPython:
    def test_is_asked_for_by_make_in_one_sentence(self, programs: Path) -> None:
        add_program(programs, "python3.12", "but it is too old")
        (programs / "python3.12").write_text("#!/bin/sh\nexit 1\n")
        done = subprocess.run(
            [shutil.which("make", path=os.defpath) or "make", "--no-print-directory", "demo"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        sentence, _make_s_own_words = done.stderr.split("\n", 1)
        assert done.returncode == 2
        assert sentence == (
            "Python 3.11, 3.12 or 3.13 with its venv module is needed and was not found"
            " (on Debian: apt-get install python3 python3-venv)."
        )


class TestDisk:
    def test_without_room_is_named_with_a_figure(self, tmp_path: Path) -> None:
        with pytest.raises(PrerequisiteMissing, match=r"GB free and 1000000000\.0 GB are needed"):
            install.check_disk(tmp_path, needed=10**18)
        install.check_disk(tmp_path, needed=1)


class TestPackages:
    def test_are_due_again_when_their_files_change(self, tmp_path: Path) -> None:
        packages = Packages("Installing", "stamp", ("a.txt", "b.txt"))
        (tmp_path / "a.txt").write_text("Django==5.2\n")
        (tmp_path / "b.txt").write_text("")
        before = packages.hash_files(tmp_path)
        assert packages.hash_files(tmp_path) == before
        (tmp_path / "b.txt").write_text("httpx==0.28.1\n")
        assert packages.hash_files(tmp_path) != before

    def test_are_all_pinned(self) -> None:
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-data.txt"):
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
            loose = [line for line in lines if line and line[0] not in "#-" and "==" not in line]
            assert loose == [], name


class TestMachine:
    def test_names_what_to_install_where_it_may_not(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "list_missing_packages", lambda: ["redis-server", "chromium"])
        sentence = (
            "The tests need redis-server, chromium, .*: sudo apt-get install redis-server chro"
        )
        with pytest.raises(PrerequisiteMissing, match=sentence):
            machine.install_missing_packages()

    def test_passes_on_why_apt_get_failed(
        self, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_program(programs, "apt-get")
        (programs / "env").symlink_to("/usr/bin/env")
        (programs / "apt-get").write_text("#!/bin/sh\necho 'E: no such package'\nexit 100\n")
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(machine, "list_missing_packages", lambda: ["chromium"])
        with pytest.raises(
            PrerequisiteMissing, match="apt-get could not install chromium:\nE: no such package"
        ):
            machine.install_missing_packages()

    def test_misses_nothing_while_these_tests_run(self) -> None:
        assert machine.list_missing_packages() == []


REPORT = (
    "<testsuites><testsuite errors='{error}' failures='{failed}' skipped='{skipped}'"
    " tests='{tests}'/></testsuites>"
)


class TestSumUp:
    def test_adds_runs_up_in_pytest_s_words(self, tmp_path: Path) -> None:
        first, second = tmp_path / "a.xml", tmp_path / "b.xml"
        first.write_text(REPORT.format(error=1, failed=2, skipped=3, tests=10))
        second.write_text(REPORT.format(error=0, failed=0, skipped=0, tests=5))
        assert count_outcomes(first) == Counter(passed=4, failed=2, skipped=3, error=1)
        line = sum_up([first, second, tmp_path / "none.xml"], elapsed_s=61.5)
        assert line.strip("=") == " 2 failed, 9 passed, 3 skipped, 1 error in 61.50s "
        assert len(line) == 80

    def test_says_when_nothing_ran(self, tmp_path: Path) -> None:
        line = sum_up([tmp_path / "none.xml"], elapsed_s=1)
        assert line.strip("=") == " no tests ran in 1.00s "
