"""The gate: may this candidate replace the champion? Same comparison, same verdict.

The rules are those of a non-inferiority trial: a candidate passes when the whole interval of its
paired difference lies above the allowed loss, not when its point estimate happens to be higher.
"""

from typing import ClassVar, Literal

from ml_gitops.document import Document, Part
from ml_gitops.errors import ConfigError
from ml_gitops.model.comparison import Comparison
from ml_gitops.model.interval import Units, minimum_detectable
from ml_gitops.model.metric_change import Change
from ml_gitops.model.metrics import Metric, MetricName
from ml_gitops.model.policy import GatePolicy
from ml_gitops.model.rules import (
    Outcome,
    beside,
    floor,
    large_enough,
    minimum,
    primary_change,
    secondary,
    slices,
)
from ml_gitops.model.verdict import Verdict


class Power(Part):
    """How small a loss a holdout can find.

    Attributes:
        unit, units: what is independent in it, and how many of them there are.
        needed: how many would show an equal model to be not worse, at 80% power; None if no
            number of them would.
        detectable: the loss that those there are find with 80% power, in the metric's unit.
    """

    unit: Units
    units: int
    needed: int | None
    detectable: float


class GateVerdict(Document):
    """What the gate says of a candidate.

    Attributes:
        verdict: pass, warn (mergeable, read the findings) or block.
        outcome: the candidate against the champion on the primary metric.
        headline: the verdict in one sentence.
        findings: every rule, in the order they were asked.
        power: what the holdout could find; None where nothing was compared.
        small_metrics: those of which there is too little to tell.
        small_slices: column and value of those that are too small to tell.
    """

    file_name: ClassVar[str] = "gate.json"

    verdict: Literal["pass", "warn", "block"]
    outcome: Outcome
    metric: MetricName
    headline: str
    findings: tuple[Verdict, ...]
    power: Power | None = None
    small_metrics: tuple[MetricName, ...] = ()
    small_slices: tuple[tuple[str, str], ...] = ()


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
    findings = [floor(comparison, policy)]
    if policy.minimum is not None:
        findings.append(minimum(comparison, metric, policy.minimum))
    change = primary_change(comparison)
    champion, outcome = beside(comparison, change, policy)
    findings.append(champion)
    if isinstance(change, Change):
        findings += secondary(comparison, policy)
        findings += slices(comparison, metric, policy)
    failed = [one for one in findings if not one]
    verdict = _overall(failed)
    return GateVerdict(
        verdict=verdict,
        outcome=outcome,
        metric=metric.name,
        headline=_headline(verdict, champion, failed, first=findings[0]),
        findings=tuple(findings),
        power=_power(change, metric, policy) if isinstance(change, Change) else None,
        small_metrics=tuple(
            one.metric for one in comparison.changes if policy.least.lacking(one) is not None
        ),
        small_slices=tuple(
            (one.column, one.value)
            for one in comparison.slices
            if isinstance(one.change, Change) and not large_enough(one.change, metric, policy)
        ),
    )


def _power(change: Change, metric: Metric, policy: GatePolicy) -> Power:
    """Return what the holdout of a change can find."""
    spread, allowed = change.difference, metric.allowed(policy.margin, change.baseline)
    return Power(
        unit=spread.unit,
        units=spread.units,
        needed=policy.least.units(change, allowed),
        detectable=minimum_detectable(spread),
    )


def _overall(failed: list[Verdict]) -> Literal["pass", "warn", "block"]:
    if any(one.blocking for one in failed):
        return "block"
    return "warn" if failed else "pass"


def _headline(verdict: str, champion: Verdict, failed: list[Verdict], *, first: Verdict) -> str:
    """Say the verdict with its reason; where there is no champion, what it did beat."""
    if not failed and not champion.data:
        return f"Passes: {first.text}; {champion.text}"
    decisive = [one for one in failed if one.blocking] or failed or [champion]
    # A reviewer asks for the champion first.
    told = champion if champion in decisive else decisive[0]
    word = {"pass": "Passes", "warn": "Passes with a warning", "block": "Blocked"}[verdict]
    more = f" (and {len(decisive) - 1} more)" if len(decisive) > 1 else ""
    return f"{word}: {told.text}{more}"
