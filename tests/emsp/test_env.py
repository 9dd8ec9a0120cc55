"""Settings from the environment: read as meant, or refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from emsp import env
from emsp.env import SettingInvalid


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given: dict[str, str] = {}
    monkeypatch.setattr(env, "os", SimpleNamespace(environ=given))
    return given


class TestLoadEnvFile:
    def test_reads_names_and_values(self, tmp_path: Path, variables: dict[str, str]) -> None:
        path = tmp_path / ".env"
        lines = ["\ufeff# a remark", "A=1", "", "  B = two words ", 'C="it\'s"', "D=x=y#z", "E="]
        path.write_text("\r\n".join(lines), encoding="utf-8")
        env.load_env_file(path)
        assert variables == {"A": "1", "B": "two words", "C": "it's", "D": "x=y#z", "E": ""}

    def test_lets_the_environment_win(self, tmp_path: Path, variables: dict[str, str]) -> None:
        variables["A"] = "from outside"
        (tmp_path / ".env").write_text("A=from the file")
        env.load_env_file(tmp_path / ".env")
        assert variables["A"] == "from outside"

    def test_asks_for_no_file(self, tmp_path: Path, variables: dict[str, str]) -> None:
        env.load_env_file(tmp_path / "none")
        assert variables == {}

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"A=1\nsome words\n", "line 2 is not of the form NAME=value. See .env.example."),
            (b"export A=1\n", "line 1 is not of the form NAME=value"),
            (b"A=\xff\n", "cannot be read ('utf-8' codec can't decode byte 0xff in position 2"),
        ],
    )
    def test_names_what_it_cannot_read(self, tmp_path: Path, content: bytes, problem: str) -> None:
        path = tmp_path / ".env"
        path.write_bytes(content)
        with pytest.raises(SettingInvalid) as refused:
            env.load_env_file(path)
        assert str(refused.value).startswith(f"{path} {problem}")


class TestReadStr:
    def test_takes_an_empty_value_for_none(self, variables: dict[str, str]) -> None:
        variables["A"] = ""
        assert env.read_str("A", "default") == "default"
        with pytest.raises(SettingInvalid, match=r"^A is not set\. See \.env\.example\.$"):
            env.read_str("A")


class TestReadBool:
    @pytest.mark.parametrize(
        ("value", "meaning"),
        [("1", True), ("yes", True), (" TRUE ", True), ("0", False), ("No", False), ("", True)],
    )
    def test_knows_the_usual_words(
        self, variables: dict[str, str], value: str, meaning: bool
    ) -> None:
        variables["A"] = value
        assert env.read_bool("A", default=True) is meaning

    def test_refuses_other_words(self, variables: dict[str, str]) -> None:
        variables["A"] = "maybe"
        with pytest.raises(SettingInvalid, match="A is 'maybe'; use 1 or 0"):
            env.read_bool("A", default=False)


class TestReadInt:
    @pytest.mark.parametrize(("value", "number"), [("1", 1), (" 9 ", 9), ("", 5)])
    def test_reads_whole_numbers_within_the_bounds(
        self, variables: dict[str, str], value: str, number: int
    ) -> None:
        variables["A"] = value
        assert env.read_int("A", 5, minimum=1, maximum=9) == number

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("ten", "A is 'ten'; a whole number is needed"),
            ("1.5", "A is '1.5'; a whole number is needed"),
            ("0", "A is 0; it must lie in 1 to 9"),
            ("10", "A is 10; it must lie in 1 to 9"),
        ],
    )
    def test_says_what_is_wrong(self, variables: dict[str, str], value: str, problem: str) -> None:
        variables["A"] = value
        with pytest.raises(SettingInvalid) as refused:
            env.read_int("A", 5, minimum=1, maximum=9)
        assert str(refused.value) == f"{problem}. See .env.example."


class TestReadList:
    def test_leaves_blanks_and_empty_parts_out(self, variables: dict[str, str]) -> None:
        variables["A"] = " a.example, ,b.example,"
        assert env.read_list("A", []) == ["a.example", "b.example"]
        assert env.read_list("B", ["default"]) == ["default"]


class TestReadPath:
    def test_begins_at_the_project_wherever_it_is_called(
        self, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        variables.update(A="var", B=str(tmp_path), C="~/data")
        assert env.read_path("A", tmp_path) == env.ROOT / "var"
        assert env.read_path("B", env.ROOT) == tmp_path.resolve()
        assert env.read_path("C", env.ROOT) == (tmp_path / "data").resolve()
        assert env.read_path("D", env.ROOT) == env.ROOT


class TestReadDatabase:
    @pytest.mark.parametrize(
        ("address", "name"),
        [
            ("sqlite:////data/my%20db.sqlite3", "/data/my db.sqlite3"),
            ("sqlite:///var/db.sqlite3", str(env.ROOT / "var/db.sqlite3")),
            ("sqlite:///:memory:", ":memory:"),
        ],
    )
    def test_knows_files_and_memory(
        self, variables: dict[str, str], address: str, name: str
    ) -> None:
        variables["A"] = address
        assert env.read_database("A", "") == {"ENGINE": "emsp.kernel.sqlite", "NAME": name}

    def test_knows_postgresql_with_all_its_parts(self, variables: dict[str, str]) -> None:
        variables["A"] = "postgresql://me:p%40ss%2Fword@db.example:5433/volt%20way?sslmode=require"
        assert env.read_database("A", "") == {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "volt way",
            "USER": "me",
            "PASSWORD": "p@ss/word",
            "HOST": "db.example",
            "PORT": "5433",
            "OPTIONS": {"sslmode": "require"},
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }

    @pytest.mark.parametrize(
        ("address", "problem"),
        [
            ("mysql://host/name", "must begin with sqlite:/// or postgresql://"),
            ("/data/db.sqlite3", "must begin with sqlite:/// or postgresql://"),
            ("sqlite://data/db.sqlite3", "must name a file, as in sqlite:///var/db.sqlite3"),
            ("sqlite:///", "must name a file, as in sqlite:///var/db.sqlite3"),
            ("postgresql://host:port/name", "is not an address, or its port is no number"),
            ("postgresql://[host/name", "is not an address, or its port is no number"),
        ],
    )
    def test_refuses_the_rest_without_showing_it(
        self, variables: dict[str, str], address: str, problem: str
    ) -> None:
        # The address may hold a password.
        variables["A"] = address
        with pytest.raises(SettingInvalid) as refused:
            env.read_database("A", "")
        assert str(refused.value) == f"A {problem}. See .env.example."


class TestReadColour:
    def test_takes_six_hexadecimal_digits(self, variables: dict[str, str]) -> None:
        variables.update(A="#C8F031", B="red")
        assert env.read_colour("A", "#000000") == "#c8f031"
        with pytest.raises(SettingInvalid, match="B is 'red'; a colour like #c8f031 is needed"):
            env.read_colour("B", "#000000")
