"""Bridges, ferries and shuttle trains that the world highways lack, as data.

The source drops long bridges and every crossing by water or rail, which cuts Europe into pieces.
Positions are nodes of the source nearest to each landing. Lengths are those of the crossing. Times
are estimates, rounded: a usual crossing, and a usual time to check in and board. They were not read
from a timetable, and waiting for the next departure is not in them.
"""

from __future__ import annotations

from dataclasses import dataclass

from charging.planner.roads.graph import RoadKind

MINUTE_S = 60.0


@dataclass(frozen=True)
class Connector:
    """A link between two landings, the same in both directions."""

    name: str
    kind: RoadKind
    from_lon: float
    from_lat: float
    to_lon: float
    to_lat: float
    length_m: float
    crossing_s: float
    boarding_s: float
    source: str

    @property
    def duration_s(self) -> float:
        return self.crossing_s + self.boarding_s


CONNECTORS = (
    Connector(
        name="Great Belt bridge",
        kind=RoadKind.BRIDGE,
        from_lon=10.828,
        from_lat=55.302,
        to_lon=11.095,
        to_lat=55.349,
        length_m=18_000.0,
        crossing_s=10 * MINUTE_S,  # at 110 km/h
        boarding_s=0.0,
        source="OpenStreetMap, E20; 18 km between the shores",
    ),
    Connector(
        name="Öresund bridge and tunnel",
        kind=RoadKind.BRIDGE,
        from_lon=12.664,
        from_lat=55.633,
        to_lon=12.9,
        to_lat=55.565,
        length_m=16_000.0,
        crossing_s=10 * MINUTE_S,  # at 90 to 110 km/h, toll plaza without queue
        boarding_s=0.0,
        source="OpenStreetMap, E20; 16 km between the shores",
    ),
    Connector(
        name="Channel Tunnel shuttle",
        kind=RoadKind.SHUTTLE,
        from_lon=1.132,
        from_lat=51.092,
        to_lon=1.839,
        to_lat=50.921,
        length_m=50_500.0,
        crossing_s=35 * MINUTE_S,
        boarding_s=45 * MINUTE_S,
        source="usual crossing 35 minutes, an estimate; tunnel 50.5 km",
    ),
    Connector(
        name="Dover - Calais",
        kind=RoadKind.FERRY,
        from_lon=1.317,
        from_lat=51.127,
        to_lon=1.874,
        to_lat=50.969,
        length_m=42_000.0,
        crossing_s=90 * MINUTE_S,
        boarding_s=60 * MINUTE_S,
        source="usual crossing 90 minutes, an estimate",
    ),
    Connector(
        name="Messina - Villa San Giovanni",
        kind=RoadKind.FERRY,
        from_lon=15.558,
        from_lat=38.197,
        to_lon=15.634,
        to_lat=38.219,
        length_m=6_000.0,
        crossing_s=20 * MINUTE_S,
        boarding_s=15 * MINUTE_S,
        source="usual crossing 20 minutes, an estimate",
    ),
    Connector(
        name="Holyhead - Dublin",
        kind=RoadKind.FERRY,
        from_lon=-4.576,
        from_lat=53.286,
        to_lon=-6.225,
        to_lat=53.352,
        length_m=112_000.0,
        crossing_s=195 * MINUTE_S,
        boarding_s=45 * MINUTE_S,
        source="usual crossing 3 hours 15 minutes, an estimate",
    ),
    Connector(
        name="Belfast - Cairnryan",
        kind=RoadKind.FERRY,
        from_lon=-5.92,
        from_lat=54.613,
        to_lon=-4.999,
        to_lat=54.941,
        length_m=75_000.0,
        crossing_s=135 * MINUTE_S,
        boarding_s=45 * MINUTE_S,
        source="usual crossing 2 hours 15 minutes, an estimate",
    ),
    Connector(
        name="Farö bridges",
        kind=RoadKind.BRIDGE,
        from_lon=11.993,
        from_lat=55.0,
        to_lon=11.984,
        to_lat=54.95,
        length_m=6_000.0,
        crossing_s=4 * MINUTE_S,  # at 90 to 110 km/h
        boarding_s=0.0,
        source="OpenStreetMap, E47; 6 km between the nodes",
    ),
    Connector(
        name="E16 Arna - Trengereid",
        kind=RoadKind.ROAD,
        from_lon=5.537,
        from_lat=60.432,
        to_lon=5.635,
        to_lat=60.442,
        length_m=6_500.0,
        crossing_s=5 * MINUTE_S,  # at 80 km/h
        boarding_s=0.0,
        source="OpenStreetMap, E16; 6.5 km with its tunnels",
    ),
    Connector(
        name="Puttgarden - Rödby",
        kind=RoadKind.FERRY,
        from_lon=11.228,
        from_lat=54.503,
        to_lon=11.36,
        to_lat=54.659,
        length_m=19_000.0,
        crossing_s=45 * MINUTE_S,
        boarding_s=15 * MINUTE_S,
        source="usual crossing 45 minutes, an estimate",
    ),
    Connector(
        name="Helsingör - Helsingborg",
        kind=RoadKind.FERRY,
        from_lon=12.615,
        from_lat=56.032,
        to_lon=12.706,
        to_lat=56.035,
        length_m=5_500.0,
        crossing_s=20 * MINUTE_S,
        boarding_s=15 * MINUTE_S,
        source="usual crossing 20 minutes, an estimate",
    ),
    Connector(
        name="Livorno - Bastia",
        kind=RoadKind.FERRY,
        from_lon=10.301,
        from_lat=43.581,
        to_lon=9.451,
        to_lat=42.692,
        length_m=120_000.0,
        crossing_s=240 * MINUTE_S,
        boarding_s=45 * MINUTE_S,
        source="usual crossing about 4 hours, an estimate",
    ),
    Connector(
        name="Bonifacio - Santa Teresa Gallura",
        kind=RoadKind.FERRY,
        from_lon=9.166,
        from_lat=41.4,
        to_lon=9.188,
        to_lat=41.239,
        length_m=18_000.0,
        crossing_s=50 * MINUTE_S,
        boarding_s=30 * MINUTE_S,
        source="usual crossing 50 minutes, an estimate",
    ),
    Connector(
        name="Pozzallo - Valletta",
        kind=RoadKind.FERRY,
        from_lon=14.875,
        from_lat=36.747,
        to_lon=14.503,
        to_lat=35.891,
        length_m=95_000.0,
        crossing_s=105 * MINUTE_S,
        boarding_s=45 * MINUTE_S,
        source="usual crossing 1 hour 45 minutes, an estimate",
    ),
    Connector(
        name="Barcelona - Palma",
        kind=RoadKind.FERRY,
        from_lon=2.177,
        from_lat=41.374,
        to_lon=2.645,
        to_lat=39.567,
        length_m=205_000.0,
        crossing_s=420 * MINUTE_S,
        boarding_s=45 * MINUTE_S,
        source="usual crossing about 7 hours, an estimate",
    ),
)
