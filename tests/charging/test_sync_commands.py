"""``manage.py register_partner`` and ``sync_partner``."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from charging.models import Location, Partner, SyncRun
from charging.partners import suspend_partner
from tests.charging.ocpi_helpers import (
    find_sync_job,
    make_active_partner,
    make_location,
    pull,
    serving_ourselves,
)
from tests.fakes import FakeCpo, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo().serving() as cpo:
        yield cpo


@pytest.fixture
def our_url() -> Iterator[str]:
    with serving_ourselves() as url:
        yield url


def run(*words: str | Path) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def run_failing(*words: str | Path) -> str:
    with pytest.raises(CommandError) as failure:
        run(*words)
    assert failure.value.returncode == 1
    return str(failure.value)


class TestRegisterPartner:
    def register(self, cpo: FakeCpo, *words: str | Path) -> list[str | Path]:
        return [
            "register_partner",
            *("--slug", "fake", "--name", "Fake Charging", "--versions-url", cpo.versions_url),
            *(words or ("--token-a", cpo.token_a)),
        ]

    def test_makes_the_partner_and_says_so(self, cpo: FakeCpo, our_url: str) -> None:
        said = run(*self.register(cpo), "--sync-interval", "60")
        assert said == "Fake Charging is registered (CPO NL*FAK); its first pull is queued.\n"
        partner = Partner.objects.get()
        assert (partner.slug, partner.state, partner.sync_interval_s) == ("fake", "active", 60)
        assert find_sync_job(partner).payload["kind"] == "full"

    def test_says_that_it_was_done_before(self, cpo: FakeCpo, our_url: str) -> None:
        run(*self.register(cpo))
        assert run(*self.register(cpo)) == "Fake Charging is registered already.\n"
        assert len(cpo.list_calls("/ocpi/2.2.1/credentials", "POST")) == 1

    def test_registers_anew_where_the_operator_has_forgotten_us(
        self, cpo: FakeCpo, our_url: str
    ) -> None:
        run(*self.register(cpo))
        cpo.token_c = "another-token-c"
        assert "is registered (CPO NL*FAK)" in run(*self.register(cpo))
        assert Partner.objects.get().token_out == "another-token-c"

    def test_reads_the_token_from_a_file(self, cpo: FakeCpo, our_url: str, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text(f"{cpo.token_a}\n")
        assert "is registered" in run(*self.register(cpo, "--token-file", file))

    def test_ends_with_a_sentence_when_it_fails(self, cpo: FakeCpo, tmp_path: Path) -> None:
        said = run_failing(*self.register(cpo, "--token-a", "wrong"))
        assert said == (
            f"Fake Charging could not be registered: {cpo.url.removeprefix('http://')} refuses our"
            " token (HTTP 401)."
        )
        assert "cannot be read" in run_failing(
            *self.register(cpo, "--token-file", tmp_path / "none")
        )
        assert run_failing(*self.register(cpo, "--sync-interval", "9")) == (
            "Give the operator's registration token: --token-a or --token-file."
        )
        assert Partner.objects.filter(state="active").count() == 0

    def test_says_what_is_wrong_with_the_name(self, cpo: FakeCpo) -> None:
        words = self.register(cpo)
        words[2] = "no slug!"
        assert run_failing(*words).startswith("The partner cannot be written: slug: ")


class TestSyncPartner:
    def test_pulls_now_and_says_what_came(self, cpo: FakeCpo) -> None:
        make_active_partner(cpo)
        cpo.locations = [make_location(), make_location("LOC2", party_id=None)]
        said = run("sync_partner", "fake")
        assert said == "full pull done: 1 stored, 0 unchanged, 1 quarantined, 0 removed of 2\n"
        assert Location.objects.count() == 1

    def test_pulls_changes_the_second_time_unless_told_otherwise(self, cpo: FakeCpo) -> None:
        make_active_partner(cpo)
        cpo.locations = [make_location()]
        run("sync_partner", "fake")
        assert run("sync_partner", "fake").startswith("delta pull done: 0 stored")
        assert run("sync_partner", "fake", "--full").startswith(
            "full pull done: 0 stored, 1 unchanged"
        )

    def test_marks_as_removed_what_an_operator_accepts(self, cpo: FakeCpo) -> None:
        make_active_partner(cpo)
        cpo.locations = [make_location(), make_location("LOC2")]
        run("sync_partner", "fake")
        del cpo.locations[0]
        assert "1 of 2 are missing, more than 10%" in run("sync_partner", "fake", "--full")
        assert "1 removed of 1" in run("sync_partner", "fake", "--accept-removals")

    def test_leaves_it_to_the_workers_where_that_is_wished(self, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        assert run("sync_partner", "fake", "--enqueue") == "A pull of Fake Charging is queued.\n"
        assert cpo.seen == []
        assert find_sync_job(partner).lease_token is None

    def test_goes_on_with_the_run_that_is_under_way(self, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        cpo.scripts[cpo.locations_path] = lambda _: Reply(b"", status=503)
        assert pull(partner).state == "running"
        cpo.scripts.clear()
        assert run("sync_partner", "fake").endswith(
            "full pull done: 0 stored, 0 unchanged, 0 quarantined, 0 removed\n"
        )
        assert SyncRun.objects.count() == 1

    def test_ends_with_a_sentence_when_the_pull_fails(self, cpo: FakeCpo) -> None:
        make_active_partner(cpo, token_out="forgotten")
        assert run_failing("sync_partner", "fake").startswith(
            "The pull of Fake Charging failed: TokenRefused: 127.0.0.1:"
        )

    def test_refuses_partners_that_cannot_be_pulled(self, cpo: FakeCpo) -> None:
        assert run_failing("sync_partner", "nobody") == "There is no partner nobody."
        suspend_partner(make_active_partner(cpo))
        assert run_failing("sync_partner", "fake") == (
            "Fake Charging is suspended: register it first."
        )
