"""What the monitor saw as one self-contained page: pictures first, tables below."""

import math

from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import ColumnDrift
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.monitoring.profile import ColumnProfile, Profile
from ml_gitops.render.charts.distribution import Distribution, small_multiples
from ml_gitops.render.charts.timeline import Point, Series, Threshold, timeline
from ml_gitops.render.components import figure
from ml_gitops.render.observation_body import drift_table, quality_table
from ml_gitops.render.page import markdown_to_html, page

PANELS = 6


def to_html(observation: Observation, profile: Profile) -> str:
    """Return an observation as a page.

    Args:
        observation: what was seen.
        profile: the reference it was held to.
    """
    tables = markdown_to_html(
        f"{quality_table(observation)}\n\n{drift_table(observation.drift)}", heading=3
    )
    body = "\n".join([*pictures_of(observation, profile), "<h2>Numbers</h2>", tables])
    return page(
        f"{observation.release} on {observation.as_of}",
        body,
        kicker=f"ML GitOps monitor · {observation.environment}",
        lead=observation.headline,
    )


def pictures_of(observation: Observation, profile: Profile) -> list[str]:
    """Return quality over the windows, and the reference beside the newest window."""
    pictures = [
        figure(_quality(metric), "Each window with its 90% interval.")
        for metric in observation.health.metrics
        if any(one.value is not None for one in metric.windows)
    ]
    if observation.counts.rows:
        title = "Training data against the newest window"
        caption = "The predictions, then the features by importance; w is the size of the shift."
        pictures.append(
            figure(small_multiples(_panels(observation, profile), title=title), caption)
        )
    return pictures


def _quality(metric: MetricHealth) -> str:
    known = METRICS[metric.metric]
    points = []
    for one in metric.windows:
        reach = 1.645 * one.standard_error if one.standard_error is not None else None
        points.append(
            Point(
                one.until.date(),
                one.value,
                one.value - reach if one.value is not None and reach is not None else None,
                one.value + reach if one.value is not None and reach is not None else None,
            )
        )
    limits = []
    if metric.reference is not None:
        limits.append(Threshold(metric.reference.value, "promised"))
        if metric.allowed is not None:
            allowed = metric.reference.value - known.sign * metric.allowed
            limits.append(Threshold(allowed, "allowed"))
    title = f"{known.label} by window"
    return timeline([Series(known.label, points)], title=title, thresholds=limits)


def _panels(observation: Observation, profile: Profile) -> list[Distribution]:
    drift = observation.drift[-1]
    known = {column.name: column for column in profile.columns}
    chosen = sorted(drift.columns, key=lambda column: -column.weight)[: PANELS - 1]
    panels = [
        _panel(
            "predictions", drift.prediction, profile.prediction, observation.counts.prediction.cells
        )
    ]
    for column in chosen:
        current = observation.counts.columns[column.name].cells
        panels.append(_panel(column.name, column, known[column.name], current))
    return panels


def _panel(
    title: str, drift: ColumnDrift, reference: ColumnProfile, current: tuple[int, ...]
) -> Distribution:
    mark = " ▲" if drift.drifted else ""
    note = f"w {drift.effect:.2f}{mark}"
    cells = reference.cells
    if cells.kind == "numeric":
        edges = (-math.inf, *cells.edges, math.inf)
        return Distribution(title, reference.counts.cells, current, edges=edges, note=note)
    labels = (*cells.values, "others")
    order = sorted(range(len(labels)), key=lambda i: -reference.counts.cells[i])[:12]
    return Distribution(
        title,
        tuple(reference.counts.cells[i] for i in order),
        tuple(current[i] for i in order),
        labels=tuple(labels[i] for i in order),
        note=note,
    )
