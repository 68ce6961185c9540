"""What a merge would cost, also where the whole is better."""

from collections.abc import Iterator

from ml_gitops.document import Missing
from ml_gitops.model.metric_change import Change
from ml_gitops.model.metrics import METRICS
from ml_gitops.render.blocks import Block, Items
from ml_gitops.render.changes import metric_word, slice_word
from ml_gitops.render.tables import escape
from ml_gitops.report import Report

MOST = 4
"""How many metrics and slices are told with both values; the tables have all of them."""


def got_worse(report: Report) -> Iterator[Block]:
    """Say what a merge would cost, also where the whole is better: metrics, slices, answers."""
    comparison = report.comparison
    if isinstance(comparison.baseline, Missing):
        return
    metrics = [
        (METRICS[one.metric].label, one)
        for one in comparison.changes
        if metric_word(report, one) == "worse"
    ]
    lines = [f"metrics: {_listed(metrics, len(report.gate.small_metrics), 'cannot be told')}"]
    if comparison.slices:
        slices = [
            (str(one), one.change)
            for one in sorted(comparison.slices, key=lambda one: -one.n)
            if isinstance(one.change, Change) and slice_word(report, one) == "worse"
        ]
        of = ""
        if len(slices) > MOST:
            of = f"{len(slices)} of {len(comparison.slices)}, the largest first: "
        told = _listed(slices, len(report.gate.small_slices), "too small to tell")
        lines.append(f"slices: {of}{told}")
    yield Items("**What got worse**", (*lines, *_flips(report)))


def _listed(worse: list[tuple[str, Change]], small: int, why: str) -> str:
    """Return the first of what is worse, each with both values, and how many cannot be told."""
    untold = f"; {small} {why}" if small else ""
    if not worse:
        return f"none beyond its 90% interval{untold}"
    named = []
    for name, change in worse[:MOST]:
        metric, known = METRICS[change.metric], change.baseline
        candidate = metric.text(change.candidate, beside=known)
        named.append(f"{escape(name)} {metric.text(known)} → {candidate}")
    more = f", and {len(worse) - MOST} more" if len(worse) > MOST else ""
    return ", ".join(named) + more + untold


def _flips(report: Report) -> Iterator[str]:
    flips = report.comparison.flips
    if not isinstance(flips, Missing):
        cut = ", cut at one half" if report.comparison.candidate.task == "binary" else ""
        yield (
            f"answers{cut}: {flips.worsened:,} turned wrong and {flips.improved:,} turned "
            f"right, of {flips.n:,}"
        )
