"""The arithmetic of the metrics: each one's value, and what every row adds to its error.

Classification takes class codes (n,) and probabilities (n, k); regression takes targets (n,) and
values (n,). Over more than two classes a metric is the unweighted mean of its one-against-rest
values.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_gitops.model.influence import (
    Booleans,
    Codes,
    Floats,
    Score,
    UndefinedMetric,
    average,
    corrected,
    mean,
    ratio,
)
from ml_gitops.model.metrics import SMALLEST_PROBABILITY


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


def _one_against_rest(formula: Callable[[Booleans, Floats], Score]) -> "Formula":
    def averaged(codes: Codes, probabilities: Floats) -> Score:
        classes = probabilities.shape[1]
        events = [1] if classes == 2 else range(classes)
        return average([formula(codes == event, probabilities[:, event]) for event in events])

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
    return Score(value, corrected(influence))


def _log_loss(codes: Codes, probabilities: Floats) -> Score:
    right = probabilities[np.arange(len(codes)), codes]
    return mean(-np.log(np.clip(right, SMALLEST_PROBABILITY, 1.0)))


def _brier(codes: Codes, probabilities: Floats) -> Score:
    """Score half the squared distance to the truth, which is in [0, 1] for any classes."""
    truth = np.eye(probabilities.shape[1])[codes]
    return mean(((probabilities - truth) ** 2).sum(axis=1) / 2)


def _accuracy(codes: Codes, probabilities: Floats) -> Score:
    right = mean((probabilities.argmax(axis=1) == codes).astype(float))
    return replace(right, step=1 / len(codes))


def _per_class(codes: Codes, probabilities: Floats) -> Iterator[tuple[Floats, Floats, int]]:
    """Yield (is of it, is called it, its number) of the positive class or of every one seen."""
    called = probabilities.argmax(axis=1)
    classes = [1] if probabilities.shape[1] == 2 else np.union1d(codes, called).tolist()
    for one in classes:
        yield (codes == one).astype(float), (called == one).astype(float), one


def _precision(codes: Codes, probabilities: Floats) -> Score:
    reason = "no row is predicted to be of class"
    return average(
        [
            ratio(truth * called, called, reason, one)
            for truth, called, one in _per_class(codes, probabilities)
        ]
    )


def _recall(codes: Codes, probabilities: Floats) -> Score:
    reason = "no row is of class"
    return average(
        [
            ratio(truth * called, truth, reason, one)
            for truth, called, one in _per_class(codes, probabilities)
        ]
    )


def _f1(codes: Codes, probabilities: Floats) -> Score:
    reason = "no row is, or is predicted to be, of class"
    return average(
        [
            ratio(2 * truth * called, truth + called, reason, one)
            for truth, called, one in _per_class(codes, probabilities)
        ]
    )


def _balanced_accuracy(codes: Codes, probabilities: Floats) -> Score:
    right = probabilities.argmax(axis=1) == codes
    seen = np.unique(codes)
    if len(seen) < 2:
        raise UndefinedMetric("all rows are of one class")
    rows = [(codes == one).astype(float) for one in seen]
    return average(
        [
            ratio(right * truth, truth, "no row is of class", one)
            for truth, one in zip(rows, seen.tolist(), strict=True)
        ]
    )


def _mse(target: Floats, values: Floats) -> Score:
    return mean((values - target) ** 2)


def _mae(target: Floats, values: Floats) -> Score:
    return mean(np.abs(values - target))


def _rmse(target: Floats, values: Floats) -> Score:
    squared = _mse(target, values)
    root = float(np.sqrt(squared.value))
    return Score(root, squared.influence / (2 * root) if root else squared.influence)


def _r2(target: Floats, values: Floats) -> Score:
    error, spread = _mse(target, values), mean((target - target.mean()) ** 2)
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
