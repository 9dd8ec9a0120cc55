"""Registering at the sandbox CPO, and the sandbox CPO registering at an eMSP."""

from __future__ import annotations

import json
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emsp.sandbox.cpo.store import Store
from tests.emsp.sandbox_cpo import (
    ROOT,
    TOKEN_A,
    Cpo,
    Emsp,
    call,
    client_with,
    command,
    free_port,
    registered_client,
    running_cpo,
    running_emsp,
    token_header,
)

# One location is enough here, and starts faster than a generated network.
ONE = {"id": "L1", "evses": [], "last_updated": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cpo")


@pytest.fixture(scope="module")
def tiny(folder: Path) -> tuple[str, Path]:
    file = folder / "one.json"
    file.write_text(json.dumps([ONE]))
    return "--data", file


@pytest.fixture(scope="module")
def cpo(folder: Path, tiny: tuple[str, Path]) -> Iterator[Cpo]:
    with running_cpo(folder, *tiny) as cpo:
        yield cpo


@pytest.fixture
def token_a(folder: Path, cpo: Cpo) -> str:
    """Give an invitation nobody has used: every test begins unregistered."""
    token = secrets.token_urlsafe(16)
    store = Store(folder / "cpo.sqlite3")
    store.invite(token)
    store.close()
    return token


@pytest.fixture
def emsp() -> Iterator[Emsp]:
    with running_emsp() as emsp:
        yield emsp


def post(cpo: Cpo, body: Any, token: str) -> httpx.Response:
    return call("POST", cpo.credentials, headers=token_header(token), json=body)


def codes(response: httpx.Response) -> tuple[int, int]:
    return response.status_code, response.json()["status_code"]


class TestTokenA:
    def test_opens_versions_details_and_credentials_only(self, cpo: Cpo, token_a: str) -> None:
        with client_with(token_a) as client:
            assert codes(client.get(cpo.versions)) == (200, 1000)
            assert codes(client.get(f"{cpo.url}/ocpi/2.2.1")) == (200, 1000)
            assert client.get(cpo.credentials).json()["data"]["token"] == token_a
            for url in (cpo.locations, f"{cpo.locations}/L1", cpo.tariffs):
                assert codes(client.get(url)) == (401, 2000)

    def test_is_dead_after_the_handshake(self, cpo: Cpo, token_a: str, emsp: Emsp) -> None:
        assert codes(post(cpo, emsp.credentials(), token_a)) == (201, 1000)
        assert codes(call("GET", cpo.versions, headers=token_header(token_a))) == (401, 2000)
        assert codes(post(cpo, emsp.credentials(), token_a)) == (401, 2000)

    def test_stays_dead_over_a_restart(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        with running_cpo(tmp_path, *tiny) as cpo:
            assert codes(post(cpo, emsp.credentials(), TOKEN_A)) == (201, 1000)
        with running_cpo(tmp_path, *tiny) as cpo:
            assert codes(call("GET", cpo.versions, headers=token_header(TOKEN_A))) == (401, 2000)

    def test_lives_in_a_private_file_when_none_is_given(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        file = tmp_path / "cpo.token-a"
        with running_cpo(tmp_path, *tiny, token_a=None) as cpo:
            token = file.read_text().strip()
            assert file.stat().st_mode & 0o777 == 0o600
            assert not any(token in line for line in cpo.lines)
            with registered_client(cpo, emsp, token_a=token) as client:
                client.delete(cpo.credentials)
            fresh = file.read_text().strip()
            assert fresh != token
            assert codes(post(cpo, emsp.credentials(), fresh)) == (201, 1000)


class TestPost:
    def test_answers_a_fresh_token_and_the_cpos_role(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        data = post(cpo, emsp.credentials(), token_a).json()["data"]
        assert data["url"] == cpo.versions
        assert data["roles"] == [
            {
                "role": "CPO",
                "party_id": "SBX",
                "country_code": "NL",
                "business_details": {"name": "Voltway Demo Grid"},
            }
        ]
        assert data["token"] not in {token_a, emsp.token}
        assert 32 <= len(data["token"]) <= 64
        assert codes(call("GET", cpo.locations, headers=token_header(data["token"]))) == (200, 1000)

    def test_calls_back_versions_and_details_with_the_token_of_the_body(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        post(cpo, emsp.credentials(), token_a)
        assert [(method, path) for method, path, _ in emsp.seen] == [
            ("GET", "/versions"),
            ("GET", "/ocpi/2.2.1"),
        ]
        expected = token_header(emsp.token)["Authorization"]
        assert {headers["authorization"] for _, _, headers in emsp.seen} == {expected}
        request_ids = {headers["x-request-id"] for _, _, headers in emsp.seen}
        assert len(request_ids) == 2
        assert all("x-correlation-id" in headers for _, _, headers in emsp.seen)

    def test_keeps_no_token_of_its_own_readable(
        self, folder: Path, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        token_c = post(cpo, emsp.credentials(), token_a).json()["data"]["token"]
        database = sqlite3.connect(folder / "cpo.sqlite3")
        dump = "\n".join(database.iterdump())
        database.close()
        assert token_c not in dump
        assert token_a not in dump

    def test_is_3001_when_the_callback_gets_an_http_error(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        emsp.http_status = 500
        assert codes(post(cpo, emsp.credentials(), token_a)) == (200, 3001)
        emsp.http_status = 200
        assert codes(post(cpo, emsp.credentials(), token_a)) == (201, 1000)

    def test_is_3001_when_the_callback_gets_an_ocpi_error(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        emsp.status_code = 2000
        assert codes(post(cpo, emsp.credentials(), token_a)) == (200, 3001)

    def test_is_3001_when_nobody_answers_the_callback(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        nowhere = f"http://127.0.0.1:{free_port()}/versions"
        assert codes(post(cpo, emsp.credentials(url=nowhere), token_a)) == (200, 3001)

    def test_is_3002_without_a_common_version(self, cpo: Cpo, token_a: str, emsp: Emsp) -> None:
        emsp.versions = emsp.versions[1:]
        assert codes(post(cpo, emsp.credentials(), token_a)) == (200, 3002)

    def test_is_3003_without_a_credentials_endpoint(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        emsp.modules.remove("credentials")
        assert codes(post(cpo, emsp.credentials(), token_a)) == (200, 3003)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("token", "two words"),
            ("token", "x" * 65),
            ("token", None),
            ("url", "ftp://127.0.0.1/"),
            ("roles", []),
            ("roles", [{"role": "EMSP", "party_id": "VOL", "country_code": "DE"}]),
        ],
    )
    def test_is_2001_naming_a_bad_field(
        self, cpo: Cpo, token_a: str, emsp: Emsp, field: str, value: Any
    ) -> None:
        answer = post(cpo, emsp.credentials(**{field: value}), token_a)
        assert codes(answer) == (200, 2001)
        assert field in answer.json()["status_message"]
        assert emsp.seen == []

    def test_is_400_for_what_is_no_json(self, cpo: Cpo, token_a: str) -> None:
        answer = call("POST", cpo.credentials, headers=token_header(token_a), content="{")
        assert codes(answer) == (400, 2001)

    def test_is_405_for_who_is_registered(self, cpo: Cpo, token_a: str, emsp: Emsp) -> None:
        with registered_client(cpo, emsp, token_a=token_a) as client:
            assert codes(client.post(cpo.credentials, json=emsp.credentials())) == (405, 2000)

    def test_replaces_the_former_registration_of_the_same_emsp(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        with running_cpo(tmp_path, *tiny) as cpo, registered_client(cpo, emsp) as former:
            pass
        with (
            running_cpo(tmp_path, *tiny, port=cpo.port, token_a="second-invitation") as cpo,
            registered_client(cpo, emsp, token_a="second-invitation"),
        ):
            assert call("GET", f"{cpo.url}/healthz").json()["registered"] == 1
            answer = call("GET", cpo.versions, headers=dict(former.headers))
            assert codes(answer) == (401, 2000)


class TestPut:
    def test_rotates_the_token_and_fetches_the_endpoints_again(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        with registered_client(cpo, emsp, token_a=token_a) as client:
            emsp.seen.clear()
            answer = client.put(cpo.credentials, json=emsp.credentials(token="token-b-2"))
            assert codes(answer) == (200, 1000)
            assert codes(client.get(cpo.tariffs)) == (401, 2000)
        assert [path for _, path, _ in emsp.seen] == ["/versions", "/ocpi/2.2.1"]
        renewed = {headers["authorization"] for _, _, headers in emsp.seen}
        assert renewed == {token_header("token-b-2")["Authorization"]}
        token = answer.json()["data"]["token"]
        assert codes(call("GET", cpo.tariffs, headers=token_header(token))) == (200, 1000)

    def test_keeps_the_old_token_when_the_callback_fails(
        self, cpo: Cpo, token_a: str, emsp: Emsp
    ) -> None:
        with registered_client(cpo, emsp, token_a=token_a) as client:
            emsp.http_status = 503
            assert codes(client.put(cpo.credentials, json=emsp.credentials())) == (200, 3001)
            assert codes(client.get(cpo.tariffs)) == (200, 1000)

    def test_is_405_before_registration(self, cpo: Cpo, token_a: str, emsp: Emsp) -> None:
        answer = call(
            "PUT", cpo.credentials, headers=token_header(token_a), json=emsp.credentials()
        )
        assert codes(answer) == (405, 2000)


class TestDelete:
    def test_ends_the_registration(self, cpo: Cpo, token_a: str, emsp: Emsp) -> None:
        with registered_client(cpo, emsp, token_a=token_a) as client:
            answer = client.delete(cpo.credentials)
            assert codes(answer) == (200, 1000)
            assert "data" not in answer.json()
            assert codes(client.get(cpo.versions)) == (401, 2000)

    def test_is_405_before_registration(self, cpo: Cpo, token_a: str) -> None:
        answer = call("DELETE", cpo.credentials, headers=token_header(token_a))
        assert codes(answer) == (405, 2000)


class TestIntroduction:
    def test_registers_at_the_emsp_with_its_token_a(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        at = ("--register-at", f"{emsp.url}/versions", "--register-token", "a-of-the-emsp")
        with running_cpo(tmp_path, *tiny, *at) as cpo:
            assert emsp.posted is not None
            token_b = emsp.posted["token"]
            assert [answer["status_code"] for answer in emsp.called_back] == [1000, 1000]
            assert codes(call("GET", cpo.tariffs, headers=token_header(token_b))) == (200, 1000)
            assert f"sandbox CPO: registered at {emsp.url}/versions" in cpo.lines
        method, path, headers = emsp.seen[-1]
        assert (method, path) == ("POST", "/ocpi/2.2.1/credentials")
        assert headers["authorization"] == token_header("a-of-the-emsp")["Authorization"]

    def test_is_not_repeated_at_a_restart(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        at = ("--register-at", f"{emsp.url}/versions", "--register-token", "a-of-the-emsp")
        with running_cpo(tmp_path, *tiny, *at):
            pass
        emsp.seen.clear()
        with running_cpo(tmp_path, *tiny, *at) as cpo:
            assert " registered=1 " in cpo.lines[-1]
        assert emsp.seen == []

    def test_ends_with_a_sentence_when_the_emsp_refuses(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        emsp.http_status = 401
        at = ("--register-at", f"{emsp.url}/versions", "--register-token", "a-of-the-emsp")
        place = ("--port", str(free_port()), "--database", tmp_path / "cpo.sqlite3")
        ended = subprocess.run(
            command(*place, *tiny, *at), cwd=ROOT, capture_output=True, text=True, timeout=20
        )
        assert ended.returncode == 2
        assert ended.stderr == (
            f"sandbox CPO: {emsp.url}/versions answered HTTP 401, OCPI status code none\n"
        )

    def test_keeps_the_roles_of_the_emsp(
        self, tmp_path: Path, tiny: tuple[str, Path], emsp: Emsp
    ) -> None:
        at = ("--register-at", f"{emsp.url}/versions", "--register-token", "a-of-the-emsp")
        with running_cpo(tmp_path, *tiny, *at):
            database = sqlite3.connect(tmp_path / "cpo.sqlite3")
            rows = database.execute("SELECT their_token, roles FROM registration").fetchall()
            database.close()
        ((token, roles),) = rows
        assert token == "token-c-of-the-stub"
        assert json.loads(roles)[0]["party_id"] == "VOL"
