"""How values are spread: the current window over the reference, one feature or many.

A number's bars are as wide as their bins and as high as their density, so that area is share of
the rows, also where bins are quantiles. What lies beyond the axis has a box of its own on its side.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ml_gitops.render.charts.axes import Scale, edge_label, nice_ticks, tick_labels
from ml_gitops.render.charts.binning import Block, Histogram, categories, histogram, shares
from ml_gitops.render.charts.drawing import (
    MARGIN,
    WIDE,
    Key,
    heading,
    legend,
    line,
    measure,
    path,
    rect,
    svg,
    text,
)
from ml_gitops.render.numbers import percent

_PANEL, _GAP = 176, 24
_BOX, _APART = 18, 6
"""Width of the box beyond an end of the axis, and its distance."""


class Distribution(NamedTuple):
    """Counts of a reference and of the current window in the same bins.

    Attributes:
        title: the feature.
        reference, current: one count per bin.
        labels: one per category; or
        edges: one more than bins, ascending; the outer ones may be infinite.
        note: a word on the difference, such as `PSI 0.31`.
    """

    title: str
    reference: Sequence[float]
    current: Sequence[float]
    labels: Sequence[str] | None = None
    edges: Sequence[float] | None = None
    note: str = ""


def distribution(panel: Distribution, *, width: float = WIDE) -> str:
    """Return one distribution: the reference as filled bars, the current window as an outline."""
    parts, top = legend(_KEYS, 6, width)
    parts += _panel(panel, MARGIN, top + 4, width - 2 * MARGIN, 216)
    return svg(
        parts, title=panel.title, description=_describe(panel), height=top + 230, width=width
    )


def small_multiples(panels: Sequence[Distribution], *, title: str, width: float = WIDE) -> str:
    """Return many distributions as one picture, a grid of small panels.

    Args:
        panels: in reading order.
        title: what the panels have in common.
        width: of the picture; as many panels stand beside each other as can be read.
    """
    columns = max(1, int(width // 200))
    wide = (width - 2 * MARGIN - _GAP * (columns - 1)) / columns
    parts, top = heading(title, width)
    drawn, top = legend(_KEYS, top, width)
    parts += drawn
    for index, panel in enumerate(panels):
        row, column = divmod(index, columns)
        left = MARGIN + column * (wide + _GAP)
        parts += _panel(panel, left, top + 10 + row * (_PANEL + _GAP), wide, _PANEL)
    rows = math.ceil(len(panels) / columns)
    said = ". ".join(f"{panel.title}: {_describe(panel)}" for panel in panels)
    height = top + 6 + rows * (_PANEL + _GAP)
    return svg(parts, title=title, description=said, height=height, width=width)


def _sample(x: float, y: float) -> list[str]:
    box = [(x + 2, y + 6), (x + 2, y - 6), (x + 22, y - 6), (x + 22, y + 6)]
    return ['<g class="c0">', path(box, "current"), "</g>"]


_KEYS = (
    Key("reference", lambda x, y: [rect(x + 2, y - 6, 20, 12, "reference")]),
    Key("current window", _sample),
    Key(
        "equal areas, equal shares of rows",
        lambda x, y: [rect(x + 2, y - 6, 6, 12, "reference"), rect(x + 9, y, 12, 6, "reference")],
    ),
)


def _panel(panel: Distribution, left: float, top: float, width: float, height: float) -> list[str]:
    """Return a panel: its name, what is to be said of it, and its bars."""
    parts = [text(left, top + 14, panel.title, "heading", fit=width)]
    parts.append(text(left, top + 31, panel.note, "quiet", fit=width))
    frame = (left, top + 42, width, height - 42)
    if panel.labels is None and panel.edges:
        finest = max(12, int(width / 6))
        drawn = histogram(panel.edges, panel.reference, panel.current, finest=finest)
        if drawn is not None:
            return parts + _histogram(drawn, *frame)
    return parts + _categories(panel, *frame)


def _histogram(drawn: Histogram, left: float, top: float, width: float, height: float) -> list[str]:
    low, high = drawn.span
    bottom = top + height - 20
    start = left + (_BOX + _APART if drawn.below else 0)
    end = left + width - (_BOX + _APART if drawn.above else 0)
    x = Scale(low, high, start, end)
    groups = [[(x(one.low), x(one.high), one) for one in drawn.blocks]]
    groups += [[(left, left + _BOX, drawn.below)]] if drawn.below else []
    groups += [[(left + width - _BOX, left + width, drawn.above)]] if drawn.above else []
    placed = [one for group in groups for one in group]
    densest = max(max(one.reference, one.current) / (right - begin) for begin, right, one in placed)
    scale = (bottom - top) / densest if densest else 0.0
    parts = []
    for begin, right, one in placed:
        tall = one.reference / (right - begin) * scale
        edge = min(0.4, (right - begin) * 0.1)
        bar = (begin + edge, bottom - tall, right - begin - 2 * edge, tall)
        parts.append(rect(*bar, "reference", tip=_said(one)))
    parts.append('<g class="c0">')
    for group in groups:
        stairs = [(group[0][0], bottom)]
        for begin, right, one in group:
            y = bottom - one.current / (right - begin) * scale
            stairs += [(begin, y), (right, y)]
        parts.append(path([*stairs, (group[-1][1], bottom)], "current"))
    parts.append("</g>")
    parts += [line(group[0][0], bottom, group[-1][1], bottom, "axis") for group in groups]
    return parts + _ticks(drawn, x, left, left + width, bottom)


def _ticks(drawn: Histogram, x: Scale, left: float, right: float, bottom: float) -> list[str]:
    """Return round numbers along the axis, and the ends beyond which boxes stand."""
    parts = []
    taken = []
    if drawn.below:
        label = f"< {edge_label(drawn.below.high)}"
        parts.append(text(left, bottom + 15, label, "quiet"))
        taken.append((left, left + measure(label) * 0.92))
    if drawn.above:
        label = f"> {edge_label(drawn.above.low)}"
        parts.append(text(right, bottom + 15, label, "quiet end"))
        taken.append((right - measure(label) * 0.92, right))
    ticks = [tick for tick in nice_ticks(x.low, x.high, about=4) if x.low <= tick <= x.high]
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        half = measure(label) * 0.46
        at = min(max(x(tick), left + half), right - half)
        if any(at - half < end + 8 and at + half > start - 8 for start, end in taken):
            continue
        taken.append((at - half, at + half))
        parts.append(line(x(tick), bottom, x(tick), bottom + 3, "axis"))
        parts.append(text(at, bottom + 15, label, "quiet middle"))
    return parts


def _categories(
    panel: Distribution, left: float, top: float, width: float, height: float
) -> list[str]:
    """Return one bar per category, with both shares in numbers; the rest has numbers alone."""
    most = max(2, int(height // 19))
    shown = categories(_names(panel), panel.reference, panel.current, most=most)
    said = [f"{_whole(one.reference)} → {_whole(one.current)}" for one in shown]
    number_room = max((measure(one) * 0.92 for one in said), default=0)
    label_room = min(max((measure(one.name) for one in shown), default=0), width * 0.34)
    start, end = left + label_room + 8, left + width - number_room - 8
    longest = max((max(one.reference, one.current) for one in shown if one.is_one), default=0.0)
    x = Scale(0, longest or 1.0, start, end)
    parts = []
    for index, (one, numbers) in enumerate(zip(shown, said, strict=True)):
        y = top + 19 * index
        tip = f"{one.name}: {percent(one.reference)} in the reference, {percent(one.current)} now"
        parts.append(text(left, y + 13, one.name, "quiet", fit=label_room))
        parts.append(text(left + width, y + 13, numbers, "quiet end"))
        if one.is_one:
            parts.append(rect(start, y + 3, x(one.reference) - start, 13, "reference", tip=tip))
            now = x(one.current)
            box = [(start, y + 3), (now, y + 3), (now, y + 16), (start, y + 16)]
            parts.append(f'<g class="c0">{path(box, "current")}</g>')
    return [*parts, line(start, top, start, top + 19 * len(shown), "axis")]


def _whole(share: float) -> str:
    return percent(share, digits=0)


def _names(panel: Distribution) -> Sequence[str]:
    if panel.labels is not None:
        return panel.labels
    edges = panel.edges or ()
    return [_span(low, high) for low, high in pairwise(edges)]


def _span(low: float, high: float) -> str:
    if math.isinf(low):
        return "all" if math.isinf(high) else f"up to {edge_label(high)}"
    if math.isinf(high):
        return f"above {edge_label(low)}"
    first, last = edge_label(low), edge_label(high)
    return first if first == last else f"{first} to {last}"


def _said(one: Block) -> str:
    before, now = percent(one.reference), percent(one.current)
    return f"{_span(one.low, one.high)}: {before} in the reference, {now} now"


def _describe(panel: Distribution) -> str:
    """Return the rows on both sides and the bin that moved most."""
    before, now = shares(panel.reference), shares(panel.current)
    said = (f"{panel.note}; " if panel.note else "") + (
        f"{sum(panel.reference):,.0f} rows in the reference, {sum(panel.current):,.0f} now"
    )
    if not before:
        return said
    moved = max(range(len(before)), key=lambda index: abs(now[index] - before[index]))
    return (
        f"{said}; moved most: {_names(panel)[moved]}, from {percent(before[moved])} to "
        f"{percent(now[moved])}"
    )
