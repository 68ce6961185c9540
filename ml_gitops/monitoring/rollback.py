"""When to go back: the release before would have answered the same labelled rows better."""

# Statements are composed of quoted identifiers and literals (`query.py`) and of parameters.
# ruff: noqa: S608

import math
from collections.abc import Sequence
from datetime import date
from typing import ClassVar

from pydantic import Field

from ml_gitops.data.schema import Feature, Task
from ml_gitops.document import Document, Missing, Part, canonical_json, sha256
from ml_gitops.model.interval import exceeds, spread_over_days
from ml_gitops.model.metrics import SMALLEST_PROBABILITY
from ml_gitops.monitoring.labels import FALSE_WORDS, LARGEST_ERROR, TRUE_WORDS
from ml_gitops.monitoring.log import feature_column
from ml_gitops.monitoring.look import Look
from ml_gitops.monitoring.query import Span

SQL_TYPES = {"number": "DOUBLE", "integer": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}


class RollbackPolicy(Part):
    """When a rollback is proposed; table `[rollback]`."""

    margin: float = Field(default=0.02, gt=0, lt=1)
    """Share of the loss by which the release before must be better: what the gate allows
    a candidate to be worse, unless [gate] says otherwise."""
    z: float = Field(default=2.33, gt=0)
    """How sure that must be, in standard errors of many days: chance alone does it once in a
    hundred times. Of fourteen days Student's quantile asks for 2.65."""
    minimum_labelled: int = Field(default=500, ge=2)
    """Labelled rows that both must have answered."""
    minimum_days: int = Field(default=7, ge=2)
    """Days they must come from: fewer clusters give no honest standard error."""


class DayLoss(Part):
    """One day of two releases on the same labelled rows.

    Attributes:
        n: rows.
        serving, before: sum of the loss of the release that serves, and of the one before.
        squares: sum of the squared differences between both.
    """

    n: int = 0
    serving: float = 0.0
    before: float = 0.0
    squares: float = 0.0

    def __add__(self, other: "DayLoss") -> "DayLoss":
        """Return the sums of both parts."""
        return DayLoss(
            n=self.n + other.n,
            serving=self.serving + other.serving,
            before=self.before + other.before,
            squares=self.squares + other.squares,
        )


class PairedLoss(Part):
    """Two releases on the same labelled rows, as sums per day that add up over batches.

    Days, not rows, are taken as independent: a storm makes every flight of its day late, and
    a standard error over rows would call one bad evening proof.
    """

    days: dict[date, DayLoss] = Field(default_factory=dict)

    def __add__(self, other: "PairedLoss") -> "PairedLoss":
        """Return the sums of both parts."""
        days = dict(self.days)
        for day, loss in other.days.items():
            days[day] = days.get(day, DayLoss()) + loss
        return PairedLoss(days=days)

    @property
    def total(self) -> DayLoss:
        """The sums over all days."""
        return sum(self.days.values(), DayLoss())

    @property
    def mean(self) -> float:
        """How much more the serving release loses per row; plus means the one before is better."""
        total = self.total
        return (total.serving - total.before) / total.n if total.n else 0.0

    @property
    def standard_error(self) -> float:
        """The standard error of the mean over days; see `spread_over_days`."""
        total, mean = self.total, self.mean
        if len(self.days) < 2:
            return math.inf
        pulls = [(day.serving - day.before - mean * day.n) / total.n for day in self.days.values()]
        variance = max(total.squares / total.n - mean * mean, 0.0)
        by_row = math.sqrt(variance / max(total.n - 1, 1))
        return spread_over_days(pulls, by_row, total.n).standard_error


class RollbackDecision(Document):
    """Whether to go back, to what, and why.

    Attributes:
        roll_back: whether a rollback is proposed.
        to: the release before; None if there is none.
        headline: the decision in one sentence with its numbers.
        loss: what it stands on; missing with the reason.
        fingerprint: digest of the evidence.
    """

    file_name: ClassVar[str] = "rollback.json"

    roll_back: bool
    to: str | None
    headline: str
    loss: PairedLoss | Missing
    fingerprint: str


def decide_rollback(
    serving: str, before: str | None, loss: PairedLoss | Missing, policy: RollbackPolicy
) -> RollbackDecision:
    """Decide whether the release before is provably better on rows that both answered.

    Args:
        serving: tag of the release that serves.
        before: tag of the one that served before it.
        loss: both on the same labelled rows.
        policy: what counts.
    """
    roll_back, text = _judge(serving, before, loss, policy)
    fingerprint = sha256(canonical_json({"from": serving, "to": before}).encode())
    return RollbackDecision(
        roll_back=roll_back, to=before, headline=text, loss=loss, fingerprint=fingerprint
    )


def _judge(
    serving: str, before: str | None, loss: PairedLoss | Missing, policy: RollbackPolicy
) -> tuple[bool, str]:
    if before is None:
        return False, f"{serving} is the first release there; there is nothing to go back to"
    if isinstance(loss, Missing):
        return False, f"{before} was not compared: {loss.reason}"
    total, days = loss.total, len(loss.days)
    if total.n < policy.minimum_labelled or days < policy.minimum_days:
        needed = f"{policy.minimum_labelled:,} rows of {policy.minimum_days} days are needed"
        return False, f"{before} was compared on {total.n:,} rows of {days} days only; {needed}"
    error = loss.standard_error
    z = loss.mean / error if error else math.copysign(1e9, loss.mean) if loss.mean else 0.0
    better = loss.mean > policy.margin * total.serving / total.n and exceeds(z, days, policy.z)
    word = "is better" if better else "is not better beyond doubt"
    return better, f"{before} {word}: {_numbers(serving, total, days, z)}"


def _numbers(serving: str, total: DayLoss, days: int, z: float) -> str:
    """Say both losses on the same rows, and how far apart they are."""
    ours, theirs = total.serving / total.n, total.before / total.n
    said = (
        f"its mean loss is {theirs:,.4f}, that of {serving} {ours:,.4f}, on the same "
        f"{total.n:,} labelled rows of {days} days"
    )
    if ours == theirs:
        return said
    way = "lower" if theirs < ours else "higher"
    share = f" ({abs(ours - theirs) / ours:.0%})" if ours else ""
    sure = f"{abs(z):.1f} standard errors" if abs(z) < 1e6 else "alike on every day"
    return f"{said}; {way} by {abs(ours - theirs):,.4f}{share}, {sure}"


def feature_types(features: Sequence[Feature]) -> dict[str, str]:
    """Return the SQL type that each feature is answered from."""
    return {feature.name: SQL_TYPES[feature.type] for feature in features}


def answered_rows(look: Look, features: Sequence[Feature], windows: Sequence[Span]) -> str:
    """Return the SQL of labelled rows as day, y, score and the features in order.

    Args:
        look: log and labels as they were read, with these features.
        features: what the release before wants to see; missing ones read as null.
        windows: whose answers count.
    """
    types = feature_types(features).items()
    columns = "".join(f", TRY_CAST({feature_column(name)} AS {kind})" for name, kind in types)
    return (
        f"SELECT t::DATE, lower(trim(y)), score{columns} FROM ({look.inside(windows)})"
        " WHERE y IS NOT NULL"
    )


def pair(
    task: Task,
    days: Sequence[date],
    truth: Sequence[str],
    serving: Sequence[float | None],
    before: Sequence[float | None],
) -> PairedLoss:
    """Return the paired loss of one batch; rows whose label or score is none are left out.

    Args:
        task: binary (log loss) or regression (squared error).
        days: of the predictions, shape (n,).
        truth: labels as text, shape (n,).
        serving, before: the scores of both releases, shape (n,).
    """
    kept: dict[date, DayLoss] = {}
    for day, label, now, then in zip(days, truth, serving, before, strict=True):
        ours, theirs = _loss(task, label, now), _loss(task, label, then)
        if ours is not None and theirs is not None:
            gap = (ours - theirs) ** 2
            one = DayLoss(n=1, serving=ours, before=theirs, squares=gap)
            kept[day] = kept.get(day, DayLoss()) + one
    return PairedLoss(days=kept)


def _loss(task: Task, label: str, score: float | None) -> float | None:
    """Return the loss of one answer; None if it, or its label, is none."""
    if score is None or not math.isfinite(score):
        return None
    if task != "regression":
        return _log_loss(label, score) if 0 <= score <= 1 else None
    try:
        error = float(label) - score
    except ValueError:
        return None
    return error * error if abs(error) < LARGEST_ERROR else None


def _log_loss(label: str, score: float) -> float | None:
    if label not in (*TRUE_WORDS, *FALSE_WORDS):
        return None
    given = score if label in TRUE_WORDS else 1 - score
    return -math.log(max(given, SMALLEST_PROBABILITY))
