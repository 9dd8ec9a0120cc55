"""Plans on a motorway one can work out by hand."""

from __future__ import annotations

import pytest

from charging.planner import NoRouteWithinRange, plan, search
from tests.charging.planner_world import FLAT_CURVE, make_motorway, make_request, make_vehicle


class TestPlan:
    def test_drives_straight_through_when_the_charge_suffices(self) -> None:
        network = make_motorway(site_nodes=[5])
        itinerary = plan(
            network=network, request=make_request(network, power_kw=[100.0], to_node=2)
        )
        assert itinerary.stops == ()
        assert itinerary.duration_s == pytest.approx(6000.0)
        assert itinerary.distance_m == pytest.approx(200_000.0)

    def test_charges_just_enough_at_a_constant_power(self) -> None:
        network = make_motorway(site_nodes=[2], nodes=5)
        vehicle = make_vehicle(curve=FLAT_CURVE)
        itinerary = plan(
            network=network, request=make_request(network, power_kw=[50.0], vehicle=vehicle)
        )
        (stop,) = itinerary.stops
        # 400 km at 120 km/h; the battery starts with 48 kWh and may end with 6 kWh.
        missing_kwh = itinerary.energy_kwh - (0.8 - 0.1) * 60.0
        assert stop.site_id == 100
        assert stop.energy_kwh == pytest.approx(missing_kwh, abs=1e-3)
        assert stop.charge_s == pytest.approx(missing_kwh / 50.0 * 3600.0, abs=0.1)
        assert itinerary.duration_s == pytest.approx(12_000.0 + 300.0 + stop.charge_s)
        assert 0.1 <= itinerary.legs[-1].soc_arrive <= 0.1 + 3e-6

    def test_prefers_the_faster_charger(self) -> None:
        network = make_motorway(site_nodes=[1, 2], nodes=5)
        itinerary = plan(network=network, request=make_request(network, power_kw=[50.0, 300.0]))
        assert [stop.site_id for stop in itinerary.stops] == [101]

    def test_refuses_a_gap_beyond_range_and_says_where_it_is(self) -> None:
        network = make_motorway(site_nodes=[1, 8], nodes=11)
        with pytest.raises(NoRouteWithinRange) as refusal:
            plan(network=network, request=make_request(network, power_kw=[100.0, 100.0]))
        lon = network.graph.node_lon
        assert refusal.value.gap_from == pytest.approx((lon[1], 0.0))
        assert refusal.value.gap_to == pytest.approx((lon[8], 0.0))
        assert refusal.value.gap_km == pytest.approx(700.0)

    def test_finds_the_same_plan_when_it_runs_out_of_room(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        network = make_motorway(site_nodes=range(1, 20), nodes=21, node_km=80.0)
        request = make_request(network, power_kw=[50.0, 150.0, 300.0, 100.0] * 4 + [75.0] * 3)
        whole = plan(network=network, request=request)
        monkeypatch.setattr(search, "FIRST_CAPACITY", 2)
        assert plan(network=network, request=request).stops == whole.stops
        monkeypatch.setattr(search, "LAST_CAPACITY", 2)
        with pytest.raises(search.SearchTooLarge):
            plan(network=network, request=request)
