"""What the monitor saw, as Markdown: harm first, then the predictions, then the features."""

from collections.abc import Sequence

from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import ColumnDrift, DriftReport
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.charts.bars import sparkline
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.marks import mark
from ml_gitops.render.numbers import count, duration, percent
from ml_gitops.render.tables import Align, code, details, escape, table
from ml_gitops.report import Report

TOP_FEATURES = 10


def retraining_body(observation: Observation, report: Report) -> str:
    """Say why a retraining is proposed, what it would bring, and what merging or closing does.

    Args:
        observation: the evidence.
        report: the candidate, trained and judged already.
    """
    return "\n\n".join(
        [
            (
                f"**{escape(observation.retrain.headline)}.** This pull request advances the "
                f"data lock to {report.lock.window}; the candidate is trained and judged already."
            ),
            f"**The gate says:** {escape(report.headline)}",
            "### Why it opened",
            _reasons(observation),
            quality_table(observation),
            "### What it would bring",
            (
                f"Candidate and {code(observation.release)} answered the same "
                f"{report.holdout_rows:,} rows of {report.split.holdout}; neither has learned "
                "from them."
            ),
            _brings(report),
            "### What it costs and what happens next",
            (
                f"- training took {duration(report.fit_seconds)} to fit and "
                f"{duration(report.cpu_seconds)} of processor time; CI finds the run by its "
                "key and does not train again\n"
                "- **if you merge**, CD ships exactly this candidate, stages it and proposes it to "
                f"{escape(observation.environment)}\n"
                "- **if you close**, the same evidence does not come back; other evidence does\n"
                "- **if you commit to this branch**, the bot leaves it to you"
            ),
            details(
                "What drifted: the last window beside the training data",
                drift_table(observation.drift),
            ),
            details("The candidate's full report", to_markdown(report)),
        ]
    )


def incident_title(observation: Observation) -> str:
    """Return the title of the issue."""
    if observation.retrain.want == "watch":
        return f"{observation.model}: data drifts"
    if observation.drift and observation.drift[-1].breaks:
        return f"{observation.model}: data breaks its contract"
    return f"{observation.model}: quality fell, and retraining cannot help yet"


def incident_body(observation: Observation) -> str:
    """Say what a person should look at, and what the bot does meanwhile."""
    return "\n\n".join(
        [
            f"**{escape(observation.retrain.headline)}.**",
            _reasons(observation),
            quality_table(observation),
            drift_table(observation.drift),
            (
                "This issue follows the evidence and closes itself when the windows "
                "are well again. If you close it, the same evidence does not come back."
            ),
        ]
    )


def quality_table(observation: Observation) -> str:
    """Return every window's quality beside what was promised."""
    parts = [_metric_table(metric, observation) for metric in observation.health.metrics]
    return "\n\n".join(parts)


def _metric_table(metric: MetricHealth, observation: Observation) -> str:
    known = METRICS[metric.metric]
    rows = []
    for window, seen in zip(metric.windows, observation.windows, strict=False):
        rows.append(
            [
                f"{window.since:%Y-%m-%d} to {window.until:%Y-%m-%d}",
                f"{seen.predictions:,}",
                percent(seen.coverage, digits=0),
                known.text(window.value) if window.value is not None else "–",
                known.text(-window.drop, signed=True) if window.drop is not None else "–",
                f"{window.z:.1f}" if window.z is not None else "–",
                _window_state(usable=window.usable, bad=window.bad),
            ]
        )
    header = ["window", "predictions", "labelled", known.label, "against promise", "z", ""]
    align: list[Align] = ["left", "right", "right", "right", "right", "right", "left"]
    promised = (
        f"\n\nPromised: {known.text(metric.reference.value)} on "
        f"{count(metric.reference.n, 'row')} of the holdout; {known.text(metric.allowed)} worse is "
        "allowed. A window is bad if it is worse by more, and by more than chance explains: z is "
        "the drop in standard errors."
        if metric.reference is not None and metric.allowed is not None
        else ""
    )
    return table([escape(name) for name in header], rows, align) + promised


def _window_state(*, usable: bool, bad: bool) -> str:
    if not usable:
        return mark("unknown")
    return "bad ✗" if bad else "well ✓"


def _reasons(observation: Observation) -> str:
    return "\n".join(f"- {escape(reason)}" for reason in observation.retrain.reasons)


def _brings(report: Report) -> str:
    """Return the comparison in one small table."""
    rows = []
    for change in report.comparison.changes:
        metric, difference = METRICS[change.metric], change.difference
        low, high = (metric.text(end, signed=True) for end in (difference.low, difference.high))
        rows.append(
            [
                escape(metric.label),
                metric.text(change.baseline),
                metric.text(change.candidate),
                metric.text(difference.estimate, signed=True),
                f"{low} to {high}",
            ]
        )
    if not rows:
        return "The two could not be compared; the full report says why."
    return table(["metric", "now", "candidate", "change (+ is better)", "90% interval"], rows)


def drift_table(drift: Sequence[DriftReport]) -> str:
    """Return the predictions and the features that matter, over the windows."""
    if not drift:
        return "No window was scanned."
    last = drift[-1]
    shown = [last.prediction, *last.columns[:TOP_FEATURES]]
    rows = [_drift_row(column, drift) for column in shown]
    hidden = len(last.columns) - TOP_FEATURES
    more = f"\n\n*{count(hidden, 'more feature')} with less weight.*" if hidden > 0 else ""
    header = ["column", "importance", "shift w", "over the windows", "missing", ""]
    align: list[Align] = ["left", "right", "right", "left", "right", "left"]
    return f"{escape(last.text)}.\n\n{table(header, rows, align)}{more}"


def _drift_row(column: ColumnDrift, drift: Sequence[DriftReport]) -> list[str]:
    effects = [
        one.effect
        for report in drift
        for one in (report.prediction, *report.columns)
        if one.name == column.name
    ]
    named = "predictions" if column is drift[-1].prediction else code(column.name)
    return [
        named,
        "" if column is drift[-1].prediction else percent(column.weight, digits=0),
        f"{column.effect:.2f}",
        sparkline(effects, low=0.0, high=max(0.5, *effects)),
        percent(column.null_rate),
        f"drifts ▲ ({', '.join(column.reasons)})" if column.drifted else "as before",
    ]
