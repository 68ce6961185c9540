"""The report of a candidate as one self-contained HTML page with pictures."""

from ml_gitops.document import Missing
from ml_gitops.model.comparison import Change
from ml_gitops.model.metrics import METRICS
from ml_gitops.render.charts.bars import Bar, bars
from ml_gitops.render.charts.calibration import Bin, calibration
from ml_gitops.render.charts.intervals import Interval, intervals
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.components import figure
from ml_gitops.render.page import markdown_to_html, page
from ml_gitops.report import Report

MOST_SLICES = 24


def to_html(report: Report) -> str:
    """Return the report as a page."""
    pictures = "\n".join(pictures_of(report))
    body = markdown_to_html(to_markdown(report), heading=2)
    return page(
        f"{report.model}: report of a candidate",
        f"{body}\n<h2>Pictures</h2>\n{pictures}",
        kicker="ML GitOps",
        lead=report.about,
    )


def pictures_of(report: Report) -> list[str]:
    """Return the pictures of a report as HTML figures: change, slices, calibration, importance."""
    comparison = report.comparison
    metric = METRICS[comparison.primary]
    found = []
    if comparison.changes:
        rows = [
            Interval(
                METRICS[one.metric].label,
                one.difference.estimate,
                one.difference.low,
                one.difference.high,
            )
            for one in comparison.changes
        ]
        found.append(
            figure(
                intervals(rows, title="Change against the champion; right of zero is better"),
                f"Differences on the same {report.holdout_rows:,} rows with their 90% intervals.",
            )
        )
    slices = [
        Interval(
            str(one),
            one.change.difference.estimate,
            one.change.difference.low,
            one.change.difference.high,
        )
        for one in comparison.slices[:MOST_SLICES]
        if isinstance(one.change, Change)
    ]
    if slices:
        found.append(
            figure(
                intervals(slices, title=f"{metric.label}: change by slice"),
                "Small slices have wide intervals.",
            )
        )
    curve = comparison.candidate.calibration
    if curve is not None:
        points = [Bin(one.mean_score, one.observed_rate, one.n) for one in curve.bins]
        found.append(
            figure(
                calibration(points, title="Calibration of the candidate on the holdout"),
                "On the diagonal, predicted probabilities come true as often as they say.",
            )
        )
    used = sorted(comparison.candidate.importances, key=lambda one: -one.value)
    if used:
        rows_ = [Bar(one.feature, one.value) for one in used[:20]]
        found.append(
            figure(
                bars(rows_, title=f"Loss of {metric.label} when a feature is shuffled", digits=4),
                "What the candidate uses.",
            )
        )
    if isinstance(comparison.baseline, Missing):
        found.append(f"<p>{markdown_to_html('No comparison: see above.')}</p>")
    return found
