"""The report of a candidate in blocks: the verdict first, then what a reviewer asks, in order."""

from collections.abc import Iterator
from typing import NamedTuple

from ml_gitops.checks import CheckOutcomes
from ml_gitops.document import Missing
from ml_gitops.model.lineage import short
from ml_gitops.model.metrics import METRICS, metrics_of
from ml_gitops.model.verdict import Verdict
from ml_gitops.render.blocks import Block, Heading, Items, Paragraph, Table, titled, write_blocks
from ml_gitops.render.changes import HEADER, NOTE, rows
from ml_gitops.render.costs import got_worse
from ml_gitops.render.marks import mark_of
from ml_gitops.render.numbers import NOTHING, count, duration, size
from ml_gitops.render.report_details import ALIGN, details_of, explained, state_of
from ml_gitops.render.tables import Align, code, escape
from ml_gitops.report import Report

NEXT = {
    "pass": "**Next:** if this change is wanted, merge it; CD ships exactly this file, without "
    "training again.",
    "warn": "**Next:** read the findings marked ▲; if they are acceptable, merge. "
    "CD ships exactly this file, without training again.",
    "block": "**Next:** do not merge. Change the code, the data or the parameters and push; "
    "this comment follows the branch.",
}
NEXT_AFTER_SAMPLE = (
    "**Next:** the real data is judged once a maintainer who read the change pushes it to a "
    "branch of this repository and opens a pull request; nothing that was judged on the sample is "
    "released."
)
MOST_NAMES = 10
"""How many are named in a list."""
MOST_ROWS = 60
"""Rows of a folded table in a comment."""
_METRICS: tuple[Align, ...] = ("left", "right", "right", "right", "right", "left")


class Told(NamedTuple):
    """A report in words, part by part; every surface shows the parts that it has room for.

    Attributes:
        verdict: the heading, and the verdict in one sentence.
        evidence: what a reviewer asks next: findings, what differs, the numbers, what they cost.
        data, checks: what it learned from, and what the author's checks said.
        ships: what a merge ships, and what to do next.
        details: what only some reviewers open.
    """

    verdict: tuple[Block, ...]
    evidence: tuple[Block, ...]
    data: tuple[Block, ...]
    checks: tuple[Block, ...]
    ships: tuple[Block, ...]
    details: tuple[Block, ...]

    @property
    def main(self) -> tuple[Block, ...]:
        """What stands below the verdict for everybody to read."""
        return (*self.evidence, *self.data, *self.checks, *self.ships)

    @property
    def all(self) -> tuple[Block, ...]:
        """The whole report, from the verdict to what is folded."""
        return (*self.verdict, *self.main, *self.details)


def in_words(report: Report, *, whole: bool = False) -> Told:
    """Return a report in words.

    Args:
        report: what is told.
        whole: with every row of every table, however many; else it fits a comment.
    """
    return Told(
        verdict=(_title(report), Paragraph(f"**{escape(report.headline)}**")),
        evidence=(
            *_rule_changes(report),
            *_findings(report),
            *_differences(report),
            *_metrics(report),
            *got_worse(report),
        ),
        data=(_data(report),),
        checks=(_checks(report),),
        ships=(_artifact(report), Paragraph(_next(report))),
        details=tuple(details_of(report, most=None if whole else MOST_ROWS)),
    )


def to_markdown(report: Report) -> str:
    """Return the report as Markdown for a pull request; it fits a comment."""
    return write_blocks(in_words(report).all)


def _next(report: Report) -> str:
    return NEXT_AFTER_SAMPLE if report.sample else NEXT[report.verdict]


def _title(report: Report) -> Block:
    said = {"pass": "may merge", "warn": "may merge, with a warning", "block": "should not merge"}
    symbol = mark_of(report.verdict).symbol
    told = said[report.verdict]
    if report.sample and report.verdict != "block":
        told = "was judged on the sample alone"
    return Heading(f"{symbol} {code(report.model)} {told}")


def _rule_changes(report: Report) -> Iterator[Block]:
    """Say that the change judges itself by other rules than the default branch has."""
    basis = report.basis
    named = {
        "▲ This change alters the gate that judges it:": basis.gate_changes,
        "▲ The checks that judged it are not those of the default branch:": basis.check_changes,
    }
    for lead, changes in named.items():
        if changes:
            yield Items(f"**{lead}**", tuple(map(escape, changes)))


def _findings(report: Report) -> Iterator[Block]:
    """Yield what does not hold besides what the headline says, what blocks first."""
    rest = [one for one in report.gate.failed if one not in report.gate.told]
    lines = []
    for kind, ours in (("slices", True), ("metrics", False)):
        found = [one for one in rest if one.brief and (one.rule == "slice") == ours]
        if found:
            names = shortened([escape(one.brief) for one in found])
            lines.append(f"{_symbol(found[0])} {kind} worse than is allowed: {names}")
    lines += [f"{_symbol(one)} {escape(one.text)}" for one in rest if not one.brief]
    if lines:
        yield Items("**What else the gate found**", tuple(lines))


def shortened(names: list[str]) -> str:
    """Return names in a row, and how many there are besides."""
    more = f", and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _symbol(one: Verdict) -> str:
    return mark_of(state_of(one)).symbol


def _differences(report: Report) -> Iterator[Block]:
    """Say what was changed to get other numbers than the champion's."""
    champion = report.comparison.champion
    if isinstance(champion, str):
        told = report.differences or report.changed or ("nothing that shapes training",)
        yield titled(f"What differs from {code(champion)}", map(escape, told))


def _metrics(report: Report) -> Iterator[Block]:
    """Yield candidate beside champion on the same rows, the deciding metric first."""
    comparison = report.comparison
    judged = (
        f"The {escape(METRICS[comparison.primary].label)} decides, on "
        f"{count(report.holdout_rows, 'row')} of {report.split.holdout} that "
    )
    if isinstance(comparison.baseline, Missing):
        reason = escape(comparison.baseline.reason)
        yield _candidate_alone(report)
        yield Paragraph(
            f"{judged}the candidate did not learn from. Not compared with a champion: {reason}."
        )
        return
    champion = comparison.champion
    named = code(champion) if isinstance(champion, str) else "champion"
    lines = tuple(
        (_metric_name(name, comparison.primary), *map(escape, numbers))
        for name, numbers in rows(report)
    )
    yield Table(("metric", named, *HEADER), lines, _METRICS)
    yield Paragraph(f"{judged}neither learned from. {NOTE}")


def _candidate_alone(report: Report) -> Block:
    evaluation, primary = report.comparison.candidate, report.comparison.primary
    lines = []
    for name in sorted(metrics_of(evaluation.task), key=lambda name: name != primary):
        metric, one = METRICS[name], evaluation.metrics.get(name)
        cells = ("undefined", escape(evaluation.undefined.get(name, NOTHING)))
        if one is not None:
            ends = metric.clip(*one.interval)
            low, high = (metric.text(end, beside=one.value) for end in ends)
            cells = (metric.text(one.value), f"{low} to {high}")
        lines.append((_metric_name(name, primary), *cells))
    return Table(("metric", "candidate", "90% interval"), tuple(lines), ALIGN)


def _metric_name(name: str, primary: str) -> str:
    label = escape(METRICS[name].label)
    return f"**{label}**" if name == primary else label


def lock_move(report: Report) -> str:
    """Return which rows the default branch has locked, and which are locked now."""
    lock, base = report.lock, report.basis.base_lock
    now = f"{count(lock.rows, 'row')} of {lock.window}"
    if isinstance(base, Missing):
        return now
    if base.digest == lock.digest:
        return f"{now}, as on the default branch"
    return f"{base.rows:,} rows of {base.window} → {now}"


def _data(report: Report) -> Block:
    text = (
        f"**Data:** learned from {count(report.train_rows, 'row')} of {report.split.train}; "
        f"locked: {lock_move(report)}"
    )
    warnings = [v for v in report.validation.violations if v.severity == "warning"]
    if not warnings:
        return Paragraph(f"{text}. Every column keeps its contract.")
    told = "; ".join(escape(str(violation)) for violation in warnings[:5])
    return Paragraph(f"{text}. {count(len(warnings), 'warning')}: {told}.")


def _checks(report: Report) -> Block:
    checks = report.checks
    if isinstance(checks, Missing):
        return Paragraph(f"**Checks:** none ran: {escape(checks.reason)}.")
    failed = [one for one in checks.outcomes if one.outcome == "failed"]
    lines = [f"{mark_of('fail').symbol} {explained(one)}" for one in failed[:MOST_NAMES]]
    if len(failed) > MOST_NAMES:
        lines.append(f"and {len(failed) - MOST_NAMES} more, listed below")
    return Items(f"**Checks:** {_counted(checks)}.", tuple(lines))


def _counted(checks: CheckOutcomes) -> str:
    """Return how many checks passed, failed and were skipped."""
    numbers = {word: checks.count(word) for word in ("passed", "failed", "skipped")}
    return ", ".join(f"{n} {word}" for word, n in numbers.items() if n or word == "passed")


def _artifact(report: Report) -> Block:
    ratio = (
        f" ({report.model_bytes / report.champion_bytes:.2f} × the champion's)"
        if report.champion_bytes
        else ""
    )
    what = "was made" if report.sample else "ships"
    return Paragraph(
        f"**What {what}:** an ONNX file of {size(report.model_bytes)}{ratio}, "
        f"{code(short(report.model_digest))}. {escape(report.parity.text)}. "
        f"It took {duration(report.fit_seconds)} to fit and {duration(report.cpu_seconds)} of "
        "processor time in all."
    )
