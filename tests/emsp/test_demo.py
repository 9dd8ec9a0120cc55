"""The demo minds its ports, files and data, and says clearly what is in its way."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from charging.models import Partner, Place
from charging.planner.roads.store import make_road_graph, save_road_graph
from emsp import env
from emsp.management.demo import machine, partner
from emsp.management.demo.building import Builder
from emsp.management.demo.env_file import write_demo_settings
from emsp.management.demo.machine import DemoStopped
from emsp.management.demo.sites import export_sites, find_countries, spread_nodes
from emsp.management.groups import ProcessGroups
from tests.conftest import ROOT
from tests.services import find_free_port


def take_port(*, shared: bool = False) -> socket.socket:
    """Listen on a free port of the loopback."""
    listener = socket.socket()
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


class TestPorts:
    @pytest.mark.parametrize("shared", [False, True])
    def test_are_taken_when_anyone_listens(self, shared: bool) -> None:
        with take_port(shared=shared) as listener:
            port = listener.getsockname()[1]
            assert not machine.is_port_free(port)
            sentence = f"Port {port} is taken by another program. Choose another: make demo PORT="
            with pytest.raises(DemoStopped, match=sentence):
                machine.require_web_port(port)
        assert machine.is_port_free(port)
        machine.require_web_port(port)

    def test_of_the_last_start_are_kept_unless_taken(self) -> None:
        with take_port() as listener:
            port = listener.getsockname()[1]
            other = machine.choose_sandbox_port(port, avoid=8900)
            assert other in set(machine.SANDBOX_PORTS) - {8900}
        assert machine.choose_sandbox_port(port, avoid=8900) == port
        assert machine.choose_sandbox_port(port, avoid=port) != port


class TestDisk:
    def test_without_room_stops_the_demo_with_a_figure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine, "FREE_BYTES_TO_BUILD", 10**18)
        monkeypatch.setattr(machine, "FREE_BYTES_TO_RUN", 0)
        with pytest.raises(DemoStopped, match=r"free and the demo needs 1000000000\.0 GB"):
            machine.require_disk_space(tmp_path, built=False)
        machine.require_disk_space(tmp_path, built=True)


class TestSecrets:
    def test_stay_the_same_and_are_their_owner_s_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "password"
        first = machine.keep_secret(path)
        assert len(first) == 16
        assert machine.keep_secret(path) == first
        assert path.stat().st_mode & 0o777 == 0o600
        path.write_text("\n")
        assert machine.keep_secret(path) not in {"", first}

    def test_are_written_once_into_the_settings_of_the_demo(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / ".env"
        monkeypatch.setattr(os, "environ", {})
        assert write_demo_settings(path)
        assert path.stat().st_mode & 0o777 == 0o600
        env.load_env_file(path)
        assert env.read_bool("DEMO", default=False)
        assert env.read_list("ALLOWED_HOSTS", []) == ["127.0.0.1", "localhost"]
        assert len(env.read_str("SECRET_KEY")) > 60
        written = path.read_text()
        assert not write_demo_settings(path)
        assert path.read_text() == written


class TestDemoCommand:
    def run_demo(self, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        surroundings = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        given = {"SECRET_KEY": "x", "ENV_FILE": str(folder / "none"), "DATA_DIR": str(folder)}
        return subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=surroundings | given | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_leaves_other_installations_alone(self, tmp_path: Path) -> None:
        done = self.run_demo(tmp_path)
        assert done.returncode == 1
        assert done.stderr.strip().startswith("The settings here are not a demo's: DEMO=1 is")
        assert list(tmp_path.iterdir()) == []

    def test_says_which_port_is_taken_before_it_builds_anything(self, tmp_path: Path) -> None:
        with take_port() as listener:
            port = listener.getsockname()[1]
            done = self.run_demo(tmp_path, DEMO="1", PORT=str(port))
        assert done.returncode == 1
        assert done.stdout == ""
        assert f"Port {port} is taken by another program." in done.stderr

    def test_refuses_a_second_run_with_the_same_data(self, tmp_path: Path) -> None:
        (tmp_path / "demo").mkdir()
        with (tmp_path / "demo" / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.run_demo(tmp_path, DEMO="1")
        assert done.returncode == 1
        assert "The demo runs already with the data in" in done.stderr

    def test_says_which_setting_is_wrong(self, tmp_path: Path) -> None:
        done = self.run_demo(tmp_path, DEMO="perhaps")
        assert done.returncode == 1
        assert done.stderr == "DEMO is 'perhaps'; use 1 or 0. See .env.example.\n"


class TestBuilder:
    def test_ends_with_the_last_words_of_a_step_that_fails(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "logs").mkdir()
        failing = tmp_path / "manage.py"
        failing.write_text("print('Reading ...')\nraise ValueError('no such road')\n")
        with ProcessGroups() as groups:
            builder = Builder(groups, env=os.environ, root=tmp_path, folder=tmp_path)
            with pytest.raises(DemoStopped) as stopped:
                builder.run("Building the roads", "build_roads")
        log = tmp_path / "logs" / "build_roads.log"
        assert str(stopped.value) == (
            f"Building the roads failed: ValueError: no such road (all of it: {log})"
        )
        assert capsys.readouterr().out == (
            "Building the roads ... \n    Reading ...\n    stopped\n"
        )
        assert "Traceback" in log.read_text()


@pytest.mark.django_db
class TestPartner:
    def register(self, folder: Path, *, sandbox_port: int, our_url: str) -> None:
        Partner.objects.create(
            name="Demo", slug=partner.SLUG, state=Partner.State.ACTIVE, versions_url="http://x"
        )
        kept = {"sandbox_port": sandbox_port, "our_url": our_url}
        (folder / "registered.json").write_text(json.dumps(kept))
        (folder / "cpo.token-a").write_text("used up")

    def test_keeps_its_port_and_its_registration_over_starts(self, tmp_path: Path) -> None:
        port = find_free_port()
        self.register(tmp_path, sandbox_port=port, our_url=settings.PUBLIC_URL)
        chosen = partner.choose_partner(tmp_path)
        chosen.prepare()
        assert chosen.addresses.versions_url == f"http://127.0.0.1:{port}/ocpi/versions"
        assert chosen.is_registered()
        assert chosen.token_file.exists()

    @pytest.mark.parametrize("moved", ["we", "they"])
    def test_needs_a_new_handshake_when_one_side_has_moved(
        self, tmp_path: Path, moved: str
    ) -> None:
        with take_port() as listener:
            taken = listener.getsockname()[1]
            self.register(
                tmp_path,
                sandbox_port=taken if moved == "they" else find_free_port(),
                our_url="http://127.0.0.1:1" if moved == "we" else settings.PUBLIC_URL,
            )
            chosen = partner.choose_partner(tmp_path)
        chosen.prepare()
        assert not chosen.is_registered()
        assert not chosen.token_file.exists()

    @pytest.mark.parametrize("kept", ["", "{", "[]", '{"sandbox_port": "x", "our_url": ""}'])
    def test_starts_over_when_its_notes_are_broken(self, tmp_path: Path, kept: str) -> None:
        (tmp_path / "registered.json").write_text(kept)
        chosen = partner.choose_partner(tmp_path)
        assert chosen.addresses.sandbox_port in machine.SANDBOX_PORTS
        assert not chosen.is_registered()


def make_grid() -> dict[str, object]:
    """Two towns' worth of roads: a crossing with four arms near 0, 0 and a road near 1, 1."""
    lon = [0.1, 0.12, 0.08, 0.1, 0.1, 1.10, 1.12]
    lat = [0.1, 0.10, 0.10, 0.12, 0.08, 1.1, 1.1]
    pairs = [(0, 1), (0, 2), (0, 3), (0, 4), (5, 6)]
    tail = [a for a, b in pairs] + [b for a, b in pairs]
    head = [b for a, b in pairs] + [a for a, b in pairs]
    n = len(tail)
    return {
        "node_lon": lon, "node_lat": lat, "tail": tail, "head": head,
        "duration_ds": [100] * n, "length_m": [1000.0] * n, "kind": [0] * n,
    }  # fmt: skip


class TestSites:
    def test_stand_where_most_roads_meet_one_a_cell(self) -> None:
        graph = make_road_graph(**make_grid())  # type: ignore[arg-type]
        assert spread_nodes(graph, cell_deg=0.4).tolist() == [0, 5]

    def test_do_not_stand_at_sea(self) -> None:
        grid = make_grid() | {"kind": [0, 0, 0, 0, 2] * 2}
        graph = make_road_graph(**grid)  # type: ignore[arg-type]
        assert spread_nodes(graph, cell_deg=0.4).tolist() == [0]

    @pytest.mark.django_db
    def test_lie_in_the_country_of_the_nearest_place(self) -> None:
        for number, (x, y, country) in enumerate([(6.1, 49.6, "LU"), (6.64, 49.75, "DE")]):
            Place.objects.create(
                geoname_id=number, name=country, country=country, kind="city",
                lon=x, lat=y, population=1,
            )  # fmt: skip
        lon, lat = np.array([6.2, 6.6, 6.5]), np.array([49.6, 49.7, 60.0])
        assert find_countries(lon, lat) == ["LU", "DE", "DE"]

    @pytest.mark.django_db
    def test_are_written_anew_only_when_the_roads_change(self, tmp_path: Path) -> None:
        save_road_graph(make_road_graph(**make_grid()), tmp_path / "roads")  # type: ignore[arg-type]
        path = tmp_path / "sites.csv"
        assert export_sites(tmp_path / "roads", path)
        assert path.read_text() == (
            "lon,lat,country,kind,name\n"
            "0.10000,0.10000,,motorway,\n"
            "1.10000,1.10000,,motorway,\n"
        )  # fmt: skip
        assert not export_sites(tmp_path / "roads", path)
        grid = make_grid() | {"length_m": [1001.0] * 10}
        save_road_graph(make_road_graph(**grid), tmp_path / "roads")  # type: ignore[arg-type]
        assert export_sites(tmp_path / "roads", path)
