"""Drift: does the current window look like the reference, and does the difference matter?

A column drifts when a test says that the difference is no chance (Benjamini-Hochberg over all
tests of the report) AND the difference is large; with enough rows every difference is significant.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from ml_gitops.document import Document, Part
from ml_gitops.monitoring.contract import Break, Reason, find_breaks
from ml_gitops.monitoring.counts import ColumnCounts, Counts
from ml_gitops.monitoring.profile import ColumnProfile, Profile
from ml_gitops.monitoring.statistics import (
    benjamini_hochberg,
    chi_square,
    jensen_shannon,
    kolmogorov_smirnov,
    kolmogorov_tail,
    normal_tail,
    population_stability,
)

DriftVerdict = Literal["stable", "warning", "alarm", "insufficient"]


class DriftPolicy(Part):
    """When data has drifted; table `[drift]`."""

    q: float = Field(default=0.01, gt=0, lt=1)
    """Share of false discoveries among the columns named, over all tests of a report."""
    effect: float = Field(default=0.15, gt=0)
    """Smallest shift that counts, as Cohen's w (about standard deviations of a mean). Live rows
    are not independent, so this decides more than the p-values: .1 alarms as rarely in
    simulations, .15 leaves room for days that differ."""
    null_change: float = Field(default=0.05, gt=0, le=1)
    """Smallest change of the share of missing values that counts: an outage, not a bad hour."""
    unseen: float = Field(default=0.02, gt=0, le=1)
    """Smallest rise of the share of values that the profile does not list."""
    prediction_effect: float = Field(default=0.1, gt=0)
    """Smallest shift of the predictions that alarms; they summarise what matters of all features,
    so a smaller shift counts than for one feature."""
    warn_weight: float = Field(default=0.2, gt=0, le=1)
    """Importance of the drifted features, together, that warns."""
    alarm_weight: float = Field(default=0.4, gt=0, le=1)
    """Importance of the drifted features, together, that alarms."""
    minimum_rows: int = Field(default=300, ge=1)
    """Rows a window needs; in fewer, chance alone moves the distances."""
    row_cap: int = Field(default=100_000, ge=1000)
    """Rows of a window that are counted, chosen by their ids: more say nothing new about effects
    this large, and take time."""


class ColumnDrift(Part):
    """One column of the current window beside its reference.

    Attributes:
        rows: rows of the current window that have a value.
        enough: whether that is enough of them to say that nothing drifted.
        effect: Cohen's w, without what chance alone gives.
        psi, js, ks: distances for people who know them; ks is for numbers only.
        q: adjusted p-value of the distribution; `null_q` and `unseen_q` likewise.
        unlisted, unlisted_reference: share of values that the profile does not list.
        reasons: what drifted; nothing, if nothing did.
        text: one sentence with the numbers.
    """

    name: str
    weight: float
    rows: int
    enough: bool = True
    effect: float
    psi: float
    js: float
    ks: float | None = None
    q: float
    null_rate: float
    null_rate_reference: float
    null_q: float
    unlisted: float | None = None
    unlisted_reference: float | None = None
    unseen_q: float | None = None
    reasons: tuple[Reason, ...] = ()
    text: str

    @property
    def drifted(self) -> bool:
        """Whether anything about the column drifted."""
        return bool(self.reasons)


class DriftReport(Document):
    """The current window beside the reference.

    Attributes:
        share: importance of the drifted features, together, 0 to 1.
        columns: most important drift first.
        breaks: broken contracts; data with one is not for learning.
        text: the verdict in one sentence.
    """

    file_name: ClassVar[str] = "drift.json"

    model: str
    since: datetime
    until: datetime
    rows: int
    verdict: DriftVerdict
    share: float
    prediction: ColumnDrift
    columns: tuple[ColumnDrift, ...]
    breaks: tuple[Break, ...]
    text: str

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The features that drifted."""
        return tuple(column for column in self.columns if column.drifted)


def measure_drift(profile: Profile, counts: Counts, policy: DriftPolicy) -> DriftReport:
    """Compare the counts of a window with the profile."""
    pairs = [(column, counts.columns[column.name]) for column in profile.columns]
    pairs.append((profile.prediction, counts.prediction))
    tests = [_test(reference, current) for reference, current in pairs]
    adjusted = iter(benjamini_hochberg([p for test in tests for p in test]))
    q_values = [[next(adjusted) for _ in test] for test in tests]
    measured = [
        _measure(
            reference,
            current,
            q,
            policy,
            policy.prediction_effect if reference is profile.prediction else policy.effect,
        )
        for (reference, current), q in zip(pairs, q_values, strict=True)
    ]
    *columns, prediction = measured
    breaks = tuple(
        found
        for (reference, current), column in zip(pairs, columns, strict=False)
        for found in find_breaks(reference, current, column.reasons)
    )
    share = min(1.0, sum(column.weight for column in columns if column.drifted))
    verdict = _judge(counts.rows, share, prediction, policy)
    return DriftReport(
        model=profile.model,
        since=counts.since,
        until=counts.until,
        rows=counts.rows,
        verdict=verdict,
        share=share,
        prediction=prediction,
        columns=tuple(
            sorted(columns, key=lambda column: (not column.drifted, -column.weight, column.name))
        ),
        breaks=breaks if counts.rows >= policy.minimum_rows else (),
        text=_explain(verdict, counts.rows, share, columns, prediction, policy),
    )


def _test(reference: ColumnProfile, current: ColumnCounts) -> list[float]:
    """Return the p-values of a column: distribution, null rate, and unseen values of categories."""
    before, now = reference.counts.cells, current.cells
    p = chi_square(before, now, ordered=reference.cells.kind == "numeric").p
    nulls = chi_square(
        (reference.counts.present, reference.counts.nulls), (current.present, current.nulls)
    ).p
    if reference.cells.kind != "numeric":
        return [p, nulls, _test_unlisted(reference, current)]
    distance = kolmogorov_smirnov(before, now)
    ordered = kolmogorov_tail(distance, reference.counts.present, current.present)
    return [min(1.0, 2 * min(p, ordered)), nulls]


def _test_unlisted(reference: ColumnProfile, current: ColumnCounts) -> float:
    """Return the chance of so many unlisted values without drift.

    The profile lists frequent values only, so rare and unseen ones share a cell. Its expected
    share is the reference's own, with one row added: where the reference had none, the next row
    may still be the first (Good-Turing's smallest estimate).
    """
    n, m = reference.counts.present, current.present
    if not n or not m:
        return 1.0
    expected = (reference.counts.cells[-1] + 1) / (n + 1)
    variance = max(expected * (1 - expected), 1 / (n + 1) ** 2) * (1 / n + 1 / m)
    return normal_tail((current.cells[-1] / m - expected) / variance**0.5)


def _measure(
    reference: ColumnProfile,
    current: ColumnCounts,
    q: Sequence[float],
    policy: DriftPolicy,
    effect: float,
) -> ColumnDrift:
    """Return distances, reasons and the sentence of one column."""
    before, now = reference.counts.cells, current.cells
    numeric = reference.cells.kind == "numeric"
    shift = chi_square(before, now, ordered=numeric).effect
    null_rate = _share(current.nulls, current.rows)
    unlisted = None if numeric else _share(now[-1], current.present)
    expected = None if numeric else _share(before[-1], reference.counts.present)
    said = _reasons(reference, current, shift, q, policy, effect)
    enough = current.present >= policy.minimum_rows
    still = _moved(shift, effect) if enough else f"{current.present:,} rows are too few to say"
    return ColumnDrift(
        name=reference.name,
        weight=reference.weight,
        rows=current.present,
        enough=enough,
        effect=shift,
        psi=population_stability(before, now),
        js=jensen_shannon(before, now),
        ks=kolmogorov_smirnov(before, now) if numeric else None,
        q=q[0],
        null_rate=null_rate,
        null_rate_reference=reference.null_rate,
        null_q=q[1],
        unlisted=unlisted,
        unlisted_reference=expected,
        unseen_q=None if numeric else q[2],
        reasons=tuple(said),
        text=f"{reference.name}: {'; '.join(said.values()) or still}",
    )


def _reasons(
    reference: ColumnProfile,
    current: ColumnCounts,
    shift: float,
    q: Sequence[float],
    policy: DriftPolicy,
    effect: float,
) -> dict[Reason, str]:
    """Return why a column has drifted, each in words: too much, and more than chance."""
    said: dict[Reason, str] = {}
    if q[0] <= policy.q and shift >= effect:
        said["distribution"] = f"its distribution moved by w = {shift:.2f}"
    nulls, usual = _share(current.nulls, current.rows), reference.null_rate
    if q[1] <= policy.q and abs(nulls - usual) >= policy.null_change:
        said["null rate"] = f"{nulls:.1%} of rows have no value, {usual:.1%} before"
    if reference.cells.kind == "numeric":
        return said
    unlisted = _share(current.cells[-1], current.present)
    expected = _share(reference.counts.cells[-1], reference.counts.present)
    if q[2] <= policy.q and unlisted - expected >= policy.unseen:
        said["unseen values"] = (
            f"{unlisted:.1%} of values are not in the profile, {expected:.1%} before"
        )
    return said


def _judge(rows: int, share: float, prediction: ColumnDrift, policy: DriftPolicy) -> DriftVerdict:
    if rows < policy.minimum_rows:
        return "insufficient"
    if share >= policy.alarm_weight or prediction.drifted:
        return "alarm"
    return "warning" if share >= policy.warn_weight else "stable"


def _explain(
    verdict: DriftVerdict,
    rows: int,
    share: float,
    columns: Sequence[ColumnDrift],
    prediction: ColumnDrift,
    policy: DriftPolicy,
) -> str:
    """Return the verdict in one sentence."""
    if verdict == "insufficient":
        return f"{rows:,} rows are too few to tell; {policy.minimum_rows:,} are needed"
    drifted = sum(column.drifted for column in columns)
    text = (
        f"{drifted} of {len(columns)} features drifted, with {share:.0%} of the importance"
        f" ({policy.warn_weight:.0%} warns, {policy.alarm_weight:.0%} alarms)"
    )
    few = sum(not column.enough and not column.drifted for column in columns)
    if few:
        text += f", {few} with too few rows to say"
    if prediction.drifted:
        said = f"moved by w = {prediction.effect:.2f}, and {policy.prediction_effect:.2f} alarms"
    else:
        said = _moved(prediction.effect, policy.prediction_effect)
    return f"{text}; the predictions {said}"


def _moved(shift: float, effect: float) -> str:
    """Say how far something moved that did not drift."""
    if shift < effect:
        return f"moved by w = {shift:.2f}, and {effect:.2f} would count"
    return f"moved by w = {shift:.2f}, which may be chance"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
