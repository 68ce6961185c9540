"""The gate: may this candidate replace the champion? Same comparison, same verdict.

The rules are those of a non-inferiority trial: a candidate passes when the whole interval of its
paired difference lies above the allowed loss, not when its point estimate happens to be higher.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

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

GateWord = Literal["pass", "warn", "block"]
WORDS: Mapping[GateWord, str] = {
    "pass": "Passes",
    "warn": "Passes with a warning",
    "block": "Blocked",
}
"""What a headline begins with."""


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
        findings: every rule, in the order they were asked.
        power: what the holdout could find; None where nothing was compared.
        small_metrics: those of which there is too little to tell.
        small_slices: column and value of those that are too small to tell.
    """

    file_name: ClassVar[str] = "gate.json"

    verdict: GateWord
    outcome: Outcome
    metric: MetricName
    findings: tuple[Verdict, ...] = Field(min_length=1)
    power: Power | None = None
    small_metrics: tuple[MetricName, ...] = ()
    small_slices: tuple[tuple[str, str], ...] = ()

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """What does not hold, what blocks first where anything does."""
        failed = [one for one in self.findings if not one]
        return tuple(sorted(failed, key=lambda one: not one.blocking))

    @property
    def told(self) -> tuple[Verdict, ...]:
        """The findings that the headline tells; without a champion also what was beaten."""
        first = self.findings[0]
        champion = next((one for one in self.findings if one.rule == "champion"), first)
        if not self.failed and not champion.data:
            return first, champion
        decisive = self._decisive
        # A reviewer asks for the champion first.
        return (champion if champion in decisive or not decisive else decisive[0],)

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        more = len(self._decisive) - 1
        told = "; ".join(one.text for one in self.told)
        return told + (f" (and {more} more)" if more > 0 else "")

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        return f"{WORDS[self.verdict]}: {self.reason}"

    @property
    def _decisive(self) -> tuple[Verdict, ...]:
        return tuple(one for one in self.failed if one.blocking) or self.failed


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
    return GateVerdict(
        verdict=_overall([one for one in findings if not one]),
        outcome=outcome,
        metric=metric.name,
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


def _overall(failed: list[Verdict]) -> GateWord:
    if any(one.blocking for one in failed):
        return "block"
    return "warn" if failed else "pass"
