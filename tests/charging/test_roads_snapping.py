"""Snapping: the nearest node, the drive to it, and places that are off the roads."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charging.planner.roads.geo import measure_straight_m
from charging.planner.roads.graph import Feature
from charging.planner.roads.snapping import (
    MAX_ACCESS_M,
    OffRoad,
    PositionOutOfRange,
    Snapper,
    access_features,
)
from charging.planner.roads.store import make_road_graph
from tests.charging.road_makers import make_line

NODES_LON = [5.0, 5.1, 5.2]


@pytest.fixture(scope="module")
def snapper() -> Snapper:
    return Snapper(make_line(duration_ds=[10, 10], length_m=[100.0, 100.0]))


class TestSnap:
    def test_takes_the_nearest_node(self, snapper: Snapper) -> None:
        assert snapper.snap(5.11, 50.01).node == 1
        assert snapper.snap(5.16, 50.01).node == 2

    def test_is_no_drive_at_all_on_a_node(self, snapper: Snapper) -> None:
        point = snapper.snap(5.1, 50.0)
        assert (point.node, point.access_m, point.access_s) == (1, 0.0, 0.0)
        assert (point.lon, point.lat) == (5.1, 50.0)

    def test_drives_the_detour_at_town_speed(self, snapper: Snapper) -> None:
        point = snapper.snap(5.0, 50.1)
        # A tenth of a degree of latitude is 11,119.5 m on the mean sphere.
        assert point.access_m == pytest.approx(1.3 * 11_119.5, abs=1)
        assert point.access_s == pytest.approx(point.access_m / (50 / 3.6))

    def test_measures_across_the_date_line(self) -> None:
        graph = make_road_graph(
            node_lon=[179.99, 0.0],
            node_lat=[0.0, 0.0],
            tail=[],
            head=[],
            duration_ds=[],
            length_m=[],
            kind=[],
        )
        point = Snapper(graph).snap(-179.99, 0.0)
        assert point.node == 0
        assert point.access_m == pytest.approx(1.3 * 2_223.9, abs=1)

    def test_refuses_a_place_off_the_roads_and_says_how_far_it_is(self, snapper: Snapper) -> None:
        with pytest.raises(OffRoad, match=r"^The nearest main road is 556 km away; at most 30 km"):
            snapper.snap(5.1, 45.0)
        with pytest.raises(OffRoad) as refusal:
            snapper.snap(5.1, 45.0)
        assert refusal.value.distance_m == pytest.approx(555_975, abs=1)

    def test_draws_the_line_at_the_greatest_access(self, snapper: Snapper) -> None:
        degrees = math.degrees(MAX_ACCESS_M / 6_371_008.8)
        assert snapper.snap(5.0, 50.0 + degrees * 0.9999).node == 0
        with pytest.raises(OffRoad):
            snapper.snap(5.0, 50.0 + degrees * 1.0001)

    @pytest.mark.parametrize(
        ("lon", "lat"),
        [
            (math.nan, 50.0),
            (5.0, math.nan),
            (math.inf, 50.0),
            (180.001, 50.0),
            (-180.001, 50.0),
            (5.0, 90.001),
            (5.0, -90.001),
        ],
    )
    def test_refuses_what_is_no_position(self, snapper: Snapper, lon: float, lat: float) -> None:
        with pytest.raises(PositionOutOfRange, match=r"^position 0 .* is not on Earth"):
            snapper.snap(lon, lat)

    @given(lon=st.floats(4.8, 5.4), lat=st.floats(49.9, 50.1))
    def test_finds_no_node_farther_than_another(self, lon: float, lat: float) -> None:
        snapper = Snapper(make_line(duration_ds=[10, 10], length_m=[100.0, 100.0]))
        away_m = measure_straight_m(
            from_lon=np.full(3, lon), from_lat=np.full(3, lat), to_lon=NODES_LON, to_lat=[50.0] * 3
        )
        point = snapper.snap(lon, lat)
        assert point.access_m == pytest.approx(1.3 * away_m.min(), abs=1e-3)


class TestSnapMany:
    def test_marks_places_off_the_roads_instead_of_refusing_all(self, snapper: Snapper) -> None:
        points = snapper.snap_many([5.1, 5.1, 5.2], [50.0, 45.0, 50.0])
        assert points.node.tolist() == [1, -1, 2]
        assert points.access_m.tolist() == [0.0, math.inf, 0.0]
        assert points.access_s.tolist() == [0.0, math.inf, 0.0]
        assert points.straight_m[1] == pytest.approx(555_975, abs=1)

    def test_agrees_with_snapping_one_by_one(self, snapper: Snapper) -> None:
        lon, lat = [5.03, 5.12, 5.3], [50.02, 49.97, 50.1]
        points = snapper.snap_many(lon, lat)
        singly = [snapper.snap(east, north) for east, north in zip(lon, lat, strict=True)]
        assert points.node.tolist() == [point.node for point in singly]
        assert points.access_m.tolist() == [point.access_m for point in singly]
        assert points.access_s.tolist() == [point.access_s for point in singly]

    def test_takes_none(self, snapper: Snapper) -> None:
        assert snapper.snap_many([], []).node.tolist() == []

    def test_names_the_first_place_that_is_none(self, snapper: Snapper) -> None:
        with pytest.raises(PositionOutOfRange, match=r"^position 1 \(lon 5.0, lat 95.0\)"):
            snapper.snap_many([5.0, 5.0, 200.0], [50.0, 95.0, 50.0])

    def test_refuses_lists_of_different_lengths(self, snapper: Snapper) -> None:
        with pytest.raises(PositionOutOfRange, match="two lists of one length"):
            snapper.snap_many([5.0, 5.1], [50.0])


class TestSnapper:
    def test_refuses_a_graph_without_nodes(self) -> None:
        graph = make_road_graph(
            node_lon=[], node_lat=[], tail=[], head=[], duration_ds=[], length_m=[], kind=[]
        )
        with pytest.raises(ValueError, match="nothing to snap to"):
            Snapper(graph)


class TestAccessFeatures:
    def test_hold_time_length_and_drag_of_a_flat_drive(self) -> None:
        features = access_features(5_000.0)
        assert features[Feature.DURATION_S] == pytest.approx(360.0)
        assert features[Feature.LENGTH_M] == 5_000.0
        assert features[Feature.DRAG_M3_S2] == pytest.approx(5_000 * (50 / 3.6) ** 2)
        assert features[[Feature.CARRIED_S, Feature.CARRIED_M]].tolist() == [0.0, 0.0]
        assert features[[Feature.ASCENT_M, Feature.DESCENT_M]].tolist() == [0.0, 0.0]
