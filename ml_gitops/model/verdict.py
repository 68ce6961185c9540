"""One frozen verdict for pytest, the command line, the report and the monitor."""

from pydantic import Field

from ml_gitops.document import Part
from ml_gitops.model.comparison import Change, SliceChange
from ml_gitops.model.interval import Measurement, PairedDifference
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


def not_worse(
    change: Change, margin: float | None = None, *, champion: str = "the champion"
) -> Verdict:
    """Judge one change by non-inferiority: its whole 90% interval lies above the allowed loss.

    Args:
        change: of a metric, on paired rows.
        margin: the allowed loss, relative for losses; the metric's default if None.
        champion: how the sentence calls the baseline.

    Returns:
        False if it is worse beyond doubt, None if the rows cannot tell.
    """
    metric, difference = METRICS[change.metric], change.difference
    allowed = metric.allowed(margin, change.baseline)
    identical = difference.standard_error == 0 and difference.estimate == 0
    ok = (
        True if difference.low > -allowed or identical else (False if difference.high < 0 else None)
    )
    loss = metric.text(allowed, beside=change.baseline)
    values = f"{_values(change)} of {champion}"
    if difference.low > 0:
        text = f"{metric.label} is {describe(change)}: {values}"
    elif ok:
        text = f"{metric.label} holds: {values}, {describe(change)}; {loss} worse is allowed"
    elif ok is None:
        text = f"{metric.label} may be worse: {values}, {describe(change)}; "
        text += f"{loss} worse is allowed"
    else:
        text = f"{metric.label} is {describe(change)} where {loss} is allowed: {values}"
    text += f", on {_count(difference)}"
    data: Numbers = {
        "metric": metric.name,
        "candidate": change.candidate,
        "champion": change.baseline,
        "allowed": allowed,
        **difference.model_dump(),
    }
    brief = f"{metric.label} by {_size(change)}" if ok is False else ""
    return Verdict(ok=ok, rule="champion", text=text, brief=brief, data=data)


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
