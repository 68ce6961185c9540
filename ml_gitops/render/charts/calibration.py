"""Whether a predicted probability is as often true as it says: the reliability diagram."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale, tick_labels
from ml_gitops.render.charts.drawing import (
    MARGIN,
    WIDE,
    Key,
    heading,
    legend,
    line,
    path,
    shape,
    svg,
    text,
)
from ml_gitops.render.numbers import percent

_LEFT, _SIDE = 62, 320
_ENDS = (0.1, 0.25, 0.5, 1.0)


class Bin(NamedTuple):
    """Predictions of about one probability: their mean, how often true, how many."""

    predicted: float
    observed: float
    rows: int


def calibration(bins: Sequence[Bin], *, title: str, width: float = WIDE) -> str:
    """Return what was predicted against what came true, with the diagonal of a calibrated model.

    Args:
        bins: means and shares in 0 to 1; a circle's area shows the bin's rows. Both axes end
            at the same share, so that the diagonal is one.
        title: which model, on which rows.
        width: of the picture; the diagram itself is a square.
    """
    full = sorted((one for one in bins if one.rows > 0), key=lambda one: one.predicted)
    furthest = max((share for one in full for share in one[:2]), default=1.0)
    end = next((one for one in _ENDS if furthest <= one), 1.0)
    width = min(width, _LEFT + _SIDE + 2 * MARGIN)
    parts, top = heading(title, width)
    keys = [
        Key("perfectly calibrated", lambda x, y: [line(x, y, x + 24, y, "diagonal")]),
        Key("one bin; area: its rows", lambda x, y: [_circle(x + 12, y, 5)]),
    ]
    drawn, top = legend(keys, top, width)
    side = width - _LEFT - 2 * MARGIN
    x = Scale(0, end, _LEFT, _LEFT + side)
    y = Scale(0, end, top + 10 + side, top + 10)
    ticks = [end * part / 5 for part in range(6)]
    for tick, label in zip(ticks, tick_labels(ticks, "%"), strict=True):
        parts.append(line(x(tick), y.end, x(tick), y.start, "grid"))
        parts.append(line(x.start, y(tick), x.end, y(tick), "grid"))
        parts.append(text(x.start - 8, y(tick) + 4, label, "quiet end"))
        parts.append(text(x(tick), y.start + 17, label, "quiet middle"))
    parts += drawn
    parts.append(line(x(0), y(0), x(end), y(end), "diagonal"))
    parts.append(text(x.start + 8, y.end + 16, "above: came true more often", "quiet halo"))
    parts.append(text(x.end - 8, y.start - 10, "below: less often", "quiet halo end"))
    most = max((one.rows for one in full), default=1)
    if full:
        through = path([(x(one.predicted), y(one.observed)) for one in full], "line")
        parts.append(f'<g class="c0">{through}</g>')
    for one in full:
        radius = 2 + 4.5 * math.sqrt(one.rows / most)
        parts.append(_circle(x(one.predicted), y(one.observed), radius, _said(one)))
    parts.append(text((x.start + x.end) / 2, y.start + 37, "predicted probability", "middle"))
    middle = (y.start + y.end) / 2
    parts.append(
        f'<g transform="rotate(-90 18 {middle:.1f})">'
        f"{text(18, middle, 'share that came true', 'middle')}</g>"
    )
    said = "; ".join(map(_said, full))
    return svg(parts, title=title, description=said, height=y.start + 50, width=width)


def _circle(x: float, y: float, radius: float, tip: str = "") -> str:
    return f'<g class="c0">{shape(0, x, y, "bubble", tip=tip, radius=radius)}</g>'


def _said(one: Bin) -> str:
    return (
        f"predicted {percent(one.predicted)}, came true {percent(one.observed)} (n = {one.rows:,d})"
    )
