"""What a model answered on the holdout, and how good that was: overall and slice by slice.

Everything after fitting works on `Answers`, so the ONNX file is judged like any other model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from ml_gitops.data.schema import Task
from ml_gitops.document import Digest, Document, Part
from ml_gitops.errors import DataError, TrainingError
from ml_gitops.model.calibration import Calibration, ScoreHistogram, calibrate, count_scores
from ml_gitops.model.interval import Measurement
from ml_gitops.model.metrics import MetricName, metrics_of
from ml_gitops.model.target import encode

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Answers:
    """What a model answered to n rows.

    Attributes:
        task: binary, multiclass or regression.
        classes: the names of the classes; binary: the positive one is the second.
        probabilities: shape (n, k), one column per class; None for regression.
        values: shape (n,), in the target's unit; None for classification.
    """

    task: Task
    classes: tuple[str, ...] = ()
    probabilities: "Floats | None" = None
    values: "Floats | None" = None

    def __post_init__(self) -> None:
        """Refuse answers that do not have the task's shape."""
        if self.task == "regression":
            fits = self.values is not None and self.values.ndim == 1 and not self.classes
        else:
            fits = (
                self.probabilities is not None
                and self.probabilities.ndim == 2
                and self.probabilities.shape[1] == len(self.classes) >= 2
                and (self.task == "multiclass" or len(self.classes) == 2)
            )
        if not fits:
            raise TrainingError(
                f"the answers do not have the shape of a {self.task} model",
                hint="return one column per class, or one value per row for regression",
            )

    def __len__(self) -> int:
        return len(self.predicted)

    def __repr__(self) -> str:
        return f"<Answers: {len(self)} rows, {self.task}>"

    @property
    def predicted(self) -> "Floats":
        """Probabilities (n, k), or values (n,) for regression."""
        predicted = self.values if self.task == "regression" else self.probabilities
        assert predicted is not None  # noqa: S101  (held by __post_init__)
        return predicted

    @property
    def scores(self) -> "Floats":
        """One number per row: the positive class's probability, the largest, or the value."""
        if self.task == "binary":
            return self.predicted[:, 1]
        return self.predicted if self.task == "regression" else self.predicted.max(axis=1)

    @property
    def labels(self) -> "NDArray[np.intp]":
        """The index of the most probable class of every row, shape (n,)."""
        best: NDArray[np.intp] = self.predicted.argmax(axis=1)
        return best

    def as_frame(self) -> "pd.DataFrame":
        """Return the answers as the prediction log would hold them: `score`, or `label`."""
        import pandas as pd

        if self.task == "multiclass":
            return pd.DataFrame({"label": [self.classes[index] for index in self.labels]})
        return pd.DataFrame({"score": self.scores})

    def take(self, rows: "NDArray[Any]") -> "Answers":
        """Return the answers to some rows, by index or mask."""
        if self.task == "regression":
            return Answers(self.task, values=self.predicted[rows])
        return Answers(self.task, self.classes, self.predicted[rows])


class SliceEvaluation(Part):
    """The metrics of the rows where a column has a value; `positives` is for binary models.

    A metric that these rows do not define is under `undefined` with the reason.
    """

    column: str
    value: str
    n: int
    positives: int | None = None
    metrics: dict[MetricName, Measurement] = Field(default_factory=dict)
    undefined: dict[MetricName, str] = Field(default_factory=dict)


class Importance(Part):
    """How much worse the primary metric gets when a feature's values are shuffled; plus is used.

    Attributes:
        value: the mean loss over the repeats, in the metric's unit.
        standard_error: of that loss, over rows.
    """

    feature: str
    value: float
    standard_error: float


class Evaluation(Document):
    """What is known of one model on one holdout.

    Attributes:
        n: rows of the holdout.
        days: how many days they come from, where days are independent; None where rows are.
        positives: rows of the positive class, for binary models.
        holdout_digest: which rows these were.
        metrics: by name; a metric that these rows do not define is under `undefined`.
        undefined: metric name to the reason.
        calibration, histogram: of the positive class's probability (multiclass: of the largest);
            regression has a histogram of its values only.
    """

    file_name: ClassVar[str] = "evaluation.json"

    task: Task
    n: int
    days: int | None = None
    positives: int | None = None
    holdout_digest: Digest
    metrics: dict[MetricName, Measurement]
    undefined: dict[MetricName, str] = Field(default_factory=dict)
    slices: tuple[SliceEvaluation, ...] = ()
    calibration: Calibration | None = None
    histogram: ScoreHistogram
    importances: tuple[Importance, ...] = ()


def evaluate(
    target: "NDArray[Any]",
    answers: Answers,
    *,
    holdout_digest: str,
    slices: "Mapping[str, Any] | None" = None,
    days: "NDArray[Any] | None" = None,
    importances: Iterable[Importance] = (),
) -> Evaluation:
    """Evaluate answers against the truth.

    Args:
        target: the true classes or values, shape (n,).
        answers: what the model answered to the same rows.
        holdout_digest: the digest of these rows.
        slices: column name to its n values; numbers are cut into quartile ranges.
        days: the day of every row, where days are independent; None where rows are.
        importances: of the features, if they were measured.

    Raises:
        DataError: the target has missing or unknown values, or another length.
        TrainingError: the model answered NaN or infinity.
    """
    truth = truth_of(target, answers)
    names = metrics_of(answers.task)
    values, undefined = measure(truth, answers, names, days)
    events = None if answers.task == "regression" else _events(truth, answers)
    return Evaluation(
        task=answers.task,
        n=len(truth),
        days=None if days is None else len(set(days.tolist())),
        positives=_positives(truth, answers),
        holdout_digest=holdout_digest,
        metrics=values,
        undefined=undefined,
        slices=tuple(_slices(truth, answers, names, slices or {}, days)),
        calibration=None if events is None else calibrate(answers.scores, events),
        histogram=count_scores(answers.scores, events),
        importances=tuple(importances),
    )


def truth_of(target: "NDArray[Any]", answers: Answers) -> "NDArray[Any]":
    """Return the target as indices of the answers' classes, or as numbers for regression.

    Raises:
        DataError: there are no rows, or more or fewer than answers, or a value is missing or no
            class.
        TrainingError: an answer is NaN or infinite.
    """
    import numpy as np

    if len(target) != len(answers):
        raise DataError(
            f"{len(target)} true values stand beside {len(answers)} answers",
            hint="score the same rows that the target comes from",
        )
    if not len(target):
        raise DataError("there are no rows to judge", hint="use a longer window, or other rows")
    if bad := int((~np.isfinite(answers.predicted)).sum()):
        raise TrainingError(
            f"{bad} of the model's answers are not finite numbers",
            hint="look for divisions by zero and overflow in the pipeline",
        )
    return encode(target, answers.task, answers.classes)


def measure(
    truth: "NDArray[Any]",
    answers: Answers,
    names: Iterable[str],
    days: "NDArray[Any] | None" = None,
) -> tuple[dict[MetricName, Measurement], dict[str, str]]:
    """Return each metric with its error, and why the others are not defined.

    Args:
        truth: the target as `truth_of` gives it, shape (n,).
        answers: to the same rows.
        names: names of `metrics.METRICS`.
        days: as `evaluate`.
    """
    from ml_gitops.model.influence import UndefinedMetric, spread
    from ml_gitops.model.scores import score

    values, undefined = {}, {}
    for name in names:
        try:
            scored = score(name, truth, answers.predicted)
            values[name] = Measurement.of(scored.value, spread(scored, days))
        except UndefinedMetric as reason:
            undefined[name] = reason.among(answers.classes)
    return values, undefined


def _slices(
    truth: "NDArray[Any]",
    answers: Answers,
    names: Sequence[str],
    slices: "Mapping[str, Any]",
    days: "NDArray[Any] | None",
) -> Iterator[SliceEvaluation]:
    from ml_gitops.model.slices import cut

    for column, values in slices.items():
        for value, rows in cut(values):
            part, within = truth[rows], None if days is None else days[rows]
            metrics, undefined = measure(part, answers.take(rows), names, within)
            yield SliceEvaluation(
                column=column,
                value=value,
                n=len(rows),
                positives=_positives(part, answers),
                metrics=metrics,
                undefined=undefined,
            )


def _positives(truth: "NDArray[Any]", answers: Answers) -> int | None:
    return int((truth == 1).sum()) if answers.task == "binary" else None


def _events(truth: "NDArray[Any]", answers: Answers) -> "NDArray[np.bool_]":
    """Return whether what the score is a probability of came true."""
    events: NDArray[np.bool_] = truth == (1 if answers.task == "binary" else answers.labels)
    return events
