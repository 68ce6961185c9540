"""What the monitor saw, as Markdown: harm first, then the predictions, then the features."""

from collections.abc import Sequence

from ml_gitops.document import Missing
from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import DriftReport
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.changes import HEADER, NOTE, rows
from ml_gitops.render.ci_report import got_worse, lock_move
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import count, duration
from ml_gitops.render.observation_tables import (
    DRIFT_ALIGN,
    DRIFT_HEADER,
    QUALITY_ALIGN,
    SHIFT_NOTE,
    drift_rows,
    hidden_features,
    quality_header,
    quality_rows,
)
from ml_gitops.render.tables import code, details, escape, table
from ml_gitops.report import Report


def retraining_body(observation: Observation, report: Report) -> str:
    """Say what the candidate brings, why it was trained, and what merging or closing does.

    Args:
        observation: the evidence.
        report: the candidate, trained and judged already.
    """
    return "\n\n".join(
        [
            f"**{mark_of(report.verdict).symbol} {escape(report.headline)}**",
            (
                f"{escape(observation.retrain.headline)}. This pull request retrains it on newer "
                "rows. The candidate is trained and judged already; its full report is in the "
                "comment below."
            ),
            "### Why now",
            _reasons(observation),
            quality_table(observation),
            "### What changes",
            _changes(observation, report),
            "### What it would bring",
            _brings(observation, report),
            got_worse(report),
            "### What happens next",
            (
                "- **If you merge**, CD ships exactly this candidate, stages it and proposes it to "
                f"{escape(observation.environment)}. It took {duration(report.fit_seconds)} to fit "
                f"and {duration(report.cpu_seconds)} of processor time; CI finds the run by its "
                "key and does not train again.\n"
                "- **If you close**, the same evidence does not come back; other evidence does.\n"
                "- **If you commit to this branch**, it is yours: the bot leaves it alone."
            ),
            details(
                "What drifted: the newest window beside the training data",
                drift_table(observation.drift),
            ),
        ]
    )


def _changes(observation: Observation, report: Report) -> str:
    """Say that the lock moves, and what else differs from what serves."""
    others = [one for one in report.differences or report.changed if not one.startswith("data")]
    return "\n".join(
        [
            f"- `data.lock.json` alone: {lock_move(report)}",
            (
                f"- the candidate learned from {count(report.train_rows, 'row')} of "
                f"{report.split.train} and was judged on {report.split.holdout}"
            ),
            *(f"- merged since {code(observation.release)}: {escape(one)}" for one in others),
        ]
    )


def _brings(observation: Observation, report: Report) -> str:
    """Return candidate and champion on the same rows."""
    comparison = report.comparison
    if isinstance(comparison.baseline, Missing):
        reason = escape(comparison.baseline.reason)
        return f"The two could not be compared: {reason}. The full report has the candidate alone."
    body = table(
        ["metric", code(observation.release), *HEADER],
        [[escape(METRICS[name].label), *map(escape, cells)] for name, cells in rows(report)],
        ["left", "right", "right", "right", "right", "left"],
    )
    return (
        f"Both answered the same {count(report.holdout_rows, 'row')} of {report.split.holdout}; "
        f"neither has learned from them.\n\n{body}\n\n{NOTE}"
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
            _advice(observation),
            quality_table(observation),
            drift_table(observation.drift),
            (
                "This issue follows the evidence and closes itself when the windows "
                "are well again. If you close it, the same evidence does not come back."
            ),
        ]
    )


def _advice(observation: Observation) -> str:
    """Say what a person can do that the bot cannot."""
    if observation.retrain.want == "watch":
        return (
            "**What to do:** nothing at once. Look whether the drift is meant, such as a season or "
            "a new product; the monitor proposes a retraining when quality falls."
        )
    if observation.drift and any(one.severity == "error" for one in observation.drift[-1].breaks):
        return (
            "**What to do:** find out what happened to the source of these columns, and mend it "
            "there. Until then nothing is retrained, so that no model learns from broken data."
        )
    return (
        "**What to do:** bring labels in, or look whether an earlier release is better: "
        f"{code(f'ml-gitops rollback --environment {observation.environment}')} proposes it."
    )


def quality_table(observation: Observation) -> str:
    """Return every window's quality beside what was promised, and what it was measured without."""
    parts = [_metric_table(metric, observation) for metric in observation.health.metrics]
    parts += [f"Note: {escape(remark)}." for remark in observation.remarks]
    return "\n\n".join(parts)


def _metric_table(metric: MetricHealth, observation: Observation) -> str:
    known, promise, allowed = METRICS[metric.metric], metric.reference, metric.allowed
    lines = [[escape(cell) for cell in row] for row in quality_rows(metric, observation)]
    header = [escape(name) for name in quality_header(metric)]
    text = table(header, lines, QUALITY_ALIGN)
    if promise is None or allowed is None:
        return text
    return (
        f"{text}\n\nPromised: {known.text(promise.value)} on {count(promise.n, 'row')} of the "
        f"holdout; {known.text(allowed, beside=promise.value)} worse is allowed. A window is bad "
        "if it is worse by more, and by too many standard errors to be chance."
    )


def _reasons(observation: Observation) -> str:
    return "\n".join(f"- {escape(reason)}" for reason in observation.retrain.reasons)


def drift_table(drift: Sequence[DriftReport]) -> str:
    """Return the predictions and the features that matter, over the windows."""
    if not drift:
        return "No window was scanned."
    lines = [
        [code(name) if place else name, *map(escape, cells)]
        for place, (name, *cells) in enumerate(drift_rows(drift))
    ]
    hidden = hidden_features(drift)
    more = f" {hidden}." if hidden else ""
    return (
        f"{escape(drift[-1].text)}.\n\n{table(DRIFT_HEADER, lines, DRIFT_ALIGN)}\n\n"
        f"*{SHIFT_NOTE} The bars are the windows, the newest last.{more}*"
    )
