"""Two releases side by side: first what both did on the same rows, for only that compares."""

from collections.abc import Iterator

from ml_gitops.delivery.release import Release
from ml_gitops.model.lineage import short
from ml_gitops.model.metric_change import Change
from ml_gitops.model.metrics import METRICS, Metric
from ml_gitops.render.blocks import Block, Paragraph, Table
from ml_gitops.render.numbers import count
from ml_gitops.render.tables import Align, code, escape
from ml_gitops.report import Report

NOTE = "A change with a plus is better, also for losses."
_ALIGN: tuple[Align, ...] = ("left", "right", "right", "right")


def facts_alone(release: Release) -> Table:
    """Return what is known of a release that nothing stands beside."""
    lines = [*_facts(release)]
    lines += [(escape(METRICS[name].label), _metric(name, release)) for name in release.metrics]
    return Table(("", "after the merge"), tuple(lines), ("left", "right"))


def side_by_side(now: Release, after: Release) -> Iterator[Block]:
    """Yield a table of two releases; the difference only where both answered the same rows."""
    if now.holdout != after.holdout:
        yield from _apart(now, after)
        return
    facts = zip(_facts(now), _facts(after), strict=True)
    lines = [(fact, old, new, "") for (fact, old), (_, new) in facts]
    for name, metric in _known_metrics(now, after):
        old, new = now.metrics.get(name), after.metrics.get(name)
        change = ""
        if old is not None and new is not None:
            change = metric.text(metric.sign * (new - old), signed=True, beside=old)
        lines.append((escape(metric.label), _metric(name, now), _metric(name, after), change))
    yield Table(("", "now", "after the merge", "change"), tuple(lines), _ALIGN)
    yield Paragraph(f"*{NOTE}*")


def _apart(now: Release, after: Release) -> Iterator[Block]:
    """Yield two releases that were judged on other days, so that no row reads as a change."""
    facts = zip(_facts(now)[1:3], _facts(after)[1:3], strict=True)
    lines = [(fact, old, new) for (fact, old), (_, new) in facts]
    lines += [
        (escape(metric.label), _metric(name, now), _metric(name, after))
        for name, metric in _known_metrics(now, after)
    ]
    header = (f"{code(one.tag)} on {one.holdout}" for one in (now, after))
    yield Table(("", *header), tuple(lines), _ALIGN[:3])
    yield Paragraph(
        "*Each was judged on its own days, which the header names. Days differ in how hard they "
        "are: these metrics do not compare, and are no before and after.*"
    )


def on_the_same_rows(serving: Release, target: Release, report: Report) -> Iterator[Block]:
    """Yield what a report says of two releases that both answered its rows, the verdict first.

    Args:
        serving, target: what serves, and what would after the merge.
        report: of one of both, with the other as its champion.
    """
    comparison = report.comparison
    change = comparison.change(comparison.primary)
    if change is None:
        return
    is_back = comparison.champion == target.tag
    metric = METRICS[change.metric]
    gain, low, high = _gain(change, is_back=is_back)
    word = "are not told apart by"
    if low > 0 or high < 0:
        word = "was better on" if low > 0 else "was worse on"
    known = change.baseline
    old, new, by, least, most = (
        metric.text(one, signed=signed, beside=known)
        for one, signed in (
            *((one, False) for one in _values(change, is_back=is_back)),
            *((one, True) for one in (gain, low, high)),
        )
    )
    here, there = code(serving.tag), code(target.tag)
    who = f"{there} and {here}" if word.startswith("are") else there
    yield Paragraph(
        f"**{who} {word} the same rows: {escape(metric.label)} {new} against {old} of {here}**, "
        f"a change of {by} (90% interval {least} to {most}), on "
        f"{count(report.holdout_rows, 'row')} of {report.split.holdout} that neither had learned "
        "from. That is the comparison of the day when the newer of both was reviewed; later days "
        "may say otherwise."
    )


def table_of_the_same_rows(serving: Release, target: Release, report: Report) -> Iterator[Block]:
    """Yield every metric of two releases on the rows of one report; see `on_the_same_rows`."""
    comparison = report.comparison
    is_back = comparison.champion == target.tag
    facts = zip(_facts(serving)[:3], _facts(target)[:3], strict=True)
    lines = [(fact, old, new, "") for (fact, old), (_, new) in facts]
    for change in comparison.changes:
        metric, known = METRICS[change.metric], change.baseline
        values = [metric.text(one, beside=known) for one in _values(change, is_back=is_back)]
        gain = metric.text(_gain(change, is_back=is_back)[0], signed=True, beside=known)
        lines.append((escape(metric.label), values[0], values[1], gain))
    yield Table(("", "now", "after the merge", "change"), tuple(lines), _ALIGN)
    yield Paragraph(f"*Both on the same rows, of {report.split.holdout}. {NOTE}*")


def _values(change: Change, *, is_back: bool) -> tuple[float, float]:
    """Return the value of what serves, and of what would."""
    if is_back:
        return change.candidate, change.baseline
    return change.baseline, change.candidate


def _gain(change: Change, *, is_back: bool) -> tuple[float, float, float]:
    """Return what the merge gains, and its interval; going back undoes what a report gained."""
    one = change.difference
    return (-one.estimate, -one.high, -one.low) if is_back else (one.estimate, one.low, one.high)


def _known_metrics(now: Release, after: Release) -> Iterator[tuple[str, Metric]]:
    for name, metric in METRICS.items():
        if name in now.metrics or name in after.metrics:
            yield name, metric


def _facts(release: Release) -> list[tuple[str, str]]:
    return [
        ("release", code(release.tag)),
        ("model", code(short(release.model_digest))),
        ("learned from", str(release.trained)),
        ("judged on", str(release.holdout)),
    ]


def _metric(name: str, release: Release) -> str:
    value = release.metrics.get(name)
    return "undefined" if value is None else METRICS[name].text(value)
