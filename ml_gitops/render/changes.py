"""A candidate beside the champion as cells of a table, equal on every surface.

All numbers of a row have the same precision, plus is better in every difference, and the last
cell says in a word what the interval shows.
"""

from collections.abc import Iterator

from ml_gitops.document import Missing
from ml_gitops.model.comparison import Comparison
from ml_gitops.model.metric_change import Change, SliceChange
from ml_gitops.model.metrics import METRICS, metrics_of
from ml_gitops.render.numbers import NOTHING
from ml_gitops.report import Report

HEADER = ("candidate", "change", "90% interval", "")
"""What stands right of the champion's column."""
NOTE = (
    "A change with a plus is better, also for losses; unclear means that its interval holds zero."
)


def cells(change: Change, said: str) -> list[str]:
    """Return champion, candidate, change, interval and the word for them, which is given."""
    metric, known, difference = METRICS[change.metric], change.baseline, change.difference
    gain, low, high = (
        metric.text(one, signed=True, beside=known)
        for one in (difference.estimate, difference.low, difference.high)
    )
    return [
        metric.text(known),
        metric.text(change.candidate, beside=known),
        gain,
        f"{low} to {high}",
        said,
    ]


def metric_word(report: Report, change: Change) -> str:
    """Return what the rows show of a metric, in a word."""
    return "cannot tell" if change.metric in report.gate.small_metrics else _word(change)


def slice_word(report: Report, one: SliceChange) -> str:
    """Return what the rows of a slice show, in a word; nothing where they define no metric."""
    if isinstance(one.change, Missing):
        return ""
    small = (one.column, one.value) in report.gate.small_slices
    return "too small to tell" if small else _word(one.change)


def _word(change: Change) -> str:
    """Return what the 90% interval shows: better, worse, unclear, or equal in every row."""
    difference = change.difference
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "equal" if difference.low == difference.high else "unclear"


def rows(report: Report) -> Iterator[tuple[str, list[str]]]:
    """Yield every metric of the task with its cells, the deciding one first.

    A metric that one of the two does not define keeps its row, and the row says why.
    """
    comparison = report.comparison
    names = metrics_of(comparison.candidate.task)
    for name in sorted(names, key=lambda name: name != comparison.primary):
        change = comparison.change(name)
        known = cells(change, metric_word(report, change)) if change else None
        yield name, known or _undefined(name, comparison)


def _undefined(name: str, comparison: Comparison) -> list[str]:
    values, why = [], comparison.undefined.get(name, NOTHING)
    for one in (comparison.baseline, comparison.candidate):
        if isinstance(one, Missing):
            values.append(NOTHING)
        elif name in one.metrics:
            values.append(METRICS[name].text(one.metrics[name].value))
        else:
            values.append("undefined")
            why = one.undefined.get(name, why)
    return [*values, NOTHING, why, ""]
