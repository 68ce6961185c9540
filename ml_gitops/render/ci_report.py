"""The report of a candidate as Markdown: the verdict first, then what a reviewer asks, in order."""

from ml_gitops.checks import CheckOutcomes
from ml_gitops.document import Missing
from ml_gitops.model.comparison import Change, SliceChange
from ml_gitops.model.interval import Measurement
from ml_gitops.model.lineage import short
from ml_gitops.model.metrics import METRICS
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import count, duration, size
from ml_gitops.render.report_details import folded_sections
from ml_gitops.render.tables import code, escape, table
from ml_gitops.report import Report

NEXT = {
    "pass": "**Next:** merge it; CD ships exactly this file, without training again.",
    "warn": "**Next:** read the findings marked ▲; if they are acceptable, merge. "
    "CD ships exactly this file.",
    "block": "**Next:** do not merge. Change the code, the data or the parameters and push; "
    "this comment follows the branch.",
}


def to_markdown(report: Report) -> str:
    """Return the report as Markdown for a pull request."""
    parts = [
        _title(report),
        f"**{escape(report.headline)}**",
        _gate_changes(report),
        _metrics(report),
        _worse(report),
        _data(report),
        _checks(report),
        _artifact(report),
        NEXT[report.verdict],
        *folded_sections(report),
    ]
    return "\n\n".join(part for part in parts if part)


def _title(report: Report) -> str:
    word = {"pass": "may merge", "warn": "may merge, with a warning", "block": "should not merge"}
    symbol = mark_of(report.verdict).symbol
    return f"## {symbol} {code(report.model)} {word[report.verdict]}"


def _gate_changes(report: Report) -> str:
    """Say that the change judges itself by other rules than the default branch has."""
    if not report.gate_changes:
        return ""
    lines = "\n".join(f"- {escape(change)}" for change in report.gate_changes)
    return f"**▲ This change alters the gate that judges it:**\n{lines}"


def _metrics(report: Report) -> str:
    """Return candidate beside champion on the same rows, the deciding metric first."""
    comparison = report.comparison
    champion = comparison.champion
    if isinstance(comparison.baseline, Missing):
        rows = [_value_row(name, one, comparison.primary) for name, one in _primary_first(report)]
        text = table(["metric", "candidate", "90% interval"], rows)
        note = f"Not compared with a champion: {escape(comparison.baseline.reason)}."
    else:
        rows = [_change_row(change, comparison.primary) for change in comparison.changes]
        named = code(champion) if isinstance(champion, str) else "champion"
        text = table(["metric", named, "candidate", "change", "90% interval"], rows)
        note = "A change with a plus is better, also for losses."
    alone = isinstance(comparison.baseline, Missing)
    judged = (
        f"Judged on {count(report.holdout_rows, 'row')} of {report.split.holdout} that "
        f"{'the candidate did not learn from' if alone else 'neither learned from'}. {note}"
    )
    return f"{text}\n\n{judged}{_power(report)}{_undefined(report)}"


def _undefined(report: Report) -> str:
    """Say which metrics these rows do not define, and why; none disappears without a word."""
    comparison = report.comparison
    alone = isinstance(comparison.baseline, Missing)
    reasons = comparison.candidate.undefined if alone else comparison.undefined
    told = "; ".join(f"{METRICS[name].label} ({reason})" for name, reason in reasons.items())
    return f"\n\nNot defined on these rows: {escape(told)}." if told else ""


def _primary_first(report: Report) -> list[tuple[str, Measurement]]:
    measured = report.comparison.candidate.metrics
    primary = report.comparison.primary
    order = [primary, *(name for name in METRICS if name != primary)]
    return [(name, measured[name]) for name in order if name in measured]


def _metric_name(name: str, primary: str) -> str:
    label = escape(METRICS[name].label)
    return f"**{label}** (decides)" if name == primary else label


def _value_row(name: str, measured: Measurement, primary: str) -> list[str]:
    metric = METRICS[name]
    low, high = (metric.text(end) for end in metric.clip(*measured.interval))
    return [_metric_name(name, primary), metric.text(measured.value), f"{low} to {high}"]


def _change_row(change: Change, primary: str) -> list[str]:
    metric, difference = METRICS[change.metric], change.difference
    low, high = (metric.text(end, signed=True) for end in (difference.low, difference.high))
    return [
        _metric_name(change.metric, primary),
        metric.text(change.baseline),
        metric.text(change.candidate),
        metric.text(difference.estimate, signed=True),
        f"{low} to {high}",
    ]


def _power(report: Report) -> str:
    """Say how small a loss this holdout could have found."""
    gate = report.gate
    if gate.mdd is None or gate.units is None:
        return ""
    metric, unit = METRICS[gate.metric], "day" if gate.unit == "days" else "row"
    told = (
        f" These {count(gate.units, unit)} would find a loss of {metric.text(gate.mdd)} four times "
        "in five"
    )
    if gate.n_needed is not None and gate.n_needed > gate.units:
        told += f"; {count(gate.n_needed, unit)} would be needed to find the allowed loss"
    return f"{told}."


def _worse(report: Report) -> str:
    """Say what got worse; good news is short."""
    comparison = report.comparison
    if isinstance(comparison.baseline, Missing):
        return ""
    lines = [
        f"- {_metric_line(change)}" for change in comparison.changes if change.difference.high < 0
    ]
    fallen = [
        one
        for one in comparison.slices
        if isinstance(one.change, Change) and one.change.difference.high < 0
    ]
    fallen.sort(key=lambda one: one.change.difference.estimate)  # type: ignore[union-attr]
    lines += [f"- {_slice_line(one)}" for one in fallen[:5]]
    if not isinstance(comparison.flips, Missing):
        flips = comparison.flips
        lines.append(
            f"- decisions at one half: {flips.worsened:,} rows turned wrong, {flips.improved:,} "
            f"turned right, of {flips.n:,}"
        )
    if comparison.slices and not fallen:
        lines.append("- no slice is worse beyond its 90% interval")
    if not lines:
        lines.append("- nothing, beyond its 90% interval")
    more = f"\n- and {len(fallen) - 5} more slices" if len(fallen) > 5 else ""
    return "**What got worse**\n" + "\n".join(lines) + more


def _metric_line(change: Change) -> str:
    metric, difference = METRICS[change.metric], change.difference
    return (
        f"{escape(metric.label)}: {metric.text(change.baseline)} → "
        f"{metric.text(change.candidate)} (change {metric.text(difference.estimate, signed=True)})"
    )


def _slice_line(one: SliceChange) -> str:
    change = one.change
    if isinstance(change, Missing):
        return f"{escape(str(one))}: {escape(change.reason)}"
    metric, difference = METRICS[change.metric], change.difference
    return (
        f"{escape(str(one))}: {metric.text(change.baseline)} → {metric.text(change.candidate)} "
        f"(change {metric.text(difference.estimate, signed=True)}, n = {one.n:,})"
    )


def _data(report: Report) -> str:
    lock, base = report.lock, report.base_lock
    text = f"**Data:** learned from {count(report.train_rows, 'row')} of {report.split.train}"
    if not isinstance(base, Missing):
        if base.digest == lock.digest:
            text += ", the same rows as the default branch"
        else:
            more = lock.rows - base.rows
            text += (
                f"; the window moves from {base.window} to {lock.window} "
                f"({'+' if more >= 0 else '−'}{abs(more):,} rows)"
            )
    warnings = [v for v in report.validation.violations if v.severity == "warning"]
    if not report.validation.violations:
        return f"{text}. Every column keeps its contract."
    told = "; ".join(escape(str(violation)) for violation in warnings[:5])
    return f"{text}. {count(len(warnings), 'warning')}: {told}."


def _checks(report: Report) -> str:
    checks = report.checks
    if isinstance(checks, Missing):
        return f"**Checks:** none ran: {escape(checks.reason)}."
    counted = _counted(checks)
    failed = [one for one in checks.outcomes if one.outcome == "failed"]
    lines = [
        f"- {mark_of('fail').symbol} {escape(one.about)}: {escape(one.message, limit=400)}"
        for one in failed
    ]
    return "\n".join([f"**Checks:** {counted}.", *lines])


def _counted(checks: CheckOutcomes) -> str:
    counts = dict.fromkeys(("passed", "failed", "skipped"), 0)
    for one in checks.outcomes:
        counts[one.outcome] += 1
    return ", ".join(f"{n} {word}" for word, n in counts.items() if n or word == "passed")


def _artifact(report: Report) -> str:
    ratio = (
        f" ({report.model_bytes / report.champion_bytes:.2f} × the champion's)"
        if report.champion_bytes
        else ""
    )
    return (
        f"**What ships:** an ONNX file of {size(report.model_bytes)}{ratio}, "
        f"{code(short(report.model_digest))}. {escape(report.parity.text)}. "
        f"It took {duration(report.fit_seconds)} to fit and {duration(report.cpu_seconds)} of "
        "processor time in all."
    )
