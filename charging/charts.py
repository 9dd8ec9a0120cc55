"""The picture of a trip's state of charge: positions for an SVG that a template draws.

Positions are text with a point as decimal mark: a template would write numbers in the page's
language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from charging.trip_shapes import TripItinerary

# Between a phone's width and a desktop's: the style sheet sets the letters' size for each.
WIDTH, HEIGHT = 480, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 16, 18, 28
_PLOT_WIDTH, _PLOT_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_MOST_POINTS = 200
_TICK_STEPS_M = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
_MOST_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A labelled line of the grid at ``at``; ``value`` is metres or a share of the battery."""

    at: str
    value: float


@dataclass(frozen=True)
class StopMark:
    """A charge: the upward stroke at ``x`` from ``low_y`` to ``high_y``, numbered from 1."""

    number: int
    x: str
    low_y: str
    high_y: str


@dataclass(frozen=True)
class SocChart:
    """Everything the template needs; ``line`` and ``area`` are SVG point lists."""

    width: int
    height: int
    left: str
    right: str
    bottom: str
    label_x: str
    label_y: str
    line: str
    area: str
    floor_y: str
    soc_ticks: tuple[Tick, ...]
    distance_ticks: tuple[Tick, ...]
    stops: tuple[StopMark, ...]


def draw_soc_chart(itinerary: TripItinerary, *, soc_floor: float) -> SocChart:
    """Place the state of charge over the distance driven, 0 to 100 percent high."""
    distance_m = max(itinerary.distance_m, 1.0)

    def x(at_m: float) -> float:
        return _LEFT + min(at_m / distance_m, 1.0) * _PLOT_WIDTH

    points = [(x(at_m), _y(soc)) for at_m, _duration_s, soc in _thin(itinerary.soc_profile)]
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    base = f"{_y(0):.1f}"
    area = f"{points[0][0]:.1f},{base} {line} {points[-1][0]:.1f},{base}" if points else ""
    return SocChart(
        width=WIDTH,
        height=HEIGHT,
        left=str(_LEFT),
        right=str(WIDTH - _RIGHT),
        bottom=base,
        label_x=str(_LEFT - 8),
        label_y=str(HEIGHT - 8),
        line=line,
        area=area,
        floor_y=f"{_y(soc_floor):.1f}",
        soc_ticks=tuple(Tick(f"{_y(part / 4):.1f}", part / 4) for part in range(5)),
        distance_ticks=tuple(
            Tick(f"{x(at_m):.1f}", at_m) for at_m in _choose_ticks(itinerary.distance_m)
        ),
        stops=tuple(_mark_stops(itinerary, x_of=x)),
    )


def _y(soc: float) -> float:
    return _TOP + (1 - min(max(soc, 0.0), 1.0)) * _PLOT_HEIGHT


def _thin(
    profile: tuple[tuple[float, float, float], ...],
) -> list[tuple[float, float, float]]:
    """Drop points of a long profile, but keep both ends and every turn of the line."""
    if len(profile) <= _MOST_POINTS:
        return list(profile)
    step = len(profile) // _MOST_POINTS + 1
    last = len(profile) - 1
    return [
        point
        for index, point in enumerate(profile)
        if index in {0, last} or index % step == 0 or _turns(profile, index)
    ]


def _turns(profile: tuple[tuple[float, float, float], ...], index: int) -> bool:
    before, here, after = (profile[index + shift][2] for shift in (-1, 0, 1))
    return (here - before) * (after - here) < 0


def _choose_ticks(distance_m: float) -> list[float]:
    step_m = next(
        (step for step in _TICK_STEPS_M if distance_m / step <= _MOST_TICKS), _TICK_STEPS_M[-1]
    )
    return [float(at_m) for at_m in range(0, int(distance_m) + 1, step_m)]


def _mark_stops(itinerary: TripItinerary, *, x_of: Callable[[float], float]) -> list[StopMark]:
    marks, at_m = [], 0.0
    for number, (leg, stop) in enumerate(zip(itinerary.legs, itinerary.stops, strict=False), 1):
        at_m += leg.distance_m
        marks.append(
            StopMark(
                number=number,
                x=f"{x_of(at_m):.1f}",
                low_y=f"{_y(stop.arrive_soc):.1f}",
                high_y=f"{_y(stop.depart_soc):.1f}",
            )
        )
    return marks
