"""One metric of two models on the same rows: of all of them, and of those of a slice."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ml_gitops.document import Missing, Part
from ml_gitops.model.evaluation import Answers
from ml_gitops.model.interval import PairedDifference
from ml_gitops.model.metrics import METRICS, MetricName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml_gitops.model.influence import Score


class Change(Part):
    """One metric of two models on the same rows.

    Attributes:
        metric: its name.
        baseline, candidate: the two values, as they are.
        difference: oriented so that plus is better, also for losses.
        rarest: rows of the rarest class, where the metric hangs on them: for every binary
            model, and for metrics that weigh classes alike; else None.
    """

    metric: MetricName
    baseline: float
    candidate: float
    difference: PairedDifference
    rarest: int | None = None


class SliceChange(Part):
    """The primary metric of two models where a column has a value.

    Attributes:
        change: missing where these rows do not define the metric.
    """

    column: str
    value: str
    n: int
    change: Change | Missing

    def __str__(self) -> str:
        """Return the slice as people name it: `temp 32 to 45`."""
        return f"{self.column} {self.value}"


def change_of(
    metric: str,
    truth: "NDArray[Any]",
    candidate: Answers,
    baseline: Answers,
    days: "NDArray[Any] | None" = None,
) -> Change | Missing:
    """Return the paired change of one metric; missing if the rows do not define it.

    Args:
        metric: a name of `metrics.METRICS`.
        truth: the target as `evaluation.truth_of` gives it, shape (n,).
        candidate, baseline: answers to the same rows, of the same classes.
        days: the day of every row, where days are independent; None where rows are.
    """
    import numpy as np

    from ml_gitops.model.influence import UndefinedMetric, spread

    ours, theirs = (_score(metric, truth, one) for one in (candidate, baseline))
    if isinstance(ours, str) or isinstance(theirs, str):
        return Missing(reason=_undefined(ours, theirs))
    apart = ours - theirs
    if np.array_equal(candidate.predicted, baseline.predicted):
        # Equal answers differ by nothing; equal decisions alone might on the next row.
        apart = replace(apart, step=0.0)
    try:
        known = spread(apart, days)
    except UndefinedMetric as reason:
        return Missing(reason=str(reason))
    return Change(
        metric=metric,
        baseline=theirs.value,
        candidate=ours.value,
        difference=PairedDifference.of(METRICS[metric].sign * apart.value, known),
        rarest=_rarest(metric, truth, candidate),
    )


def _score(metric: str, truth: "NDArray[Any]", answers: Answers) -> "Score | str":
    """Return the score of one model, or why these rows do not define it."""
    from ml_gitops.model.influence import UndefinedMetric
    from ml_gitops.model.scores import score

    try:
        return score(metric, truth, answers.predicted)
    except UndefinedMetric as reason:
        return reason.among(answers.classes)


def _undefined(ours: "Score | str", theirs: "Score | str") -> str:
    """Say why two models cannot be compared, and of which of them it is true."""
    if isinstance(ours, str) and ours == theirs:
        return ours
    sides = (("candidate", ours), ("other model", theirs))
    return "; ".join(f"of the {side}, {one}" for side, one in sides if isinstance(one, str))


def slice_changes(
    truth: "NDArray[Any]",
    candidate: Answers,
    champion: Answers,
    slices: "Mapping[str, Any]",
    metric: str,
    days: "NDArray[Any] | None",
) -> Iterator[SliceChange]:
    """Yield the change of one metric in every slice.

    Args:
        truth, candidate, champion, days: as `change_of`.
        slices: column name to its n values.
        metric: a name of `metrics.METRICS`.
    """
    from ml_gitops.model.slices import cut

    for column, values in slices.items():
        for value, rows in cut(values):
            part, within = truth[rows], None if days is None else days[rows]
            yield SliceChange(
                column=column,
                value=value,
                n=len(rows),
                change=change_of(metric, part, candidate.take(rows), champion.take(rows), within),
            )


def _rarest(metric: str, truth: "NDArray[Any]", answers: Answers) -> int | None:
    import numpy as np

    if answers.task != "binary" and not METRICS[metric].needs_both_classes:
        return None
    return int(np.bincount(truth, minlength=len(answers.classes)).min())
