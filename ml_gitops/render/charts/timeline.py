"""Numbers over days: lines with their intervals, limits and what happened when."""

import math
from collections.abc import Sequence
from datetime import date
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale, date_ticks, day_labels, nice_ticks, tick_labels
from ml_gitops.render.charts.drawing import (
    WIDE,
    Key,
    heading,
    legend,
    line,
    measure,
    shape,
    svg,
    text,
)
from ml_gitops.render.charts.events import LANE, Event, draw_events, lanes_of
from ml_gitops.render.charts.lines import Series, draw_series, runs, sample, shown

_PLOT = 190
BAD = "bad"


class Threshold(NamedTuple):
    """A level that values are held to, and what it is called.

    Attributes:
        is_limit: it must not be crossed, so it is dashed; others are plain.
        start, until: the days it holds for; None is the edge of the picture.
    """

    value: float
    label: str
    is_limit: bool = True
    start: date | None = None
    until: date | None = None


def timeline(
    series: Sequence[Series],
    *,
    title: str,
    thresholds: Sequence[Threshold] = (),
    events: Sequence[Event] = (),
    unit: str = "",
    digits: int = 3,
    bad: str = BAD,
    width: float = WIDE,
) -> str:
    """Return lines over days with their intervals.

    Args:
        series: one line each, told apart by dash, mark and an entry of the legend.
        title: what is measured.
        thresholds: horizontal levels; equal labels share an entry of the legend.
        events: vertical lines; their labels stand in lanes above and never overlap.
        unit: of the values; `%` shows shares as per cent.
        digits: decimals of the numbers in tooltips and the description.
        bad: what a point with a ring is called.
        width: of the picture.
    """
    parts, top = heading(title, width)
    drawn, top = legend(_keys(series, thresholds, bad), top, width)
    y_ticks = _value_ticks(series, thresholds)
    y_labels = tick_labels(y_ticks, unit)
    x = _days(series, events, start=24 + max(map(measure, y_labels)), end=width - 22)
    lanes = lanes_of(events, x)
    top += 12 + (LANE * (max(lanes) + 1) + 2 if lanes else 0)
    bottom = top + _PLOT
    y = Scale(y_ticks[0], y_ticks[-1], bottom, top)
    parts += drawn
    for tick, label in zip(y_ticks, y_labels, strict=True):
        parts.append(line(x.start, y(tick), x.end, y(tick), "grid"))
        parts.append(text(x.start - 8, y(tick) + 4, label, "quiet end"))
    parts += _day_axis(series, x, bottom)
    parts += draw_events(events, lanes, x, top=top, bottom=bottom)
    parts += [_level(one, x, y) for one in thresholds]
    for index, one in enumerate(series):
        parts += draw_series(index, one, x=x, y=y, unit=unit, digits=digits)
    said = _describe(series, thresholds, events, unit=unit, digits=digits, bad=bad)
    return svg(parts, title=title, description=said, height=bottom + 32, width=width)


def _keys(series: Sequence[Series], thresholds: Sequence[Threshold], bad: str) -> list[Key]:
    """Return the legend: lines by name if there are several, levels, and rings."""

    def of_level(css: str, label: str) -> Key:
        return Key(label, lambda x, y: [line(x, y, x + 24, y, css)])

    keys = [
        Key(one.name, partial(sample, index), "label")
        for index, one in enumerate(series)
        if len(series) > 1
    ]
    levels = dict.fromkeys((_css(one), one.label) for one in thresholds)
    keys += [of_level(*one) for one in levels]
    if any(point.bad for one in series for point in one.points):
        keys.append(Key(bad, lambda x, y: [shape(0, x + 14, y, "ring", radius=6)]))
    return keys


def _css(level: Threshold) -> str:
    return "limit" if level.is_limit else "level"


def _level(one: Threshold, x: Scale, y: Scale) -> str:
    start = x.start if one.start is None else max(x(one.start.toordinal()), x.start)
    end = x.end if one.until is None else min(x(one.until.toordinal()), x.end)
    return line(start, y(one.value), end, y(one.value), _css(one))


def _value_ticks(series: Sequence[Series], thresholds: Sequence[Threshold]) -> list[float]:
    values = [level.value for level in thresholds]
    for one in series:
        for point in one.points:
            values += [v for v in point[1:4] if v is not None and math.isfinite(v)]
    return nice_ticks(min(values, default=0.0), max(values, default=1.0), about=4)


def _days(
    series: Sequence[Series],
    events: Sequence[Event],
    *,
    start: float,
    end: float,
) -> Scale:
    days = [point.when.toordinal() for one in series for point in one.points]
    days += [event.when.toordinal() for event in events]
    first, last = min(days, default=1), max(days, default=2)
    if first == last:
        first, last = first - 1, last + 1
    return Scale(first, last, start, end)


def _day_axis(series: Sequence[Series], x: Scale, bottom: float) -> list[str]:
    """Return the days under the plot: those of the points if they are few."""
    about = max(2, int((x.end - x.start) / 72))
    days = sorted({point.when for one in series for point in one.points})
    ticks = date_ticks(date.fromordinal(round(x.low)), date.fromordinal(round(x.high)), about)
    if 0 < len(days) <= about and _spaced([x(day.toordinal()) for day in days], 66):
        ticks = day_labels(days)
    parts = []
    for day, label in ticks:
        at, half = x(day.toordinal()), measure(label) * 0.46
        parts.append(line(at, bottom, at, bottom + 4, "axis"))
        place = min(max(at, half + 4), x.end + 18 - half)
        parts.append(text(place, bottom + 18, label, "quiet middle"))
    return parts


def _spaced(places: Sequence[float], apart: float) -> bool:
    return all(b - a >= apart for a, b in pairwise(places))


def _describe(
    series: Sequence[Series],
    thresholds: Sequence[Threshold],
    events: Sequence[Event],
    *,
    unit: str,
    digits: int,
    bad: str,
) -> str:
    said = []
    for one in series:
        known = [point for run in runs(one.points) for point in run]
        if known:
            said.append(
                f"{one.name}: from {shown(known[0].value, unit, digits)} on "
                f"{known[0].when} to {shown(known[-1].value, unit, digits)} on "
                f"{known[-1].when}"
            )
        said += [f"{bad} on {point.when}" for point in known if point.bad]
    said += [f"{level.label}: {shown(level.value, unit, digits)}" for level in thresholds]
    said += [f"{event.when}: {event.label}" for event in events]
    return "; ".join(said)
