"""The picture of a trip's state of charge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from charging.charts import draw_soc_chart
from charging.trip_shapes import TripItinerary, TripLeg, TripStop

LEG = TripLeg(
    distance_m=100_000,
    duration_s=3600,
    energy_kwh=20,
    soc_depart=0.8,
    soc_arrive=0.2,
    ferry_m=0,
)
STOP = TripStop(
    station_id=1,
    name="Rest",
    operator="",
    lon=8,
    lat=50,
    arrive_soc=0.2,
    depart_soc=0.7,
    charge_s=1200,
    overhead_s=300,
    energy_kwh=30,
    station_power_kw=150,
    connector="IEC_62196_T2_COMBO",
    available=1,
    unknown=0,
    total=2,
    cost=None,
    cost_note="",
)
TRIP = TripItinerary(
    distance_m=200_000,
    duration_s=8700,
    driving_s=7200,
    charging_s=1200,
    energy_kwh=40,
    cost=None,
    cost_note="",
    legs=(LEG, replace(LEG, soc_depart=0.7, soc_arrive=0.1)),
    stops=(STOP,),
    soc_profile=((0, 0, 0.8), (100_000, 3600, 0.2), (100_000, 5100, 0.7), (200_000, 8700, 0.1)),
    geometry=((8, 50), (9, 50)),
)


class TestDrawSocChart:
    def test_places_the_charge_over_the_distance(self) -> None:
        chart = draw_soc_chart(TRIP, soc_floor=0.1)
        # 414 wide from 50, 164 high from 18 for a full battery down to 182 for an empty one.
        assert chart.line == "50.0,50.8 257.0,149.2 257.0,67.2 464.0,165.6"
        assert chart.area == f"50.0,182.0 {chart.line} 464.0,182.0"
        assert chart.floor_y == "165.6"

    def test_numbers_the_stops_where_they_lie(self) -> None:
        [mark] = draw_soc_chart(TRIP, soc_floor=0.1).stops
        assert (mark.number, mark.x, mark.low_y, mark.high_y) == (1, "257.0", "149.2", "67.2")

    @pytest.mark.parametrize(
        ("distance_m", "ticks"),
        [
            (8_000, [0]),
            (95_000, [0, 20_000, 40_000, 60_000, 80_000]),
            (200_000, [0, 50_000, 100_000, 150_000, 200_000]),
            (1_050_000, [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]),
            (1_250_000, [0, 500_000, 1_000_000]),
        ],
    )
    def test_labels_round_distances(self, distance_m: float, ticks: list[float]) -> None:
        chart = draw_soc_chart(replace(TRIP, distance_m=distance_m), soc_floor=0.1)
        assert [tick.value for tick in chart.distance_ticks] == ticks

    def test_keeps_ends_and_turns_of_a_long_profile(self) -> None:
        falling = tuple((at * 100.0, at, 0.8 - at * 0.0005) for at in range(1000))
        rising = tuple((99_900.0, 1000 + at, 0.3005 + at * 0.0005) for at in range(801))
        profile = (*falling, *rising, (200_000.0, 9000.0, 0.1))
        points = draw_soc_chart(replace(TRIP, soc_profile=profile), soc_floor=0.1).line.split()
        assert len(points) < 210
        assert points[0] == "50.0,50.8"
        assert points[-1] == "464.0,165.6"
        assert "256.8,132.7" in points  # where charging begins: 99.9 km, 30.05 %
        assert "256.8,67.1" in points  # where it ends: 70.05 %
