"""One frozen verdict for pytest, the command line, the report and the monitor."""

import math
from dataclasses import dataclass

from pydantic import Field

from ml_gitops.document import Part
from ml_gitops.model.interval import Measurement, PairedDifference, n_needed
from ml_gitops.model.metric_change import Change, SliceChange
from ml_gitops.model.metrics import METRICS, Metric

Numbers = dict[str, float | int | str | None]


class Verdict(Part):
    """What one rule says: true, false, or cannot tell.

    Attributes:
        ok: None when the rows do not decide it.
        rule: the rule's name, such as `champion` or `slice`.
        text: one sentence with the numbers.
        brief: what is worse and by how much, for a list; empty unless that is proven.
        blocking: whether anything but true blocks; else it warns.
        data: the numbers of the sentence.
    """

    ok: bool | None
    rule: str
    text: str
    brief: str = ""
    blocking: bool = True
    data: Numbers = Field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether it is true; "cannot tell" is not."""
        return self.ok is True

    def __repr__(self) -> str:
        return self.text if self.ok is not None else f"cannot tell: {self.text}"

    __str__ = __repr__


@dataclass(frozen=True)
class Least:
    """The least evidence that decides anything; of less, the answer is "cannot tell".

    Attributes:
        days, rows: independent units, whichever they are.
        rarest: rows of the rarest class, where the metric hangs on them.
    """

    days: int = 5
    rows: int = 30
    rarest: int = 30

    def lacking(self, change: Change) -> str | None:
        """Say what a change has too little of, and how much is needed; None if it has enough."""
        spread, wanted = change.difference, self._units(change)
        if spread.units < wanted:
            return f"{spread.units:,} {spread.unit}, {wanted:,} are needed"
        if change.rarest is not None and change.rarest < self.rarest:
            return f"{change.rarest:,} rows of the rarer class, {self.rarest:,} are needed"
        return None

    def units(self, change: Change, allowed: float) -> int | None:
        """Return how many units would show an equal model to be not worse, at 80% power.

        Args:
            change: what was measured.
            allowed: the loss that is allowed, in the metric's unit.

        Returns:
            Days or rows, as the change has them; None if no number of them would.
        """
        spread = change.difference
        if change.rarest == 0 or (allowed <= 0 and spread.standard_error > 0):
            return None
        rare = math.ceil(spread.units * self.rarest / change.rarest) if change.rarest else 0
        enough = n_needed(spread, allowed) if spread.standard_error else 0
        return max(self._units(change), rare, enough)

    def _units(self, change: Change) -> int:
        return self.days if change.difference.unit == "days" else self.rows


def not_worse(
    change: Change,
    margin: float | None = None,
    *,
    champion: str = "the champion",
    least: Least = Least(),
) -> Verdict:
    """Judge one change by non-inferiority: its whole 90% interval lies above the allowed loss.

    Args:
        change: of a metric, on paired rows.
        margin: the allowed loss, relative for losses; the metric's default if None.
        champion: how the sentence calls the baseline.
        least: what a change needs to decide anything.

    Returns:
        False if it is worse beyond doubt, None if the rows cannot tell.
    """
    metric, difference = METRICS[change.metric], change.difference
    allowed = metric.allowed(margin, change.baseline)
    lacking, needed = least.lacking(change), least.units(change, allowed)
    identical = difference.standard_error == 0 and difference.estimate == 0
    ok = True if difference.low > -allowed or identical else None
    if lacking or (ok is None and difference.high < 0):
        ok = None if lacking else False
    data: Numbers = {
        "metric": metric.name,
        "candidate": change.candidate,
        "champion": change.baseline,
        "allowed": allowed,
        "needed": needed,
        **difference.model_dump(),
    }
    text = _sentence(change, champion, allowed, ok=ok, lacking=lacking)
    text += f", on {_count(difference)}"
    if ok is None and needed is not None and needed > difference.units:
        text += f"; about {needed:,} {difference.unit} would tell"
    brief = f"{metric.label} by {_size(change)}" if ok is False else ""
    return Verdict(ok=ok, rule="champion", text=text, brief=brief, data=data)


def _sentence(
    change: Change, champion: str, allowed: float, *, ok: bool | None, lacking: str | None
) -> str:
    """Say what a change means beside the loss that is allowed."""
    metric = METRICS[change.metric]
    loss = metric.text(allowed, beside=change.baseline)
    values = f"{_values(change)} of {champion}"
    if lacking:
        return f"{metric.label} cannot be judged on {lacking}: {values}, {describe(change)}"
    if ok is False:
        return f"{metric.label} is {describe(change)} where {loss} is allowed: {values}"
    if change.difference.low > 0:
        return f"{metric.label} is {describe(change)}: {values}"
    word = "holds" if ok else "may be worse"
    return f"{metric.label} {word}: {values}, {describe(change)}; {loss} worse is allowed"


def limited(metric: Metric, measured: Measurement, limit: float) -> Verdict:
    """Judge a value by its own limit: at least a score, at most a loss.

    The point value decides, because the author chose the limit; the interval is shown.
    """
    ok = metric.sign * (measured.value - limit) >= 0
    word = "at least" if metric.higher_is_better else "at most"
    ends = metric.clip(*measured.interval)
    low, high = (metric.text(end, beside=measured.value) for end in ends)
    text = (
        f"{metric.label} {metric.text(measured.value)} (90% interval {low} to {high}) "
        f"{'is' if ok else 'is not'} {word} {metric.text(limit, beside=measured.value)}"
    )
    data: Numbers = {"metric": metric.name, "value": measured.value, "limit": limit}
    return Verdict(ok=ok, rule="minimum", text=text, data=data)


def worse_slice(
    one: SliceChange, change: Change, allowed: float, chance: float, among: int
) -> Verdict:
    """Say that a slice is worse beyond doubt and beyond what is allowed.

    Args:
        one, change: the slice and its change.
        allowed: the loss that is allowed, in the metric's unit.
        chance: its p-value, adjusted for the slices that were judged.
        among: how many those were.
    """
    metric = METRICS[change.metric]
    text = (
        f"{metric.label} of {one} is {describe(change)} where "
        f"{metric.text(allowed, beside=change.baseline)} is allowed: {_values(change)}, on "
        f"{one.n:,} rows (p {'< 0.001' if chance < 0.001 else f'= {chance:.3f}'}, adjusted for "
        f"{among} slices)"
    )
    data: Numbers = {
        "column": one.column,
        "value": one.value,
        "n": one.n,
        "p": chance,
        "allowed": allowed,
        "estimate": change.difference.estimate,
    }
    brief = f"{one} by {_size(change)}"
    return Verdict(ok=False, rule="slice", text=text, brief=brief, data=data)


def describe(change: Change) -> str:
    """Return a change in words: `better by 0.0031 (90% interval 0.0010 to 0.0052)`."""
    metric, difference = METRICS[change.metric], change.difference
    if difference.estimate == 0 and difference.standard_error == 0:
        return "no better and no worse"
    # The interval speaks of what the word says, so that no sign has to be turned in the head.
    worse = difference.estimate < 0
    ends = (-difference.high, -difference.low) if worse else (difference.low, difference.high)
    low, high = (metric.text(end, beside=change.baseline) for end in ends)
    return f"{'worse' if worse else 'better'} by {_size(change)} (90% interval {low} to {high})"


def _size(change: Change) -> str:
    metric, difference = METRICS[change.metric], change.difference
    return metric.text(abs(difference.estimate), beside=change.baseline)


def _values(change: Change) -> str:
    """Return both values of a change: `0.7031 against 0.7000`."""
    metric, known = METRICS[change.metric], change.baseline
    return f"{metric.text(change.candidate, beside=known)} against {metric.text(known)}"


def _count(difference: PairedDifference) -> str:
    """Return how many rows there were, and of how many days where those are what counts."""
    rows = f"{difference.n:,} rows"
    return rows if difference.days is None else f"{rows} of {difference.days} days"
