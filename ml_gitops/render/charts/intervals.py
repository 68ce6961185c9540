"""Differences with their intervals, beside zero and beside what the gate allows."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ml_gitops.render.charts.axes import Scale, nice_ticks, tick_labels
from ml_gitops.render.charts.drawing import (
    MARGIN,
    WIDE,
    Key,
    heading,
    legend,
    line,
    measure,
    rect,
    shape,
    shorten,
    svg,
    text,
)
from ml_gitops.render.numbers import interval, signed

_LEAST = 160
"""Room that whiskers need beside label and number."""
_SIGNS = {
    "allowed": (0, "solid good"),
    "cannot tell": (3, "hollow cannot-tell"),
    "outside": (1, "solid bad"),
    "": (0, "solid c0"),
}


class Interval(NamedTuple):
    """A difference, its interval, and the limit that the gate puts on it (None: no limit)."""

    label: str
    estimate: float
    low: float
    high: float
    limit: float | None = None


def intervals(
    rows: Sequence[Interval],
    *,
    title: str,
    unit: str = "",
    digits: int = 3,
    allowed: Literal["above", "below"] = "above",
    limit_label: str = "margin",
    width: float = WIDE,
) -> str:
    """Return dots with whiskers, one row per difference.

    Args:
        rows: in the order they are shown.
        title: what is compared, with the direction of the difference.
        unit: of the differences.
        digits: decimals of the numbers at the right.
        allowed: the side of a row's limit that the gate accepts.
        limit_label: what the limit is called.
        width: of the picture; where whiskers do not fit between label and number, they stand below.
    """
    numbers = [
        f"{signed(row.estimate, digits=digits)} {interval(row.low, row.high, digits=digits)}"
        for row in rows
    ]
    limited = any(row.limit is not None for row in rows)
    parts, top = heading(title, width)
    keys, top = legend(_keys(limit_label), top, width) if limited else ([], top)
    frame = _frame(rows, numbers, top + 4, width)
    bottom = frame.top + frame.row * len(rows)
    ticks = _ticks(rows, about=max(2, int((frame.right - frame.left) / 60)))
    x = Scale(ticks[0], ticks[-1], frame.left, frame.right)
    for index, row in enumerate(rows):
        parts += _allowed(row, x, frame.middle(index), allowed)
    for tick, label in zip(ticks, tick_labels(ticks, unit, signs=True), strict=True):
        css = "grid" if tick else "zero"
        parts += [line(x(tick), start, x(tick), end, css) for start, end in frame.bands(len(rows))]
        parts.append(text(x(tick), bottom + 16, label, "quiet middle"))
    parts += keys
    for index, row in enumerate(rows):
        y = frame.middle(index) - (15 if frame.stacked else -4)
        parts.append(text(MARGIN, y, row.label, fit=frame.label_room))
        parts.append(text(width - MARGIN, y, numbers[index], "end"))
        parts += _whiskers(row, numbers[index], x, frame.middle(index), allowed)
    said = [
        f"{row.label}: {number}{', ' + place if (place := side_of_limit(row, allowed)) else ''}"
        for row, number in zip(rows, numbers, strict=True)
    ]
    return svg(parts, title=title, description="; ".join(said), height=bottom + 30, width=width)


def _ticks(rows: Sequence[Interval], about: int) -> list[float]:
    """Return about so many ticks, between which every whisker, limit and zero lie."""
    ends = [value for row in rows for value in (row.low, row.high, row.estimate)]
    limits = [row.limit for row in rows if row.limit is not None]
    # A limit's mirror image leaves room to see which side of it is allowed.
    ends += [0.0, *limits, *(-limit for limit in limits)]
    return nice_ticks(min(ends), max(ends), about)


class _Frame(NamedTuple):
    """Where rows stand: their heights, and the whiskers' place between label and number."""

    top: float
    row: float
    left: float
    right: float
    label_room: float
    stacked: bool

    def middle(self, index: int) -> float:
        """Return the height of a row's whisker."""
        return self.top + self.row * index + (self.row - 13 if self.stacked else self.row / 2)

    def bands(self, rows: int) -> list[tuple[float, float]]:
        """Return the heights that lines of the axis run through: never through words."""
        if not self.stacked:
            return [(self.top, self.top + self.row * rows)]
        return [(self.middle(row) - 11, self.middle(row) + 11) for row in range(rows)]


def _frame(rows: Sequence[Interval], numbers: Sequence[str], top: float, width: float) -> _Frame:
    label = max((measure(row.label) for row in rows), default=0)
    number = max((measure(one) for one in numbers), default=0)
    left, right = min(label + 24, 200), width - number - 30
    if right - left >= _LEAST:
        return _Frame(top, 26, left, right, left - 22, stacked=False)
    return _Frame(top, 46, 28, width - 28, width - number - 3 * MARGIN, stacked=True)


def side_of_limit(row: Interval, allowed: Literal["above", "below"] = "above") -> str:
    """Return where an interval lies: allowed, outside, cannot tell, or nothing without a limit."""
    if row.limit is None:
        return ""
    sign = 1 if allowed == "above" else -1
    near, far = sorted((sign * (row.low - row.limit), sign * (row.high - row.limit)))
    return "allowed" if near >= 0 else "outside" if far < 0 else "cannot tell"


def _allowed(row: Interval, x: Scale, middle: float, allowed: str) -> list[str]:
    if row.limit is None:
        return []
    at = x(row.limit)
    start, end = (at, x.end) if allowed == "above" else (x.start, at)
    return [
        rect(start, middle - 11, end - start, 22, "allowed"),
        line(at, middle - 11, at, middle + 11, "limit"),
    ]


def _whiskers(
    row: Interval, number: str, x: Scale, middle: float, allowed: Literal["above", "below"]
) -> list[str]:
    kind, css = _SIGNS[side_of_limit(row, allowed)]
    low, high = x(row.low), x(row.high)
    return [
        f'<g class="{css.split()[1]}">',
        line(low, middle, high, middle, "whisker"),
        line(low, middle - 4, low, middle + 4, "whisker"),
        line(high, middle - 4, high, middle + 4, "whisker"),
        shape(kind, x(row.estimate), middle, css, tip=f"{shorten(row.label, 400)}: {number}"),
        "</g>",
    ]


def _keys(limit_label: str) -> list[Key]:
    def sign(name: str) -> Key:
        kind, css = _SIGNS[name]
        return Key(name, lambda x, y: [shape(kind, x + 18, y, css)])

    def limit(x: float, y: float) -> list[str]:
        return [rect(x + 12, y - 7, 12, 14, "allowed"), line(x + 12, y - 7, x + 12, y + 7, "limit")]

    return [Key(limit_label, limit), *map(sign, ("allowed", "cannot tell", "outside"))]
