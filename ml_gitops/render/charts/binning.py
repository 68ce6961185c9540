"""From counts in bins to what is drawn: true widths, true areas, and tails that have no end."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_TAIL = 1.0
"""A last bin wider than this many times all others together is drawn as having no end."""
_CUT = 0.1
"""The most of a reference that is drawn so, on each side."""


class Block(NamedTuple):
    """A bar of a histogram: from where to where, and the share of both sides in it.

    One without an end (an infinite `low` or `high`) holds everything beyond the other.
    """

    low: float
    high: float
    reference: float
    current: float


class Histogram(NamedTuple):
    """Blocks of known widths in order, and what lies below and above them."""

    blocks: list[Block]
    below: Block | None
    above: Block | None

    @property
    def span(self) -> tuple[float, float]:
        """Where the axis starts and ends."""
        return self.blocks[0].low, self.blocks[-1].high


def shares(counts: Sequence[float]) -> list[float]:
    """Return counts as shares of their sum."""
    total = sum(counts)
    return [value / total if total else 0.0 for value in counts]


def histogram(
    edges: Sequence[float], reference: Sequence[float], current: Sequence[float], *, finest: int
) -> Histogram | None:
    """Return bars in proportion to what they stand for, or None if the bins span nothing.

    Bins of quantiles are narrow where values are dense. Adding neighbours up until each bar is
    wide enough to be seen keeps areas true and takes nothing away.

    Args:
        edges: one more than bins, ascending; the outer ones may be infinite.
        reference, current: one count per bin.
        finest: no more bars than this.
    """
    before, now = shares(reference), shares(current)
    bins = [Block(*one) for one in zip(edges[:-1], edges[1:], before, now, strict=True)]
    below = bins.pop(0) if bins and math.isinf(bins[0].low) else None
    above = bins.pop() if bins and math.isinf(bins[-1].high) else None
    if not bins or not _apart(bins[0].low, bins[-1].high):
        return None
    while _is_tail(bins[::-1], above):
        last = bins.pop()
        above = _joined(last, above) if above else last._replace(high=math.inf)
    while _is_tail(bins, below):
        first = bins.pop(0)
        below = _joined(below, first) if below else first._replace(low=-math.inf)
    bars = _at_least((bins[-1].high - bins[0].low) / finest, bins)
    return Histogram(bars, _unless_empty(below), _unless_empty(above))


def _apart(low: float, high: float) -> bool:
    """Say whether two edges differ by more than the next number does."""
    return high - low > 1e-9 * max(abs(low), abs(high))


def _is_tail(bins: Sequence[Block], beyond: Block | None) -> bool:
    """Say whether the first bin would leave no room for all the others."""
    if len(bins) < 3:
        return False
    rest = abs(max(bins[1].high, bins[-1].high) - min(bins[1].low, bins[-1].low))
    cut = bins[0].reference + (beyond.reference if beyond else 0.0)
    return bins[0].high - bins[0].low > _TAIL * rest and cut <= _CUT


def _at_least(width: float, bins: Sequence[Block]) -> list[Block]:
    """Return neighbours added up until each is so wide."""
    wide: list[Block] = []
    for one in bins:
        if wide and wide[-1].high - wide[-1].low < width * (1 - 1e-9):
            wide[-1] = _joined(wide[-1], one)
        else:
            wide.append(one)
    if len(wide) > 1 and wide[-1].high - wide[-1].low < width * (1 - 1e-9):
        last = wide.pop()
        wide[-1] = _joined(wide[-1], last)
    return wide


def _joined(one: Block, above: Block) -> Block:
    """Return a block and the next one above it as one."""
    both = one.reference + above.reference, one.current + above.current
    return Block(one.low, above.high, *both)


def _unless_empty(block: Block | None) -> Block | None:
    return block if block and (block.reference or block.current) else None


class Category(NamedTuple):
    """A bar of a categorical feature: its name and the share of both sides in it.

    Attributes:
        is_one: it is one category, not the sum of the rest.
    """

    name: str
    reference: float
    current: float
    is_one: bool = True


def categories(
    labels: Sequence[str], reference: Sequence[float], current: Sequence[float], *, most: int
) -> list[Category]:
    """Return the categories that matter most on either side, in the order given; the rest is one.

    Args:
        labels: one per category.
        reference, current: one count per category.
        most: how many bars there may be.
    """
    found = [Category(*one) for one in zip(labels, shares(reference), shares(current), strict=True)]
    if len(found) <= most:
        return found
    order = sorted(
        range(len(found)), key=lambda i: max(found[i].reference, found[i].current), reverse=True
    )
    rest = [found[index] for index in order[most - 1 :]]
    others = Category(
        f"{len(rest):,} others",
        sum(one.reference for one in rest),
        sum(one.current for one in rest),
        is_one=False,
    )
    return [*(found[index] for index in sorted(order[: most - 1])), others]
