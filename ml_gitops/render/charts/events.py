"""What happened when: flags over a timeline, in lanes so that no two labels touch."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale, pack
from ml_gitops.render.charts.drawing import line, measure, text

LANE = 17
_LABEL = 240


class Event(NamedTuple):
    """What happened on a day: a release, a retraining."""

    when: date
    label: str


def lanes_of(events: Sequence[Event], x: Scale) -> list[int]:
    """Return the lane of every event's flag; 0 is the one next to the plot."""
    return pack([_span(event, x) for event in events], gap=10)


def draw_events(
    events: Sequence[Event], lanes: Sequence[int], x: Scale, *, top: float, bottom: float
) -> list[str]:
    """Return events as dotted lines through the plot, and their flags above it."""
    parts = []
    for event, lane in zip(events, lanes, strict=True):
        at = x(event.when.toordinal())
        parts.append(line(at, top - 18 - LANE * lane, at, bottom, "event"))
    for event, lane in zip(events, lanes, strict=True):
        parts += _flag(event, lane, x, top)
    return parts


def _span(event: Event, x: Scale) -> tuple[float, float]:
    """Return where a flag starts and ends: right of its line, or left of it where more room is."""
    at, width = x(event.when.toordinal()), min(measure(event.label) * 0.92, _LABEL) + 12
    right, left = x.end + 12 - at, at - 4
    if width <= right or right >= left:
        return at, at + min(width, right)
    return at - min(width, left), at


def _flag(event: Event, lane: int, x: Scale, top: float) -> list[str]:
    at, y = x(event.when.toordinal()), top - 8 - LANE * lane
    start, end = _span(event, x)
    right = end > at
    side = 6 if right else -6
    flag = f'<path d="M{at:.1f} {y - 10:.1f}l{side} 4l{-side} 4Z" class="event-flag"/>'
    css = "quiet halo" if right else "quiet halo end"
    return [flag, text(at + side * 1.5, y - 2, event.label, css, fit=(end - start - 9) / 0.92)]
