"""Numbers side by side: horizontal bars, and bars small enough for a table cell."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale
from ml_gitops.render.charts.drawing import MARGIN, WIDE, heading, line, measure, rect, svg, text
from ml_gitops.render.numbers import number

_BLOCKS = "▁▂▃▄▅▆▇█"
_ROW = 24


class Bar(NamedTuple):
    """A label and how long its bar is."""

    label: str
    value: float


def bars(
    rows: Sequence[Bar], *, title: str, unit: str = "", digits: int = 3, width: float = WIDE
) -> str:
    """Return horizontal bars with their numbers, in the order they are given.

    Args:
        rows: below zero, a bar runs to the left.
        title: what the lengths mean.
        unit: of the values.
        digits: decimals of the numbers.
        width: of the picture.
    """
    numbers = [_shown(row.value, digits, unit) for row in rows]
    label_room = min(max((measure(row.label) for row in rows), default=0) + 26, width * 0.4)
    number_room = max((measure(shown) for shown in numbers), default=0) + 24
    low = min([0.0, *(row.value for row in rows)])
    high = max([0.0, *(row.value for row in rows)])
    # Numbers below zero stand left of their bar, and need room there too.
    left = label_room + (number_room - 16 if low < 0 else 0)
    x = Scale(low, high if high > low else low + 1, left, width - number_room)
    parts, top = heading(title, width)
    for index, (row, shown) in enumerate(zip(rows, numbers, strict=True)):
        y, zero, end = top + _ROW * index, x(0), x(row.value)
        parts.append(text(MARGIN, y + 16, row.label, fit=label_room - 24))
        parts.append(f'<g class="c0">{rect(min(zero, end), y + 4, abs(end - zero), 15, "bar")}</g>')
        below = row.value < 0
        parts.append(text(end + (-6 if below else 6), y + 16, shown, "end" if below else ""))
    bottom = top + _ROW * len(rows)
    parts.append(line(x(0), top, x(0), bottom, "axis"))
    said = "; ".join(f"{row.label}: {shown}" for row, shown in zip(rows, numbers, strict=True))
    return svg(parts, title=title, description=said, height=bottom + 14, width=width)


def _shown(value: float, digits: int, unit: str) -> str:
    """Return a value; one that has no length beside the others is not told to its last digit."""
    if 0 < abs(value) < 0.5 * 10**-digits:
        return f"≈{number(0.0, digits=digits, unit=unit)}"
    return number(value, digits=digits, unit=unit)


def sparkline(
    values: Sequence[float | None], *, low: float | None = None, high: float | None = None
) -> str:
    """Return a line of block characters for a table cell; a missing value is a dot.

    Args:
        values: in order; None, NaN and infinities are missing.
        low, high: the values of the lowest and the highest block, found if not given.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    bottom = low if low is not None else min(known, default=0.0)
    top = high if high is not None else max(known, default=0.0)
    return "".join(_block(value, bottom, top) for value in values)


def _block(value: float | None, low: float, high: float) -> str:
    if value is None or not math.isfinite(value):
        return "·"
    if high <= low:
        return _BLOCKS[3]
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    return _BLOCKS[round(share * (len(_BLOCKS) - 1))]
