"""Distances and tests between two rows of counts, with nothing but the standard library.

Everywhere `reference` and `current` are counts of the same cells.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_PRECISION = 1e-15
_TINY = 1e-300


def chi_square_tail(x: float, degrees: int) -> float:
    """Return P(X > x) of the chi-square distribution.

    The regularised upper incomplete gamma function Q(degrees/2, x/2), by its series below the
    mean and by Lentz's continued fraction above (Numerical Recipes, section 6.2).
    """
    if degrees <= 0 or x <= 0:
        return 1.0
    a, x = degrees / 2, x / 2
    log_scale = a * math.log(x) - x - math.lgamma(a)
    scale = math.exp(log_scale) if log_scale > -745 else 0.0
    if x < a + 1:
        term = total = 1 / a
        while term > total * _PRECISION:
            a += 1
            term *= x / a
            total += term
        return max(0.0, 1 - scale * total)
    return min(1.0, scale * _continued_fraction(a, x))


def _continued_fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c = 1 / _TINY
    d = 1 / b
    fraction = d
    for i in range(1, 10_000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b or _TINY)
        c = b + step / c or _TINY
        fraction *= d * c
        if abs(d * c - 1) < _PRECISION * 10:
            break
    return fraction


def normal_tail(z: float) -> float:
    """Return P(Z > z) of the standard normal distribution."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def kolmogorov_tail(distance: float, n: int, m: int) -> float:
    """Return the p-value of a two-sample Kolmogorov-Smirnov distance.

    The asymptotic distribution with Stephens' correction; on binned data it is conservative.
    """
    if not n or not m:
        return 1.0
    root = math.sqrt(n * m / (n + m))
    x = (root + 0.12 + 0.11 / root) * distance
    if x < 0.2:
        return 1.0
    terms = ((1 if k % 2 else -1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))


def shares(counts: Sequence[int]) -> list[float]:
    """Return counts as shares of their sum; zeros if there is nothing."""
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def population_stability(
    reference: Sequence[int], current: Sequence[int], floor: float = 1e-4
) -> float:
    """Return the population stability index; empty cells count as `floor`."""
    if not sum(reference) or not sum(current):
        return 0.0
    pairs = zip(shares(reference), shares(current), strict=True)
    raised = [(max(p, floor), max(q, floor)) for p, q in pairs]
    return sum((q - p) * math.log(q / p) for p, q in raised)


def jensen_shannon(reference: Sequence[int], current: Sequence[int]) -> float:
    """Return the Jensen-Shannon distance, base 2: 0 for equal shares, 1 for disjoint ones."""
    if not sum(reference) or not sum(current):
        return 0.0
    divergence = 0.0
    for p, q in zip(shares(reference), shares(current), strict=True):
        middle = (p + q) / 2
        divergence += p / 2 * math.log2(p / middle) if p else 0.0
        divergence += q / 2 * math.log2(q / middle) if q else 0.0
    return math.sqrt(max(0.0, divergence))


def kolmogorov_smirnov(reference: Sequence[int], current: Sequence[int]) -> float:
    """Return the largest difference of the cumulative shares at the edges of ordered cells."""
    if not sum(reference) or not sum(current):
        return 0.0
    gap = largest = 0.0
    for p, q in zip(shares(reference), shares(current), strict=True):
        gap += p - q
        largest = max(largest, abs(gap))
    return largest


@dataclass(frozen=True)
class ChiSquare:
    """A two-sample chi-square test.

    Attributes:
        p: chance of such a difference without drift.
        effect: Cohen's w, less what chance alone gives: sqrt(max(0, X2 - df) (1/n + 1/m)).
            A mean moved by .1 standard deviations gives about .1; PSI is about its square.
    """

    statistic: float
    degrees: int
    p: float
    effect: float


def chi_square(
    reference: Sequence[int],
    current: Sequence[int],
    smallest: float = 5.0,
    *,
    ordered: bool = False,
) -> ChiSquare:
    """Test whether two rows of counts come from one distribution.

    Cells in which either side expects fewer than `smallest` rows are pooled: bins of a number
    with their neighbours, so that a small window still shows where it moved; categories into
    one, which joins the smallest real cell if it is too small itself (alone it gave 20% false
    alarms).
    """
    n, m = sum(reference), sum(current)
    if not n or not m:
        return ChiSquare(0.0, 0, 1.0, 0.0)
    join = pool_neighbours if ordered else pool
    cells = join(reference, current, smallest)
    statistic = sum(
        (math.sqrt(m / n) * a - math.sqrt(n / m) * b) ** 2 / (a + b) for a, b in cells if a + b
    )
    degrees = max(0, len(cells) - 1)
    effect = math.sqrt(max(0.0, statistic - degrees) * (1 / n + 1 / m)) if degrees else 0.0
    return ChiSquare(statistic, degrees, chi_square_tail(statistic, degrees), effect)


def pool_neighbours(
    reference: Sequence[int], current: Sequence[int], smallest: float = 5.0
) -> list[tuple[int, int]]:
    """Return pairs of counts of ordered bins, each joined with the next until it is large."""
    n, m = sum(reference), sum(current)
    expected = min(n, m) / (n + m)
    cells: list[tuple[int, int]] = []
    a = b = 0
    for before, now in zip(reference, current, strict=True):
        a, b = a + before, b + now
        if expected * (a + b) >= smallest:
            cells.append((a, b))
            a = b = 0
    if a + b and cells:
        cells[-1] = (cells[-1][0] + a, cells[-1][1] + b)
    return cells or [(a, b)]


def pool(
    reference: Sequence[int], current: Sequence[int], smallest: float = 5.0
) -> list[tuple[int, int]]:
    """Return pairs of counts, with cells too small for a chi-square test put together."""
    n, m = sum(reference), sum(current)
    expected = min(n, m) / (n + m)
    pairs = list(zip(reference, current, strict=True))
    cells = [pair for pair in pairs if expected * sum(pair) >= smallest]
    rest = [pair for pair in pairs if expected * sum(pair) < smallest]
    pooled = (sum(a for a, _ in rest), sum(b for _, b in rest))
    if not sum(pooled):
        return cells
    if not cells or expected * sum(pooled) >= smallest:
        return [*cells, pooled]
    least = min(range(len(cells)), key=lambda i: sum(cells[i]))
    cells[least] = (cells[least][0] + pooled[0], cells[least][1] + pooled[1])
    return cells


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values: taking those <= q keeps false discoveries at q (1995)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i], reverse=True)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for taken, i in enumerate(order):
        least = min(least, p_values[i] * len(p_values) / (len(p_values) - taken))
        adjusted[i] = least
    return adjusted
