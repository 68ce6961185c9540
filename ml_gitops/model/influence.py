"""What every row adds to the error of a metric, and what the rows add up to.

Influence terms have mean zero and the small-sample factor of their group in them, so that
`interval.standard_error` gives the usual unbiased formula: for a mean `s / sqrt(n)`. Means,
ratios and averages of them are what the metrics in `scores.py` are made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_gitops.model.interval import Spread, spread_over_days, standard_error

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Booleans = NDArray[np.bool_]


class UndefinedMetric(ValueError):
    """These rows do not define the metric; the message says why.

    Args:
        reason: why; it ends where the name of the class goes.
        event: the number of the class that it is about; None if it is about no single one.
    """

    def __init__(self, reason: str, event: int | None = None) -> None:
        super().__init__(reason)
        self.event = event

    def among(self, classes: Sequence[str]) -> str:
        """Return the reason with the class by its name."""
        return str(self) if self.event is None else f"{self} {classes[self.event]}"


@dataclass(frozen=True, eq=False)
class Score:
    """A metric's value and the influence of every row on it, shape (n,).

    Attributes:
        step: what one row's decision moves the value by; 0 where answers count by degrees.
    """

    value: float
    influence: Floats
    step: float = 0.0

    def __sub__(self, other: "Score") -> "Score":
        """Return the difference of two models on the same rows."""
        step = max(self.step, other.step)
        return Score(self.value - other.value, self.influence - other.influence, step)


def spread(scored: Score, days: NDArray[Any] | None = None) -> Spread:
    """Return how far a metric may be off, from what every row adds to its error.

    Where no decision is wrong (or none differs), the next one may be: the error is never taken
    below what one row moves.

    Args:
        scored: with one influence term per row, shape (n,).
        days: the day of each row, shape (n,); None if rows are independent.

    Raises:
        UndefinedMetric: all rows are of one day, which has no error to estimate.
    """
    influence = scored.influence
    n, by_row = len(influence), max(standard_error(influence), scored.step)
    if days is None:
        return Spread(standard_error=by_row, n=n)
    _, codes = np.unique(days, return_inverse=True)
    pulls = np.bincount(codes, weights=influence) / n
    if len(pulls) < 2:
        raise UndefinedMetric("all rows are of one day")
    return spread_over_days(pulls.tolist(), by_row, n)


def corrected(influence: Floats) -> Floats:
    """Return terms with the small-sample factor of their number."""
    n = len(influence)
    return influence * float(np.sqrt(n / (n - 1)))


def mean(losses: Floats) -> Score:
    """Score the mean of one loss per row."""
    value = float(losses.mean())
    return Score(value, corrected(losses - value))


def ratio(numerator: Floats, denominator: Floats, otherwise: str, event: int) -> Score:
    """Score a ratio of two sums of decisions by the delta method.

    Args:
        numerator, denominator: one term per row, shape (n,).
        otherwise, event: the reason, and the class it is about, if the denominator is zero.
    """
    base = float(denominator.mean())
    if base == 0:
        raise UndefinedMetric(otherwise, event)
    value = float(numerator.mean()) / base
    influence = corrected((numerator - value * denominator) / base)
    return Score(value, influence, 1 / float(denominator.sum()))


def average(scores: list[Score]) -> Score:
    """Score the unweighted mean of scores of the same rows."""
    return Score(
        float(np.mean([one.value for one in scores])),
        np.mean([one.influence for one in scores], axis=0),
        max(one.step for one in scores) / len(scores),
    )
