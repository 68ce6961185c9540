"""Health: is the release still as good as it was promised to be, by the labels that came in?"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ml_gitops.document import Document, Part
from ml_gitops.model.interval import Measurement, exceeds
from ml_gitops.model.metrics import METRICS, Metric, MetricName
from ml_gitops.monitoring.quality import WindowQuality

HealthVerdict = Literal["healthy", "degraded", "insufficient"]


class HealthPolicy(Part):
    """When a release has degraded; table `[health]`."""

    metrics: tuple[MetricName, ...] = ()
    """What is watched; by default the gate's metric alone, so that chance has one try."""
    margin: float | None = Field(default=None, gt=0, lt=1)
    """The loss that does not matter: by default .02 of a score or 4% of a loss, twice what the
    gate allows by default; a live window is smaller and noisier than a holdout."""
    z: float = Field(default=2.33, gt=0)
    """How sure a drop must be, in standard errors of many units: one window in a hundred, by
    chance. Of a week's seven days Student's quantile asks for 3.1."""
    of: int = Field(default=3, ge=1)
    """How many of the last windows are looked at together."""
    bad: int = Field(default=2, ge=1)
    """How many of them must be bad: one bad week is no decay."""
    minimum_labelled: int = Field(default=100, ge=2)
    """Labelled rows a window needs; with fewer, no drop is significant."""
    minimum_rarest: int = Field(default=10, ge=1)
    """Rows of the rarer class it needs, for a binary model."""
    minimum_coverage: float = Field(default=0.8, ge=0, le=1)
    """Share of predictions that must be labelled: labels that come early are not typical."""

    @model_validator(mode="after")
    def _possible(self) -> "HealthPolicy":
        if self.bad > self.of:
            raise ValueError(f"bad = {self.bad} of = {self.of} windows can never happen")
        return self


class WindowHealth(Part):
    """One metric in one window beside its reference.

    Attributes:
        usable: whether the window can be judged; if not, `text` says why.
        value, interval: what was measured, and its 90% interval.
        drop: how much worse it is, in the metric's unit; below 0 it is better.
        z: the drop in standard errors.
        bad: whether the drop is both too large and no chance.
    """

    since: datetime
    until: datetime
    usable: bool
    value: float | None = None
    interval: tuple[float, float] | None = None
    drop: float | None = None
    z: float | None = None
    bad: bool = False
    text: str


class MetricHealth(Part):
    """One metric over the last windows.

    Attributes:
        allowed: the drop that does not matter, in the metric's unit.
        text: the verdict in one sentence.
    """

    metric: str
    verdict: HealthVerdict
    reference: Measurement | None
    allowed: float | None
    windows: tuple[WindowHealth, ...]
    text: str


class HealthReport(Document):
    """Whether the release keeps its promise; the worst metric decides."""

    file_name: ClassVar[str] = "health.json"

    model: str
    verdict: HealthVerdict
    metrics: tuple[MetricHealth, ...]
    text: str


def assess(
    reference: Mapping[str, Measurement],
    windows: Sequence[WindowQuality],
    policy: HealthPolicy,
    *,
    model: str,
    primary: str,
) -> HealthReport:
    """Compare the quality of the last windows with the quality the release was promised to have.

    Args:
        reference: metric to its value on the holdout.
        windows: oldest first; the last `policy.of` usable ones are judged.
        policy: what counts.
        model: the model's name.
        primary: the gate's metric, watched where the policy names none.
    """
    judged = [
        _assess_metric(METRICS[name], reference.get(name), windows, policy)
        for name in policy.metrics or (primary,)
    ]
    order: tuple[HealthVerdict, ...] = ("degraded", "healthy", "insufficient")
    worst = min(judged, key=lambda metric: order.index(metric.verdict))
    return HealthReport(model=model, verdict=worst.verdict, metrics=tuple(judged), text=worst.text)


def _assess_metric(
    metric: Metric,
    reference: Measurement | None,
    windows: Sequence[WindowQuality],
    policy: HealthPolicy,
) -> MetricHealth:
    """Judge one metric."""
    if reference is None:
        return MetricHealth(
            metric=metric.name,
            verdict="insufficient",
            reference=None,
            allowed=None,
            windows=(),
            text=f"the profile has no {metric.label} to compare with",
        )
    margin = 2 * metric.default_margin if policy.margin is None else policy.margin
    allowed = metric.allowed(margin, reference.value)
    judged = [_judge(metric, reference, allowed, window, policy) for window in windows]
    verdict, text = _conclude(metric, reference, judged, policy)
    return MetricHealth(
        metric=metric.name,
        verdict=verdict,
        reference=reference,
        allowed=allowed,
        windows=tuple(judged),
        text=text,
    )


def _conclude(
    metric: Metric,
    reference: Measurement,
    judged: Sequence[WindowHealth],
    policy: HealthPolicy,
) -> tuple[HealthVerdict, str]:
    """Say what the last usable windows amount to."""
    last = [window for window in judged if window.usable][-policy.of :]
    bad = [window for window in last if window.bad]
    promised = f"the holdout promised {metric.text(reference.value)}"
    if len(bad) >= policy.bad:
        values = ", ".join(metric.text(window.value or 0.0) for window in last)
        return "degraded", (
            f"{metric.label} got worse in {len(bad)} of the last {len(last)} windows"
            f" ({values}); {promised}"
        )
    if len(last) < policy.bad:
        reasons = [window.text for window in judged if not window.usable]
        why = f": {reasons[-1]}" if reasons else ""
        can = "1 window" if len(last) == 1 else f"{len(last)} windows"
        return "insufficient", f"{can} can be judged, {policy.bad} are needed{why}"
    value = metric.text(last[-1].value or 0.0)
    return "healthy", (
        f"{metric.label} was {value} in the last window, {promised};"
        f" bad windows: {len(bad)} of {len(last)}, {policy.bad} would be too many"
    )


def _judge(
    metric: Metric,
    reference: Measurement,
    allowed: float,
    window: WindowQuality,
    policy: HealthPolicy,
) -> WindowHealth:
    """Judge one metric in one window."""
    name = f"{window.since:%Y-%m-%d}..{window.until:%Y-%m-%d}"
    reason = why_unusable(metric, window, policy)
    if reason is not None:
        return WindowHealth(
            since=window.since, until=window.until, usable=False, text=f"{name}: {reason}"
        )
    live = window.metrics[metric.name]
    drop = metric.sign * (reference.value - live.value)
    error = math.hypot(live.standard_error, reference.standard_error)
    # Without any spread a drop is as sure as it can be; a document holds no infinity.
    z = drop / error if error else math.copysign(1e9, drop) if drop else 0.0
    units = min(live.units, reference.units)
    bad = drop > allowed and exceeds(z, units, policy.z)
    change = "worse" if drop > 0 else "better"
    text = (
        f"{name}: {metric.label} {metric.text(live.value)} is {metric.text(abs(drop))} {change}"
        f" than promised ({abs(z):.1f} standard errors; {metric.text(allowed)} is allowed)"
    )
    return WindowHealth(
        since=window.since,
        until=window.until,
        usable=True,
        value=live.value,
        interval=live.interval,
        drop=drop,
        z=z,
        bad=bad,
        text=text,
    )


def why_unusable(metric: Metric, window: WindowQuality, policy: HealthPolicy) -> str | None:
    """Return why a window cannot be judged; None if it can."""
    usable = window.labelled - window.unusable
    if not window.predictions:
        return "no predictions"
    if window.coverage < policy.minimum_coverage:
        return (
            f"{window.coverage:.0%} of {window.predictions:,} predictions are labelled,"
            f" {policy.minimum_coverage:.0%} are needed"
        )
    if usable < policy.minimum_labelled:
        return f"{usable:,} usable labels, {policy.minimum_labelled:,} are needed"
    if window.positives is not None:
        rarest = min(window.positives, usable - window.positives)
        if rarest < policy.minimum_rarest:
            return f"{rarest} rows of the rarer class, {policy.minimum_rarest} are needed"
    if metric.name not in window.metrics:
        return f"{metric.label} cannot be computed from the log"
    return None
