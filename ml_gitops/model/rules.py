"""The rules of the gate, one verdict each."""

from collections.abc import Iterator
from typing import Literal

from ml_gitops.document import Missing
from ml_gitops.model.comparison import Comparison
from ml_gitops.model.interval import holm
from ml_gitops.model.metric_change import Change
from ml_gitops.model.metrics import METRICS, Metric
from ml_gitops.model.policy import GatePolicy
from ml_gitops.model.verdict import Numbers, Verdict, describe, limited, not_worse, worse_slice

Outcome = Literal["better", "not worse", "worse", "cannot tell", "no champion"]

SIGNIFICANCE = 0.05


def floor(comparison: Comparison, policy: GatePolicy) -> Verdict:
    """Ask whether the candidate learned anything beyond the rates.

    What too little evidence shows warns, or blocks strict teams.
    """
    change = comparison.floor
    dummy = "always answers the mean"
    if comparison.candidate.task != "regression":
        dummy = "knows only how often each class comes"
    if isinstance(change, Missing):
        text = (
            f"no comparison with a model that {dummy}: {change.reason}{_more(comparison, policy)}"
        )
        return Verdict(ok=None, rule="floor", text=text, blocking=False)
    metric = METRICS[change.metric]
    beats, lacking = change.difference.low > 0, policy.least.lacking(change)
    text = (
        f"{metric.label} {metric.text(change.candidate, beside=change.baseline)} "
        f"{'beats' if beats else 'does not beat'} {metric.text(change.baseline)} of a model that "
        f"{dummy}, {describe(change)}"
    )
    data: Numbers = {"candidate": change.candidate, "dummy": change.baseline}
    if not lacking:
        return Verdict(ok=beats, rule="floor", text=text, data=data)
    strict = policy.on_inconclusive == "block" or not beats
    text += f"; that cannot be judged on {lacking}"
    return Verdict(ok=None, rule="floor", text=text, data=data, blocking=strict)


def minimum(comparison: Comparison, metric: Metric, limit: float) -> Verdict:
    """Hold the candidate to the author's own limit."""
    measured = comparison.candidate.metrics.get(metric.name)
    if measured is None:
        text = f"{metric.label} is not defined: {comparison.candidate.undefined[metric.name]}"
        return Verdict(ok=None, rule="minimum", text=text)
    return limited(metric, measured, limit)


def primary_change(comparison: Comparison) -> Change | Missing:
    """Return the change that decides, or why there is none."""
    if reason := _incomparable(comparison):
        return Missing(reason=reason)
    change = comparison.change(comparison.primary)
    if change is None:
        label, reason = METRICS[comparison.primary].label, comparison.undefined[comparison.primary]
        return Missing(reason=f"{label} is not defined: {reason}")
    return change


def _incomparable(comparison: Comparison) -> str | None:
    """Return why there is nothing to hold beside the candidate; None if there is."""
    if isinstance(comparison.baseline, Missing):
        return comparison.baseline.reason
    if comparison.baseline.holdout_digest != comparison.candidate.holdout_digest:
        return "candidate and champion were scored on different holdout rows"
    return None


def _more(comparison: Comparison, policy: GatePolicy) -> str:
    """Say how many days are needed, if there are fewer."""
    days = comparison.candidate.days
    few = days is not None and days < policy.minimum_days
    return f"; {policy.minimum_days} days are needed" if few else ""


def beside(
    comparison: Comparison, change: Change | Missing, policy: GatePolicy
) -> tuple[Verdict, Outcome]:
    """Ask for non-inferiority; what the rows cannot tell is settled by the policy."""
    if isinstance(comparison.champion, Missing):
        text = f"no champion to compare with: {comparison.champion.reason}"
        return Verdict(ok=True, rule="champion", text=text), "no champion"
    if isinstance(change, Missing):
        return _untold(comparison, change.reason, policy), "cannot tell"
    champion = comparison.champion
    verdict = not_worse(change, policy.margin, champion=champion, least=policy.least)
    if verdict.ok is None:
        behind = change.difference.estimate < 0
        blocking = {"tie-break": behind, "pass": False, "block": True}[policy.on_inconclusive]
        return verdict.model_copy(update={"blocking": blocking}), "cannot tell"
    if not verdict:
        return verdict, "worse"
    return verdict, "better" if change.difference.low > 0 else "not worse"


def _untold(comparison: Comparison, reason: str, policy: GatePolicy) -> Verdict:
    """Say why there is no estimate, so that no tie can be broken by it."""
    text = f"not compared with {comparison.champion}: {reason}{_more(comparison, policy)}"
    if _incomparable(comparison):
        blocking = policy.on_incomparable == "block"
        text += '; on_incomparable = "warn" in [gate] leaves it to the reviewer' if blocking else ""
    else:
        blocking = policy.on_inconclusive != "pass"
    return Verdict(ok=None, rule="champion", text=text, blocking=blocking)


def secondary(comparison: Comparison, policy: GatePolicy) -> Iterator[Verdict]:
    """Ask the same of the other metrics with twice their margin; they warn."""
    task, champion = comparison.candidate.task, str(comparison.champion)
    for metric in policy.others(task):
        change = comparison.change(metric.name)
        if change is None:
            text = f"{metric.label} is not defined: {comparison.undefined[metric.name]}"
            yield Verdict(ok=None, rule="secondary", text=text, blocking=False)
            continue
        margin = policy.margin_of(metric, task)
        verdict = not_worse(change, margin, champion=champion, least=policy.least)
        yield verdict.model_copy(update={"rule": "secondary", "blocking": False})


def slices(comparison: Comparison, metric: Metric, policy: GatePolicy) -> Iterator[Verdict]:
    """Ask of every slice that is large enough; Holm's adjustment keeps many slices honest."""
    if not comparison.slices:
        return
    judged = [
        (one, one.change)
        for one in comparison.slices
        if isinstance(one.change, Change) and large_enough(one.change, metric, policy)
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


def large_enough(change: Change, metric: Metric, policy: GatePolicy) -> bool:
    """Say whether a slice has what it takes to be judged."""
    rare = metric.needs_both_classes and (change.rarest or 0) < policy.slice_min_rarest
    days = change.difference.days
    few = days is not None and days < policy.minimum_days
    return change.difference.n >= policy.slice_min_rows and not rare and not few
