"""Differences with their intervals, beside zero and beside what the gate allows."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ml_gitops.render.charts.axes import Scale, nice_ticks, tick_labels
from ml_gitops.render.charts.drawing import WIDTH, line, measure, rect, shape, shorten, svg, text
from ml_gitops.render.numbers import interval, signed

_ROW, _TOP, _BOTTOM = 26, 44, 58
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
) -> str:
    """Return dots with whiskers, one row per difference.

    Args:
        rows: in the order they are shown.
        title: what is compared, with the direction of the difference.
        unit: of the differences.
        digits: decimals of the numbers at the right.
        allowed: the side of a row's limit that the gate accepts.
        limit_label: what the limit is called.
    """
    numbers = [
        f"{signed(row.estimate, digits=digits)} {interval(row.low, row.high, digits=digits)}"
        for row in rows
    ]
    left = min(max((measure(row.label) for row in rows), default=0) + 24, 200)
    right = WIDTH - max((measure(number) for number in numbers), default=0) - 30
    height = _TOP + _ROW * len(rows) + _BOTTOM
    limits = [row.limit for row in rows if row.limit is not None]
    ends = [value for row in rows for value in (row.low, row.high, row.estimate)]
    about = max(2, int((right - left) / 60))
    ticks = nice_ticks(min([0.0, *ends, *limits]), max([0.0, *ends, *limits]), about)
    x = Scale(ticks[0], ticks[-1], left, right)
    bottom = _TOP + _ROW * len(rows)
    parts = [text(14, 22, title, "heading", fit=WIDTH - 28)]
    for index, row in enumerate(rows):
        parts += _allowed(row, x, _TOP + _ROW * index, allowed)
    for tick, label in zip(ticks, tick_labels(ticks, unit, signs=True), strict=True):
        parts.append(line(x(tick), _TOP, x(tick), bottom, "grid"))
        parts.append(text(x(tick), bottom + 16, label, "quiet middle"))
    parts.append(line(x(0), _TOP - 4, x(0), bottom, "zero"))
    for index, row in enumerate(rows):
        parts += _row(row, numbers[index], x, _TOP + _ROW * index, allowed)
    if limits:
        parts += _legend(height - 16, limit_label)
    said = [
        f"{row.label}: {number}{', ' + place if (place := standing(row, allowed)) else ''}"
        for row, number in zip(rows, numbers, strict=True)
    ]
    return svg(parts, title=title, description="; ".join(said), height=height)


def standing(row: Interval, allowed: Literal["above", "below"] = "above") -> str:
    """Return where an interval lies: allowed, outside, cannot tell, or nothing without a limit."""
    if row.limit is None:
        return ""
    sign = 1 if allowed == "above" else -1
    near, far = sorted((sign * (row.low - row.limit), sign * (row.high - row.limit)))
    return "allowed" if near >= 0 else "outside" if far < 0 else "cannot tell"


def _allowed(row: Interval, x: Scale, y: float, allowed: str) -> list[str]:
    if row.limit is None:
        return []
    at = x(row.limit)
    start, end = (at, x.end) if allowed == "above" else (x.start, at)
    return [rect(start, y, end - start, _ROW, "allowed"), line(at, y, at, y + _ROW, "limit")]


def _row(
    row: Interval, number: str, x: Scale, y: float, allowed: Literal["above", "below"]
) -> list[str]:
    kind, css = _SIGNS[standing(row, allowed)]
    tone, middle = css.split()[1], y + _ROW / 2
    low, high = x(row.low), x(row.high)
    return [
        text(14, middle + 4, row.label, fit=x.start - 22),
        f'<g class="{tone}">',
        line(low, middle, high, middle, "whisker"),
        line(low, middle - 4, low, middle + 4, "whisker"),
        line(high, middle - 4, high, middle + 4, "whisker"),
        shape(kind, x(row.estimate), middle, css, tip=f"{shorten(row.label, 400)}: {number}"),
        "</g>",
        text(WIDTH - 14, middle + 4, number, "end"),
    ]


def _legend(y: float, limit_label: str) -> list[str]:
    parts = [line(14, y - 4, 38, y - 4, "limit"), text(44, y, limit_label, "quiet", fit=250)]
    at = 44 + min(measure(limit_label), 250) * 0.93 + 18
    for name in ("allowed", "cannot tell", "outside"):
        kind, css = _SIGNS[name]
        parts += [shape(kind, at, y - 4, css), text(at + 10, y, name, "quiet")]
        at += measure(name) + 30
    return parts
