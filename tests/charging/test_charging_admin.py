"""Partners, pulls and jobs in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from charging.admin import PartnerAdmin, PartnerForm
from charging.models import Location, Partner, SyncRun
from charging.partners import hash_token
from drivers.models import User
from emsp.kernel.models import Job
from tests.charging.ocpi_helpers import (
    NOON,
    find_sync_job,
    make_active_partner,
    make_location,
    make_tariff,
    pull,
    serving_ourselves,
)
from tests.fakes import FakeCpo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo().serving() as cpo:
        yield cpo


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(
        User.objects.create_superuser(email="operator@example.org", password="a-password")
    )
    return client


def act(operator: Client, action: str, *rows: Any) -> list[str]:
    """Run an action of a list; return what the operator is told."""
    model = rows[0]._meta
    url = reverse(f"admin:{model.app_label}_{model.model_name}_changelist")
    response = operator.post(
        url, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True
    )
    return [str(message) for message in response.context["messages"]]


class TestPages:
    def test_show_what_came_in_and_never_a_token(self, operator: Client, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        cpo.tariffs = [make_tariff()]
        cpo.locations = [make_location(), make_location("BAD", time_zone=None)]
        pull(partner)
        rows = [partner, Location.objects.get(), partner.tariffs.get(), partner.sync_runs.get()]
        rows += [partner.quarantined.get(), find_sync_job(partner)]
        for row in rows:
            name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
            for url in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])):
                page = operator.get(url)
                assert page.status_code == 200, url
                for secret in (cpo.token_c, cpo.token_a, partner.token_in_hash):
                    assert secret not in page.content.decode()

    def test_can_be_searched(self, operator: Client, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        cpo.locations = [make_location(), make_location("LOC2", name="Elsewhere")]
        pull(partner)
        page = operator.get(reverse("admin:charging_location_changelist"), {"q": "Elsewhere"})
        assert "Elsewhere" in page.content.decode()
        assert "Rest area" not in page.content.decode()

    def test_offer_no_way_to_change_what_partners_own(self, operator: Client, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        cpo.locations = [make_location()]
        pull(partner)
        url = reverse("admin:charging_location_change", args=[Location.objects.get().pk])
        assert operator.post(url, {"name": "Mine"}).status_code == 403
        assert Location.objects.get().name == "Rest area"


class TestPartner:
    def add(self, operator: Client, **changes: Any) -> Any:
        fields = {
            "name": "Fake",
            "slug": "fake",
            "versions_url": "https://cpo.example/versions",
            "registration_token": "secret-token-a",
            "sync_interval_s": 3600,
            "full_sync_interval_s": 86_400,
        }
        return operator.post(reverse("admin:charging_partner_add"), fields | changes)

    def test_is_added_with_its_registration_token(self, operator: Client) -> None:
        assert self.add(operator).status_code == 302
        partner = Partner.objects.get()
        assert (partner.state, partner.token_out) == ("planned", "secret-token-a")

    def test_needs_an_address_of_the_web(self, operator: Client) -> None:
        page = self.add(operator, versions_url="ftp://cpo.example")
        assert "begins with https://" in page.content.decode()
        assert Partner.objects.count() == 0

    def test_keeps_its_own_token_once_it_is_registered(
        self, operator: Client, cpo: FakeCpo
    ) -> None:
        partner = make_active_partner(cpo)
        operator.post(
            reverse("admin:charging_partner_change", args=[partner.pk]),
            {
                "name": "Renamed",
                "slug": "fake",
                "versions_url": cpo.versions_url,
                "registration_token": "another",
                "sync_interval_s": 60,
                "full_sync_interval_s": 86_400,
            },
        )
        partner.refresh_from_db()
        assert (partner.name, partner.sync_interval_s) == ("Renamed", 60)
        assert partner.token_out == cpo.token_c

    def test_needs_a_token_that_can_be_sent(self, operator: Client) -> None:
        page = self.add(operator, registration_token="tökén")
        assert "signs of ASCII only" in page.content.decode()
        assert Partner.objects.count() == 0

    def test_needs_some_time_between_pulls(self, operator: Client) -> None:
        page = self.add(operator, sync_interval_s=9, full_sync_interval_s=59).content.decode()
        assert "greater than or equal to 10" in page
        assert "greater than or equal to 60" in page
        assert Partner.objects.count() == 0

    def test_that_is_renamed_keeps_what_a_handshake_wrote_meanwhile(self, cpo: FakeCpo) -> None:
        partner = Partner.objects.create(name="Fake", slug="fake", versions_url=cpo.versions_url)
        fields = {name: getattr(partner, name) for name in PartnerForm.Meta.fields}
        sent = fields | {"name": "Renamed", "registration_token": "another"}
        form = PartnerForm(sent, instance=partner)
        assert form.is_valid()
        Partner.objects.update(state="active", token_out=cpo.token_c, versions_url="https://new")
        PartnerAdmin(Partner, admin.site).save_model(HttpRequest(), partner, form, change=True)
        kept = Partner.objects.get()
        assert (kept.name, kept.state, kept.token_out) == ("Renamed", "active", cpo.token_c)
        assert kept.versions_url == "https://new"

    def test_takes_another_registration_token_until_it_is_registered(
        self, operator: Client, cpo: FakeCpo
    ) -> None:
        self.add(operator)
        partner = Partner.objects.get()
        fields = {name: getattr(partner, name) for name in PartnerForm.Meta.fields}
        operator.post(
            reverse("admin:charging_partner_change", args=[partner.pk]),
            fields | {"registration_token": "another"},
        )
        assert Partner.objects.get().token_out == "another"

    def test_is_registered_by_an_action(self, operator: Client, cpo: FakeCpo) -> None:
        partner = Partner.objects.create(
            name="Fake", slug="fake", versions_url=cpo.versions_url, token_out=cpo.token_a
        )
        with serving_ourselves():
            assert act(operator, "register", partner) == ["Fake: registered"]
        assert act(operator, "register", partner) == ["Fake: was registered already"]
        assert Partner.objects.get().token_in_hash == hash_token(cpo.their_token)

    def test_that_cannot_be_registered_says_why(self, operator: Client, cpo: FakeCpo) -> None:
        partner = Partner.objects.create(name="Fake", slug="fake", versions_url=cpo.versions_url)
        assert act(operator, "register", partner) == [
            "Fake: the registration token is missing: enter what the partner gave"
        ]
        Partner.objects.update(token_out="wrong")
        [said] = act(operator, "register", partner)
        assert said.startswith("Fake: 127.0.0.1:")
        assert said.endswith("refuses our token (HTTP 401)")

    def test_is_pulled_by_an_action(self, operator: Client, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        assert act(operator, "sync_now", partner) == ["Fake Charging: pull queued"]
        assert find_sync_job(partner).payload["kind"] == "auto"
        act(operator, "accept_removals", partner)
        payload = find_sync_job(partner).payload
        assert (payload["kind"], payload["accept_removals"]) == ("full", True)

    def test_is_suspended_and_resumed_by_actions(self, operator: Client, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        act(operator, "suspend", partner)
        assert Partner.objects.get().state == "suspended"
        assert act(operator, "sync_fully", partner) == [
            "Fake Charging: not active, so nothing to pull"
        ]
        act(operator, "resume", partner)
        assert Partner.objects.get().state == "active"


class TestJob:
    def test_that_is_dead_gets_a_new_life(self, operator: Client, cpo: FakeCpo) -> None:
        partner = make_active_partner(cpo)
        act(operator, "sync_now", partner)
        job = find_sync_job(partner)
        Job.objects.update(dead_at=NOON, last_error="went wrong")
        page = operator.get(reverse("admin:kernel_job_changelist"), {"state": "dead"})
        assert "went wrong" in page.content.decode()
        assert act(operator, "revive", job) == ["1 job will be tried again."]
        assert find_sync_job(partner).pk == job.pk

    def test_is_listed_by_state(self, operator: Client, cpo: FakeCpo) -> None:
        act(operator, "sync_now", make_active_partner(cpo))
        url = reverse("admin:kernel_job_changelist")
        job = Job.objects.get()
        row = reverse("admin:kernel_job_change", args=[job.pk])
        assert row in operator.get(url, {"state": "open"}).content.decode()
        assert row not in operator.get(url, {"state": "done"}).content.decode()
        assert SyncRun.objects.count() == 0
