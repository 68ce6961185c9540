"""One frozen verdict for pytest, the command line, the report and the monitor."""

from pydantic import Field

from ml_gitops.document import Part
from ml_gitops.model.comparison import Change
from ml_gitops.model.evaluation import MetricValue
from ml_gitops.model.interval import PairedDifference
from ml_gitops.model.metrics import METRICS, Metric

Numbers = dict[str, float | int | str | None]


class Verdict(Part):
    """What one rule says: true, false, or cannot tell.

    Attributes:
        ok: None when the rows do not decide it.
        rule: the rule's name, such as `champion` or `slice`.
        text: one sentence with the numbers.
        blocking: whether anything but true blocks; else it warns.
        data: the numbers of the sentence.
    """

    ok: bool | None
    rule: str
    text: str
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
    better = " better:" if difference.low > 0 else ""
    text = (
        f"{metric.label}{better} {metric.text(change.candidate)} against "
        f"{metric.text(change.baseline)} of {champion}, "
        f"{describe(change)}, allowed loss {metric.text(allowed)}, n={_count(difference)}"
    )
    data: Numbers = {
        "metric": metric.name,
        "candidate": change.candidate,
        "champion": change.baseline,
        "allowed": allowed,
        **difference.model_dump(),
    }
    return Verdict(ok=ok, rule="champion", text=text, data=data)


def limited(metric: Metric, measured: MetricValue, limit: float) -> Verdict:
    """Judge a value by its own limit: at least a score, at most a loss.

    The point value decides, because the author chose the limit; the interval is shown.
    """
    ok = metric.sign * (measured.value - limit) >= 0
    word = "at least" if metric.higher_is_better else "at most"
    text = (
        f"{metric.label} {metric.text(measured.value)} [{metric.text(measured.low)}, "
        f"{metric.text(measured.high)}] {'is' if ok else 'is not'} {word} {metric.text(limit)}"
    )
    data: Numbers = {"metric": metric.name, "value": measured.value, "limit": limit}
    return Verdict(ok=ok, rule="minimum", text=text, data=data)


def describe(change: Change) -> str:
    """Return a change with its interval, plus is better: `change +0.0031 [-0.0020, +0.0082]`."""
    metric, difference = METRICS[change.metric], change.difference
    low, high = (metric.text(end, signed=True) for end in (difference.low, difference.high))
    return f"change {metric.text(difference.estimate, signed=True)} [{low}, {high}]"


def _count(difference: PairedDifference) -> str:
    """Return how many rows there were, and of how many days where those are what counts."""
    if difference.units == difference.n:
        return f"{difference.n:,}"
    return f"{difference.n:,} rows of {difference.units} days"
