"""One look at production: what was seen, and what it makes us want. The record of a monitor run."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, Literal

from ml_gitops.document import Document
from ml_gitops.errors import DataError
from ml_gitops.monitoring.counts import Counts, LeftOut
from ml_gitops.monitoring.drift import DriftReport
from ml_gitops.monitoring.health import HealthReport
from ml_gitops.monitoring.quality import WindowQuality
from ml_gitops.monitoring.query import Span
from ml_gitops.monitoring.retrain import RetrainDecision
from ml_gitops.monitoring.rollback import RollbackDecision
from ml_gitops.monitoring.unread import UnreadLabels


class Observation(Document):
    """What one run of the monitor saw of one release.

    Attributes:
        as_of: the day it looks back from.
        release, environment: what it looked at, and where that serves.
        windows: quality of each window, oldest first.
        drift: the newest windows against the profile; where labels are waited for
            (`monitor.label_delay_days`), they are later ones than those of quality.
        counts: the newest window as counts, for pictures and for adding up.
        one_in: how many rows of the log each counted row stands for.
        left_out: rows of the log that were not counted, by reason.
        unread: labels that say nothing.
        unmatched: what the config says of files that are not there, as `log = "live/*.jsonl"`.
        health, retrain, rollback: what follows.
        headline: the outcome in one sentence.
    """

    file_name: ClassVar[str] = "observation.json"

    model: str
    as_of: date
    environment: str
    release: str
    windows: tuple[WindowQuality, ...]
    drift: tuple[DriftReport, ...]
    counts: Counts
    one_in: int = 1
    left_out: LeftOut
    unread: UnreadLabels = UnreadLabels()
    unmatched: tuple[str, ...] = ()
    health: HealthReport
    retrain: RetrainDecision
    rollback: RollbackDecision
    headline: str

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is not there or was not used of log and labels, one line each."""
        absent = (
            f"no file matches {said} of [monitor]: nothing was written yet, or elsewhere"
            for said in self.unmatched
        )
        early = ""
        logged = not any(said.startswith("log = ") for said in self.unmatched)
        if logged and not self.left_out.text and not any(report.rows for report in self.drift):
            early = f"no request of the days before {self.as_of}; today's count from tomorrow"
        told = (early, *self.stopped, self.left_out.text, self.unread.text)
        return (*absent, *(it for it in told if it))

    @property
    def stopped(self) -> tuple[str, ...]:
        """What came before and comes no more, one line each: requests, or their labels."""
        return tuple(filter(None, (_dried_log(self.drift), _dried_labels(self.windows))))

    @property
    def calm(self) -> bool:
        """Whether nobody has to do anything."""
        wants = self.retrain.want != "nothing" or self.rollback.roll_back
        return not (wants or self.stopped)

    @property
    def state(self) -> Literal["pass", "unknown", "warn", "fail"]:
        """How urgent it is; calm that nobody could judge is no pass."""
        if self.rollback.roll_back or self.retrain.want == "retrain":
            return "fail"
        bad = any(one.bad for metric in self.health.metrics for one in metric.windows)
        if self.retrain.want != "nothing" or self.stopped or bad:
            return "warn"
        return "unknown" if self.health.verdict == "insufficient" else "pass"


def _dried_log(drift: Sequence[DriftReport]) -> str:
    """Say that the newest window has no request and an earlier one had."""
    if not drift or drift[-1].rows or not any(report.rows for report in drift):
        return ""
    last = [report for report in drift if report.rows][-1]
    return (
        f"no request since {last.until.date()}: the days {_days(drift[-1])} are empty; look "
        "whether the service answers, and whether its log still comes here"
    )


def _dried_labels(windows: Sequence[WindowQuality]) -> str:
    """Say that the newest window with requests has no label and an earlier one had."""
    asked = [one for one in windows if one.predictions]
    labelled = [one for one in asked if one.labelled]
    if not labelled or asked[-1].labelled:
        return ""
    return (
        f"no label since {labelled[-1].until.date()}: none of the {asked[-1].predictions:,} "
        f"predictions of {_days(asked[-1])} has one; look whether labels still come, and how long "
        "they take (monitor.label_delay_days)"
    )


def _days(window: DriftReport | WindowQuality) -> str:
    return f"{window.since.date()}..{window.until.date()}"


def last_windows(as_of: date, days: int, count: int) -> list[Span]:
    """Return consecutive windows that end at the start of a day, oldest first, in UTC.

    Raises:
        DataError: the calendar does not go back that far.
    """
    end = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    step = timedelta(days=days)
    if days * count > (as_of - date.min).days:
        raise DataError(
            f"{count} windows of {days} days before {as_of} start before the year 1",
            hint="name a later day",
            where="--as-of",
        )
    return [(end - step * (back + 1), end - step * back) for back in reversed(range(count))]


def headline(retrain: RetrainDecision, rollback: RollbackDecision) -> str:
    """Return the more urgent of two decisions as one sentence."""
    return rollback.headline if rollback.roll_back else retrain.headline
