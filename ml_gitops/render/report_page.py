"""The report of a candidate as one self-contained HTML page with pictures."""

from collections.abc import Iterator
from functools import partial

from ml_gitops.model.metric_change import Change, SliceChange
from ml_gitops.model.metrics import METRICS
from ml_gitops.render.charts.bars import Bar, bars
from ml_gitops.render.charts.calibration import Bin, calibration
from ml_gitops.render.charts.intervals import Interval, intervals
from ml_gitops.render.ci_report import in_words
from ml_gitops.render.components import figure, verdict
from ml_gitops.render.page import page, set_on_page
from ml_gitops.report import Report

MOST_SLICES, MOST_FEATURES = 24, 20


def to_html(report: Report) -> str:
    """Return the report as a page: the verdict, what it rests on, pictures, and what is folded."""
    told = in_words(report, whole=True)
    body = [
        verdict(report.verdict, set_on_page(told.verdict)),
        set_on_page(told.main),
        "<h2>Pictures</h2>",
        *pictures_of(report),
        "<h2>Details</h2>",
        set_on_page(told.details),
    ]
    return page(
        f"{report.model}: report of a candidate",
        "\n".join(body),
        kicker="ML GitOps",
        lead=report.about,
    )


def pictures_of(report: Report) -> Iterator[str]:
    """Yield the pictures of a report as HTML figures: change, slices, calibration, importance."""
    comparison = report.comparison
    metric = METRICS[comparison.primary]
    yield from _changes(report)
    slices = [
        _interval(_slice_label(report, one), one.change)
        for one in comparison.slices[:MOST_SLICES]
        if isinstance(one.change, Change)
    ]
    if slices:
        title = f"{metric.label}: change by slice; right of zero is better"
        told = "Small slices have wide intervals."
        if report.gate.small_slices:
            told = "Small slices have wide intervals; those with a ? are too small to tell."
        yield figure(partial(intervals, slices, title=title), told)
    curve = comparison.candidate.calibration
    if curve is not None:
        points = [Bin(one.mean_score, one.observed_rate, one.n) for one in curve.bins]
        yield figure(
            partial(calibration, points, title="Calibration of the candidate on the holdout"),
            "On the diagonal, predicted probabilities come true as often as they say.",
        )
    used = sorted(comparison.candidate.importances, key=lambda one: -one.value)[:MOST_FEATURES]
    if used:
        rows = [Bar(one.feature, one.value) for one in used]
        title = f"How much worse {metric.label} gets when a feature is shuffled"
        yield figure(
            partial(bars, rows, title=title, digits=4), "What the candidate uses, most first."
        )


def _changes(report: Report) -> Iterator[str]:
    """Yield the metrics of both models, those that the gate limits beside their limit."""
    comparison = report.comparison
    if not comparison.changes:
        return
    allowed = {
        one.data.get("metric"): -loss
        for one in report.gate.findings
        if isinstance(loss := one.data.get("allowed"), float | int)
    }
    rows = [
        _interval(METRICS[one.metric].label, one, allowed.get(one.metric))
        for one in comparison.changes
    ]
    draw = partial(
        intervals,
        rows,
        title="Change against the champion; right of zero is better",
        limit_label="allowed loss",
    )
    caption = f"Differences on the same {report.holdout_rows:,} rows with their 90% intervals."
    yield figure(draw, caption)


def _slice_label(report: Report, one: SliceChange) -> str:
    return f"{one} ?" if (one.column, one.value) in report.gate.small_slices else str(one)


def _interval(label: str, change: Change, limit: float | None = None) -> Interval:
    difference = change.difference
    return Interval(label, difference.estimate, difference.low, difference.high, limit)
