"""What the monitor saw, as Markdown: harm first, then the predictions, then the features."""

from collections.abc import Iterator, Sequence

from ml_gitops.document import Missing
from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import DriftReport
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.pull_request import Command, offered
from ml_gitops.render.blocks import Block, Fold, Heading, Items, Paragraph, Table, write_blocks
from ml_gitops.render.changes import HEADER, NOTE, rows
from ml_gitops.render.ci_report import lock_move
from ml_gitops.render.costs import got_worse
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import count, duration
from ml_gitops.render.observation_tables import (
    IMPORTANCE_NOTE,
    SHIFT_NOTE,
    drift_table,
    hidden_features,
    quality_table,
)
from ml_gitops.render.tables import code, escape
from ml_gitops.report import Report


def retraining_body(observation: Observation, report: Report) -> str:
    """Say what the candidate brings, why it was trained, and what merging or closing does.

    Args:
        observation: the evidence.
        report: the candidate, trained and judged already.
    """
    drifted = Fold(
        "What drifted: the newest window beside the training data",
        tuple(drift_blocks(observation.drift)),
    )
    return write_blocks(
        [
            Paragraph(f"**{mark_of(report.verdict).symbol} {escape(report.headline)}**"),
            *_unkept(observation, report),
            Paragraph(
                f"{escape(observation.retrain.headline)}. This pull request retrains it on newer "
                "rows. The candidate is trained and judged already; its full report is in the "
                "comment below."
            ),
            Heading("Why now", 3),
            *_reasons(observation),
            *quality_blocks(observation),
            Heading("What changes", 3),
            _changes(observation, report),
            Heading("What it would bring", 3),
            *_brings(observation, report),
            *got_worse(report),
            Heading("What happens next", 3),
            _next(observation, report),
            _boxes("train", "refresh", "snooze"),
            drifted,
        ]
    )


def _unkept(observation: Observation, report: Report) -> Iterator[Block]:
    """Say where a candidate beats a decayed champion, and is still not what was promised."""
    name = report.comparison.primary
    health = next((one for one in observation.health.metrics if one.metric == name), None)
    candidate = report.comparison.candidate.metrics.get(name)
    if health is None or health.reference is None or health.allowed is None or candidate is None:
        return
    metric, promised = METRICS[name], health.reference.value
    worse = metric.sign * (promised - candidate.value)
    if worse <= health.allowed:
        return
    by, now, allowed = (
        metric.text(one, beside=promised) for one in (worse, candidate.value, health.allowed)
    )
    yield Paragraph(
        f"**▲ Still {by} worse than production's promise at release "
        f"({metric.text(promised)}):** the candidate's {escape(metric.label)} is {now} on the new "
        f"holdout; {allowed} worse is allowed in production. Its rows are other rows: the world "
        "may have become harder, or the candidate may lack what it would need to know."
    )


def _next(observation: Observation, report: Report) -> Block:
    """Say what each answer to the proposal does."""
    return Items(
        "",
        (
            (
                "**If you merge**, CD ships exactly this candidate, stages it and proposes it to "
                f"{escape(observation.environment)}. It took {duration(report.fit_seconds)} to fit "
                f"and {duration(report.cpu_seconds)} of processor time; CI finds the run by its "
                "key and does not train again."
            ),
            "**If you close**, the same evidence does not come back; other evidence does.",
            "**If you commit to this branch**, it is yours: the bot leaves it alone.",
        ),
    )


def _boxes(*commands: Command) -> Block:
    """Offer what people may ask of the bot."""
    lead = "Tick a box, and the bot obeys when it looks again:"
    return Items(lead, tuple(map(offered, commands)))


def _changes(observation: Observation, report: Report) -> Block:
    """Say that the lock moves, and what else differs from what serves."""
    told = report.differences or report.changed
    others = [one for name, one in zip(report.changed, told, strict=False) if name != "data"]
    return Items(
        "",
        (
            f"`data.lock.json` alone: {lock_move(report)}",
            (
                f"the candidate learned from {count(report.train_rows, 'row')} of "
                f"{report.split.train} and was judged on {report.split.holdout}"
            ),
            *(f"merged since {code(observation.release)}: {escape(one)}" for one in others),
        ),
    )


def _brings(observation: Observation, report: Report) -> Iterator[Block]:
    """Yield candidate and champion on the same rows, by the metric that decides."""
    comparison = report.comparison
    if isinstance(comparison.baseline, Missing):
        reason = escape(comparison.baseline.reason)
        yield Paragraph(
            f"The two could not be compared: {reason}. The full report has the candidate alone."
        )
        return
    yield Paragraph(
        f"Both answered the same {count(report.holdout_rows, 'row')} of {report.split.holdout}; "
        "neither has learned from them."
    )
    name, line = next(rows(report))
    yield Table(
        ("metric", code(observation.release), *HEADER),
        ((escape(METRICS[name].label), *map(escape, line)),),
        ("left", "right", "right", "right", "right", "left"),
    )
    yield Paragraph(f"{NOTE} The report in the comment below has every metric.")


def incident_title(observation: Observation) -> str:
    """Return the title of the issue."""
    if observation.retrain.want == "watch":
        return f"{observation.model}: data drifts"
    if observation.drift and observation.drift[-1].breaks:
        return f"{observation.model}: data breaks its contract"
    return f"{observation.model}: quality fell, and retraining cannot help yet"


def incident_body(observation: Observation) -> str:
    """Say what a person should look at, and what the bot does meanwhile."""
    return write_blocks(
        [
            Paragraph(f"**{escape(observation.retrain.headline)}.**"),
            *_reasons(observation),
            Paragraph(_advice(observation)),
            *quality_blocks(observation),
            *drift_blocks(observation.drift),
            Paragraph(
                "This issue follows the evidence and closes itself when the windows "
                "are well again. If you close it, the same evidence does not come back."
            ),
            _boxes("snooze"),
        ]
    )


def failure_body(observation: Observation, link: str) -> str:
    """Say that a retraining was wanted and failed, and where its log is.

    Args:
        observation: why it was wanted.
        link: the page of the run.
    """
    return write_blocks(
        [
            Paragraph(
                f"**{escape(observation.retrain.headline)}, and the training that should answer "
                f"it failed.** [The log of its run]({link}) says why."
            ),
            Paragraph(
                "**What to do:** mend what the log names; `ml-gitops train --until "
                f"{observation.as_of}` repeats the training on your machine. Until then it is "
                "tried whenever the monitor looks, and not told again."
            ),
        ]
    )


def look_summary(observation: Observation) -> str:
    """Say what a look saw, on the page of the job that looked."""
    said = f"{code(observation.release)} in {escape(observation.environment)}"
    return write_blocks(
        [
            Heading(f"{said}, as of {observation.as_of}"),
            Paragraph(f"**{escape(observation.retrain.headline)}.**"),
            *_reasons(observation),
            *quality_blocks(observation),
            *drift_blocks(observation.drift),
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


def quality_blocks(observation: Observation) -> Iterator[Block]:
    """Yield every window's quality beside what was promised, and what it was measured without."""
    for metric in observation.health.metrics:
        yield quality_table(metric, observation)
        yield from _promise(metric)
    yield from (Paragraph(f"Note: {escape(remark)}.") for remark in observation.remarks)


def _promise(metric: MetricHealth) -> Iterator[Block]:
    known, promise, allowed = METRICS[metric.metric], metric.reference, metric.allowed
    if promise is not None and allowed is not None:
        yield Paragraph(
            f"Promised: {known.text(promise.value)} on {count(promise.n, 'row')} of the holdout; "
            f"{known.text(allowed, beside=promise.value)} worse is allowed. A window is bad if it "
            "is worse by more, and by too many standard errors to be chance."
        )


def _reasons(observation: Observation) -> Iterator[Block]:
    if observation.retrain.reasons:
        yield Items("", tuple(map(escape, observation.retrain.reasons)))


def drift_blocks(drift: Sequence[DriftReport]) -> Iterator[Block]:
    """Yield the predictions and the features that matter, over the windows."""
    if not drift:
        yield Paragraph("No window was scanned.")
        return
    hidden = hidden_features(drift)
    more = f" {hidden}." if hidden else ""
    yield Paragraph(f"{escape(drift[-1].text)}.")
    yield drift_table(drift)
    yield Paragraph(
        f"*{SHIFT_NOTE} {IMPORTANCE_NOTE} The bars are the windows, the newest last.{more}*"
    )
