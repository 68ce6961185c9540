"""The folded half of a report: every rule, slice, feature and check, and what went in."""

from collections.abc import Iterator

from ml_gitops.document import Missing
from ml_gitops.model.comparison import SliceChange
from ml_gitops.model.lineage import short
from ml_gitops.model.metrics import METRICS
from ml_gitops.render.marks import mark
from ml_gitops.render.numbers import duration, number, percent
from ml_gitops.render.tables import code, details, escape, table
from ml_gitops.report import Report


def _findings(report: Report) -> str:
    rows = [
        [mark(_state(ok=one.ok, blocking=one.blocking)), escape(one.rule), escape(one.text)]
        for one in report.gate.findings
    ]
    return table(["", "rule", "finding"], rows, ["left", "left", "left"])


def _state(*, ok: bool | None, blocking: bool) -> str:
    if ok:
        return "pass"
    if ok is None:
        return "unknown"
    return "block" if blocking else "warn"


def folded_sections(report: Report) -> Iterator[str]:
    """Yield what only some reviewers open: rules, slices, importances, checks, lineage."""
    yield details("Every rule of the gate", _findings(report))
    comparison = report.comparison
    if comparison.slices:
        rows = [_slice_row(one) for one in comparison.slices]
        metric = METRICS[comparison.primary].label
        header = ["slice", "n", "champion", "candidate", "change", "90% interval"]
        yield details(f"{escape(metric)} by slice", table(header, rows))
    importances = sorted(comparison.candidate.importances, key=lambda one: -one.value)
    if importances:
        rows = [
            [escape(one.feature), number(one.value, digits=4), number(one.standard_error, digits=4)]
            for one in importances
        ]
        metric = METRICS[comparison.primary].label
        yield details(
            f"What it uses: loss of {escape(metric)} when a feature is shuffled",
            table(["feature", "loss", "standard error"], rows),
        )
    if not isinstance(report.checks, Missing):
        rows = [
            [
                mark({"passed": "pass", "failed": "fail", "skipped": "skip"}[one.outcome]),
                escape(one.about),
                escape(one.message, limit=200),
                duration(one.seconds),
            ]
            for one in report.checks.outcomes
        ]
        yield details(
            "Every check",
            table(["", "check", "message", "time"], rows, ["left", "left", "left", "right"]),
        )
    yield details("What went in", _lineage(report))


def _slice_row(one: SliceChange) -> list[str]:
    change = one.change
    if isinstance(change, Missing):
        return [escape(str(one)), f"{one.n:,}", "", "", escape(change.reason), ""]
    metric, difference = METRICS[change.metric], change.difference
    low, high = (metric.text(end, signed=True) for end in (difference.low, difference.high))
    return [
        escape(str(one)),
        f"{one.n:,}",
        metric.text(change.baseline),
        metric.text(change.candidate),
        metric.text(difference.estimate, signed=True),
        f"{low} to {high}",
    ]


def _lineage(report: Report) -> str:
    changed = ", ".join(report.changed) if report.changed else "nothing"
    champion = report.comparison.champion
    rows = [
        ["run key", code(short(report.run_key))],
        ["ONNX file", code(short(report.model_digest))],
        [
            "locked rows",
            f"{report.lock.rows:,} in {report.lock.window}, {code(short(report.lock.digest))}",
        ],
        [
            "holdout",
            (
                f"{report.holdout_rows:,} rows, "
                f"{code(short(report.comparison.candidate.holdout_digest))}"
            ),
        ],
    ]
    if isinstance(champion, str):
        rows.append(["differs from the champion in", escape(changed)])
    positives = report.comparison.candidate.positives
    if positives is not None:
        rows.append(["positives in the holdout", percent(positives / report.holdout_rows)])
    return table(["", ""], rows, ["left", "left"])
