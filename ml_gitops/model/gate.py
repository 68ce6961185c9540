"""The gate: may this candidate replace the champion? Same comparison, same verdict.

The rules are those of a non-inferiority trial: a candidate passes when the whole interval of its
paired difference lies above the allowed loss, not when its point estimate happens to be higher.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from ml_gitops.data.schema import Task
from ml_gitops.document import Document, Missing, Part
from ml_gitops.errors import ConfigError
from ml_gitops.model.comparison import Change, Comparison, SliceChange
from ml_gitops.model.interval import Units, holm, minimum_detectable, n_needed
from ml_gitops.model.metrics import (
    DEFAULT_METRIC,
    DEFAULT_SECONDARY,
    METRICS,
    Metric,
    metric_named,
)
from ml_gitops.model.verdict import Numbers, Verdict, describe, limited, not_worse, worse_slice

Outcome = Literal["better", "not worse", "worse", "cannot tell", "no champion"]

SIGNIFICANCE = 0.05


class GatePolicy(Part):
    """What a candidate must hold; table `[gate]`."""

    metric: str | None = None
    """The one that decides: ROC AUC, accuracy or RMSE by task; one alone, so that chance has
    one try."""
    margin: float | None = Field(default=None, gt=0, lt=1)
    """The loss that does not matter: .01 of a score, or 2% of a loss such as log loss; without a
    margin an equally good model would be blocked half the time."""
    minimum: float | None = None
    """The worst value accepted of the metric, whatever the champion has (of a loss: the
    largest)."""
    secondary: tuple[str, ...] | None = None
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
    units: Units = "days"
    """What is independent: days, because rows of one day (one storm, one outage) are right or
    wrong together, or rows, where they are not. Intervals are as wide as this makes them."""
    champion: str = "production"
    """The environment whose release is the champion."""

    @field_validator("metric", "secondary")
    @classmethod
    def _known(cls, value: Any) -> Any:
        for name in (value,) if isinstance(value, str) else value or ():
            if name not in METRICS:
                raise ValueError(f"{name!r} is not a metric; use one of {', '.join(METRICS)}")
        return value

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


class GateVerdict(Document):
    """What the gate says of a candidate.

    Attributes:
        verdict: pass, warn (mergeable, read the findings) or block.
        outcome: the candidate against the champion on the primary metric.
        headline: the verdict in one sentence.
        findings: every rule, in the order they were asked.
        unit, units: what is independent in the holdout, and how many of them there are.
        n_needed: how many would show an equal model to be not worse, at 80% power.
        mdd: the loss that those there are would find with 80% power, in the metric's unit.
    """

    file_name: ClassVar[str] = "gate.json"

    verdict: Literal["pass", "warn", "block"]
    outcome: Outcome
    metric: str
    headline: str
    findings: tuple[Verdict, ...]
    unit: Units | None = None
    units: int | None = None
    n_needed: int | None = None
    mdd: float | None = None


def judge(comparison: Comparison, policy: GatePolicy) -> GateVerdict:
    """Judge a comparison.

    Args:
        comparison: made with the policy's primary metric and slices.
        policy: what must hold.

    Raises:
        ConfigError: the policy names a metric that does not fit the task or the comparison.
    """
    metric = policy.primary(comparison.candidate.task)
    if comparison.primary != metric.name:
        raise ConfigError(
            f"the comparison was made for {comparison.primary}, the gate asks for {metric.name}",
            hint="train again, so that both use the gate's metric",
        )
    findings = [_floor(comparison)]
    if policy.minimum is not None:
        findings.append(_minimum(comparison, metric, policy.minimum))
    change = _primary_change(comparison)
    champion, outcome = _champion(comparison, change, policy)
    findings.append(champion)
    power: dict[str, Any] = {}
    if isinstance(change, Change):
        findings += _secondary(comparison, policy)
        findings += _slices(comparison, metric, policy)
        power = _power(change, metric, policy)
    failed = [one for one in findings if not one]
    verdict = _overall(failed)
    return GateVerdict(
        verdict=verdict,
        outcome=outcome,
        metric=metric.name,
        headline=_headline(verdict, champion, failed, floor=findings[0]),
        findings=tuple(findings),
        **power,
    )


def _power(change: Change, metric: Metric, policy: GatePolicy) -> dict[str, Any]:
    """Return how small a loss the holdout could find, and how much of it the margin needs."""
    spread, allowed = change.difference, metric.allowed(policy.margin, change.baseline)
    return {
        "unit": spread.unit,
        "units": spread.units,
        "n_needed": n_needed(spread, allowed) if allowed else None,
        "mdd": minimum_detectable(spread),
    }


def _overall(failed: list[Verdict]) -> Literal["pass", "warn", "block"]:
    if any(one.blocking for one in failed):
        return "block"
    return "warn" if failed else "pass"


def _headline(verdict: str, champion: Verdict, failed: list[Verdict], *, floor: Verdict) -> str:
    """Say the verdict with its first reason; where there is no champion, what it did beat."""
    if not failed and not champion.data:
        return f"Passes: {floor.text}; {champion.text}"
    decisive = [one for one in failed if one.blocking] or failed or [champion]
    word = {"pass": "Passes", "warn": "Passes with a warning", "block": "Blocked"}[verdict]
    more = f" (and {len(decisive) - 1} more)" if len(decisive) > 1 else ""
    return f"{word}: {decisive[0].text}{more}"


def _floor(comparison: Comparison) -> Verdict:
    """Ask whether the candidate learned anything beyond the rates."""
    change = comparison.floor
    dummy = "always answers the mean"
    if comparison.candidate.task != "regression":
        dummy = "knows only how often each class comes"
    if isinstance(change, Missing):
        text = f"no comparison with a model that {dummy}: {change.reason}"
        return Verdict(ok=None, rule="floor", text=text, blocking=False)
    metric = METRICS[change.metric]
    beats = change.difference.low > 0
    text = (
        f"{metric.label} {metric.text(change.candidate, beside=change.baseline)} "
        f"{'beats' if beats else 'does not beat'} {metric.text(change.baseline)} of a model that "
        f"{dummy}, {describe(change)}"
    )
    data: Numbers = {"candidate": change.candidate, "dummy": change.baseline}
    return Verdict(ok=beats, rule="floor", text=text, data=data)


def _minimum(comparison: Comparison, metric: Metric, limit: float) -> Verdict:
    measured = comparison.candidate.metrics.get(metric.name)
    if measured is None:
        text = f"{metric.label} is not defined: {comparison.candidate.undefined[metric.name]}"
        return Verdict(ok=None, rule="minimum", text=text)
    return limited(metric, measured, limit)


def _primary_change(comparison: Comparison) -> Change | Missing:
    """Return the change that decides, or why there is none."""
    if isinstance(comparison.baseline, Missing):
        return comparison.baseline
    if comparison.baseline.holdout_digest != comparison.candidate.holdout_digest:
        return Missing(reason="candidate and champion were scored on different holdout rows")
    change = comparison.change(comparison.primary)
    if change is None:
        label, reason = METRICS[comparison.primary].label, comparison.undefined[comparison.primary]
        return Missing(reason=f"{label} is not defined: {reason}")
    return change


def _champion(
    comparison: Comparison, change: Change | Missing, policy: GatePolicy
) -> tuple[Verdict, Outcome]:
    """Ask for non-inferiority; what the rows cannot tell is settled by the policy."""
    strict = policy.on_inconclusive == "block"
    if isinstance(comparison.champion, Missing):
        text = f"no champion to compare with: {comparison.champion.reason}"
        return Verdict(ok=True, rule="champion", text=text), "no champion"
    if isinstance(change, Missing):
        text = f"not compared with {comparison.champion}: {change.reason}"
        return Verdict(ok=None, rule="champion", text=text, blocking=strict), "cannot tell"
    verdict = not_worse(change, policy.margin, champion=comparison.champion)
    if verdict.ok is None:
        behind = policy.on_inconclusive == "tie-break" and change.difference.estimate < 0
        return verdict.model_copy(update={"blocking": strict or behind}), "cannot tell"
    if not verdict:
        return verdict, "worse"
    return verdict, "better" if change.difference.low > 0 else "not worse"


def _secondary(comparison: Comparison, policy: GatePolicy) -> Iterator[Verdict]:
    """Ask the same of the other metrics with twice their margin; they warn."""
    for metric in policy.others(comparison.candidate.task):
        change = comparison.change(metric.name)
        if change is None:
            text = f"{metric.label} is not defined: {comparison.undefined[metric.name]}"
            yield Verdict(ok=None, rule="secondary", text=text, blocking=False)
            continue
        verdict = not_worse(change, 2 * metric.default_margin, champion=str(comparison.champion))
        yield verdict.model_copy(update={"rule": "secondary", "blocking": False})


def _slices(comparison: Comparison, metric: Metric, policy: GatePolicy) -> Iterator[Verdict]:
    """Ask of every slice that is large enough; Holm's adjustment keeps many slices honest."""
    if not comparison.slices:
        return
    judged = [
        (one, one.change)
        for one in comparison.slices
        if isinstance(one.change, Change) and _large_enough(one, metric, policy)
    ]
    chances = holm([change.difference.p_worse for _, change in judged])
    worse = 0
    for (one, change), chance in zip(judged, chances, strict=True):
        allowed = policy.slice_margin * metric.allowed(policy.margin, change.baseline)
        if change.difference.estimate < -allowed and chance < SIGNIFICANCE:
            worse += 1
            yield worse_slice(one, change, allowed, chance, len(judged))
    if not worse:
        small = len(comparison.slices) - len(judged)
        text = f"none of {len(judged)} slices is worse beyond doubt and what is allowed" + (
            f"; {small} are too small to judge" if small else ""
        )
        data: Numbers = {"judged": len(judged), "too small": small}
        yield Verdict(ok=True, rule="slice", text=text, data=data)


def _large_enough(one: SliceChange, metric: Metric, policy: GatePolicy) -> bool:
    rare = metric.needs_both_classes and (one.rarest or 0) < policy.slice_min_rarest
    return one.n >= policy.slice_min_rows and not rare


def _fitting(key: str, name: str, task: Task) -> Metric:
    try:
        return metric_named(name, task)
    except ConfigError as error:
        raise ConfigError(f"gate.{key}: {error.problem}", hint=error.hint) from None
