"""When to learn again: labelled performance decides, drift corroborates, broken data forbids."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from ml_gitops.document import Document, Part, canonical_json, sha256
from ml_gitops.monitoring.contract import Break
from ml_gitops.monitoring.drift import DriftReport
from ml_gitops.monitoring.health import HealthReport

Want = Literal["nothing", "watch", "incident", "retrain"]


class RetrainPolicy(Part):
    """When a retraining is proposed; table `[retrain]`."""

    minimum_rows: int = Field(default=500, ge=1)
    """Labelled rows newer than the champion's data; fewer cannot teach it anything."""
    minimum_share: float = Field(default=0.05, ge=0)
    """The same, as a share of the rows the champion learned from."""
    alarms: int = Field(default=2, ge=1)
    """Windows that must alarm before drift counts: one odd week is no drift."""
    max_age_days: int | None = Field(default=None, ge=1)
    """Propose a retraining when the champion's data is older than this; off by default."""
    renew_days: int = Field(default=7, ge=1)
    """An open proposal is trained again when so many days of newer rows have come; whoever reviews
    it must not chase it. A ticked box renews it at once."""
    cooldown_days: int = Field(default=7, ge=0)
    """After rows were merged, none is proposed that brings fewer days than this."""
    budget: int = Field(default=8, ge=1)
    """Trainings that the monitor starts within 30 days, ticked boxes aside."""


class WatchedRelease(Part):
    """The release that is watched, and what there would be to learn from.

    Attributes:
        release: its tag.
        trained_until: the first day it has not learned from.
        train_rows: rows it learned from.
        labelled: labelled predictions since then, whichever release made them.
        as_of: the day on which the question is asked.
    """

    release: str
    trained_until: date
    train_rows: int
    labelled: int
    as_of: date

    @property
    def age_days(self) -> int:
        """Days between its data and now."""
        return (self.as_of - self.trained_until).days


class RetrainDecision(Document):
    """What the monitor wants, and why.

    Attributes:
        want: nothing; watch (a warning, no action); incident (an issue for people, no
            retraining); retrain (a pull request).
        headline: the decision in one sentence.
        reasons: one sentence each, harm first.
        fingerprint: digest of the evidence; while it is equal, nothing new is proposed.
    """

    file_name: ClassVar[str] = "retrain.json"

    want: Want
    headline: str
    reasons: tuple[str, ...]
    fingerprint: str


def decide_retraining(
    watched: WatchedRelease,
    health: HealthReport,
    drift: Sequence[DriftReport],
    policy: RetrainPolicy,
) -> RetrainDecision:
    """Decide from documents alone; the same documents give the same decision.

    Args:
        watched: the watched release.
        health: labelled quality of the last windows.
        drift: the same windows against the profile, oldest first.
        policy: what counts.
    """
    broken = _broken(drift)
    if broken:
        # Never learn from broken data, however bad the quality looks.
        return _decision(
            "incident",
            watched,
            "the data breaks its contract; retraining is paused",
            [one.text for one in broken],
            [f"contract {one.column} {one.kind}" for one in broken],
        )
    alarms = [report for report in drift if report.verdict == "alarm"]
    drifting = len(alarms) >= policy.alarms
    degraded = health.verdict == "degraded"
    harmed = degraded or any(one.bad for metric in health.metrics for one in metric.windows)
    reasons = [health.text, *([_drift_reason(alarms, drift)] if alarms else [])]
    evidence = [f"{m.metric} degraded" for m in health.metrics if m.verdict == "degraded"]
    if degraded or (drifting and harmed):
        columns = sorted({one.name for report in alarms for one in report.drifted})
        evidence = evidence or [f"drift {name}" for name in columns]
        word = "quality fell below its promise" if degraded else "the data drifted and quality fell"
        return _learn(watched, policy, word, reasons, evidence)
    if policy.max_age_days is not None and watched.age_days > policy.max_age_days:
        text = f"its data is {watched.age_days} days old, {policy.max_age_days} are allowed"
        return _learn(watched, policy, text, [text, *reasons], ["age"])
    if drifting:
        text = f"the data drifted, {_calm(health)}; nothing is retrained on drift alone"
        return _decision("watch", watched, text, reasons, ["drift"])
    return _decision("nothing", watched, _calm(health), reasons, [])


def _learn(
    watched: WatchedRelease,
    policy: RetrainPolicy,
    why: str,
    reasons: Sequence[str],
    evidence: Sequence[str],
) -> RetrainDecision:
    """Want a retraining if there is anything new to learn from, else a person."""
    lack = _lack(watched, policy)
    if lack is None:
        return _decision("retrain", watched, why, reasons, evidence)
    said = f"{why}; retraining cannot help yet: {lack}"
    return _decision("incident", watched, said, [*reasons, lack], [*evidence, "no labels"])


def _decision(
    want: Want,
    watched: WatchedRelease,
    headline: str,
    reasons: Sequence[str],
    evidence: Sequence[str],
) -> RetrainDecision:
    """Return a decision; its fingerprint names what is wrong, not how much or since when."""
    stands_on = {"want": want, "release": watched.release, "evidence": sorted(evidence)}
    return RetrainDecision(
        want=want,
        headline=f"{watched.release}: {headline}",
        reasons=tuple(reasons),
        fingerprint=sha256(canonical_json(stands_on).encode()),
    )


def _calm(health: HealthReport) -> str:
    """Say that nothing follows, and what was not perfect all the same."""
    early = health.verdict == "insufficient"
    bad = max(sum(one.bad for one in metric.windows) for metric in health.metrics)
    word = "it is too early to judge its quality" if early else "quality holds"
    if not bad:
        return word
    return f"{word} ({'1 bad window' if bad == 1 else f'{bad} bad windows'})"


def _broken(drift: Sequence[DriftReport]) -> list[Break]:
    """Return the contracts that the newest window breaks beyond use."""
    if not drift:
        return []
    return [one for one in drift[-1].breaks if one.severity == "error"]


def _drift_reason(alarms: Sequence[DriftReport], drift: Sequence[DriftReport]) -> str:
    last = alarms[-1]
    names = ", ".join(column.name for column in last.drifted[:5])
    more = f" (most important: {names})" if names else ""
    return f"{len(alarms)} of {len(drift)} windows alarm for drift: {last.text}{more}"


def _lack(watched: WatchedRelease, policy: RetrainPolicy) -> str | None:
    """Return what is missing before a retraining could teach anything new."""
    needed = max(policy.minimum_rows, round(policy.minimum_share * watched.train_rows))
    if watched.labelled >= needed:
        return None
    return f"{watched.labelled:,} new labelled rows, {needed:,} are needed"
