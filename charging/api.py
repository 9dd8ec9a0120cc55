"""Charging's public API: stations, places and trip plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from charging import places, stations, trips
from charging.queries import (
    ParameterInvalid,
    check_names,
    read_area,
    read_filter,
    read_limit,
    read_whole,
)
from charging.serializers import (
    PlaceSerializer,
    PlanRequestSerializer,
    PlanSerializer,
    StationDetailSerializer,
    StationPageSerializer,
    StationSerializer,
)
from charging.trip_refusals import NetworkNotReady, TripRefused
from emsp.kernel.clock import now
from emsp.kernel.rest import ErrorSerializer, Refusal

if TYPE_CHECKING:
    from rest_framework.request import Request

_STATION_PARAMETERS = (
    OpenApiParameter(
        "bbox",
        str,
        required=True,
        description=(
            "west,south,east,north in degrees, at most 40 by 40 degrees; "
            "it may not cross the date line."
        ),
    ),
    OpenApiParameter(
        "connector",
        str,
        description="OCPI standards or names like ccs2, several by commas: one of them fits.",
    ),
    OpenApiParameter("min_power_kw", float, description="From 0 to 10000."),
    OpenApiParameter("available", bool, description="true: only where such a connector is free."),
    OpenApiParameter("limit", int, description="Stations a page, 1 to 200; 100 unless told."),
    OpenApiParameter("after", int, description="Only ids above this: see next."),
)
_BAD_INPUT = OpenApiResponse(ErrorSerializer, "The input is refused; detail says why.")
_NOT_READY = OpenApiResponse(ErrorSerializer, "The data is still being built; try again soon.")


class NotReady(Refusal):
    """The data is still being built."""

    status_code = 503
    wait = 30


class PlanRefused(Refusal):
    """A trip cannot be planned: the service's own words and figures."""

    def __init__(self, refusal: TripRefused) -> None:
        super().__init__(
            str(refusal),
            code=refusal.code,
            field=refusal.field,
            suggestions=refusal.suggestions,
            details=refusal.details,
        )
        if isinstance(refusal, NetworkNotReady):
            self.status_code = NotReady.status_code
            self.wait = NotReady.wait


class PublicView(APIView):
    """Open to everybody; reads no session, so there is no cross-site request to forge."""

    authentication_classes = []
    permission_classes = [AllowAny]


class StationListView(PublicView):
    @extend_schema(
        operation_id="list_stations",
        parameters=[*_STATION_PARAMETERS],
        responses={200: StationPageSerializer, 400: _BAD_INPUT},
    )
    def get(self, request: Request) -> Response:
        """List the stations of an area, page by page, in the order of their ids."""
        query = request.query_params
        check_names(query, known=[parameter.name for parameter in _STATION_PARAMETERS])
        page = stations.list_stations(
            read_area(query),
            now=now(),
            wanted=read_filter(query),
            after=read_whole(query, "after", default=0, least=0, most=2**63 - 1),
            limit=read_limit(query),
        )
        return Response(
            {
                "count": page.count,
                "next": _link_next(request, after=page.next_after),
                "results": StationSerializer(page.stations, many=True).data,
            }
        )


class StationView(PublicView):
    @extend_schema(
        operation_id="get_station",
        responses={
            200: StationDetailSerializer,
            404: OpenApiResponse(ErrorSerializer, "There is no such station."),
        },
    )
    def get(self, request: Request, station_id: int) -> Response:
        """Show one station: its charge points' status, prices, opening times."""
        check_names(request.query_params, known=[])
        try:
            station = stations.get_station(station_id, now=now())
        except stations.StationUnknown:
            raise StationNotFound(station_id) from None
        return Response(StationDetailSerializer(station).data)


class StationNotFound(Refusal):
    status_code = 404

    def __init__(self, station_id: int) -> None:
        message = _("There is no station %(id)s. It may have been removed.") % {"id": station_id}
        super().__init__(message, code="station_unknown", field="id")


class PlaceListView(PublicView):
    @extend_schema(
        operation_id="find_places",
        parameters=[
            OpenApiParameter(
                "q", str, required=True, description='A name or its beginning, like "Genève, CH".'
            ),
            OpenApiParameter("limit", int, description="1 to 50; 8 unless told."),
        ],
        responses={200: PlaceSerializer(many=True), 400: _BAD_INPUT, 503: _NOT_READY},
    )
    def get(self, request: Request) -> Response:
        """Find places by name, best first; an empty list where none fits."""
        query = request.query_params
        check_names(query, known=["q", "limit"])
        if "q" not in query:
            message = _("q is missing. Send q= and the beginning of a place's name.")
            raise ParameterInvalid(message, code="missing", field="q")
        limit = read_whole(query, "limit", default=8, least=1, most=50)
        try:
            found = places.find_places(query["q"], limit=limit)
        except places.PlaceQueryInvalid as error:
            raise ParameterInvalid(f"q: {error}", code="place_invalid", field="q") from None
        except places.PlacesNotBuilt:
            message = _("Places are still being built. Try again soon.")
            raise NotReady(message, code="not_ready") from None
        return Response(PlaceSerializer(found, many=True).data)


class PlanListView(PublicView):
    @extend_schema(
        operation_id="plan_trip",
        request=PlanRequestSerializer,
        responses={200: PlanSerializer, 400: _BAD_INPUT, 413: _BAD_INPUT, 503: _NOT_READY},
    )
    def post(self, request: Request) -> Response:
        """Plan a trip with charging stops that leaves now. Nothing is stored."""
        check_names(request.query_params, known=[])
        # null would pass as "nothing was sent", so it goes on as what it is: no object.
        body: object = request.data
        wanted = PlanRequestSerializer(data=[] if body is None else body)
        wanted.is_valid(raise_exception=True)
        try:
            plan = trips.plan_trip(**wanted.validated_data, now=now())
        except TripRefused as refusal:
            raise PlanRefused(refusal) from None
        return Response(PlanSerializer(plan).data)


def _link_next(request: Request, *, after: int | None) -> str | None:
    if after is None:
        return None
    query = request.query_params.copy()
    query["after"] = str(after)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode(safe=',')}")
