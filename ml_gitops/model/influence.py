"""The arithmetic of the metrics: each one's value, and what every row adds to its error.

Influence terms have mean zero and the small-sample factor of their group in them, so that
`interval.standard_error` gives the usual unbiased formula: for a mean `s / sqrt(n)`, for the area
under the ROC curve DeLong's. Classification takes class codes (n,) and probabilities (n, k);
regression takes targets (n,) and values (n,). Over more than two classes a metric is the
unweighted mean of its one-against-rest values.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_gitops.model.interval import Spread, spread_over_days, standard_error
from ml_gitops.model.metrics import SMALLEST_PROBABILITY

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
    """A metric's value and the influence of every row on it, shape (n,)."""

    value: float
    influence: Floats


def score(metric: str, target: NDArray[Any], predicted: Floats) -> Score:
    """Return a metric's value and influence terms.

    Args:
        metric: a name of `metrics.METRICS`.
        target: class codes or numbers, shape (n,).
        predicted: probabilities, shape (n, k), or numbers, shape (n,).

    Raises:
        UndefinedMetric: for example one class only, or no row predicted positive.
    """
    if len(target) < 2:
        raise UndefinedMetric("one row says nothing about itself" if len(target) else "no rows")
    return _FORMULAS[metric](target, predicted)


def spread(influence: Floats, days: NDArray[Any] | None = None) -> Spread:
    """Return how far a metric may be off, from what every row adds to its error.

    Args:
        influence: one term per row, shape (n,).
        days: the day of each row, shape (n,); None if rows are independent.

    Raises:
        UndefinedMetric: all rows are of one day, which has no error to estimate.
    """
    n, by_row = len(influence), standard_error(influence)
    if days is None:
        return Spread(standard_error=by_row, n=n)
    _, codes = np.unique(days, return_inverse=True)
    pulls = np.bincount(codes, weights=influence) / n
    if len(pulls) < 2:
        raise UndefinedMetric("all rows are of one day")
    return spread_over_days(pulls.tolist(), by_row, n)


def _corrected(influence: Floats) -> Floats:
    n = len(influence)
    return influence * float(np.sqrt(n / (n - 1)))


def _mean(losses: Floats) -> Score:
    value = float(losses.mean())
    return Score(value, _corrected(losses - value))


def _ratio(numerator: Floats, denominator: Floats, otherwise: str, event: int) -> Score:
    """Score a ratio of two sums by the delta method."""
    base = float(denominator.mean())
    if base == 0:
        raise UndefinedMetric(otherwise, event)
    value = float(numerator.mean()) / base
    return Score(value, _corrected((numerator - value * denominator) / base))


def _average(scores: list[Score]) -> Score:
    return Score(
        float(np.mean([one.value for one in scores])),
        np.mean([one.influence for one in scores], axis=0),
    )


def _one_against_rest(formula: Callable[[Booleans, Floats], Score]) -> "Formula":
    def averaged(codes: Codes, probabilities: Floats) -> Score:
        classes = probabilities.shape[1]
        events = [1] if classes == 2 else range(classes)
        return _average([formula(codes == event, probabilities[:, event]) for event in events])

    return averaged


def _both_classes(positive: Booleans) -> None:
    if positive.all() or not positive.any():
        raise UndefinedMetric("all rows are of one class")


def _ties(ordered: Floats) -> tuple[Codes, Codes]:
    """Return where the group of equal values begins and ends, for every value in order."""
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    return starts[group], np.append(starts[1:], len(ordered))[group]


def _roc_auc(positive: Booleans, scores: Floats) -> Score:
    """Score the area under the ROC curve (DeLong, DeLong and Clarke-Pearson 1988).

    A positive's placement is the share of negatives below it, a negative's the share of
    positives above it; a tie counts half.
    """
    _both_classes(positive)
    order = np.argsort(scores)
    hit = positive[order]
    start, end = _ties(scores[order])
    positives = np.concatenate([[0], np.cumsum(hit)])
    below = (positives[start] + positives[end]) / 2
    placement = np.where(
        hit,
        ((start + end) / 2 - below) / (len(hit) - positives[-1]),
        1 - below / positives[-1],
    )
    value = float(placement[hit].mean())
    influence = np.empty(len(scores))
    influence[order] = placement - value
    for rows, size in ((positive, positives[-1]), (~positive, len(hit) - positives[-1])):
        unbiased = np.sqrt(size / (size - 1)) if size > 1 else 0.0
        influence[rows] *= len(hit) / size * unbiased
    return Score(value, influence)


def _average_precision(positive: Booleans, scores: Floats) -> Score:
    """Score average precision, the mean over positives of the precision at their own score.

    A row counts through its own precision and through the precision of every positive below it:
    the derivative of the plug-in functional.
    """
    _both_classes(positive)
    order = np.argsort(-scores)
    hit = positive[order].astype(float)
    start, reached = _ties(scores[order])
    precision = np.cumsum(hit)[reached - 1] / reached
    share = float(hit.mean())
    value = float(hit @ precision) / float(hit.sum())
    weight = np.cumsum((hit / reached)[::-1])[::-1][start]
    weighted = np.cumsum((hit * precision / reached)[::-1])[::-1][start]
    influence = np.empty(len(scores))
    influence[order] = (hit * (precision - value + weight) - weighted) / share
    return Score(value, _corrected(influence))


def _log_loss(codes: Codes, probabilities: Floats) -> Score:
    right = probabilities[np.arange(len(codes)), codes]
    return _mean(-np.log(np.clip(right, SMALLEST_PROBABILITY, 1.0)))


def _brier(codes: Codes, probabilities: Floats) -> Score:
    """Score half the squared distance to the truth, which is in [0, 1] for any classes."""
    truth = np.eye(probabilities.shape[1])[codes]
    return _mean(((probabilities - truth) ** 2).sum(axis=1) / 2)


def _accuracy(codes: Codes, probabilities: Floats) -> Score:
    return _mean((probabilities.argmax(axis=1) == codes).astype(float))


def _per_class(codes: Codes, probabilities: Floats) -> Iterator[tuple[Floats, Floats, int]]:
    """Yield (is of it, is called it, its number) of the positive class or of every one seen."""
    called = probabilities.argmax(axis=1)
    classes = [1] if probabilities.shape[1] == 2 else np.union1d(codes, called).tolist()
    for one in classes:
        yield (codes == one).astype(float), (called == one).astype(float), one


def _precision(codes: Codes, probabilities: Floats) -> Score:
    reason = "no row is predicted to be of class"
    return _average(
        [
            _ratio(truth * called, called, reason, one)
            for truth, called, one in _per_class(codes, probabilities)
        ]
    )


def _recall(codes: Codes, probabilities: Floats) -> Score:
    reason = "no row is of class"
    return _average(
        [
            _ratio(truth * called, truth, reason, one)
            for truth, called, one in _per_class(codes, probabilities)
        ]
    )


def _f1(codes: Codes, probabilities: Floats) -> Score:
    reason = "no row is, or is predicted to be, of class"
    return _average(
        [
            _ratio(2 * truth * called, truth + called, reason, one)
            for truth, called, one in _per_class(codes, probabilities)
        ]
    )


def _balanced_accuracy(codes: Codes, probabilities: Floats) -> Score:
    right = probabilities.argmax(axis=1) == codes
    seen = np.unique(codes)
    if len(seen) < 2:
        raise UndefinedMetric("all rows are of one class")
    rows = [(codes == one).astype(float) for one in seen]
    return _average(
        [
            _ratio(right * truth, truth, "no row is of class", one)
            for truth, one in zip(rows, seen.tolist(), strict=True)
        ]
    )


def _mse(target: Floats, values: Floats) -> Score:
    return _mean((values - target) ** 2)


def _mae(target: Floats, values: Floats) -> Score:
    return _mean(np.abs(values - target))


def _rmse(target: Floats, values: Floats) -> Score:
    squared = _mse(target, values)
    root = float(np.sqrt(squared.value))
    return Score(root, squared.influence / (2 * root) if root else squared.influence)


def _r2(target: Floats, values: Floats) -> Score:
    error, spread = _mse(target, values), _mean((target - target.mean()) ** 2)
    if spread.value == 0:
        raise UndefinedMetric("the target is the same in every row")
    share = error.value / spread.value
    return Score(1 - share, (share * spread.influence - error.influence) / spread.value)


Formula = Callable[[Any, Floats], Score]

_FORMULAS: dict[str, Formula] = {
    "roc_auc": _one_against_rest(_roc_auc),
    "average_precision": _one_against_rest(_average_precision),
    "log_loss": _log_loss,
    "brier": _brier,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "rmse": _rmse,
    "mae": _mae,
    "mse": _mse,
    "r2": _r2,
}
