"""Whether a predicted probability is as often true as it says: the reliability diagram."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale, tick_labels
from ml_gitops.render.charts.drawing import line, path, rect, shape, svg, text
from ml_gitops.render.numbers import percent

_WIDTH, _LEFT, _RIGHT, _TOP, _SIDE = 420, 58, 396, 40, 300


class Bin(NamedTuple):
    """Predictions of about one probability: their mean, how often true, how many."""

    predicted: float
    observed: float
    rows: int


def calibration(bins: Sequence[Bin], *, title: str) -> str:
    """Return what was predicted against what came true, with the diagonal of a calibrated model.

    Args:
        bins: means and shares in 0 to 1; a circle's area shows the bin's rows.
        title: which model, on which rows.
    """
    x = Scale(0, 1, _LEFT, _RIGHT)
    y = Scale(0, 1, _TOP + _SIDE, _TOP)
    foot = _TOP + _SIDE + 78
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    parts = [text(14, 22, title, "heading", fit=_WIDTH - 28)]
    for tick, label in zip(ticks, tick_labels(ticks, "%"), strict=True):
        parts.append(line(x(tick), y.end, x(tick), y.start, "grid"))
        parts.append(line(x.start, y(tick), x.end, y(tick), "grid"))
        parts.append(text(x.start - 8, y(tick) + 4, label, "quiet end"))
        parts.append(text(x(tick), y.start + 16, label, "quiet middle"))
    parts.append(line(x(0), y(0), x(1), y(1), "diagonal"))
    parts.append(text(x(0.03), y(0.95), "above: more often than predicted", "quiet halo"))
    parts.append(text(x(0.97), y(0.03), "below: less often", "quiet halo end"))
    full = sorted((one for one in bins if one.rows > 0), key=lambda one: one.predicted)
    most = max((one.rows for one in full), default=1)
    parts.append('<g class="c0">')
    if full:
        parts.append(path([(x(one.predicted), y(one.observed)) for one in full], "line"))
    for one in full:
        tip = _said(one)
        radius = 2.5 + 9.5 * math.sqrt(one.rows / most)
        parts.append(shape(0, x(one.predicted), y(one.observed), "bubble", tip=tip, radius=radius))
        tall = 30 * one.rows / most
        parts.append(rect(x(one.predicted) - 5, foot - tall, 10, tall, "bar", tip=tip))
    parts.append("</g>")
    parts.append(line(x.start, foot, x.end, foot, "axis"))
    parts.append(text(x.start - 8, foot, "rows", "quiet end"))
    parts.append(
        text(
            (_LEFT + _RIGHT) / 2,
            foot + 20,
            "predicted probability, and how many rows",
            "quiet middle",
        )
    )
    middle = _TOP + _SIDE / 2
    parts.append(
        f'<g transform="rotate(-90 18 {middle})">'
        f"{text(18, middle, 'observed share', 'quiet middle')}</g>"
    )
    return svg(
        parts, title=title, description="; ".join(map(_said, full)), height=foot + 34, width=_WIDTH
    )


def _said(one: Bin) -> str:
    return (
        f"predicted {percent(one.predicted)}, came true {percent(one.observed)} (n = {one.rows:,d})"
    )
