"""An observation as tables: quality by window, drift by column, equal on every surface."""

from collections.abc import Sequence
from datetime import datetime

from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.drift import ColumnDrift, DriftReport
from ml_gitops.monitoring.health import MetricHealth, WindowHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.blocks import Table
from ml_gitops.render.charts.bars import sparkline
from ml_gitops.render.marks import mark
from ml_gitops.render.numbers import NOTHING, count, number, percent, signed
from ml_gitops.render.tables import Align, code, escape

_QUALITY: tuple[Align, ...] = ("left", "right", "right", "right", "right", "right", "left")
_DRIFT: tuple[Align, ...] = ("left", "right", "right", "left", "right", "left")
TOP_FEATURES = 10
SHIFT_NOTE = (
    "The shift of a column is Cohen's w, which has no unit: 0 is none beyond chance, 0.1 is small, "
    "0.3 medium, 0.5 large."
)
IMPORTANCE_NOTE = (
    "The importance of a feature is its share for the release that serves; another model may "
    "weigh it otherwise."
)


def quality_table(metric: MetricHealth, observation: Observation) -> Table:
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
        told = (share, value, drop, error, _state(one, metric.allowed))
        asked = (_span(one.since, one.until), f"{seen.predictions:,}")
        lines.append(tuple(map(escape, (*asked, *told))))
    label = escape(known.label)
    header = ("window", "predictions", "labelled", label, "vs promise", "std. errors", "")
    return Table(header, tuple(lines), _QUALITY)


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


def drift_table(drift: Sequence[DriftReport]) -> Table:
    """Return the predictions and the features that matter, over the windows."""
    last = drift[-1]
    predictions, *features = (
        _drift_row(one, drift) for one in (last.prediction, *last.columns[:TOP_FEATURES])
    )
    lines = (("predictions", "", *predictions[2:]), *features)
    return Table(("column", "importance", "shift w", "windows", "missing", ""), lines, _DRIFT)


def _drift_row(column: ColumnDrift, drift: Sequence[DriftReport]) -> tuple[str, ...]:
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
    cells = (
        percent(column.weight, digits=0),
        number(column.effect, digits=2) if told and column.enough else NOTHING,
        sparkline(effects, low=0.0, high=max(0.5, *effects)),
        percent(column.null_rate) if column.rows or column.null_rate else NOTHING,
        state,
    )
    return code(column.name), *map(escape, cells)


def hidden_features(drift: Sequence[DriftReport]) -> str:
    """Say how many features the table leaves out, and how many of these drift."""
    hidden = drift[-1].columns[TOP_FEATURES:]
    if not hidden:
        return ""
    drifting = sum(one.drifted for one in hidden)
    state = f"left out, {drifting:,} of which drift" if drifting else "left out; none drifts"
    return f"{count(len(hidden), 'more feature')} {state}"
