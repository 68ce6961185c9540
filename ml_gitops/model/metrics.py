"""The metrics we know: what each is called, which way is better, and how much loss is small.

This table is light, so that configs and reports can read it; `scores.py` has the arithmetic.
"""

import difflib
import math
import sys
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from ml_gitops.data.schema import Task
from ml_gitops.errors import ConfigError

CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")
REGRESSION: tuple[Task, ...] = ("regression",)

SMALLEST_PROBABILITY = sys.float_info.epsilon
"""A probability of zero that comes true must not cost infinity: in a log loss, on the holdout
and live, it counts as this much, as in scikit-learn's."""


@dataclass(frozen=True)
class Metric:
    """One metric: its name in configs, its name for people, its direction and its range.

    Attributes:
        needs_both_classes: whether it says little where one class is rare.
    """

    name: str
    label: str
    tasks: tuple[Task, ...]
    higher_is_better: bool
    lowest: float = 0.0
    highest: float = 1.0
    needs_both_classes: bool = False

    @property
    def sign(self) -> int:
        """What a difference is multiplied with so that plus is better."""
        return 1 if self.higher_is_better else -1

    @property
    def margin_is_relative(self) -> bool:
        """Whether a margin is a share of the baseline: a loss has no scale of its own."""
        return not self.higher_is_better

    @property
    def default_margin(self) -> float:
        """What counts as small: 2% of a loss, .01 of a score."""
        return 0.02 if self.margin_is_relative else 0.01

    def allowed(self, margin: float | None, baseline: float) -> float:
        """Return a margin (None: the default) in the metric's unit, beside a baseline's value."""
        margin = self.default_margin if margin is None else margin
        return margin * abs(baseline) if self.margin_is_relative else margin

    def clip(self, low: float, high: float) -> tuple[float, float]:
        """Return an interval cut to the values that the metric can have."""
        return max(low, self.lowest), min(high, self.highest)

    def text(self, value: float, *, signed: bool = False, beside: float | None = None) -> str:
        """Return a value for people: four decimals, or five digits if it is in target's units.

        Args:
            value: of the metric, or a difference of two.
            signed: show the sign of a gain, too.
            beside: the value that a difference belongs to; both get equally many decimals.
        """
        decimals = 4
        if self.margin_is_relative and self.tasks == REGRESSION:
            scale = abs(value if beside is None else beside)
            decimals = min(max(4 - math.floor(math.log10(scale)), 0), 15) if scale else 4
        text = f"{abs(value):,.{decimals}f}"
        if not text.strip("0.,"):
            return f"±{text}" if signed else text
        sign = "\N{MINUS SIGN}" if value < 0 else "+" if signed else ""
        return sign + text


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("roc_auc", "ROC AUC", CLASSIFICATION, True, needs_both_classes=True),
        Metric(
            "average_precision", "average precision", CLASSIFICATION, True, needs_both_classes=True
        ),
        Metric("log_loss", "log loss", CLASSIFICATION, False, highest=math.inf),
        Metric("brier", "Brier score", CLASSIFICATION, False),
        Metric("accuracy", "accuracy", CLASSIFICATION, True),
        Metric(
            "balanced_accuracy", "balanced accuracy", CLASSIFICATION, True, needs_both_classes=True
        ),
        Metric("precision", "precision", CLASSIFICATION, True, needs_both_classes=True),
        Metric("recall", "recall", CLASSIFICATION, True, needs_both_classes=True),
        Metric("f1", "F1", CLASSIFICATION, True, needs_both_classes=True),
        Metric("rmse", "RMSE", REGRESSION, False, highest=math.inf),
        Metric("mae", "mean absolute error", REGRESSION, False, highest=math.inf),
        Metric("mse", "mean squared error", REGRESSION, False, highest=math.inf),
        Metric("r2", "R²", REGRESSION, True, lowest=-math.inf),
    )
}

DEFAULT_METRIC: dict[Task, str] = {
    "binary": "roc_auc",
    "multiclass": "accuracy",
    "regression": "rmse",
}
"""The primary metric of a task, unless the config names another."""

DEFAULT_SECONDARY: dict[Task, tuple[str, ...]] = {
    "binary": ("log_loss", "brier"),
    "multiclass": ("log_loss", "brier"),
    "regression": ("mae",),
}
"""What else should not get worse: calibration beside rank, typical errors beside large ones."""


def _known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"{name!r} is not a metric; use one of {', '.join(METRICS)}")
    return name


MetricName = Annotated[str, AfterValidator(_known)]
"""The name of a metric in a document or a config: what others wrote names no other."""


def metrics_of(task: Task) -> tuple[str, ...]:
    """Return the names of all metrics of a task."""
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks)


def metric_named(name: str, task: Task) -> Metric:
    """Return the metric of this name.

    Raises:
        ConfigError: there is none, or it does not fit the task.
    """
    known = metrics_of(task)
    if name in known:
        return METRICS[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(known)}"
    problem = f"{name!r} is not a metric" + (f" of {task} models" if name in METRICS else "")
    raise ConfigError(problem, hint=hint)
