"""The Netherlands' fast chargers, pulled over real OCPI from a CPO that serves the real data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import pytest
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from charging.models import (
    Connector,
    Evse,
    Location,
    Partner,
    QuarantinedObject,
    SyncRun,
    Tariff,
)
from charging.partners import register_partner
from charging.sync_schedule import PullKind
from charging.trip_shapes import TripItinerary
from charging.trips import plan_trip
from drivers.vehicle_models import seed_vehicle_models
from emsp.kernel import clock
from emsp.kernel.models import Job
from tests.charging.ocpi_helpers import find_sync_job, pull, run_job, serving_ourselves
from tests.emsp.sandbox_cpo import TOKEN_A, running_cpo
from tests.small_world import make_place, run_legs_job

pytestmark = [pytest.mark.real_data, pytest.mark.django_db]


class SyncedNetwork(NamedTuple):
    """The partner whose locations and tariffs are in the database, and its first pull."""

    partner: Partner
    first_run: SyncRun
    elapsed_s: float


@pytest.fixture(scope="module")
def synced_network(
    real_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[SyncedNetwork]:
    """Register at the CPO and pull everything; the rows stay for all tests of the module."""
    chargers = real_data / "chargers"
    files = [chargers / "nl_dcfast50_locations.json.gz", chargers / "nl_dcfast50_tariffs.json.gz"]
    folder = tmp_path_factory.mktemp("cpo")
    with (
        django_db_blocker.unblock(),
        running_cpo(folder, "--data", *files) as cpo,
    ):
        partner = Partner.objects.create(
            name="NL fast", slug="nl-fast", versions_url=cpo.versions, token_out=TOKEN_A
        )
        try:
            with serving_ourselves():
                register_partner(partner, now=clock.now())
            begun_s = perf_counter()
            run_job(find_sync_job(partner).pk)
            elapsed_s = perf_counter() - begun_s
            yield SyncedNetwork(partner, SyncRun.objects.get(partner=partner), elapsed_s)
        finally:
            partner.delete()
            Job.objects.all().delete()


@pytest.fixture
def dutch_trips(
    synced_network: SyncedNetwork,
    europe_folder: Path,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """Join the pulled stations to Europe's real roads, ready to plan on."""
    settings.DATA_DIR = tmp_path
    (tmp_path / "roads").symlink_to(europe_folder)
    for geoname_id, (name, lon, lat) in enumerate(
        [("Groningen", 6.5667, 53.2192), ("Maastricht", 5.6889, 50.8483)], start=1
    ):
        make_place(name, geoname_id=geoname_id, lon=lon, lat=lat)
    seed_vehicle_models()
    run_legs_job()


class TestPlanAcrossTheCountry:
    """Groningen to Maastricht in a small car that starts at 60 %."""

    @pytest.fixture
    def itinerary(self, dutch_trips: None) -> TripItinerary:
        trip = plan_trip(
            origin="Groningen",
            destination="Maastricht",
            vehicle_model="fiat-500e-37",
            soc_start=0.6,
            soc_arrival_min=0.1,
            soc_stop_min=0.1,
            now=clock.now(),
        )
        return trip.itineraries[0]

    def test_is_the_drive_that_people_know(self, itinerary: TripItinerary) -> None:
        assert 310_000 < itinerary.distance_m < 380_000  # 335 km by the A28, A50 and A2
        assert itinerary.duration_s == pytest.approx(
            itinerary.driving_s
            + itinerary.charging_s
            + sum(stop.overhead_s for stop in itinerary.stops)
        )

    def test_stops_at_real_stations_in_the_country(self, itinerary: TripItinerary) -> None:
        assert itinerary.stops
        for stop in itinerary.stops:
            location = Location.objects.get(pk=stop.station_id)
            assert location.country == "NLD"
            assert location.max_dc_power_kw >= 50
            assert stop.connector == "IEC_62196_T2_COMBO"
            assert stop.depart_soc > stop.arrive_soc

    def test_never_goes_below_the_floor(self, itinerary: TripItinerary) -> None:
        assert min(soc for _, _, soc in itinerary.soc_profile) >= 0.1

    def test_tells_price_or_why_not(self, itinerary: TripItinerary) -> None:
        for stop in itinerary.stops:
            assert stop.cost_note if stop.cost is None else stop.cost.amount > 0


class TestPull:
    def test_accounts_for_every_location_of_the_file(self, synced_network: SyncedNetwork) -> None:
        run = synced_network.first_run
        assert (run.state, run.kind, run.error) == ("done", "full", "")
        assert (run.total, run.stored, run.quarantined) == (1690 + 1285, 1613 + 1285, 77)
        assert Location.objects.filter(removed_at=None).count() == 1613
        assert Tariff.objects.filter(removed_at=None).count() == 1285
        assert Evse.objects.count() == 9460
        assert Connector.objects.count() == 10_455

    def test_names_the_reason_of_each_that_is_not_stored(
        self, synced_network: SyncedNetwork
    ) -> None:
        quarantined = QuarantinedObject.objects.filter(module="locations")
        assert quarantined.count() == 77
        assert set(quarantined.values_list("reason", flat=True)) == {"party_id is missing"}
        assert quarantined.get(object_id="NL/?/19071").raw["city"] == "Gieten"

    def test_stores_exactly_what_was_sent(self, synced_network: SyncedNetwork) -> None:
        location = Location.objects.get(country_code="NL", party_id="TNM", ocpi_id="5296")
        assert (location.name, location.operator_name) == (
            "Shell Recharge NL5845 - Shell Okken",
            "Shell Recharge",
        )
        assert (location.lon, location.lat) == (6.756642, 52.999552)
        assert (location.country, location.time_zone) == ("NLD", "Europe/Amsterdam")
        assert (location.max_dc_power_kw, location.max_power_kw) == (150, 150)
        assert location.last_updated.isoformat() == "2026-06-07T18:40:07+00:00"
        evse = location.evses.get(uid="2385566eb69640f092c0901e209fbe2d-2")
        assert (evse.evse_id, evse.status) == ("NL*TNM*EGL31*1*5845*01*2", "AVAILABLE")
        plug = evse.connectors.get()
        assert (plug.standard, plug.power_kw) == ("IEC_62196_T2_COMBO", 150)
        assert plug.tariff_ids == ["PP358367698_7"]

    def test_derives_the_power_that_is_not_stated(self, synced_network: SyncedNetwork) -> None:
        dc = Connector.objects.get(evse__location__ocpi_id="32416", ocpi_id="176636")
        assert dc.power_kw == 100.28  # 920 V x 109 A
        ac = Connector.objects.get(evse__location__ocpi_id="32398", ocpi_id="230893")
        assert ac.power_kw == 22.17  # 400 V between lines x 32 A x the root of 3

    def test_takes_the_time_of_the_latest_part(self, synced_network: SyncedNetwork) -> None:
        location = Location.objects.get(ocpi_id="32398")
        assert location.raw["last_updated"] == "2026-06-06T17:32:10Z"
        assert location.last_updated.isoformat() == "2026-06-06T17:32:11+00:00"

    def test_keeps_tariffs_of_other_parties(self, synced_network: SyncedNetwork) -> None:
        tariff = Tariff.objects.get(ocpi_id="0065bc55-8efc-46df-af2e-4d3abc395873")
        assert (tariff.country_code, tariff.party_id, tariff.currency) == ("US", "TSL", "EUR")
        assert tariff.raw["elements"][0]["price_components"][0]["price"] == 0.38

    def test_stores_nothing_anew_the_second_time(self, synced_network: SyncedNetwork) -> None:
        before = set(Evse.objects.values_list("pk", flat=True))
        run = pull(synced_network.partner, PullKind.FULL)
        assert (run.state, run.stored, run.unchanged) == ("done", 0, 1613 + 1285)
        assert (run.quarantined, run.removed) == (77, 0)
        assert set(Evse.objects.values_list("pk", flat=True)) == before
        assert QuarantinedObject.objects.count() == 77
        assert Location.objects.count() == 1613

    def test_asks_for_changes_only_after_a_full_pull(self, synced_network: SyncedNetwork) -> None:
        run = pull(synced_network.partner)
        assert (run.state, run.kind) == ("done", "delta")
        assert (run.stored, run.unchanged) == (0, 0)
