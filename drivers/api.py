"""Drivers' public API: the vehicle models that trips are planned for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from drivers.models import VehicleModel

if TYPE_CHECKING:
    from rest_framework.request import Request


class VehicleModelSerializer(serializers.ModelSerializer[VehicleModel]):
    """A car as it is sold; ``curve_kind`` says where its charging curve comes from."""

    dc_power_kw = serializers.SerializerMethodField(help_text="The curve's peak.")
    sources = serializers.SerializerMethodField(help_text="Where each figure was looked up.")

    class Meta:
        model = VehicleModel
        fields = (
            "slug",
            "make",
            "name",
            "variant",
            "year_from",
            "usable_kwh",
            "curve_kind",
            "dc_inlet",
            "dc_power_kw",
            "ac_inlet",
            "ac_power_kw",
            "sources",
        )

    def get_dc_power_kw(self, vehicle: VehicleModel) -> float:
        return max((power_kw for _soc, power_kw in vehicle.dc_curve), default=0.0)

    @extend_schema_field({"description": "Figures by name, with where they were looked up."})
    def get_sources(self, vehicle: VehicleModel) -> Any:
        return vehicle.sources


class VehicleModelListView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="list_vehicle_models", responses=VehicleModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the vehicle models, by make and name."""
        return Response(VehicleModelSerializer(VehicleModel.objects.all(), many=True).data)
