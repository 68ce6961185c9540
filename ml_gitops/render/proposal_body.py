"""Bodies of the pull requests that the bot opens: the verdict first, then the evidence."""

from collections.abc import Iterator

from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing
from ml_gitops.model.lineage import short
from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.blocks import Block, Fold, Items, Paragraph, Table, titled, write_blocks
from ml_gitops.render.ci_report import in_words
from ml_gitops.render.side_by_side import (
    facts_alone,
    on_the_same_rows,
    side_by_side,
    table_of_the_same_rows,
)
from ml_gitops.render.tables import code, escape
from ml_gitops.report import Report


def promotion_body(
    release: Release, serving: Release | Missing, *, source: str, environment: str
) -> str:
    """Say what production gets, what it has now, and what the reviewer's merge will do.

    Args:
        release: what is promoted.
        serving: what the environment serves now.
        source: the environment that serves the release already.
        environment: the one that shall.
    """
    now = (
        f"It serves {code(serving.tag)} now."
        if isinstance(serving, Release)
        else f"It serves nothing yet ({escape(serving.reason)})."
    )
    number = None if release.doubts else release.pull_request
    reviewed = f", reviewed in #{number}" if number else ""
    place = escape(environment)
    return write_blocks(
        [
            *_blocked(release),
            *_unreviewed(release),
            Paragraph(
                f"**{code(release.tag)} serves {escape(source)}; merging lets {place} serve it.** "
                f"{now}"
            ),
            Paragraph(f"**The gate's verdict{reviewed}:** {escape(release.verdict)}"),
            *_what_changed(release),
            *(
                side_by_side(serving, release)
                if isinstance(serving, Release)
                else [facts_alone(release)]
            ),
            Paragraph(
                f"**If you merge**, `deployments/{environment}.json` names this release, CD "
                f"records it as the next {code(f'{release.model}#{environment}#N')} tag, and "
                f"whoever reconciles {place} starts exactly these bytes. "
                "**If you close**, this version is not proposed again; the next one is."
            ),
            Paragraph(
                f"To go back later: `ml-gitops rollback --environment {environment}`, or revert "
                "the merge."
            ),
        ]
    )


def rollback_body(
    target: Release,
    serving: Release,
    *,
    environment: str,
    seen: Observation | None,
    report: Report | None = None,
) -> str:
    """Say why an environment should go back, to what, and what a merge does and leaves to do.

    Args:
        target: the release to go back to.
        serving: the release that serves now.
        environment: where.
        seen: what the monitor measured; None if a person asks, and nothing was.
        report: of one of both, with the other as its champion; None if there is none.
    """
    place = escape(environment)
    here, there = code(serving.tag), code(target.tag)
    told = f"**{place.capitalize()} is better off with {there}; {here} serves it now.**"
    if seen is None:
        told = f"**A person asks that {place} goes back from {here} to {there}.**"
    origin = f" (#{serving.pull_request})" if serving.pull_request else ""
    return write_blocks(
        [
            Paragraph(told),
            *([Items("", tuple(_reasons(serving, seen)))] if seen else []),
            *([] if seen else _known(serving, target, report)),
            Paragraph(
                f"**If you merge**, `deployments/{environment}.json` names {there} again, by the "
                "digests it was released with; nothing is built or trained. **If you close**, "
                f"{'the same evidence does not come back' if seen else 'nothing happens'}."
            ),
            Paragraph(
                "**Afterwards:** the default branch still holds the change that made "
                f"{here}{origin}; revert it too, or the next release brings it back."
            ),
            Paragraph("**What was known when they were released:**"),
            *_released(serving, target, report),
        ]
    )


def _known(serving: Release, target: Release, report: Report | None) -> Iterator[Block]:
    """Yield what compares the two, before anybody reads a number; where nothing does, say so."""
    if report is not None:
        yield from on_the_same_rows(serving, target, report)
    elif serving.holdout != target.holdout:
        yield Paragraph(
            "**Nothing that is known compares the two:** no report has both on the same rows. "
            "The monitor (`ml-gitops monitor`) compares what serves with the release before it, "
            "on the same labelled rows."
        )


def _released(serving: Release, target: Release, report: Report | None) -> Iterator[Block]:
    """Yield both in a table: on the same rows where a report has them, else as they stand."""
    if report is not None:
        yield from table_of_the_same_rows(serving, target, report)
    else:
        yield from side_by_side(serving, target)


def _reasons(serving: Release, seen: Observation) -> Iterator[str]:
    """Yield what was measured, and why the promise of what serves is no reason to stay."""
    here = code(serving.tag)
    yield f"{escape(seen.rollback.headline)}."
    if serving.gate == "block":
        origin = f" in #{serving.pull_request}" if serving.pull_request else ""
        yield f"The gate had advised against {here}; it was merged all the same{origin}."
    told = escape(seen.health.text)
    yield {
        "healthy": _kept_promise(serving, seen.health.metrics[0]),
        "degraded": f"{here} breaks its own promise, too: {told}.",
        "insufficient": f"Whether {here} keeps its own promise cannot be told: {told}.",
    }[seen.health.verdict]


def _kept_promise(serving: Release, health: MetricHealth) -> str:
    """Say what a release promised and does, and that another can still be better."""
    metric = METRICS[health.metric]
    values = [one.value for one in health.windows if one.value is not None]
    if health.reference is None or not values:
        return f"{code(serving.tag)} by itself: {escape(health.text)}."
    promised = health.reference.value
    return (
        f"{code(serving.tag)} does keep its own promise: the {escape(metric.label)} of its holdout "
        f"was {metric.text(promised)}, that of the newest window is "
        f"{metric.text(values[-1], beside=promised)}. That is no reason to stay: on the same "
        "rows the release before is better."
    )


def _blocked(release: Release) -> Iterator[Block]:
    """Say before anything else that a person overruled the gate."""
    if release.gate == "block":
        place = f" (#{release.pull_request})" if release.pull_request else ""
        yield Paragraph(
            f"**✗ The gate advised against this release; it was merged all the same{place}.**"
        )


def _what_changed(release: Release) -> Iterator[Block]:
    if release.changed:
        told = map(escape, release.differences or release.changed)
        yield titled("What differs from the release before", told)
    elif release.version == "v1.0.0":
        yield Paragraph("It is the first release.")


def _unreviewed(release: Release) -> Iterator[Block]:
    """Say before its numbers that nobody's review covers a release, and why."""
    if release.doubts:
        yield Items("**▲ No review covers this release:**", tuple(map(escape, release.doubts)))


def release_notes(release: Release, report: Report) -> str:
    """Return the notes of a release page: what it is, then the report it was reviewed by."""
    files = tuple((code(name), code(short(one))) for name, one in sorted(release.files.items()))
    number = None if release.doubts else release.pull_request
    reviewed = f" Reviewed in #{number}." if number else ""
    return write_blocks(
        [
            *_unreviewed(release),
            Paragraph(f"**{escape(release.verdict)}**{reviewed}"),
            Paragraph(f"Learned from {release.trained}, judged on {release.holdout}."),
            *_what_changed(release),
            Fold("Files and their digests", (Table(("file", "sha256"), files, ("left", "left")),)),
            Fold("The report it was reviewed by", in_words(report).all),
        ]
    )
