"""A small world for tests: one straight road, seven stations, three towns, all real rows and files.

The road runs from 2.0 to 14.0 degrees east at 50 degrees north with a node every 0.1 degrees
(7.17 km) driven at 110 km/h. Stations lie 1.5 degrees (107 km) apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import transaction

from charging import trip_network
from charging.models import (
    Connector,
    Evse,
    Location,
    Partner,
    Place,
    PlaceName,
    SyncRun,
    Tariff,
)
from charging.planner.roads.graph import RoadKind
from charging.planner.roads.store import make_road_graph, save_road_graph
from drivers.models import CurveKind, VehicleModel
from emsp.kernel import clock, jobs

if TYPE_CHECKING:
    from pathlib import Path

    from charging.planner.roads.graph import RoadGraph

LAT = 50.0
NODE_SPACING_M = 7170.0
SPEED_M_PER_S = 110 / 3.6
STATION_LONS = (3.5, 5.0, 6.5, 8.0, 9.5, 11.0, 12.5)
UPDATED_AT = datetime(2026, 6, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class SmallWorld:
    partner: Partner
    locations: list[Location]
    vehicle_model: VehicleModel


def build_small_world(data_dir: Path) -> SmallWorld:
    """Write roads to a folder and rows to the database, and run the job that builds the legs."""
    save_road_graph(make_straight_road(), data_dir / "roads")
    partner = make_partner()
    locations = [
        make_location(partner, number=number, lon=lon)
        for number, lon in enumerate(STATION_LONS, start=1)
    ]
    for geoname_id, (name, lon) in enumerate(
        {"Westend": 2.0, "Midtown": 8.0, "Eastend": 14.0}.items(), start=1
    ):
        make_place(name, geoname_id=geoname_id, lon=lon)
    world = SmallWorld(partner, locations, make_vehicle_model())
    run_legs_job()
    return world


def make_straight_road(node_count: int = 121) -> RoadGraph:
    west = list(range(node_count - 1))
    east = list(range(1, node_count))
    arc_count = 2 * (node_count - 1)
    return make_road_graph(
        node_lon=[2.0 + index / 10 for index in range(node_count)],
        node_lat=[LAT] * node_count,
        tail=west + east,
        head=east + west,
        duration_ds=[round(NODE_SPACING_M / SPEED_M_PER_S * 10)] * arc_count,
        length_m=[NODE_SPACING_M] * arc_count,
        kind=[RoadKind.ROAD] * arc_count,
    )


def make_partner(slug: str = "straight") -> Partner:
    partner = Partner.objects.create(
        name="Straight Road Charging",
        slug=slug,
        state=Partner.State.ACTIVE,
        versions_url="http://127.0.0.1:1/ocpi/versions",
        ocpi_version="2.2.1",
        registered_at=UPDATED_AT,
    )
    SyncRun.objects.create(
        partner=partner,
        kind=SyncRun.Kind.FULL,
        state=SyncRun.State.DONE,
        started_at=UPDATED_AT,
        finished_at=UPDATED_AT,
    )
    Tariff.objects.create(
        partner=partner,
        country_code="DE",
        party_id="STR",
        ocpi_id="fast",
        currency="EUR",
        raw={
            "id": "fast",
            "currency": "EUR",
            "elements": [
                {
                    "price_components": [
                        {"type": "ENERGY", "price": 0.5, "vat": 19, "step_size": 1},
                        {"type": "FLAT", "price": 1, "vat": 19, "step_size": 1},
                    ]
                }
            ],
        },
        last_updated=UPDATED_AT,
        seen_at=UPDATED_AT,
    )
    return partner


def make_location(
    partner: Partner,
    *,
    number: int,
    lon: float,
    lat: float = LAT,
    statuses: tuple[str, ...] = ("AVAILABLE", "CHARGING"),
    power_kw: float = 150.0,
    tariff_ids: tuple[str, ...] = ("fast",),
) -> Location:
    """Make a station with one fast EVSE per status and one 22 kW AC socket that is free."""
    location = Location.objects.create(
        partner=partner,
        country_code="DE",
        party_id="STR",
        ocpi_id=f"L{number}",
        name=f"Straight Road {number}",
        operator_name="Straight Road Charging",
        address=f"Rest area {number}",
        city="Roadside",
        country="DEU",
        lon=lon,
        lat=lat,
        time_zone="Europe/Berlin",
        max_dc_power_kw=power_kw,
        max_power_kw=power_kw,
        raw={"opening_times": {"twentyfourseven": True}},
        last_updated=UPDATED_AT,
        seen_at=UPDATED_AT,
    )
    plugs = [("IEC_62196_T2_COMBO", "DC", power_kw, status) for status in statuses]
    for index, (standard, power_type, kw, status) in enumerate(
        [*plugs, ("IEC_62196_T2", "AC_3_PHASE", 22.0, "AVAILABLE")], start=1
    ):
        evse = Evse.objects.create(
            location=location,
            uid=f"{number}-{index}",
            evse_id=f"DE*STR*E{number}*{index}",
            status=status,
            raw={},
            last_updated=UPDATED_AT,
        )
        Connector.objects.create(
            evse=evse,
            ocpi_id="1",
            standard=standard,
            format="CABLE" if power_type == "DC" else "SOCKET",
            power_type=power_type,
            power_kw=kw,
            tariff_ids=list(tariff_ids),
            raw={},
            last_updated=UPDATED_AT,
        )
    return location


def make_place(name: str, *, geoname_id: int, lon: float, lat: float = LAT) -> Place:
    place = Place.objects.create(
        geoname_id=geoname_id,
        name=name,
        country="DE",
        kind="city",
        lon=lon,
        lat=lat,
        population=200_000,
    )
    PlaceName.objects.create(
        place=place, folded=name.lower(), is_main=True, population=place.population
    )
    return place


def make_vehicle_model(slug: str = "test-car-60") -> VehicleModel:
    return VehicleModel.objects.create(
        slug=slug,
        make="Test",
        name="Car",
        variant="60",
        year_from=2024,
        usable_kwh=60,
        mass_kg=1800,
        drag_area_m2=0.62,
        rolling_coefficient=0.01,
        drivetrain_efficiency=0.88,
        auxiliary_kw=0.5,
        dc_curve=[[0, 120], [0.5, 120], [0.8, 60], [1, 15]],
        curve_kind=CurveKind.MODELLED,
        dc_inlet="IEC_62196_T2_COMBO",
        ac_inlet="IEC_62196_T2",
        ac_power_kw=11,
        sources={"all": "made for tests"},
    )


def run_legs_job() -> None:
    with transaction.atomic():
        trip_network.request_legs(now=clock.now())
    for job_id, token in jobs.claim_due_jobs(now=clock.now(), slots=1):
        jobs.run_job(job_id, token)
