"""The folded half of a report: every rule, slice, feature and check, and what went in."""

from collections.abc import Iterator, Sequence

from ml_gitops.checks import CheckOutcome
from ml_gitops.document import Missing
from ml_gitops.model.lineage import short
from ml_gitops.model.metric_change import SliceChange
from ml_gitops.model.metrics import METRICS
from ml_gitops.model.verdict import Verdict
from ml_gitops.render.blocks import Block, Fold, Paragraph, Table
from ml_gitops.render.changes import HEADER, cells, slice_word
from ml_gitops.render.marks import mark
from ml_gitops.render.numbers import count, duration, measured, percent
from ml_gitops.render.tables import Align, code, escape
from ml_gitops.report import Report

Row = tuple[str, ...]
ALIGN: tuple[Align, ...] = ("left", "right", "right")
"""Of a table whose first column is a name."""
_SLICES: tuple[Align, ...] = ("left", "right", "right", "right", "right", "right", "left")
_CHECKS: tuple[Align, ...] = ("left", "left", "right")
SMALL = (
    "A slice that is too small to tell was not judged; `slice_min_rows`, `slice_min_rarest` and "
    "`minimum_days` in [gate] say how large it must be."
)
OUTCOMES = {"passed": "pass", "failed": "fail", "skipped": "skip"}


def details_of(report: Report, *, most: int | None = None) -> Iterator[Fold]:
    """Yield what only some reviewers open: rules, slices, importances, checks, lineage.

    Args:
        report: what is told.
        most: rows of a table; what comes first matters most, and how many are left out is said.
    """
    rules = _cut(("", "rule", "finding"), _rules(report), ("left", "left", "left"), most)
    yield Fold("Every rule of the gate", (*rules, *power(report)))
    comparison = report.comparison
    metric = escape(METRICS[comparison.primary].label)
    if comparison.slices:
        lines = [_slice_row(one, report) for one in comparison.slices]
        table = _cut(("slice", "rows", "champion", *HEADER), lines, _SLICES, most)
        small = [Paragraph(SMALL)] if report.gate.small_slices else []
        yield Fold(f"{metric} by slice", (*table, *small))
    used = sorted(comparison.candidate.importances, key=lambda one: -one.value)
    if used:
        lines = [
            (escape(one.feature), measured(one.value), measured(one.standard_error)) for one in used
        ]
        yield Fold(
            f"What the candidate uses: how much worse {metric} gets when a feature is shuffled",
            tuple(_cut(("feature", "worse by", "standard error"), lines, ALIGN, most)),
        )
    if not isinstance(report.checks, Missing):
        lines = [
            (mark(OUTCOMES[one.outcome]), explained(one), duration(one.seconds))
            for one in sorted(report.checks.outcomes, key=lambda one: one.outcome != "failed")
        ]
        yield Fold("Every check", tuple(_cut(("", "check", "time"), lines, _CHECKS, most)))
    yield Fold("What went in", (_lineage(report),))


def _cut(
    header: Row, rows: Sequence[Row], align: tuple[Align, ...], most: int | None
) -> Iterator[Block]:
    """Yield a table, and say how many rows are left out."""
    shown = tuple(rows[:most])
    yield Table(header, shown, align)
    if len(shown) < len(rows):
        left = len(rows) - len(shown)
        yield Paragraph(f"*And {left:,} more; `ml-gitops report --html FILE` has all.*")


def _rules(report: Report) -> list[Row]:
    findings = sorted(report.gate.findings, key=bool)
    return [(mark(state_of(one)), escape(one.rule), escape(one.text)) for one in findings]


def state_of(one: Verdict) -> str:
    """Return the state of a finding: what does not hold blocks or warns, also if unproven."""
    if one.ok:
        return "pass"
    return "block" if one.blocking else "warn"


def explained(one: CheckOutcome) -> str:
    """Return a check and why it did not pass, on one line of Markdown."""
    if not one.message:
        return escape(one.name)
    return f"{escape(one.name.rstrip('.'))}: {escape(one.message, limit=200)}"


def power(report: Report) -> Iterator[Block]:
    """Say how small a loss these days (or rows) show, and how many show the allowed one."""
    gate, change = report.gate, report.comparison.change(report.gate.metric)
    if gate.power is None or change is None:
        return
    unit, units, needed = gate.power.unit[:-1], gate.power.units, gate.power.needed
    loss = METRICS[gate.metric].text(gate.power.detectable, beside=change.baseline)
    told = (
        f"With {count(units, unit)} of holdout, a candidate that is worse by {loss} is noticed "
        "four times in five; one that is worse by less, more rarely."
    )
    if needed is not None and needed > units:
        told += (
            " To notice as often a loss just above what the gate allows, it would take "
            f"{count(needed, unit)} of holdout."
        )
    yield Paragraph(told)


def _slice_row(one: SliceChange, report: Report) -> Row:
    if isinstance(one.change, Missing):
        return escape(str(one)), f"{one.n:,}", "", "", escape(one.change.reason), "", ""
    return escape(str(one)), f"{one.n:,}", *cells(one.change, slice_word(report, one))


def _lineage(report: Report) -> Block:
    holdout = short(report.comparison.candidate.holdout_digest)
    locked = f"{report.lock.rows:,} of {report.lock.window}, {code(short(report.lock.digest))}"
    lines = [
        ("run key", code(short(report.run_key))),
        ("ONNX file", code(short(report.model_digest))),
        ("locked rows", locked),
        ("holdout", f"{report.holdout_rows:,} rows, {code(holdout)}"),
    ]
    positives = report.comparison.candidate.positives
    if positives is not None:
        lines.append(("positives in the holdout", percent(positives / report.holdout_rows)))
    return Table(("", ""), tuple(lines), ("left", "left"))
