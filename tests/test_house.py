"""The rules of the house: style, types, floors, and what stands in the papers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from tests.conftest import ROOT

CODE_FOLDERS = ("emsp", "drivers", "charging", "billing")
LINES_MAX = 400
LENGTH_MATTERS_IN = {".py", ".js", ".css", ".html"}
# Where the environment may be touched beside emsp/env.py: what starts processes or Django itself.
ENVIRONMENT_DOORS = ("emsp/env.py", "emsp/asgi.py", "emsp/wsgi.py", "emsp/celery.py")
ENVIRONMENT_ROOMS = ("emsp/management/", "emsp/sandbox/")
# Written in pieces, or this file would break its own rule.
MACHINE_WORDS = re.compile(
    "|".join(
        (
            r"(?<![\w.])/(?:work|srv|root|home)" + r"/[a-z]",
            r"regis" + r"try\.npmjs",
            r"pypi" + r"\.(?:org|python)",
            r"python" + r"hosted\.org",
            r"--(?:extra-)?index" + r"-url",
        )
    )
)


def run_tool(*words: str) -> None:
    """Run a tool of the virtual environment in the project's root; fail with its words."""
    tool = Path(sys.executable).with_name(words[0])
    done = subprocess.run([tool, *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def list_tracked_files() -> list[Path]:
    """List the files of the repository that exist."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def find_read_variables() -> set[str]:
    """Name the variables that emsp/settings.py reads through emsp/env.py."""
    tree = ast.parse((ROOT / "emsp/settings.py").read_text(encoding="utf-8"))
    return {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.func.attr.startswith("read_")
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


class TestTypes:
    def test_hold_everywhere(self) -> None:
        run_tool("mypy", "--no-error-summary", *CODE_FOLDERS, "tests")


class TestFloors:
    def test_are_entered_from_above_only(self) -> None:
        run_tool("lint-imports", "--no-cache")


class TestStyle:
    def test_has_nothing_that_the_linter_minds(self) -> None:
        run_tool("ruff", "check", "--no-cache")

    def test_is_formatted(self) -> None:
        run_tool("ruff", "format", "--check", "--no-cache")

    def test_keeps_files_short_enough_to_read(self) -> None:
        long = {
            str(path.relative_to(ROOT)): lines
            for path in list_tracked_files()
            if path.suffix in LENGTH_MATTERS_IN
            and not {"migrations", "tests"} & set(path.relative_to(ROOT).parts)
            and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_MAX
        }
        assert long == {}


class TestEnvironment:
    def test_is_read_in_the_settings_alone(self) -> None:
        readers = [
            name
            for path in list_tracked_files()
            if path.suffix == ".py"
            and (name := path.relative_to(ROOT).as_posix()).startswith(CODE_FOLDERS)
            and name not in ENVIRONMENT_DOORS
            and not name.startswith(ENVIRONMENT_ROOMS)
            and re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
        ]
        assert readers == []

    def test_is_explained_in_full_by_the_example(self) -> None:
        example = (ROOT / ".env.example").read_text(encoding="utf-8")
        explained = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", example, flags=re.MULTILINE)
        assert sorted(explained) == sorted(find_read_variables())


class TestModels:
    @pytest.mark.django_db
    def test_have_all_their_migrations(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

    @pytest.mark.django_db
    def test_pass_the_checks_of_django(self) -> None:
        call_command("check", fail_level="WARNING")


class TestPapers:
    def test_name_no_machine_and_no_registry(self) -> None:
        found = {}
        for path in list_tracked_files():
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if hit := MACHINE_WORDS.search(text):
                found[str(path.relative_to(ROOT))] = hit.group()
        assert found == {}

    def test_name_only_commands_that_exist(self) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
        papers = [path for path in list_tracked_files() if path.suffix == ".md"]
        text = "\n".join(path.read_text(encoding="utf-8") for path in papers)
        named_targets = set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE))
        named_commands = set(re.findall(r"manage\.py ([a-z]\w*)", text))
        assert named_targets - targets == set()
        assert named_commands - set(get_commands()) == set()

    def test_show_the_two_commands_first(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        assert "make demo" in readme
        assert "make test" in readme
