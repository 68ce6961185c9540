"""What the monitor saw as one self-contained page: pictures first, tables below."""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import ColumnDrift
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.monitoring.profile import ColumnProfile, Profile
from ml_gitops.render.charts.distribution import Distribution, small_multiples
from ml_gitops.render.charts.drawing import safe
from ml_gitops.render.charts.lines import Point, Series
from ml_gitops.render.charts.timeline import Threshold, timeline
from ml_gitops.render.components import Drawing, figure, verdict
from ml_gitops.render.marks import mark_of
from ml_gitops.render.observation_body import drift_blocks, quality_blocks
from ml_gitops.render.page import page, set_on_page

PANELS = 6
STATES = {
    "nothing": "pass",
    "watch": "warn",
    "incident": "warn",
    "retrain": "fail",
    "rollback": "fail",
}


def to_html(observation: Observation, profile: Profile) -> str:
    """Return an observation as a page: what follows, then quality, then the data.

    Args:
        observation: what was seen.
        profile: the reference it was held to.
    """
    body = [
        _verdict(observation),
        "<h2>Quality</h2>",
        *_quality_figures(observation),
        set_on_page(quality_blocks(observation)),
        "<h2>Drift</h2>",
        *_drift_figure(observation, profile),
        set_on_page(drift_blocks(observation.drift)),
    ]
    return page(
        f"{observation.release} on {observation.as_of}",
        "\n".join(body),
        kicker=f"ML GitOps monitor · {observation.environment}",
    )


def _verdict(observation: Observation) -> str:
    """Say what follows from all that was seen, and why."""
    rollback, retrain = observation.rollback, observation.retrain
    bad = any(one.bad for metric in observation.health.metrics for one in metric.windows)
    state = STATES["rollback" if rollback.roll_back else retrain.want]
    if state == "pass" and bad:
        state = "warn"
    elif state == "pass" and observation.health.verdict == "insufficient":
        state = "unknown"
    reasons = list(dict.fromkeys([retrain.headline, *retrain.reasons]))
    lines = [one for one in reasons if one != observation.headline]
    listed = "".join(f"<li>{safe(one)}</li>" for one in lines)
    title = f"<h2>{mark_of(state).symbol} {safe(observation.headline)}</h2>"
    return verdict(state, f"{title}\n<ul>{listed}</ul>" if listed else title)


def _quality_figures(observation: Observation) -> Iterator[str]:
    """Yield quality over the windows beside what was promised."""
    for metric in observation.health.metrics:
        if any(one.value is not None for one in metric.windows):
            better = "higher" if METRICS[metric.metric].higher_is_better else "lower"
            yield figure(
                _quality(metric),
                f"Each window, at its end, with its 90% interval; {better} is better.",
            )


def _drift_figure(observation: Observation, profile: Profile) -> Iterator[str]:
    """Yield the reference beside the newest window."""
    if observation.counts.rows:
        title = "Training data against the newest window"
        yield figure(
            partial(small_multiples, _panels(observation, profile), title=title),
            "The predictions, then the features by importance. Bars are as wide as their bins; "
            "what lies beyond the training data stands apart. Below the table stands what w means.",
        )


def _quality(metric: MetricHealth) -> Drawing:
    known = METRICS[metric.metric]
    points = [
        window_point(one.until.date(), one.value, one.interval, bad=one.bad)
        for one in metric.windows
    ]
    limits = []
    if metric.reference is not None:
        promised = metric.reference.value
        limits.append(Threshold(promised, f"promised: {known.text(promised)}", is_limit=False))
        if metric.allowed is not None:
            allowed = promised - known.sign * metric.allowed
            word = "at least" if known.higher_is_better else "at most"
            limits.append(Threshold(allowed, f"allowed: {word} {known.text(allowed)}"))
    title = f"{known.label} by window"
    return partial(
        timeline,
        [Series(known.label, points)],
        title=title,
        thresholds=limits,
        bad="bad window",
        digits=4,
    )


def window_point(
    when: date, value: float | None, interval: Sequence[float] | None, *, bad: bool
) -> Point:
    """Return a window's quality with its 90% interval, if that is known."""
    low, high = interval or (None, None)
    return Point(when, value, low, high, bad)


def _panels(observation: Observation, profile: Profile) -> list[Distribution]:
    drift = observation.drift[-1]
    known = {column.name: column for column in profile.columns}
    chosen = sorted(drift.columns, key=lambda column: -column.weight)[: PANELS - 1]
    told = drift.verdict != "insufficient"
    counts = observation.counts
    note = _note(drift.prediction, told=told)
    panels = [_panel("predictions", note, profile.prediction, counts.prediction.cells)]
    for column in chosen:
        current, note = counts.columns[column.name].cells, _note(column, told=told)
        panels.append(_panel(column.name, note, known[column.name], current))
    return panels


def _note(column: ColumnDrift, *, told: bool) -> str:
    """Return the size of a shift and what it means, in the words of the table."""
    if not (told and column.enough):
        return "too few rows to say"
    return f"shift w = {column.effect:.2f}, {'drifts ▲' if column.drifted else 'steady'}"


def _panel(
    title: str, note: str, reference: ColumnProfile, current: tuple[int, ...]
) -> Distribution:
    cells = reference.cells
    if cells.kind == "numeric":
        edges = (-math.inf, *cells.edges, math.inf)
        return Distribution(title, reference.counts.cells, current, edges=edges, note=note)
    labels = (*cells.values, "other")
    return Distribution(title, reference.counts.cells, current, labels=labels, note=note)
