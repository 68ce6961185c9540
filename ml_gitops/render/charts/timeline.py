"""Numbers over days: lines with their intervals, limits, spans and what happened when."""

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale, date_ticks, nice_ticks, pack, spread, tick_labels
from ml_gitops.render.charts.drawing import (
    WIDTH,
    line,
    measure,
    path,
    rect,
    shape,
    shorten,
    svg,
    text,
)
from ml_gitops.render.numbers import number

_DASHES = ("", "7 4", "2 4", "9 3 2 3")
_PLOT, _LANE, _LABEL, _NAME = 190, 17, 240, 170


class Point(NamedTuple):
    """A value of one day with its interval; None leaves a gap in the line."""

    when: date
    value: float | None
    low: float | None = None
    high: float | None = None


class Series(NamedTuple):
    """A named line."""

    name: str
    points: Sequence[Point]


class Threshold(NamedTuple):
    """A limit on the values, and what it is called."""

    value: float
    label: str


class Band(NamedTuple):
    """A named span of days; `until` is not in it."""

    start: date
    until: date
    label: str


class Event(NamedTuple):
    """What happened on a day: a release, a retraining."""

    when: date
    label: str


def timeline(
    series: Sequence[Series],
    *,
    title: str,
    thresholds: Sequence[Threshold] = (),
    bands: Sequence[Band] = (),
    events: Sequence[Event] = (),
    unit: str = "",
    digits: int = 3,
) -> str:
    """Return lines over days with ribbons for their intervals.

    Args:
        series: one line each, told apart by dash, mark and the name at its end.
        title: what is measured.
        thresholds: horizontal limits.
        bands: spans shaded behind the lines.
        events: vertical lines; their labels stand in lanes above and never overlap.
        unit: of the values; `%` shows shares as per cent.
        digits: decimals of the numbers in tooltips and the description.
    """
    y_ticks = _value_ticks(series, thresholds)
    y_labels = tick_labels(y_ticks, unit)
    x = _days(series, bands, events, left=24 + max(map(measure, y_labels)))
    lanes = pack([_label_span(event, x) for event in events], gap=10)
    lane_count = max(lanes, default=-1) + 1
    top = 40 + _LANE * lane_count + (6 if lane_count else 0)
    bottom = top + _PLOT
    y = Scale(y_ticks[0], y_ticks[-1], bottom, top)
    parts = [text(14, 22, title, "heading", fit=WIDTH - 28)]
    parts += [part for band in bands for part in _band(band, x, top, bottom)]
    for tick, label in zip(y_ticks, y_labels, strict=True):
        parts.append(line(x.start, y(tick), x.end, y(tick), "grid"))
        parts.append(text(x.start - 8, y(tick) + 4, label, "quiet end"))
    for day, label in date_ticks(_from(x.low), _from(x.high)):
        at = x(day.toordinal())
        parts.append(line(at, bottom, at, bottom + 4, "axis"))
        parts.append(text(at, bottom + 18, label, "quiet middle"))
    parts += [
        line(at, top - 18 - _LANE * lane, at, bottom, "event")
        for event, lane in zip(events, lanes, strict=True)
        for at in [x(event.when.toordinal())]
    ]
    for event, lane in zip(events, lanes, strict=True):
        parts += _flag(event, lane, x, top)
    for limit in thresholds:
        parts.append(line(x.start, y(limit.value), x.end, y(limit.value), "limit"))
    for index, one in enumerate(series):
        parts += _series(index, one, x=x, y=y, unit=unit, digits=digits)
    parts += _names(series, x, y)
    for label, at in _limit_labels(thresholds, y):
        parts.append(text(x.start + 6, at - 5, label, "quiet halo"))
    return svg(
        parts,
        title=title,
        height=bottom + 32,
        description=_describe(series, thresholds, events, unit, digits),
    )


def _limit_labels(thresholds: Sequence[Threshold], y: Scale) -> list[tuple[str, float]]:
    """Return the labels of limits from the top; those of close limits share one line."""
    found: list[tuple[str, float]] = []
    for limit in sorted(thresholds, key=lambda one: y(one.value)):
        at = y(limit.value)
        if found and at - found[-1][1] < _LANE:
            found[-1] = (f"{found[-1][0]}, {limit.label}", found[-1][1])
        else:
            found.append((limit.label, at))
    return found


def _from(ordinal: float) -> date:
    return date.fromordinal(round(ordinal))


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _value_ticks(series: Sequence[Series], thresholds: Sequence[Threshold]) -> list[float]:
    values = [limit.value for limit in thresholds]
    for one in series:
        for point in one.points:
            values += [v for v in point[1:] if v is not None and math.isfinite(v)]
    return nice_ticks(min(values, default=0.0), max(values, default=1.0), about=4)


def _days(
    series: Sequence[Series], bands: Sequence[Band], events: Sequence[Event], left: float = 64
) -> Scale:
    days = [point.when.toordinal() for one in series for point in one.points]
    days += [day.toordinal() for band in bands for day in (band.start, band.until)]
    days += [event.when.toordinal() for event in events]
    first, last = min(days, default=1), max(days, default=2)
    if first == last:
        first, last = first - 1, last + 1
    names = (
        max((measure(one.name, bold=True) for one in series), default=0) if len(series) > 1 else 0
    )
    return Scale(first, last, left, WIDTH - min(names + 34, _NAME) if names else WIDTH - 20)


def _label_span(event: Event, x: Scale) -> tuple[float, float]:
    """Return where an event's label starts and ends: right of its line, or left near the edge."""
    at, width = x(event.when.toordinal()), min(measure(event.label) * 0.92, _LABEL) + 10
    return (at, at + width) if at + width <= WIDTH - 8 else (at - width, at)


def _flag(event: Event, lane: int, x: Scale, top: float) -> list[str]:
    at, y = x(event.when.toordinal()), top - 8 - _LANE * lane
    right = _label_span(event, x)[1] > at
    side = 6 if right else -6
    flag = f'<path d="M{at:.1f} {y - 10:.1f}l{side} 4l{-side} 4Z" class="event-flag"/>'
    css = "quiet halo" if right else "quiet halo end"
    return [flag, text(at + side * 1.5, y - 2, event.label, css, fit=_LABEL)]


def _band(band: Band, x: Scale, top: float, bottom: float) -> list[str]:
    start, end = x(band.start.toordinal()), x(band.until.toordinal())
    parts = [rect(start, top, end - start, bottom - top, "band", tip=band.label)]
    if len(shorten(band.label, end - start - 10)) > 3:
        parts.append(text(start + 5, bottom - 7, band.label, "quiet", fit=end - start - 10))
    return parts


def _series(index: int, one: Series, *, x: Scale, y: Scale, unit: str, digits: int) -> list[str]:
    parts = [f'<g class="c{index % 4}">']
    for run in _runs(one.points):
        low = [(x(p.when.toordinal()), y(p.low)) for p in run if p.low is not None]
        high = [(x(p.when.toordinal()), y(p.high)) for p in run if p.high is not None]
        if len(low) == len(high) > 1:
            parts.append(path([*low, *reversed(high)], "ribbon", closed=True))
        places = [(x(p.when.toordinal()), y(p.value)) for p in run if p.value is not None]
        parts.append(path(places, "line", dash=_DASHES[index % 4]))
        # Marks crowd a long line; there every few days carry one.
        every = max(1, round(len(one.points) / 12))
        for (at, height), point in list(zip(places, run, strict=True))[::every]:
            tip = f"{plain_name(one)}{point.when}: {_shown(point.value, unit, digits)}"
            parts.append(shape(index, at, height, "solid", tip=tip, radius=2.6))
    return [*parts, "</g>"]


def plain_name(one: Series) -> str:
    """Return what a tooltip says before the day."""
    return f"{one.name}, " if one.name else ""


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points in order of days, cut where a value is missing."""
    runs: list[list[Point]] = [[]]
    for point in sorted(points, key=lambda p: p.when):
        if _known(point.value):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _names(series: Sequence[Series], x: Scale, y: Scale) -> list[str]:
    """Return the names at the ends of the lines, moved apart where the lines end together."""
    ended = [
        (index, runs[-1][-1])
        for index, one in enumerate(series)
        if len(series) > 1 and (runs := _runs(one.points))
    ]
    wanted = [y(point.value or 0.0) for _, point in ended]
    places = spread(wanted, 15, y.end + 4, y.start)
    parts = []
    for (index, _), place in zip(ended, places, strict=True):
        parts.append(f'<g class="c{index % 4}">')
        parts.append(shape(index, x.end + 12, place, "solid", radius=3.4))
        parts.append(text(x.end + 20, place + 4, series[index].name, "label", fit=_NAME - 26))
        parts.append("</g>")
    return parts


def _shown(value: float | None, unit: str, digits: int) -> str:
    if value is None:
        return "nothing"
    return number(value * (100 if unit == "%" else 1), digits=digits, unit=unit)


def _describe(
    series: Sequence[Series],
    thresholds: Sequence[Threshold],
    events: Sequence[Event],
    unit: str,
    digits: int,
) -> str:
    said = []
    for one in series:
        known = [point for run in _runs(one.points) for point in run]
        if known:
            said.append(
                f"{one.name}: from {_shown(known[0].value, unit, digits)} on "
                f"{known[0].when} to {_shown(known[-1].value, unit, digits)} on "
                f"{known[-1].when}"
            )
    said += [f"{limit.label}: {_shown(limit.value, unit, digits)}" for limit in thresholds]
    said += [f"{event.when}: {event.label}" for event in events]
    return "; ".join(said)
