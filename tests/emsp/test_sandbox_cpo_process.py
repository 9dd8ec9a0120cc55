"""The sandbox CPO as a process: arguments, restarts, changing statuses, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from emsp.sandbox.cpo.__main__ import main
from tests.emsp.sandbox_cpo import (
    ROOT,
    TOKEN_A,
    all_pages,
    client_with,
    command,
    data_of,
    free_port,
    is_listening,
    registered_client,
    registered_token,
    running_cpo,
    running_emsp,
    wait_until,
)

SITES = "lon,lat,country,kind,name\n2.35,47.0,FR,motorway,A71\n10.0,50.0,DE,motorway,A7\n"


Complain = Callable[..., str]


@pytest.fixture
def complain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Complain:
    """Give what runs a command line that must end with exit code 2, and gives its stderr."""

    def run(*args: str | Path) -> str:
        try:
            code = main(["--database", str(tmp_path / "cpo.sqlite3"), *map(str, args)])
        except SystemExit as ended:  # how argparse ends
            code = int(ended.code or 0)
        assert code == 2
        return capsys.readouterr().err

    return run


class TestCommandLine:
    def test_says_that_the_port_is_taken(self, tmp_path: Path, complain: Complain) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            said = complain("--port", str(port))
        assert said == (
            f"sandbox CPO: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
        )

    def test_ends_with_one_sentence_and_exit_code_2(self, tmp_path: Path) -> None:
        place = ("--port", str(free_port()), "--database", tmp_path / "cpo.sqlite3")
        ended = subprocess.run(
            command(*place, "--data", tmp_path / "none.json"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == (
            f"sandbox CPO: the data file {tmp_path}/none.json cannot be read:"
            " No such file or directory\n"
        )

    def test_says_that_another_sandbox_has_the_port(
        self, tmp_path: Path, complain: Complain
    ) -> None:
        with running_cpo(tmp_path, "--stations", "1") as cpo:
            said = complain("--port", str(cpo.port))
        assert "Address already in use" in said

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("a.json", b"[{", "is no valid JSON"),
            ("a.json", b'"text"', "holds no list of OCPI objects"),
            ("a.json", b'{"status_code": 1000}', "is no valid JSON: an object without a list"),
            ("a.json", b'[{"id": "1"}]', "object 1: neither a location"),
            ("a.json", b"[" * 100_000, "is no valid JSON"),
            ("a.json.gz", b"no gzip", "is damaged"),
            ("a.json.xz", b"no xz", "is damaged"),
        ],
    )
    def test_says_what_is_wrong_with_a_data_file(
        self, tmp_path: Path, complain: Complain, name: str, content: bytes, expected: str
    ) -> None:
        file = tmp_path / name
        file.write_bytes(content)
        said = complain("--port", str(free_port()), "--data", file)
        assert expected in said
        assert str(file) in said

    def test_says_that_a_data_file_is_missing(self, tmp_path: Path, complain: Complain) -> None:
        said = complain("--port", str(free_port()), "--data", tmp_path / "none.json")
        assert "none.json cannot be read: No such file or directory" in said

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("lon,lat\n1,2\n", "the first line is to name the columns lon,lat,country,kind,name"),
            (SITES + "east,50,DE,motorway,A7\n", "line 4: lon and lat are to be decimal degrees"),
        ],
    )
    def test_says_what_is_wrong_with_the_sites(
        self, tmp_path: Path, complain: Complain, content: str, expected: str
    ) -> None:
        file = tmp_path / "sites.csv"
        file.write_text(content)
        assert expected in complain("--port", str(free_port()), "--sites", file)

    @pytest.mark.parametrize(
        ("args", "expected"),
        [
            ((), "--port"),
            (("--port", "99999"), "no whole number from 1 to 65535"),
            (("--port", "1", "--token-a", "two words"), "--token-a"),
            (("--port", "1", "--country-code", "NLD"), "--country-code"),
            (("--port", "1", "--data", "a", "--sites", "b"), "does not go with --sites"),
            (("--port", "1", "--register-at", "http://x"), "go together"),
            (("--port", "1", "--status-interval", "nan"), "no number from 0"),
        ],
    )
    def test_refuses_bad_arguments(
        self, tmp_path: Path, complain: Complain, args: tuple[str, ...], expected: str
    ) -> None:
        assert expected in complain(*args)

    def test_says_that_the_database_is_none(self, tmp_path: Path, complain: Complain) -> None:
        (tmp_path / "cpo.sqlite3").write_text("this is no database, only some text" * 100)
        assert "cannot be used" in complain("--port", str(free_port()))

    def test_says_that_without_sites_there_are_towns_only(self, tmp_path: Path) -> None:
        with running_cpo(tmp_path, "--stations", "5") as cpo:
            assert cpo.lines[0] == (
                "sandbox CPO: no --sites file: towns only, nothing along motorways"
            )
            assert cpo.lines[-1].startswith(
                f"sandbox CPO ready: {cpo.versions} party=NL*SBX locations=5 "
            )

    def test_speaks_under_its_public_url_and_name(self, tmp_path: Path) -> None:
        args = ("--public-url", "https://cpo.example/", "--party-id", "abc", "--country-code", "be")
        with running_cpo(tmp_path, *args, "--name", "My grid", "--stations", "1") as cpo:
            client = client_with(TOKEN_A)
            with client:
                (version,) = client.get(cpo.versions).json()["data"]
                (role,) = client.get(cpo.credentials).json()["data"]["roles"]
        assert version["url"] == "https://cpo.example/ocpi/2.2.1"
        assert (role["country_code"], role["party_id"]) == ("BE", "ABC")
        assert role["business_details"] == {"name": "My grid"}


class TestEnd:
    def test_by_kill_leaves_nothing_listening(self, tmp_path: Path) -> None:
        with running_cpo(tmp_path, "--stations", "5") as cpo:
            assert is_listening(cpo.port)
            assert _children(cpo.process.pid) == []
            cpo.process.send_signal(signal.SIGKILL)
            cpo.process.wait(timeout=15)
            wait_until(lambda: not is_listening(cpo.port))

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_by_a_signal_is_clean(self, tmp_path: Path, number: signal.Signals) -> None:
        with running_cpo(tmp_path, "--stations", "5") as cpo:
            with client_with(TOKEN_A) as client:  # its connection stays open
                client.get(f"{cpo.url}/healthz")
                cpo.process.send_signal(number)
                assert cpo.process.wait(timeout=15) == 0
            assert cpo.process.stdout is not None
            assert cpo.process.stdout.read() == ""
            assert not is_listening(cpo.port)


class TestRestart:
    def test_keeps_registration_and_statuses(self, tmp_path: Path) -> None:
        lively = ("--stations", "20", "--status-interval", "0.05", "--status-share", "1")
        with running_emsp() as emsp, running_cpo(tmp_path, *lively) as cpo:
            token = registered_token(cpo, emsp)
            with client_with(token) as client:
                started = _by_id(client, cpo.locations)
                wait_until(lambda: _by_id(client, cpo.locations) != started)
        frozen = ("--stations", "20", "--status-interval", "0")
        with client_with(token) as client, running_cpo(tmp_path, *frozen) as cpo:
            assert "sandbox CPO: kept the catalogue of the last run" in cpo.lines
            kept = _by_id(client, cpo.locations)
        assert kept != started
        assert kept.keys() == started.keys()

    def test_after_a_kill_keeps_the_registration(self, tmp_path: Path) -> None:
        with running_emsp() as emsp, running_cpo(tmp_path, "--stations", "2") as cpo:
            token = registered_token(cpo, emsp)
            cpo.process.kill()
            cpo.process.wait(timeout=15)
        with client_with(token) as client, running_cpo(tmp_path, "--stations", "2") as cpo:
            assert client.get(cpo.locations).headers["X-Total-Count"] == "2"

    def test_with_another_wish_makes_another_catalogue(self, tmp_path: Path) -> None:
        sites = tmp_path / "sites.csv"
        sites.write_text(SITES)
        with running_cpo(tmp_path, "--stations", "2") as cpo:
            assert " locations=2 " in cpo.lines[-1]
        with running_cpo(tmp_path, "--stations", "4", "--sites", sites) as cpo:
            assert cpo.lines[0] == "sandbox CPO: 2 road sites read from sites.csv"
            assert " locations=4 " in cpo.lines[-1]


class TestStatuses:
    def test_change_and_show_in_a_delta(self, tmp_path: Path) -> None:
        lively = ("--stations", "40", "--status-interval", "0.1", "--status-share", "0.2")
        with (
            running_emsp() as emsp,
            running_cpo(tmp_path, *lively) as cpo,
            registered_client(cpo, emsp) as client,
        ):
            started = _by_id(client, cpo.locations)
            since = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            wait_until(lambda: all_pages(client, cpo.locations, date_from=since)[0].json()["data"])
            delta = data_of(all_pages(client, cpo.locations, date_from=since))
        assert len(delta) >= 1
        for location in delta:
            assert location["last_updated"] > started[location["id"]]["last_updated"]
            touched = [
                evse
                for evse in location["evses"]
                if evse["last_updated"] == location["last_updated"]
            ]
            assert touched
            assert location["last_updated"] >= since[:19]

    def test_change_nothing_but_status_and_last_updated(self, tmp_path: Path) -> None:
        lively = ("--stations", "10", "--status-interval", "0.05", "--status-share", "1")
        with (
            running_emsp() as emsp,
            running_cpo(tmp_path, *lively) as cpo,
            registered_client(cpo, emsp) as client,
        ):
            before = _by_id(client, cpo.locations)
            wait_until(lambda: _by_id(client, cpo.locations) != before)
            after = _by_id(client, cpo.locations)
        assert [_static(found) for found in after.values()] == [
            _static(found) for found in before.values()
        ]

    def test_are_frozen_at_interval_0(self, tmp_path: Path) -> None:
        with (
            running_emsp() as emsp,
            running_cpo(tmp_path, "--stations", "10", "--status-interval", "0") as cpo,
            registered_client(cpo, emsp) as client,
        ):
            before = _by_id(client, cpo.locations)
            time.sleep(0.5)
            assert _by_id(client, cpo.locations) == before


def _by_id(client: httpx.Client, url: str) -> dict[str, dict[str, Any]]:
    return {found["id"]: found for found in data_of(all_pages(client, url))}


def _static(location: dict[str, Any]) -> str:
    evses = [
        {key: value for key, value in evse.items() if key not in {"status", "last_updated"}}
        for evse in location["evses"]
    ]
    return json.dumps(location | {"evses": evses, "last_updated": ""}, sort_keys=True)


def _children(pid: int) -> list[str]:
    tasks = Path(f"/proc/{pid}/task")
    return [child for task in tasks.iterdir() for child in (task / "children").read_text().split()]
