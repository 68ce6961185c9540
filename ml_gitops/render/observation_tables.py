"""An observation as tables: quality by window, drift by column, equal on every surface."""

from collections.abc import Sequence
from datetime import datetime

from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import ColumnDrift, DriftReport
from ml_gitops.monitoring.health import MetricHealth, WindowHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.charts.bars import sparkline
from ml_gitops.render.marks import mark
from ml_gitops.render.numbers import NOTHING, count, number, percent, signed
from ml_gitops.render.tables import Align
from ml_gitops.render.terminal import Terminal

QUALITY_ALIGN: tuple[Align, ...] = (
    "left",
    "right",
    "right",
    "right",
    "right",
    "right",
    "left",
)
DRIFT_HEADER = ("column", "importance", "shift w", "windows", "missing", "")
DRIFT_ALIGN: tuple[Align, ...] = ("left", "right", "right", "left", "right", "left")
TOP_FEATURES = 10
SHIFT_NOTE = (
    "The shift of a column is Cohen's w, which has no unit: 0 is none beyond chance, 0.1 is small, "
    "0.3 medium, 0.5 large."
)


def quality_header(metric: MetricHealth) -> list[str]:
    """Return the names of the columns of `quality_rows`."""
    label = METRICS[metric.metric].label
    return ["window", "predictions", "labelled", label, "vs promise", "std. errors", ""]


def quality_rows(metric: MetricHealth, observation: Observation) -> list[list[str]]:
    """Return each window's quality beside what was promised; plus is better."""
    known = METRICS[metric.metric]
    promise = metric.reference.value if metric.reference else None
    lines = []
    for one, seen in zip(metric.windows, observation.windows, strict=False):
        value = drop = error = NOTHING
        if one.value is not None and one.drop is not None and one.z is not None:
            value = known.text(one.value, beside=promise)
            drop = known.text(-one.drop, signed=True, beside=promise)
            error = signed(-one.z, digits=1)
        share = percent(seen.coverage, digits=0) if seen.predictions else NOTHING
        lines.append(
            [
                _span(one.since, one.until),
                f"{seen.predictions:,}",
                share,
                value,
                drop,
                error,
                _state(one, metric.allowed),
            ]
        )
    return lines


def _state(window: WindowHealth, allowed: float | None) -> str:
    """Return whether a window is well; what is worse and may be chance is unclear, not well."""
    if not window.usable or window.drop is None:
        return mark("unknown")
    if window.bad:
        return "bad ✗"
    return "well ✓" if window.drop <= (allowed or 0.0) else "unclear ?"


def _span(since: datetime, until: datetime) -> str:
    """Return a window of days; the year of its end only where it is another."""
    end = f"{until:%m-%d}" if since.year == until.year else f"{until:%Y-%m-%d}"
    return f"{since:%Y-%m-%d}..{end}"


def drift_rows(drift: Sequence[DriftReport]) -> list[list[str]]:
    """Return the predictions and the features that matter, over the windows."""
    last = drift[-1]
    predictions, *features = (
        _drift_row(one, drift) for one in (last.prediction, *last.columns[:TOP_FEATURES])
    )
    predictions[:2] = ["predictions", ""]
    return [predictions, *features]


def _drift_row(column: ColumnDrift, drift: Sequence[DriftReport]) -> list[str]:
    effects = [
        one.effect
        for report in drift
        for one in (report.prediction, *report.columns)
        if one.name == column.name
    ]
    told = drift[-1].verdict != "insufficient"
    state = "steady" if told and column.enough else "too few rows to say"
    if told and column.drifted:
        state = f"drifts ▲ ({', '.join(column.reasons)})"
    return [
        column.name,
        percent(column.weight, digits=0),
        number(column.effect, digits=2) if told and column.enough else NOTHING,
        sparkline(effects, low=0.0, high=max(0.5, *effects)),
        percent(column.null_rate) if column.rows or column.null_rate else NOTHING,
        state,
    ]


def hidden_features(drift: Sequence[DriftReport]) -> str:
    """Say how many features the table leaves out, and how many of these drift."""
    hidden = drift[-1].columns[TOP_FEATURES:]
    if not hidden:
        return ""
    drifting = sum(one.drifted for one in hidden)
    state = f"left out, {drifting:,} of which drift" if drifting else "left out; none drifts"
    return f"{count(len(hidden), 'more feature')} {state}"


def tell_quality(terminal: Terminal, observation: Observation) -> None:
    """Show each metric by window, against what the release promised."""
    for metric in observation.health.metrics:
        rows = quality_rows(metric, observation)
        terminal.table(quality_header(metric), rows, align=QUALITY_ALIGN)


def tell_drift(terminal: Terminal, observation: Observation) -> None:
    """Show how far each feature of the newest window is from the reference."""
    title = f"{count(observation.drift[-1].rows, 'prediction')} of the newest window"
    if observation.one_in > 1:
        title += f", one in {observation.one_in} of the log"
    rows = drift_rows(observation.drift)
    terminal.table(DRIFT_HEADER, rows, align=DRIFT_ALIGN, title=title)
    terminal.line(observation.drift[-1].text)
    terminal.line(SHIFT_NOTE)
