"""What the gate asks of a candidate, and what it does where nothing can be told."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from ml_gitops.data.schema import Task
from ml_gitops.document import Document, Part
from ml_gitops.errors import ConfigError
from ml_gitops.model.interval import Units
from ml_gitops.model.metrics import (
    DEFAULT_METRIC,
    DEFAULT_SECONDARY,
    Metric,
    MetricName,
    metric_named,
)
from ml_gitops.model.verdict import Least

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_POLICY = "ml-gitops"


class GatePolicy(Part):
    """What a candidate must hold; table `[gate]`."""

    metric: MetricName | None = None
    """The one that decides: ROC AUC, accuracy or RMSE by task; one alone, so that chance has
    one try."""
    margin: float | None = Field(default=None, gt=0, lt=1)
    """The loss that does not matter: .01 of a score, or 2% of a loss such as log loss; without a
    margin an equally good model would be blocked half the time."""
    minimum: float | None = None
    """The worst value accepted of the metric, whatever the champion has (of a loss: the
    largest)."""
    secondary: tuple[MetricName, ...] | None = None
    """What warns when it gets worse by twice its margin: calibration by default."""
    slices: tuple[str, ...] = ()
    """Features whose values are judged one by one, so that a group does not pay for the rest."""
    slice_margin: float = Field(default=2.0, gt=0)
    """The margin of a slice, in margins: slices are smaller and noisier."""
    slice_min_rows: int = Field(default=100, ge=2)
    """Smaller slices are reported and not judged: there a drop is mostly noise."""
    slice_min_rarest: int = Field(default=10, ge=1)
    """Rows of the rarer class that a slice needs for a metric of both classes."""
    on_inconclusive: Literal["tie-break", "pass", "block"] = "tie-break"
    """When the rows cannot tell: pass with a warning if the estimate is not below the champion's;
    strict teams block."""
    on_incomparable: Literal["block", "warn"] = "block"
    """When there is a champion and it cannot be compared: it has seen rows of the holdout, cannot
    answer them, or its file is gone. To warn leaves it to the reviewer."""
    units: Units = "days"
    """What is independent: days, because rows of one day (one storm, one outage) are right or
    wrong together, or rows, where they are not. Intervals are as wide as this makes them."""
    minimum_days: int = Field(default=5, ge=2)
    """Days that a holdout needs to decide anything, where days are independent."""
    minimum_rows: int = Field(default=30, ge=2)
    """Rows that it needs, where rows are independent."""
    minimum_rarest: int = Field(default=30, ge=1)
    """Rows of the rarer class that it needs: of fewer, an interval promises more than it holds."""
    champion: str = "production"
    """The environment whose release is the champion."""

    def primary(self, task: Task) -> Metric:
        """Return the metric that decides for a task.

        Raises:
            ConfigError: it does not fit the task.
        """
        return _fitting("metric", self.metric or DEFAULT_METRIC[task], task)

    def others(self, task: Task) -> tuple[Metric, ...]:
        """Return the secondary metrics of a task, without the primary one.

        Raises:
            ConfigError: one does not fit the task.
        """
        names = DEFAULT_SECONDARY[task] if self.secondary is None else self.secondary
        primary = self.primary(task)
        return tuple(
            metric
            for metric in (_fitting("secondary", name, task) for name in names)
            if metric != primary
        )

    @property
    def least(self) -> Least:
        """The least evidence that decides anything."""
        return Least(days=self.minimum_days, rows=self.minimum_rows, rarest=self.minimum_rarest)

    def margin_of(self, metric: Metric, task: Task) -> float:
        """Return the loss of a metric that does not matter; of a secondary one, twice as much.

        Args:
            metric: of the task.
            task: what the model predicts.
        """
        if metric == self.primary(task):
            return metric.default_margin if self.margin is None else self.margin
        return (2 if metric in self.others(task) else 1) * metric.default_margin


class CheckPolicy(Document):
    """What the gate shares with checks, so that the two never differ by arithmetic alone.

    Fixtures leave it on the rows they give, and pandas hands it on to what is selected of them.

    Attributes:
        gate: the policy that judges the same run.
        time: the column whose days are independent, if the gate takes them so.
    """

    file_name: ClassVar[str] = "check_policy.json"

    gate: GatePolicy = GatePolicy()
    time: str | None = None

    def attach(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Return the rows with this policy left on them."""
        frame.attrs[_POLICY] = self.to_json()
        return frame

    @classmethod
    def of(cls, frame: "pd.DataFrame") -> "CheckPolicy":
        """Return the policy left on rows; rows without any are independent."""
        text = frame.attrs.get(_POLICY)
        return cls() if text is None else cls.from_json(text, where="the rows")

    def days(self, frame: "pd.DataFrame") -> "NDArray[Any] | None":
        """Return the day of every row, shape (n,); None where rows are independent."""
        from ml_gitops.data.dataset import days_of

        if self.gate.units == "rows" or self.time not in frame:
            return None
        return days_of(frame[self.time])


def _fitting(key: str, name: str, task: Task) -> Metric:
    try:
        return metric_named(name, task)
    except ConfigError as error:
        raise ConfigError(f"gate.{key}: {error.problem}", hint=error.hint) from None
