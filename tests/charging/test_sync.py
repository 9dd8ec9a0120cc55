"""Pulling a partner: pages, cursors, deltas, removals, quarantine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from charging import sync
from charging.models import (
    Connector,
    Evse,
    Location,
    Partner,
    QuarantinedObject,
    SyncRun,
    Tariff,
)
from charging.network import store_locations
from charging.ocpi.v2_2_1 import format_datetime, parse_datetime
from charging.sync_schedule import PullKind, SyncWish
from emsp.kernel.jobs import LeaseLost
from emsp.kernel.models import Job
from tests.charging.ocpi_helpers import (
    LATER,
    NOON,
    find_sync_job,
    make_active_partner,
    make_connector,
    make_evse,
    make_location,
    make_tariff,
    pull,
)
from tests.fakes import FakeCpo, Reply, Seen, envelope

pytestmark = pytest.mark.django_db

# The fake's clock in tests of deltas: a few minutes behind ours.
BEHIND = timedelta(minutes=5)
STILL_LATER = "2026-05-03T08:00:00Z"


@pytest.fixture
def cpo() -> Iterator[FakeCpo]:
    with FakeCpo(page_size=10).serving() as cpo:
        yield cpo


@pytest.fixture
def partner(cpo: FakeCpo) -> Partner:
    return make_active_partner(cpo)


def list_locations(count: int, **changes: Any) -> list[Any]:
    return [make_location(f"LOC{number:03}", **changes) for number in range(count)]


def find_location(ocpi_id: str = "LOC1") -> Location:
    return Location.objects.get(ocpi_id=ocpi_id)


class TestFullPull:
    def test_stores_tariffs_before_locations_and_every_part(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.tariffs = [make_tariff("T1"), make_tariff("T2")]
        evse = make_evse(connectors=[make_connector("1"), make_connector("2")])
        cpo.locations = [make_location(evses=[evse, make_evse("E2")])]
        run = pull(partner)
        assert (run.kind, run.state, run.error, run.cursor) == ("full", "done", "", None)
        assert (run.total, run.stored, run.unchanged, run.quarantined) == (3, 3, 0, 0)
        assert [seen.path for seen in cpo.seen] == [cpo.tariffs_path, cpo.locations_path]
        assert sorted(Tariff.objects.values_list("ocpi_id", flat=True)) == ["T1", "T2"]
        location = find_location()
        assert (location.partner, location.removed_at) == (partner, None)
        assert sorted(location.evses.values_list("uid", flat=True)) == ["E1", "E2"]
        assert Connector.objects.filter(evse__uid="E1").count() == 2

    def test_reads_every_page(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(25)
        run = pull(partner)
        assert (run.state, run.stored, run.total) == ("done", 25, 25)
        assert len(cpo.list_calls(cpo.locations_path)) == 3
        assert Location.objects.count() == 25

    def test_writes_nothing_but_the_sight_of_what_is_unchanged(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.tariffs, cpo.locations = [make_tariff()], list_locations(25)
        first = pull(partner)
        seen_first = find_location("LOC000").seen_at
        evses = set(Evse.objects.values_list("pk", flat=True))
        cpo.locations[0]["name"] = "changed without a new last_updated"
        run = pull(partner, PullKind.FULL)
        assert first.stored == 26
        assert (run.stored, run.unchanged, run.removed) == (0, 26, 0)
        assert find_location("LOC000").name == "Rest area"
        assert find_location("LOC000").seen_at > seen_first
        assert set(Evse.objects.values_list("pk", flat=True)) == evses

    def test_takes_a_bounded_number_of_queries_a_page(self, partner: Partner) -> None:
        def count_queries(size: int) -> int:
            page = [make_location(f"{size}-{number}") for number in range(size)]
            with CaptureQueriesContext(connection) as queries:
                store_locations(partner, page, now=NOON)
            return len(queries)

        few = count_queries(20)
        assert few <= 12
        # SQLite takes 47 locations a statement: the number grows with the rows, not as fast.
        assert count_queries(200) <= few + 20

    def test_stores_what_changed_since(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [make_location(evses=[make_evse("E1"), make_evse("E2")])]
        pull(partner)
        before = Evse.objects.get(uid="E1")
        plug = make_connector(max_electric_power=300_000, last_updated=LATER)
        changed = make_evse("E1", status="CHARGING", connectors=[plug], last_updated=LATER)
        cpo.locations = [
            make_location(name="New", evses=[changed, make_evse("E2")], last_updated=LATER)
        ]
        run = pull(partner, PullKind.FULL)
        assert (run.stored, run.unchanged) == (1, 0)
        location = find_location()
        assert (location.name, location.max_dc_power_kw) == ("New", 300)
        evse = Evse.objects.get(uid="E1")
        assert (evse.pk, evse.status) == (before.pk, "CHARGING")
        assert evse.connectors.get().power_kw == 300

    def test_ignores_what_is_older_than_the_row(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [make_location(name="New", last_updated=LATER)]
        pull(partner)
        cpo.locations = [make_location(name="Old")]
        run = pull(partner, PullKind.FULL)
        assert (run.stored, run.unchanged, run.removed) == (0, 1, 0)
        assert find_location().name == "New"

    def test_knows_an_object_by_its_id_in_any_case(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [make_location("Loc1", evses=[make_evse("Evse1")])]
        cpo.tariffs = [make_tariff("Tar1")]
        pull(partner)
        cpo.locations = [
            make_location("LOC1", name="New", evses=[make_evse("EVSE1")], last_updated=LATER)
        ]
        cpo.tariffs = [make_tariff("TAR1", currency="SEK", last_updated=LATER)]
        pull(partner, PullKind.FULL)
        assert (find_location("Loc1").name, Location.objects.count()) == ("New", 1)
        assert [evse.uid for evse in Evse.objects.all()] == ["Evse1"]
        assert (Tariff.objects.get().ocpi_id, Tariff.objects.get().currency) == ("Tar1", "SEK")

    def test_keeps_the_newer_of_two_with_one_id(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [
            make_location(name="New", last_updated=LATER),
            make_location(name="Old"),
        ]
        assert pull(partner).state == "done"
        assert [location.name for location in Location.objects.all()] == ["New"]

    def test_may_lack_tariffs_but_not_locations(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [make_location()]
        endpoints = partner.endpoints
        Partner.objects.update(endpoints={"locations/SENDER": endpoints["locations/SENDER"]})
        assert pull(partner).state == "done"
        Partner.objects.update(endpoints={})
        run = pull(partner, PullKind.FULL)
        assert (run.state, run.error) == (
            "failed",
            "LocationsMissing: the partner offers no locations; renew its registration",
        )

    def test_stores_locations_though_the_tariffs_are_refused(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [make_location()]
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(envelope(status_code=2000), status=404)
        run = pull(partner)
        assert (run.state, Location.objects.count()) == ("done", 1)
        assert run.error.startswith("tariffs: 127.0.0.1:")


class TestParts:
    def test_become_removed_when_the_location_lists_them_no_more(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        fast = make_evse("FAST", connectors=[make_connector(max_electric_power=350_000)])
        cpo.locations = [make_location(evses=[fast, make_evse("E2")])]
        pull(partner)
        assert find_location().max_dc_power_kw == 350
        cpo.locations = [make_location(evses=[make_evse("E2")], last_updated=LATER)]
        pull(partner, PullKind.FULL)
        assert Evse.objects.get(uid="FAST").status == "REMOVED"
        assert find_location().max_dc_power_kw == 150
        cpo.locations = [make_location(evses=[fast, make_evse("E2")], last_updated=STILL_LATER)]
        pull(partner, PullKind.FULL)
        assert Evse.objects.get(uid="FAST").status == "AVAILABLE"

    def test_lose_the_connectors_that_are_gone(self, partner: Partner, cpo: FakeCpo) -> None:
        evse = make_evse(connectors=[make_connector("1"), make_connector("2")])
        cpo.locations = [make_location(evses=[evse])]
        pull(partner)
        evse = make_evse(connectors=[make_connector("2"), make_connector("3")], last_updated=LATER)
        cpo.locations = [make_location(evses=[evse], last_updated=LATER)]
        pull(partner, PullKind.FULL)
        names = Connector.objects.order_by("ocpi_id").values_list("ocpi_id", flat=True)
        assert list(names) == ["2", "3"]

    def test_follow_a_location_that_is_newer_though_their_own_time_is_the_same(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [make_location()]
        pull(partner)
        plug = make_connector(tariff_ids=["T2"], max_electric_power=300_000)
        evse = make_evse(connectors=[plug, make_connector("2")])
        cpo.locations = [make_location(evses=[evse], last_updated=LATER)]
        pull(partner, PullKind.FULL)
        plugs = Connector.objects.order_by("ocpi_id")
        assert list(plugs.values_list("ocpi_id", "tariff_ids", "power_kw")) == [
            ("1", ["T2"], 300),
            ("2", ["T1"], 150),
        ]

    def test_stay_as_they_are_where_the_row_is_newer(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [make_location(evses=[make_evse("E1"), make_evse("E2")])]
        pull(partner)
        # As a push would, while the pull that comes next was being read.
        Evse.objects.filter(uid="E1").update(
            status="CHARGING", last_updated=parse_datetime(STILL_LATER)
        )
        stale = make_evse("E1", status="OUTOFORDER", last_updated=LATER)
        cpo.locations = [make_location(evses=[stale, make_evse("E2")], last_updated=LATER)]
        pull(partner, PullKind.FULL)
        assert Evse.objects.get(uid="E1").status == "CHARGING"

    def test_expire_the_location_when_all_are_removed(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = [make_location()]
        pull(partner)
        gone = make_evse(status="REMOVED", connectors=[], last_updated=LATER)
        cpo.locations = [make_location(evses=[gone], last_updated=LATER)]
        pull(partner, PullKind.FULL)
        assert (find_location().removed_at is None, find_location().max_power_kw) == (False, 0)
        run = pull(partner, PullKind.FULL)
        assert (run.stored, run.unchanged) == (0, 1)
        cpo.locations = [
            make_location(evses=[make_evse(last_updated=STILL_LATER)], last_updated=STILL_LATER)
        ]
        pull(partner, PullKind.FULL)
        assert (find_location().removed_at, find_location().max_power_kw) == (None, 150)


class TestQuarantine:
    def test_holds_the_bad_objects_of_a_page_and_lets_the_good_ones_through(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [
            make_location("GOOD"),
            make_location("BAD", coordinates={"latitude": "99", "longitude": "5"}),
            make_location("NOBODY", party_id=None),
            "text",
            None,
        ]
        cpo.tariffs = [make_tariff(), make_tariff("T2", elements=[])]
        run = pull(partner)
        assert (run.state, run.stored, run.quarantined) == ("done", 2, 5)
        found = QuarantinedObject.objects.all()
        reasons = {each.object_id: each.reason for each in found if "without" not in each.object_id}
        assert reasons == {
            "NL/?/NOBODY": "party_id is missing",
            "NL/FAK/BAD": "coordinates lie outside of the earth: longitude 5, latitude 99",
            "NL/FAK/T2": "elements is missing or empty: the tariff has no price",
        }
        nameless = found.filter(object_id__startswith="without id, ").order_by("reason")
        assert [each.reason for each in nameless] == [
            "it is no JSON object but NoneType",
            "it is no JSON object but str",
        ]
        assert found.get(object_id="NL/FAK/BAD").raw["coordinates"]["latitude"] == "99"

    def test_does_not_double_and_keeps_the_first_sight(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [make_location(time_zone=None)]
        pull(partner)
        first = QuarantinedObject.objects.get()
        cpo.locations = [make_location(time_zone="Mars")]
        pull(partner, PullKind.FULL)
        second = QuarantinedObject.objects.get()
        assert second.reason == "time_zone 'Mars' is no IANA time zone"
        assert second.first_seen_at == first.first_seen_at
        assert second.last_seen_at > first.last_seen_at

    @pytest.mark.parametrize("flaw", [{"time_zone": None}, {"party_id": None}])
    def test_lets_go_of_what_comes_whole_later(
        self, partner: Partner, cpo: FakeCpo, flaw: dict[str, Any]
    ) -> None:
        cpo.locations = [make_location(**flaw)]
        pull(partner)
        assert QuarantinedObject.objects.count() == 1
        cpo.locations = [make_location(last_updated=LATER)]
        pull(partner, PullKind.FULL)
        assert QuarantinedObject.objects.count() == 0
        assert find_location().name == "Rest area"

    def test_leaves_the_last_good_version_in_place(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(11)
        pull(partner)
        cpo.locations[4] = make_location("LOC004", time_zone=None, last_updated=LATER)
        run = pull(partner, PullKind.FULL)
        assert (run.quarantined, run.unchanged, run.removed) == (1, 10, 0)
        assert find_location("LOC004").removed_at is None

    def test_holds_a_broken_evse_while_its_location_is_stored(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        broken = make_evse("E2", connectors=[make_connector(power_type=None)])
        cpo.locations = [make_location(evses=[make_evse("E1"), broken])]
        run = pull(partner)
        assert (run.stored, run.quarantined) == (1, 0)
        assert [evse.uid for evse in Evse.objects.all()] == ["E1"]
        held = QuarantinedObject.objects.get()
        assert (held.module, held.object_id) == ("evses", "NL/FAK/LOC1")
        assert held.reason == "EVSE E2: power_type is missing"
        # Corrected without a new last_updated: it is read again all the same.
        cpo.locations = [make_location(evses=[make_evse("E1"), make_evse("E2")])]
        pull(partner, PullKind.FULL)
        assert sorted(Evse.objects.values_list("uid", flat=True)) == ["E1", "E2"]
        assert QuarantinedObject.objects.count() == 0

    def test_lets_go_of_what_had_its_owner_s_country_in_three_letters(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [make_location(country_code="NLD", coordinates=None)]
        pull(partner)
        assert QuarantinedObject.objects.get().object_id == "NL/FAK/LOC1"
        cpo.locations = [make_location(country_code="NLD", last_updated=LATER)]
        pull(partner, PullKind.FULL)
        assert (Location.objects.count(), QuarantinedObject.objects.count()) == (1, 0)

    @pytest.mark.parametrize("levels", [65, 850])
    def test_holds_what_is_nested_too_deeply(
        self, partner: Partner, cpo: FakeCpo, levels: int
    ) -> None:
        page = json.dumps(envelope([make_location(), make_location("DEEP", odd="@")]))
        body = page.replace('"@"', "[" * levels + "]" * levels).encode()
        cpo.scripts[cpo.locations_path] = lambda _: Reply(body, headers={"X-Total-Count": "2"})
        run = pull(partner)
        assert (run.state, run.stored, run.quarantined) == ("done", 1, 1)
        held = QuarantinedObject.objects.get()
        assert (held.object_id, held.reason) == (
            "NL/FAK/DEEP",
            "it is nested more than 64 levels deep",
        )

    def test_stores_text_that_databases_refuse_in_a_cleaned_form(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [
            make_location(name="a\0b", city="\ud83d", evses=[make_evse(floor_level=float("nan"))]),
            make_location("a\0b"),
        ]
        run = pull(partner)
        assert (run.state, run.stored, run.quarantined) == ("done", 1, 1)
        assert (find_location().name, find_location().city) == ("a\ufffdb", "?")
        assert Evse.objects.get().raw["floor_level"] is None


def set_clock(cpo: FakeCpo) -> datetime:
    """Let the fake's clock stand some minutes behind ours; return what it shows."""
    shown = (datetime.now(UTC) - BEHIND).replace(microsecond=0)
    cpo.answered_at = format_datetime(shown)
    return shown


class TestDelta:
    def test_asks_for_changes_since_the_last_run_began_by_the_partner_s_clock(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = [make_location()]
        begun_at = set_clock(cpo)
        first = pull(partner)
        assert first.partner_clock_at == begun_at
        late = format_datetime(begun_at - timedelta(minutes=5))
        cpo.locations.append(make_location("LOC2", last_updated=late))
        run = pull(partner)
        # The overlap is ten minutes.
        since = begun_at - timedelta(minutes=10)
        assert (run.kind, run.since) == ("delta", since)
        assert cpo.seen[-1].query["date_from"] == format_datetime(since)
        assert (run.stored, run.total) == (1, 1)

    def test_never_trusts_a_partner_s_clock_that_is_ahead(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        body = envelope([], timestamp="2099-01-01T00:00:00Z")
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(
            body, headers={"Date": "Fri, 01 Jan 2100 00:00:00 GMT"}
        )
        run = pull(partner)
        assert run.partner_clock_at is not None
        assert run.partner_clock_at <= run.started_at

    def test_keeps_the_filter_on_every_page(self, partner: Partner, cpo: FakeCpo) -> None:
        begun_at = set_clock(cpo)
        pull(partner)
        cpo.locations = list_locations(25, last_updated=format_datetime(begun_at))
        assert pull(partner).stored == 25
        pages = cpo.list_calls(cpo.locations_path)[1:]
        assert [seen.query["offset"] for seen in pages] == ["0", "10", "20"]
        since = format_datetime(begun_at - timedelta(minutes=10))
        assert {seen.query["date_from"] for seen in pages} == {since}

    @pytest.mark.parametrize(
        ("timestamp", "date"),
        [
            ("0001-01-01T00:00:00Z", "Mon, 01 Jan 2024 00:00:00 GMT"),
            (None, "Mon, 01 Jan 0001 00:00:00 +0500"),
        ],
    )
    def test_falls_back_to_our_clock_where_the_partner_s_is_days_off(
        self, partner: Partner, cpo: FakeCpo, timestamp: str | None, date: str
    ) -> None:
        body = envelope([], timestamp=timestamp)
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(body, headers={"Date": date})
        first = pull(partner)
        assert (first.state, first.partner_clock_at) == ("done", first.started_at)
        assert pull(partner).since == first.started_at - timedelta(minutes=10)

    def test_does_not_believe_an_absurd_clock_that_was_stored(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        first = pull(partner)
        SyncRun.objects.update(partner_clock_at=datetime(1, 1, 1, tzinfo=UTC))
        run = pull(partner)
        assert (run.state, run.since) == ("done", first.started_at - timedelta(minutes=10))

    def test_asks_again_for_the_changes_of_a_module_that_was_skipped(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.tariffs, cpo.locations = [make_tariff()], [make_location()]
        first = pull(partner)
        three_hours = timedelta(hours=3)
        SyncRun.objects.filter(pk=first.pk).update(
            started_at=first.started_at - three_hours, partner_clock_at=None
        )
        changed = format_datetime(first.started_at - timedelta(hours=2))
        cpo.tariffs = [make_tariff(currency="SEK", last_updated=changed)]
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(envelope(status_code=2000), status=404)
        set_clock(cpo)
        without_tariffs = pull(partner)
        assert (without_tariffs.state, without_tariffs.skipped) == ("done", ["tariffs"])
        cpo.scripts.clear()
        run = pull(partner)
        assert (run.kind, run.skipped, Tariff.objects.get().currency) == ("delta", [], "SEK")
        [asked_tariffs, asked_locations] = [seen.query["date_from"] for seen in cpo.seen[-2:]]
        assert asked_tariffs < asked_locations

    def test_asks_for_all_of_a_module_that_no_run_has_read(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.tariffs, cpo.locations = [make_tariff()], [make_location()]
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(envelope(status_code=2000), status=404)
        assert pull(partner).kind == "full"
        cpo.scripts.clear()
        assert pull(partner).kind == "delta"
        assert Tariff.objects.count() == 1
        tariffs, locations = cpo.seen[-2:]
        assert ("date_from" in tariffs.query, "date_from" in locations.query) == (False, True)

    def test_removes_nothing(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(11)
        pull(partner)
        cpo.locations = []
        assert pull(partner).removed == 0
        assert Location.objects.filter(removed_at=None).count() == 11

    def test_gives_way_to_a_full_pull_when_that_is_due(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        pull(partner)
        assert pull(partner).kind == "delta"
        yesterday = datetime.now(UTC) - timedelta(days=1, seconds=1)
        SyncRun.objects.filter(kind="full").update(started_at=yesterday)
        assert pull(partner).kind == "full"

    def test_gives_way_to_a_full_pull_after_a_new_registration(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        pull(partner)
        Partner.objects.update(registered_at=datetime.now(UTC))
        assert pull(partner).kind == "full"


class TestRemoval:
    def test_marks_what_a_full_pull_lists_no_more(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations, cpo.tariffs = list_locations(20), [make_tariff(f"T{n}") for n in range(10)]
        pull(partner)
        gone = cpo.locations[3:5]
        del cpo.locations[3:5], cpo.tariffs[0]
        run = pull(partner, PullKind.FULL)
        assert (run.removed, run.error) == (3, "")
        removed = Location.objects.filter(removed_at__isnull=False).order_by("ocpi_id")
        assert [location.ocpi_id for location in removed] == ["LOC003", "LOC004"]
        assert Tariff.objects.get(removed_at__isnull=False).ocpi_id == "T0"
        cpo.locations += gone
        pull(partner, PullKind.FULL)
        assert Location.objects.filter(removed_at=None).count() == 20

    def test_is_held_when_more_than_a_tenth_is_missing(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = list_locations(20)
        pull(partner)
        del cpo.locations[:3]
        run = pull(partner, PullKind.FULL)
        assert (run.state, run.removed) == ("done", 0)
        assert run.error == (
            "locations: 3 of 20 are missing, more than 10%: none is marked as removed until an"
            " operator accepts it"
        )
        assert Location.objects.filter(removed_at=None).count() == 20
        accepted = pull(partner, PullKind.FULL, accept_removals=True)
        assert (accepted.removed, accepted.error) == (3, "")

    def test_is_held_when_the_list_had_gaps(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(30)
        pull(partner)

        def move_up_between_pages(seen: Seen) -> None:
            # A server that orders by change: what is changed moves behind what was read.
            if seen.query.get("offset") == "10":
                cpo.locations.append(cpo.locations.pop(0))

        cpo.scripts[cpo.locations_path] = move_up_between_pages
        run = pull(partner, PullKind.FULL)
        assert (run.state, run.removed) == ("done", 0)
        assert run.error == (
            "locations: 1 are missing, but only 29 different ones of 30 announced came: none is"
            " marked as removed"
        )

    def test_is_held_when_broken_objects_hide_a_gap(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(40)
        pull(partner)
        # Three that are known come broken; three others are skipped, though 40 are announced.
        broken = list_locations(3, coordinates=None, last_updated=LATER)
        served = broken + cpo.locations[6:]
        cpo.scripts[cpo.locations_path] = lambda _: Reply(
            envelope(served), headers={"X-Total-Count": "40", "Link": '<x>; rel="last"'}
        )
        run = pull(partner, PullKind.FULL)
        assert (run.quarantined, run.removed) == (3, 0)
        assert run.error == (
            "locations: 3 are missing, but only 37 different ones of 40 announced came: none is"
            " marked as removed"
        )

    def test_goes_on_though_objects_are_broken(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(20)
        pull(partner)
        del cpo.locations[0]
        cpo.locations[:2] = [make_location("LOC001", time_zone=None), {"name": "nobody"}]
        cpo.locations.append(make_location("NEW", time_zone=None))
        # 20 came: 17 good ones, one known that is broken, two unknown that are.
        run = pull(partner, PullKind.FULL)
        assert (run.quarantined, run.removed, run.error) == (3, 2, "")

    def test_is_held_when_no_total_is_announced(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(20)
        pull(partner)
        cpo.scripts[cpo.locations_path] = lambda _: Reply(envelope(cpo.locations[1:]))
        run = pull(partner, PullKind.FULL, accept_removals=True)
        assert (run.state, run.removed) == ("done", 0)
        assert run.error == (
            "locations: 1 are missing, but the partner does not tell how many there are: none is"
            " marked as removed"
        )

    def test_leaves_other_partners_alone(self, partner: Partner, cpo: FakeCpo) -> None:
        other = make_active_partner(cpo, slug="other")
        cpo.locations = list_locations(20)
        pull(other)
        pull(partner)
        del cpo.locations[0]
        assert pull(partner, PullKind.FULL).removed == 1
        assert Location.objects.filter(partner=other, removed_at=None).count() == 20


class TestOddPaging:
    def give_everything_from(self, cpo: FakeCpo, **headers: str) -> Callable[[Seen], Reply]:
        """Answer by offset with these headers instead of the proper Link."""

        def answer(seen: Seen) -> Reply:
            proper = cpo.give_page(seen, cpo.locations)
            kept = {name: text for name, text in proper.headers.items() if name != "Link"}
            return Reply(proper.body, headers=kept | headers)

        return answer

    def test_never_calls_the_host_to_which_a_link_leads_away(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = list_locations(25)
        with FakeCpo().serving() as stranger:
            link = f'<{stranger.url}/ocpi/cpo/2.2.1/locations?offset=10>; rel="next"'
            cpo.scripts[cpo.locations_path] = self.give_everything_from(cpo, Link=link)
            run = pull(partner)
            assert stranger.seen == []
        assert (run.state, run.stored) == ("done", 25)
        assert run.error == (
            "locations: pages were read by offset: the partner's Link leads to another address"
        )

    def test_reads_on_by_offset_without_links(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(25)
        cpo.scripts[cpo.locations_path] = self.give_everything_from(cpo)
        run = pull(partner)
        assert (run.state, run.stored, len(cpo.list_calls(cpo.locations_path))) == ("done", 25, 3)

    def test_stops_at_a_link_that_leads_back(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(25)
        link = f'<{cpo.url}{cpo.locations_path}?offset=0&limit=10>; rel="next"'
        cpo.scripts[cpo.locations_path] = self.give_everything_from(cpo, Link=link)
        run = pull(partner)
        assert (run.state, run.error) == (
            "failed",
            "PagingLoops: the partner sends the same page twice: its paging does not advance",
        )
        assert Location.objects.count() == 10
        assert len(cpo.list_calls(cpo.locations_path)) == 2

    def test_stops_where_offsets_are_ignored(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(25)
        cpo.scripts[cpo.locations_path] = lambda _: Reply(
            envelope(cpo.locations[:10]), headers={"X-Total-Count": "25"}
        )
        assert pull(partner).error.startswith("PagingLoops: ")
        assert len(cpo.list_calls(cpo.locations_path)) == 2

    def test_ends_though_more_is_announced_than_a_column_holds(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        def boast(seen: Seen) -> Reply:
            objects = [make_tariff() if "tariffs" in seen.path else make_location()]
            page = objects if seen.query["offset"] == "0" else []
            return Reply(envelope(page), headers={"X-Total-Count": "999999999999"})

        cpo.scripts = {cpo.locations_path: boast, cpo.tariffs_path: boast}
        run = pull(partner)
        assert (run.state, run.stored, run.total) == ("done", 2, 2 * 10**9)

    def test_misses_nothing_when_objects_vanish_between_pages(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = list_locations(30)

        def drop_one(seen: Seen) -> None:
            if seen.query.get("offset") == "10":
                del cpo.locations[0]

        cpo.scripts[cpo.locations_path] = drop_one
        assert pull(partner).state == "done"
        assert Location.objects.count() == 30

    def test_takes_a_page_of_any_size(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.locations = list_locations(1203)
        cpo.scripts[cpo.locations_path] = lambda _: Reply(envelope(cpo.locations))
        run = pull(partner)
        assert (run.state, run.stored) == ("done", 1203)


class TestFailure:
    def test_that_may_pass_leaves_the_run_open_to_go_on_at_the_same_page(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = list_locations(25)

        def stumble(seen: Seen) -> Reply | None:
            return Reply(b"", status=503) if seen.query["offset"] == "20" else None

        cpo.scripts[cpo.locations_path] = stumble
        run = pull(partner)
        assert (run.state, run.stored) == ("running", 20)
        assert run.error.endswith("is in trouble (HTTP 503) (tried 1 times)")
        job = find_sync_job(partner)
        assert (job.attempts, job.dead_at) == (0, None)
        assert 3 < (job.due_at - datetime.now(UTC)).total_seconds() <= 5
        cpo.scripts.clear()
        again = pull(partner)
        assert (again.pk, again.state, again.stored, again.error) == (run.pk, "done", 25, "")
        offsets = [seen.query["offset"] for seen in cpo.list_calls(cpo.locations_path)]
        assert offsets == ["0", "10", "20", "20"]

    def test_in_a_row_closes_the_run_at_the_eighth(self, partner: Partner, cpo: FakeCpo) -> None:
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(b"", status=500)
        waits = []
        for _ in range(8):
            run = pull(partner)
            waits.append(round((find_sync_job(partner).due_at - datetime.now(UTC)).total_seconds()))
        assert waits == [5, 10, 20, 40, 80, 160, 320, 3600]
        assert (run.state, SyncRun.objects.count()) == ("failed", 1)
        assert pull(partner).pk != run.pk

    def test_is_written_though_the_partner_s_words_hold_what_databases_refuse(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        reply = Reply(envelope(status_code=3000, status_message="a\0b\ud83d"))
        cpo.scripts[cpo.locations_path] = lambda _: reply
        run = pull(partner)
        assert run.error.endswith("answers with OCPI status 3000: a\ufffdb? (tried 1 times)")

    def test_for_good_closes_the_run_and_keeps_the_schedule(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        Partner.objects.update(token_out="forgotten")
        run = pull(partner)
        assert run.state == "failed"
        assert run.error.startswith("TokenRefused: 127.0.0.1:")
        wait = find_sync_job(partner).due_at - datetime.now(UTC)
        assert round(wait.total_seconds()) == 3600

    def test_of_ours_is_logged_and_keeps_the_schedule(
        self, partner: Partner, cpo: FakeCpo, caplog: pytest.LogCaptureFixture
    ) -> None:
        SyncRun.objects.create(
            partner=partner, kind="full", started_at=NOON, cursor={"module": "no such module"}
        )
        run = pull(partner)
        assert run.error == "ValueError: tuple.index(x): x not in tuple (tried 1 times)"
        assert "synchronisation failed" in caplog.text
        assert find_sync_job(partner).dead_at is None

    def test_to_begin_keeps_the_schedule(
        self, partner: Partner, cpo: FakeCpo, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Ten minutes before that no calendar has a day.
        dawn = datetime(1, 1, 1, tzinfo=UTC)
        SyncRun.objects.create(partner=partner, kind="full", state="done", started_at=dawn)
        pull(partner, PullKind.DELTA)
        assert "synchronisation cannot begin" in caplog.text
        job = find_sync_job(partner)
        assert (job.attempts, job.dead_at) == (0, None)
        assert round((job.due_at - datetime.now(UTC)).total_seconds()) == 3600

    @pytest.mark.parametrize(
        "body",
        [b"<html>", b'{"status_code":1000,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    )
    def test_of_a_garbage_page_stores_nothing_of_it(
        self, partner: Partner, cpo: FakeCpo, body: bytes
    ) -> None:
        cpo.scripts[cpo.locations_path] = lambda _: Reply(body)
        run = pull(partner)
        assert run.error.startswith("AnswerUnreadable: ")
        assert Location.objects.count() == 0


class TestLease:
    def test_that_is_lost_keeps_the_worker_from_writing(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = list_locations(25)
        kept = []

        def keep_lease_for_opening_tariffs_and_one_page() -> None:
            kept.append(True)
            if len(kept) > 3:
                raise LeaseLost(1)

        now = datetime.now(UTC)
        run = sync.open_run(
            partner,
            wish=SyncWish(partner.pk),
            keep_lease=keep_lease_for_opening_tariffs_and_one_page,
            now=now,
        )
        with pytest.raises(LeaseLost):
            sync.pull_pages(
                run, keep_lease=keep_lease_for_opening_tariffs_and_one_page, deadline_s=5, now=now
            )
        left = SyncRun.objects.get()
        assert (left.state, left.stored, Location.objects.count()) == ("running", 10, 10)
        assert pull(partner).state == "done"
        assert (SyncRun.objects.get().stored, Location.objects.count()) == (25, 25)


class TestEnd:
    def test_asks_for_the_planner_s_legs_and_plans_the_next_pull(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        Partner.objects.update(sync_interval_s=900)
        run = pull(partner, PullKind.FULL)
        job = find_sync_job(partner)
        assert run.finished_at is not None
        assert job.due_at == run.finished_at + timedelta(seconds=900)
        assert job.payload == {
            "partner_id": partner.pk,
            "kind": "auto",
            "accept_removals": False,
            "asked_at": "",
        }
        assert Job.objects.filter(kind="charging.build_legs", done_at=None).count() == 1

    def test_replaces_a_delta_that_is_under_way_by_the_full_pull_asked_for(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        pull(partner)
        cpo.scripts[cpo.tariffs_path] = lambda _: Reply(b"", status=503)
        assert pull(partner).kind == "delta"
        cpo.scripts.clear()
        run = pull(partner, PullKind.FULL)
        assert (run.kind, run.state) == ("full", "done")
        assert SyncRun.objects.get(kind="delta").error == "replaced by a full pull"

    def test_sends_no_token_to_the_old_place_of_an_endpoint_that_moved(
        self, partner: Partner, cpo: FakeCpo
    ) -> None:
        cpo.locations = list_locations(25)
        with FakeCpo().serving() as old:
            cursor = {"module": "locations", "url": f"{old.url}/locations?offset=10", "offset": 10}
            SyncRun.objects.create(partner=partner, kind="full", started_at=NOON, cursor=cursor)
            assert pull(partner).state == "done"
            assert old.seen == []
        assert Location.objects.count() == 25
