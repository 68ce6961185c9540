"""A line over days: its points, their intervals, and the rings of those that did not hold."""

import math
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale
from ml_gitops.render.charts.drawing import line, path, shape
from ml_gitops.render.numbers import number

_DASHES = ("", "7 4", "2 4", "9 3 2 3")
_APART = 9
"""Room between two points that whiskers need; closer ones share a ribbon."""


class Point(NamedTuple):
    """A value of one day with its interval; None leaves a gap in the line.

    Attributes:
        bad: it was judged and did not hold; it gets a ring.
    """

    when: date
    value: float | None
    low: float | None = None
    high: float | None = None
    bad: bool = False


class Series(NamedTuple):
    """A named line."""

    name: str
    points: Sequence[Point]


def draw_series(
    index: int, one: Series, *, x: Scale, y: Scale, unit: str, digits: int
) -> list[str]:
    """Return a line with its marks, intervals and rings.

    Args:
        index: which of the four looks it gets.
        one: what is drawn.
        x, y: places of days (as ordinals) and of values.
        unit, digits: of the numbers in tooltips.
    """
    parts = [f'<g class="c{index % 4}">']
    days = sorted(x(point.when.toordinal()) for point in one.points)
    crowded = any(after - before < _APART for before, after in pairwise(days))
    for run in runs(one.points):
        parts += _ribbon(run, x, y) if crowded else _whiskers(run, x, y)
        places = [(x(p.when.toordinal()), y(p.value)) for p in run if p.value is not None]
        parts.append(path(places, "line", dash=_DASHES[index % 4]))
        # Marks crowd a long line; there only some days carry one.
        every = max(1, round(len(one.points) / 60))
        for (at, height), point in list(zip(places, run, strict=True))[::every]:
            tip = f"{_name(one)}{point.when}: {shown(point.value, unit, digits)}"
            parts.append(shape(index, at, height, "solid", tip=tip, radius=3))
        parts += [
            shape(0, at, height, "ring", radius=6.5)
            for (at, height), point in zip(places, run, strict=True)
            if point.bad
        ]
    return [*parts, "</g>"]


def _ribbon(run: Sequence[Point], x: Scale, y: Scale) -> list[str]:
    low = [(x(p.when.toordinal()), y(p.low)) for p in run if p.low is not None]
    high = [(x(p.when.toordinal()), y(p.high)) for p in run if p.high is not None]
    both = len(low) == len(high) > 1
    return [path([*low, *reversed(high)], "ribbon", closed=True)] if both else []


def _whiskers(run: Sequence[Point], x: Scale, y: Scale) -> list[str]:
    parts = []
    for point in run:
        if point.low is not None and point.high is not None:
            at = x(point.when.toordinal())
            parts.append(line(at, y(point.low), at, y(point.high), "reach"))
            parts += [
                line(at - 3, y(end), at + 3, y(end), "reach") for end in (point.low, point.high)
            ]
    return parts


def _name(one: Series) -> str:
    """Return what a tooltip says before the day."""
    return f"{one.name}, " if one.name else ""


def runs(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points in order of days, cut where a value is missing."""
    runs: list[list[Point]] = [[]]
    for point in sorted(points, key=lambda p: p.when):
        if point.value is not None and math.isfinite(point.value):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def sample(index: int, x: float, y: float) -> list[str]:
    """Return what a line looks like, for a legend."""
    dashed = path([(x, y), (x + 24, y)], "line", dash=_DASHES[index % 4])
    mark = shape(index, x + 12, y, "solid", radius=3.2)
    return [f'<g class="c{index % 4}">', dashed, mark, "</g>"]


def shown(value: float | None, unit: str, digits: int) -> str:
    """Return a value in words; `%` shows a share as per cent."""
    if value is None:
        return "nothing"
    return number(value * (100 if unit == "%" else 1), digits=digits, unit=unit)
