"""The candidate beside the champion on the same rows: metric by metric, slice by slice."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ml_gitops.document import Document, Missing, Part
from ml_gitops.model.evaluation import Answers, Evaluation, evaluate, truth_of
from ml_gitops.model.metric_change import Change, SliceChange, change_of, slice_changes
from ml_gitops.model.metrics import MetricName, metric_named, metrics_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Flips(Part):
    """Rows whose predicted class changed between right and wrong.

    Attributes:
        improved: the champion was wrong, the candidate is right.
        worsened: the champion was right, the candidate is wrong.
    """

    improved: int
    worsened: int
    n: int


class Comparison(Document):
    """What changes if the candidate replaces the champion.

    Attributes:
        primary: the metric that decides.
        champion: the release it is compared with; missing if there is none.
        candidate: how good the candidate is.
        baseline: how good the champion is on these rows; missing with the reason if they
            cannot be compared. Its slices are those of `slices`.
        changes: one per metric that both define, the primary first.
        undefined: every other metric, with the reason.
        slices: the primary metric, one per slice.
        flips: for classification.
        floor: the primary metric beside a model that has learned nothing but the rates.
    """

    file_name: ClassVar[str] = "comparison.json"

    primary: MetricName
    champion: str | Missing
    candidate: Evaluation
    baseline: Evaluation | Missing
    changes: tuple[Change, ...] = ()
    undefined: dict[MetricName, str] = Field(default_factory=dict)
    slices: tuple[SliceChange, ...] = ()
    flips: Flips | Missing
    floor: Change | Missing

    def change(self, metric: str) -> Change | None:
        """Return the change of one metric; None if it could not be measured."""
        return next((one for one in self.changes if one.metric == metric), None)


def compare(
    target: "NDArray[Any]",
    candidate: Answers,
    champion: Answers | Missing,
    dummy: Answers,
    *,
    primary: str,
    holdout_digest: str,
    slices: "Mapping[str, Any] | None" = None,
    days: "NDArray[Any] | None" = None,
    champion_name: str | None = None,
    evaluation: Evaluation | None = None,
) -> Comparison:
    """Compare the answers of two models to the same rows.

    Args:
        target: the true classes or values, shape (n,).
        candidate: what the candidate answered.
        champion: what the champion answered, or why it did not.
        dummy: what a model answers that has learned the rates only.
        primary: the metric that decides; all others of the task are compared too.
        holdout_digest: the digest of the rows.
        slices: column name to its n values.
        days: the day of every row, where days are independent; None where rows are.
        champion_name: the release, where there is one, also if it could not answer.
        evaluation: of the candidate on these rows; made here if None.

    Raises:
        ConfigError: the metric does not fit the task.
        DataError, TrainingError: as `evaluate`.
    """
    metric_named(primary, candidate.task)
    truth = truth_of(target, candidate)
    rival = _comparable(candidate, champion)
    unnamed = champion if isinstance(champion, Missing) else "the champion"
    evaluation = evaluation or evaluate(
        target, candidate, holdout_digest=holdout_digest, slices=slices, days=days
    )
    beside: dict[str, Any] = {"baseline": rival}
    if not isinstance(rival, Missing):
        beside = _changes(truth, candidate, rival, primary, slices or {}, days)
        beside["baseline"] = evaluate(target, rival, holdout_digest=holdout_digest, days=days)
    return Comparison(
        primary=primary,
        champion=champion_name or unnamed,
        candidate=evaluation,
        flips=_flips(truth, candidate, rival),
        floor=change_of(primary, truth, candidate, dummy, days),
        **beside,
    )


def _changes(
    truth: "NDArray[Any]",
    candidate: Answers,
    champion: Answers,
    primary: str,
    slices: "Mapping[str, Any]",
    days: "NDArray[Any] | None",
) -> dict[str, Any]:
    """Return the changes of all metrics, the primary first, why others have none, and of slices."""
    changes, undefined = [], {}
    for name in sorted(metrics_of(candidate.task), key=lambda name: name != primary):
        one = change_of(name, truth, candidate, champion, days)
        if isinstance(one, Missing):
            undefined[name] = one.reason
        else:
            changes.append(one)
    parts = slice_changes(truth, candidate, champion, slices, primary, days)
    return {"changes": tuple(changes), "undefined": undefined, "slices": tuple(parts)}


def _comparable(candidate: Answers, champion: Answers | Missing) -> Answers | Missing:
    """Return the champion's answers, or why they cannot stand beside the candidate's."""
    import numpy as np

    if isinstance(champion, Missing):
        return champion
    if champion.task != candidate.task:
        return Missing(reason=f"the champion is a {champion.task} model")
    if champion.classes != candidate.classes:
        return Missing(reason=f"the champion has other classes: {', '.join(champion.classes)}")
    if len(champion) != len(candidate):
        return Missing(reason=f"the champion answered {len(champion)} of {len(candidate)} rows")
    if bad := int((~np.isfinite(champion.predicted)).sum()):
        return Missing(reason=f"{bad} of the champion's answers are not finite numbers")
    return champion


def _flips(
    truth: "NDArray[Any]", candidate: Answers, champion: Answers | Missing
) -> Flips | Missing:
    if isinstance(champion, Missing):
        return champion
    if candidate.task == "regression":
        return Missing(reason="a regression model has no classes")
    ours, theirs = candidate.labels == truth, champion.labels == truth
    return Flips(
        improved=int((ours & ~theirs).sum()), worsened=int((theirs & ~ours).sum()), n=len(truth)
    )
