"""The vehicle models that come with Voltway."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from django.core.management import call_command

from charging.planner.curve import ChargingCurve
from drivers.charging_curves import CurveImpossible, charge_minutes, derive_curve
from drivers.models import User, VehicleModel
from drivers.vehicle_models import (
    DATA_FILE,
    VehicleDataInvalid,
    VehicleFigures,
    read_vehicle_model,
    read_vehicle_models,
    seed_vehicle_models,
)

ENTRIES: dict[str, dict[str, Any]] = {
    entry["slug"]: entry
    for entry in json.loads(DATA_FILE.read_text(encoding="utf-8"))["vehicle_models"]
}
MODELS = {model.slug: model for model in read_vehicle_models()}
MEASURED = sorted(slug for slug, model in MODELS.items() if model.curve_kind == "measured")
MODELLED = sorted(slug for slug, model in MODELS.items() if model.curve_kind == "modelled")


def drive_kwh_per_100km(model: VehicleFigures, *, speed_kmh: float) -> float:
    """Give the consumption on a flat road in still air of 15 degrees Celsius."""
    speed_m_s = speed_kmh / 3.6
    force_n = (
        model.mass_kg * 9.80665 * model.rolling_coefficient
        + 0.5 * 1.225 * model.drag_area_m2 * speed_m_s**2
    )
    power_w = force_n * speed_m_s / model.drivetrain_efficiency + model.auxiliary_kw * 1000
    return power_w / speed_m_s / 36


class TestDataFile:
    def test_holds_cars_of_different_kinds(self) -> None:
        assert list(MODELS) == [
            "audi-e-tron-55-87",
            "dacia-spring-27",
            "fiat-500e-37",
            "hyundai-ioniq-5-73",
            "renault-5-e-tech-52",
            "tesla-model-3-long-range-74",
            "tesla-model-y-long-range-73",
            "volkswagen-id-3-58",
            "volkswagen-id-buzz-77",
        ]

    @pytest.mark.parametrize("slug", MODELS)
    def test_ends_each_slug_with_the_usable_battery(self, slug: str) -> None:
        assert slug.endswith(f"-{MODELS[slug].usable_kwh + 1e-9:.0f}")

    @pytest.mark.parametrize("slug", MODELS)
    def test_gives_curves_that_the_planner_takes(self, slug: str) -> None:
        soc_fraction, power_kw = zip(*MODELS[slug].dc_curve, strict=True)
        ChargingCurve(soc_fraction=soc_fraction, power_kw=power_kw)

    @pytest.mark.parametrize("slug", MODELS)
    def test_consumes_on_the_motorway_what_testers_measured(self, slug: str) -> None:
        motorway = ENTRIES[slug]["motorway"]
        consumed = drive_kwh_per_100km(MODELS[slug], speed_kmh=motorway["speed_kmh"])
        assert consumed == pytest.approx(motorway["kwh_per_100km"], rel=0.1)
        assert "http" in motorway["source"]

    @pytest.mark.parametrize("slug", MODELS)
    def test_consumes_more_the_faster_it_drives_within_what_cars_do(self, slug: str) -> None:
        at_110 = drive_kwh_per_100km(MODELS[slug], speed_kmh=110)
        at_130 = drive_kwh_per_100km(MODELS[slug], speed_kmh=130)
        assert 14 < at_110 < 25
        assert 18 < at_130 < 32
        assert 1.2 < at_130 / at_110 < 1.35

    @pytest.mark.parametrize("slug", MODELLED)
    def test_reproduces_the_published_time_by_a_modelled_curve(self, slug: str) -> None:
        time = ENTRIES[slug]["dc_time"]
        taken = charge_minutes(
            MODELS[slug].dc_curve,
            usable_kwh=MODELS[slug].usable_kwh,
            from_soc=time["from_soc"],
            to_soc=time["to_soc"],
        )
        assert taken == pytest.approx(time["minutes"], abs=0.05)
        assert max(power for _, power in MODELS[slug].dc_curve) == ENTRIES[slug]["dc_peak_kw"]

    @pytest.mark.parametrize("slug", [slug for slug in MEASURED if "dc_time" in ENTRIES[slug]])
    def test_comes_near_the_published_time_by_a_measured_curve(self, slug: str) -> None:
        time = ENTRIES[slug]["dc_time"]
        taken = charge_minutes(
            MODELS[slug].dc_curve,
            usable_kwh=MODELS[slug].usable_kwh,
            from_soc=time["from_soc"],
            to_soc=time["to_soc"],
        )
        assert taken == pytest.approx(time["minutes"], rel=0.1)

    @pytest.mark.parametrize("slug", MEASURED)
    def test_calls_a_curve_measured_only_where_its_source_says_so(self, slug: str) -> None:
        assert "measured" in MODELS[slug].sources["dc_curve"]

    @pytest.mark.parametrize("slug", MODELLED)
    def test_names_power_and_time_as_the_sources_of_a_modelled_curve(self, slug: str) -> None:
        source = MODELS[slug].sources["dc_curve"]
        assert f"{ENTRIES[slug]['dc_peak_kw']} kW" in source
        assert f"{ENTRIES[slug]['dc_time']['minutes']} minutes" in source

    def test_agrees_with_the_open_data_that_it_restates(self, real_data: Any) -> None:
        data = json.loads((real_data / "vehicles" / "chargeprice-ev-data.json").read_text())
        published = {
            (car["brand"], car["model"], car["variant"]): car["dc_charger"]
            for car in data["data"]
            if car["dc_charger"] and not car["dc_charger"]["is_default_charging_curve"]
        }
        restated = {
            "audi-e-tron-55-87": ("Audi", "e-tron 55", ""),
            "hyundai-ioniq-5-73": ("Hyundai", "Ioniq 5", ""),
            "tesla-model-3-long-range-74": ("Tesla", "Model 3", "LR"),
            "volkswagen-id-3-58": ("Volkswagen", "ID.3", "58 kWh"),
        }
        for slug, key in restated.items():
            points = published[key]["charging_curve"]
            assert MODELS[slug].dc_curve == tuple(
                (point["percentage"] / 100, point["power"]) for point in points
            )


class TestReadVehicleModel:
    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"mass_kg": 1.8}, "mass_kg is 1.8; it must lie between 500.0 and 5000.0"),
            ({"usable_kwh": float("nan")}, "usable_kwh is nan"),
            ({"dc_curve": [[0, 50], [0.8, 20]]}, "the curve does not run from 0 to 1"),
            ({"dc_curve": [[0, 50], [0.5, 9], [0.5, 8], [1, 7]]}, "do not ascend"),
            ({"dc_curve": [[0, 50], [1, 0]]}, "between 0 and 1,000 kW"),
            ({"dc_inlet": "TESLA_S"}, "an inlet is not a connector standard"),
            ({"curve_kind": "guessed"}, "guessed is no kind of curve"),
            ({"sources": {}}, "no source is named for ac_inlet"),
            ({"ac_power_kw": None}, "ac_power_kw is None"),
            ({"dc_curve": 50}, "a figure is missing or of a wrong kind"),
            ({"curve_kind": "modelled"}, "a figure is missing or of a wrong kind"),
        ],
    )
    def test_refuses_what_cannot_be_right(self, change: dict[str, Any], problem: str) -> None:
        entry = copy.deepcopy(ENTRIES["volkswagen-id-3-58"]) | change
        with pytest.raises(VehicleDataInvalid, match=problem):
            read_vehicle_model(entry)

    def test_refuses_a_time_that_the_peak_power_cannot_give(self) -> None:
        entry = copy.deepcopy(ENTRIES["dacia-spring-27"]) | {"dc_peak_kw": 20}
        with pytest.raises(VehicleDataInvalid, match="45 minutes are too few"):
            read_vehicle_model(entry)


class TestDeriveCurve:
    def test_falls_from_the_start_where_the_peak_is_held_but_for_a_moment(self) -> None:
        curve = derive_curve(peak_kw=250, usable_kwh=72.5, minutes=25, from_soc=0.1, to_soc=0.8)
        assert curve == ((0.0, 250.0), (0.1, 250.0), (0.8, 47.4), (1.0, 25.0))

    def test_refuses_a_time_that_no_such_curve_takes(self) -> None:
        with pytest.raises(CurveImpossible, match="90 minutes are too many"):
            derive_curve(peak_kw=250, usable_kwh=72.5, minutes=90, from_soc=0.1, to_soc=0.8)


@pytest.mark.django_db
class TestSeedVehicleModels:
    def test_stores_every_model_and_is_idempotent(self) -> None:
        assert seed_vehicle_models() == (9, 0)
        assert seed_vehicle_models() == (0, 9)
        car = VehicleModel.objects.get(slug="volkswagen-id-3-58")
        assert car.dc_curve == [[0, 100], [0.3, 100], [0.7, 50], [0.8, 50], [1, 20]]
        assert str(car) == "Volkswagen ID.3 Pro Performance 58 kWh"

    def test_mends_what_was_changed_and_leaves_other_models_alone(self) -> None:
        seed_vehicle_models()
        VehicleModel.objects.filter(slug="dacia-spring-27").update(mass_kg=1)
        own = VehicleModel.objects.get(slug="fiat-500e-37")
        own.pk, own.slug = None, "our-own-car"
        own.save()
        seed_vehicle_models()
        assert VehicleModel.objects.get(slug="dacia-spring-27").mass_kg == 1075
        assert VehicleModel.objects.filter(slug="our-own-car").exists()

    def test_says_what_was_done(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("seed_vehicle_models")
        assert capsys.readouterr().out == "Vehicle models: 9 new, 0 brought up to date.\n"


@pytest.mark.django_db
class TestVehicleModelAdmin:
    @pytest.fixture(autouse=True)
    def _operator(self, client: Any) -> None:
        seed_vehicle_models()
        client.force_login(User.objects.create_superuser("boss@example.org", "x"))

    def test_lists_the_models(self, client: Any) -> None:
        page = client.get("/admin/drivers/vehiclemodel/").content.decode()
        assert "Volkswagen ID.3" in page

    @pytest.mark.parametrize(
        ("curve", "problem"),
        [
            ("[[0, 50], [0.8, 20]]", "does not run from 0 to 1"),
            ("[1, 2]", "Give pairs of numbers"),
            ('{"a": 1}', "Give pairs of numbers"),
        ],
    )
    def test_refuses_a_curve_with_which_no_trip_can_be_planned(
        self, client: Any, curve: str, problem: str
    ) -> None:
        car = VehicleModel.objects.get(slug="fiat-500e-37")
        address = f"/admin/drivers/vehiclemodel/{car.pk}/change/"
        answer = client.post(address, {"dc_curve": curve})
        assert problem in answer.content.decode()
