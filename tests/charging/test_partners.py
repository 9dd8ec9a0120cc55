"""The handshake, over real sockets in both directions."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction

from charging.models import Partner
from charging.ocpi.client import OcpiFailure, PartnerTroubled
from charging.partners import (
    EndpointsMissing,
    RegistrationFailed,
    RegistrationSuperseded,
    VersionMissing,
    choose_their_party,
    end_registration,
    hash_token,
    is_still_registered,
    register_partner,
    resume_partner,
    suspend_partner,
)
from charging.sync_schedule import request_sync
from emsp.kernel import clock
from emsp.kernel.http import PeerUnreachable
from emsp.kernel.models import Job
from tests.charging.ocpi_helpers import (
    NOON,
    find_sync_job,
    make_active_partner,
    make_location,
    run_job,
    serving_ourselves,
)
from tests.emsp.sandbox_cpo import TOKEN_A, running_cpo
from tests.fakes import FakeCpo, Reply, Seen, envelope

pytestmark = pytest.mark.django_db(transaction=True)

CREDENTIALS = "/ocpi/2.2.1/credentials"


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo().serving() as cpo:
        yield cpo


@pytest.fixture
def our_url() -> Iterator[str]:
    with serving_ourselves() as url:
        yield url


@pytest.fixture
def partner(cpo: FakeCpo) -> Partner:
    return Partner.objects.create(
        name="Fake Charging", slug="fake", versions_url=cpo.versions_url, token_out=cpo.token_a
    )


def register_failing(partner: Partner) -> OcpiFailure:
    with pytest.raises(OcpiFailure) as failure:
        register_partner(partner, now=NOON)
    partner.refresh_from_db()
    assert (partner.state, partner.registered_at) == ("planned", None)
    assert not Job.objects.exists()
    return failure.value


class TestRegister:
    def test_trades_token_a_for_token_c(self, partner: Partner, cpo: FakeCpo, our_url: str) -> None:
        assert register_partner(partner, now=NOON)
        assert (partner.state, partner.registered_at) == ("active", NOON)
        assert (partner.token_out, partner.ocpi_version) == (cpo.token_c, "2.2.1")
        assert partner.token_in_hash == hash_token(cpo.their_token)
        assert partner.roles == [
            {"role": "CPO", "country_code": "NL", "party_id": "FAK", "name": "Fake Charging"}
        ]
        assert partner.endpoints == {
            "credentials/SENDER": f"{cpo.url}/ocpi/2.2.1/credentials",
            "locations/SENDER": f"{cpo.url}/ocpi/cpo/2.2.1/locations",
            "tariffs/SENDER": f"{cpo.url}/ocpi/cpo/2.2.1/tariffs",
        }
        assert {seen.token for seen in cpo.seen} == {cpo.token_a}

    def test_answers_the_call_back_that_comes_during_the_post(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        register_partner(partner, now=NOON)
        versions, details = cpo.called_back
        assert versions["data"] == [{"version": "2.2.1", "url": f"{our_url}/ocpi/2.2.1"}]
        assert details["data"]["endpoints"][0]["url"] == f"{our_url}/ocpi/2.2.1/credentials"

    def test_asks_for_a_full_pull_at_once(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        register_partner(partner, now=NOON)
        job = find_sync_job(partner)
        assert (job.payload["kind"], job.due_at) == ("full", NOON)

    def test_does_nothing_the_second_time(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        register_partner(partner, now=NOON)
        calls = len(cpo.seen)
        assert not register_partner(partner, now=NOON + timedelta(hours=1))
        assert len(cpo.seen) == calls
        assert Job.objects.count() == 1

    def test_reads_versions_that_need_the_token_raw(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        def read_raw_only(seen: Seen) -> Reply | None:
            if seen.headers["authorization"] != f"Token {cpo.token_a}":
                return Reply(envelope(status_code=2000), status=401)
            encoded = base64.b64encode(cpo.token_a.encode()).decode()
            seen.headers["authorization"] = f"Token {encoded}"
            return None

        for path in ("/ocpi/versions", "/ocpi/2.2.1", CREDENTIALS):
            cpo.scripts[path] = read_raw_only
        assert register_partner(partner, now=NOON)
        assert partner.raw_token

    def test_can_be_repeated_after_a_failure(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        cpo.scripts[CREDENTIALS] = lambda _: Reply(b"restarting", status=503)
        failure = register_failing(partner)
        assert (type(failure), failure.retryable) == (PartnerTroubled, True)
        del cpo.scripts[CREDENTIALS]
        assert register_partner(partner, now=NOON)
        assert partner.token_in_hash == hash_token(cpo.their_token)

    def test_says_that_the_token_is_wrong(self, partner: Partner, cpo: FakeCpo) -> None:
        Partner.objects.update(token_out="wrong")
        assert str(register_failing(partner)).endswith("refuses our token (HTTP 401)")

    def test_says_what_to_do_when_the_token_is_used_up(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.scripts[CREDENTIALS] = lambda _: Reply(envelope(status_code=2000), status=401)
        failure = register_failing(partner)
        assert isinstance(failure, RegistrationFailed)
        assert str(failure).endswith("Ask the partner for a new one")

    def test_says_that_the_partner_knows_us_already(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.scripts[CREDENTIALS] = lambda _: Reply(envelope(status_code=2000), status=405)
        assert "registered already" in str(register_failing(partner))

    def test_says_that_the_partner_cannot_reach_us(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        cpo.scripts[CREDENTIALS] = lambda _: Reply(
            envelope(status_code=3001, status_message="no answer")
        )
        failure = register_failing(partner)
        assert f"must be able to reach our versions at {our_url}/ocpi/versions" in str(failure)

    def test_refuses_a_partner_of_another_version(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.scripts["/ocpi/versions"] = lambda _: Reply(
            envelope([{"version": "2.1.1", "url": "x"}, {"version": "3.0", "url": "y"}])
        )
        failure = register_failing(partner)
        assert isinstance(failure, VersionMissing)
        assert str(failure) == "the partner does not speak OCPI 2.2.1; it offers 2.1.1, 3.0"

    def test_leaves_a_partner_alone_that_a_faster_handshake_has_registered(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        def register_meanwhile(_: Seen) -> None:
            Partner.objects.update(state="active", registered_at=NOON, token_in_hash="theirs")
            connection.close()

        cpo.scripts["/ocpi/2.2.1"] = register_meanwhile
        with pytest.raises(RegistrationSuperseded) as failure:
            register_partner(partner, now=NOON)
        assert str(failure.value) == "the partner was registered by somebody else meanwhile"
        assert cpo.list_calls(CREDENTIALS, "POST") == []
        assert Partner.objects.get().token_in_hash == "theirs"

    def test_stores_names_that_databases_refuse_in_a_cleaned_form(
        self, partner: Partner, cpo: FakeCpo, our_url: str
    ) -> None:
        theirs = cpo.write_credentials()
        theirs["roles"][0]["business_details"]["name"] = "Fake\0 \ud83d"
        cpo.scripts["/credentials"] = lambda _: Reply(envelope(theirs))
        endpoints = [
            {"identifier": name, "url": f"{cpo.url}/{name}"}
            for name in ("credentials", "locations", "odd\0")
        ]
        cpo.scripts["/ocpi/2.2.1"] = lambda _: Reply(envelope({"endpoints": endpoints}))
        assert register_partner(partner, now=NOON)
        assert partner.roles[0]["name"] == "Fake\ufffd ?"
        assert "odd\ufffd/SENDER" in partner.endpoints

    def test_says_that_the_token_has_letters_that_no_token_has(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        Partner.objects.update(token_out="tökén")
        assert str(register_failing(partner)) == (
            "the registration token: 1 to 64 printable ASCII characters without blanks are"
            " needed: enter it again as the partner gave it"
        )
        assert cpo.seen == []

    def test_sends_no_credentials_to_a_partner_without_locations(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.modules = ["credentials", "tariffs"]
        assert isinstance(register_failing(partner), EndpointsMissing)
        assert cpo.list_calls(CREDENTIALS, "POST") == []

    def test_refuses_credentials_without_a_token(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.scripts[CREDENTIALS] = lambda _: Reply(envelope({"url": cpo.versions_url}))
        assert "token: 1 to 64" in str(register_failing(partner))

    def test_says_that_nobody_is_there(self, partner: Partner) -> None:
        Partner.objects.update(versions_url="http://127.0.0.1:1/ocpi/versions")
        with pytest.raises(PeerUnreachable):
            register_partner(partner, now=NOON)


class TestSandboxCpo:
    def test_registers_and_serves_its_whole_network(self, tmp_path: Path, our_url: str) -> None:
        with running_cpo(
            tmp_path, "--stations", "60", "--status-interval", "0", "--page-limit", "25"
        ) as cpo:
            partner = Partner.objects.create(
                name="Sandbox", slug="sandbox", versions_url=cpo.versions, token_out=TOKEN_A
            )
            register_partner(partner, now=clock.now())
            assert partner.roles[0]["role"] == "CPO"
            run_job(find_sync_job(partner).pk)
            run = partner.sync_runs.get()
            assert (run.state, run.error, run.quarantined) == ("done", "", 0)
            assert partner.locations.filter(removed_at=None).count() == 60
            assert run.stored == 60 + partner.tariffs.count() == run.total


class TestLifeAfterwards:
    def test_asks_the_partner_whether_it_still_knows_us(self, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        assert is_still_registered(partner)
        partner.token_out = "forgotten"
        assert not is_still_registered(partner)

    def test_addresses_the_hub_where_there_is_one(self, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        partner.roles = [
            {"role": "CPO", "country_code": "NL", "party_id": "AAA"},
            {"role": "HUB", "country_code": "NL", "party_id": "HUB"},
        ]
        party = choose_their_party(partner)
        assert party is not None
        assert party.party_id == "HUB"
        partner.roles = []
        assert choose_their_party(partner) is None

    def test_pulls_what_was_missed_when_a_suspended_partner_is_resumed(self, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        suspend_partner(partner)
        assert Partner.objects.get().state == "suspended"
        resume_partner(partner, now=NOON)
        assert Partner.objects.get().state == "active"
        assert find_sync_job(partner).due_at == NOON

    def test_ends_the_pulls_of_a_partner_that_left(self, cpo: FakeCpo) -> None:
        cpo.locations = [make_location()]
        partner = make_active_partner(cpo)
        with transaction.atomic():
            job_id = request_sync(partner.pk, now=NOON)
        end_registration(partner)
        run_job(job_id)
        assert Job.objects.get(pk=job_id).done_at is not None
        assert cpo.seen == []
        with pytest.raises(OcpiFailure, match="not registered"):
            end_registration(partner)
