"""How values are spread: the current window over the reference, one feature or many."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from ml_gitops.render.charts.axes import nice_ticks, tick_labels
from ml_gitops.render.charts.drawing import WIDTH, line, measure, path, rect, shorten, svg, text
from ml_gitops.render.numbers import MINUS, number, percent

_PANEL_HEIGHT = 154


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


def distribution(panel: Distribution) -> str:
    """Return one distribution: the reference as filled bars, the current window as an outline."""
    parts = [*_panel(panel, 14, 8, WIDTH - 28, 206), *_legend(234)]
    return svg(parts, title=panel.title, description=_describe(panel), height=248)


def small_multiples(panels: Sequence[Distribution], *, title: str, columns: int = 3) -> str:
    """Return many distributions as one picture, a grid of small panels.

    Args:
        panels: in reading order.
        title: what the panels have in common.
        columns: panels beside each other.
    """
    width = (WIDTH - 28 - 18 * (columns - 1)) / columns
    parts = [text(14, 22, title, "heading", fit=WIDTH - 28), *_legend(42)]
    for index, panel in enumerate(panels):
        row, column = divmod(index, columns)
        left, top = 14 + column * (width + 18), 54 + row * (_PANEL_HEIGHT + 14)
        parts += _panel(panel, left, top, width, _PANEL_HEIGHT)
    rows = math.ceil(len(panels) / columns)
    said = ". ".join(f"{panel.title}: {_describe(panel)}" for panel in panels)
    height = 58 + rows * (_PANEL_HEIGHT + 14)
    return svg(parts, title=title, description=said, height=height)


def _legend(y: float) -> list[str]:
    return [
        rect(14, y - 10, 16, 10, "reference"),
        text(36, y, "reference", "quiet"),
        '<g class="c0">',
        path([(104, y - 1), (104, y - 9), (120, y - 9), (120, y - 1)], "current"),
        "</g>",
        text(126, y, "current window", "quiet"),
    ]


def _panel(panel: Distribution, left: float, top: float, width: float, height: float) -> list[str]:
    shares = [_shares(panel.reference), _shares(panel.current)]
    peak = max([*shares[0], *shares[1], 1e-9])
    bottom, floor = top + height - 20, top + 36
    bins = max(len(panel.reference), 1)
    step = width / bins
    gap = step * 0.14 if panel.labels else 0.5
    room = width - (measure(panel.note) + 10 if panel.note else 0)
    parts = [text(left, top + 14, panel.title, "heading", fit=room)]
    if panel.note:
        parts.append(text(left + width, top + 14, panel.note, "quiet end"))
    mark = [tick for tick in nice_ticks(0, peak, about=2) if tick <= peak][-1]
    height_of_mark = bottom - (bottom - floor) * mark / peak
    parts.append(line(left, height_of_mark, left + width, height_of_mark, "grid"))
    for index, (before, now) in enumerate(zip(*shares, strict=True)):
        tall = (bottom - floor) * before / peak
        tip = f"{_bin_name(panel, index)}: {percent(before)} in the reference, {percent(now)} now"
        parts.append(
            rect(
                left + index * step + gap, bottom - tall, step - 2 * gap, tall, "reference", tip=tip
            )
        )
    parts.append('<g class="c0">')
    parts += _outline(
        shares[1], left, bottom, step, (bottom - floor) / peak, gap=gap if panel.labels else 0
    )
    parts.append("</g>")
    parts.append(line(left, bottom, left + width, bottom, "axis"))
    parts.append(text(left + 2, height_of_mark - 3, percent(mark, digits=0), "quiet halo"))
    return parts + _bin_labels(panel, left, bottom + 15, step, bins)


def _outline(
    shares: Sequence[float], left: float, bottom: float, step: float, scale: float, *, gap: float
) -> list[str]:
    """Return the current window: one stair over bins, or one open box per category."""
    stairs: list[tuple[float, float]] = []
    boxes = []
    for index, share in enumerate(shares):
        start, end = left + index * step + gap, left + (index + 1) * step - gap
        y = bottom - share * scale
        stairs += [(start, y), (end, y)]
        boxes.append(path([(start, bottom), (start, y), (end, y), (end, bottom)], "current"))
    if gap:
        return boxes
    return [path([(left, bottom), *stairs, (left + len(shares) * step, bottom)], "current")]


def _bin_labels(panel: Distribution, left: float, y: float, step: float, bins: int) -> list[str]:
    if panel.labels is not None:
        middles = [left + (index + 0.5) * step for index in range(bins)]
        return _thinned(panel.labels, middles, y, step)
    inner = [edge for edge in panel.edges or () if math.isfinite(edge)]
    first = 0 if panel.edges and math.isfinite(panel.edges[0]) else 1
    places = [left + (first + index) * step for index in range(len(inner))]
    return _thinned(edge_labels(inner), places, y, step)


def _thinned(labels: Sequence[str], places: Sequence[float], y: float, step: float) -> list[str]:
    """Return as many labels as fit beside each other, evenly chosen."""
    longest = max((min(measure(label), 64) for label in labels), default=0) + 8
    every = max(1, math.ceil(longest / step))
    return [
        text(place, y, label, "quiet middle", fit=max(every * step - 2, 20))
        for label, place in list(zip(labels, places, strict=True))[::every]
    ]


def edge_labels(edges: Sequence[float]) -> list[str]:
    """Return the edges of bins as short labels, with decimals only where they are needed."""
    if all(float(edge).is_integer() for edge in edges):
        return tick_labels(edges)
    return [
        f"{edge:.3g}".replace("-", MINUS) if abs(edge) < 1000 else f"{edge:,.0f}" for edge in edges
    ]


def _bin_name(panel: Distribution, index: int) -> str:
    if panel.labels is not None:
        return shorten(panel.labels[index], 400)
    if not panel.edges:
        return f"bin {index + 1}"
    low, high = (number(edge, digits=2) for edge in panel.edges[index : index + 2])
    return f"{low} to {high}"


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [value / total if total else 0.0 for value in counts]


def _describe(panel: Distribution) -> str:
    """Return the rows on both sides and the bin that moved most."""
    before, now = _shares(panel.reference), _shares(panel.current)
    said = (f"{panel.note}; " if panel.note else "") + (
        f"{sum(panel.reference):,.0f} rows in the reference, {sum(panel.current):,.0f} now"
    )
    if not before:
        return said
    moved = max(range(len(before)), key=lambda index: abs(now[index] - before[index]))
    return (
        f"{said}; moved most: {_bin_name(panel, moved)}, from {percent(before[moved])} "
        f"to {percent(now[moved])}"
    )
