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
            *_side_by_side(serving, release, ("now", "after the merge")),
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
    target: Release, serving: Release, *, environment: str, seen: Observation | None
) -> str:
    """Say why an environment should go back, to what, and what a merge does and leaves to do.

    Args:
        target: the release to go back to.
        serving: the release that serves now.
        environment: where.
        seen: what the monitor measured; None if a person asks, and nothing was.
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
            *_side_by_side(serving, target, ("now", "after the merge")),
        ]
    )


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


def _side_by_side(
    now: Release | Missing, after: Release, names: tuple[str, str]
) -> Iterator[Block]:
    """Yield a table of two releases; the difference only where both answered the same rows."""
    if isinstance(now, Missing):
        rows = [*_facts(after)]
        rows += [(escape(METRICS[name].label), _metric(name, after)) for name in after.metrics]
        yield Table(("", names[1]), tuple(rows), ("left", "right"))
        return
    facts = zip(_facts(now), _facts(after), strict=True)
    lines = [(fact, old, new, "") for (fact, old), (_, new) in facts]
    same_rows = now.holdout == after.holdout
    for name, metric in METRICS.items():
        old, new = now.metrics.get(name), after.metrics.get(name)
        if old is None and new is None:
            continue
        change = ""
        if old is not None and new is not None and same_rows:
            change = metric.text(metric.sign * (new - old), signed=True, beside=old)
        lines.append((escape(metric.label), _metric(name, now), _metric(name, after), change))
    header = ("", *names, "change" if same_rows else "")
    yield Table(header, tuple(lines), ("left", "right", "right", "right"))
    note = "The two were judged on different days, so their metrics do not compare."
    if same_rows:
        note = "A change with a plus is better, also for losses."
    yield Paragraph(f"*{note}*")


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
