"""Bodies of the pull requests that the bot opens: the verdict first, then the evidence."""

from collections.abc import Sequence

from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing
from ml_gitops.model.lineage import short
from ml_gitops.model.metrics import METRICS
from ml_gitops.monitoring.health import MetricHealth
from ml_gitops.monitoring.observation import Observation
from ml_gitops.render.tables import Align, code, details, escape, table


def paragraphs(parts: Sequence[str]) -> str:
    """Join what there is to say; what is empty is not said."""
    return "\n\n".join(part for part in parts if part)


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
    return paragraphs(
        [
            _blocked(release),
            _unreviewed(release),
            (
                f"**{code(release.tag)} serves {escape(source)}; merging lets "
                f"{escape(environment)} serve it.** {now}"
            ),
            f"**The gate's verdict{reviewed}:** {escape(release.verdict)}",
            _what_changed(release),
            _side_by_side(serving, release, ("now", "after the merge")),
            (
                f"**If you merge**, `deployments/{environment}.json` names this release, CD "
                f"records it as the next {code(f'{release.model}#{environment}#N')} tag, and "
                f"whoever reconciles {escape(environment)} starts exactly these bytes. "
                "**If you close**, this version is not proposed again; the next one is."
            ),
            (
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
    return paragraphs(
        [
            told,
            _reasons(serving, seen) if seen else "",
            (
                f"**If you merge**, `deployments/{environment}.json` names {there} again, by the "
                "digests it was released with; nothing is built or trained. **If you close**, "
                f"{'the same evidence does not come back' if seen else 'nothing happens'}."
            ),
            (
                "**Afterwards:** the default branch still holds the change that made "
                f"{here}{origin}; revert it too, or the next release brings it back."
            ),
            "**What was known when they were released:**",
            _side_by_side(serving, target, ("now", "after the merge")),
        ]
    )


def _reasons(serving: Release, seen: Observation) -> str:
    """Say what was measured, and why the promise of what serves is no reason to stay."""
    here = code(serving.tag)
    reasons = [f"{escape(seen.rollback.headline)}."]
    if serving.gate == "block":
        origin = f" in #{serving.pull_request}" if serving.pull_request else ""
        reasons.append(f"The gate had advised against {here}; it was merged all the same{origin}.")
    told = escape(seen.health.text)
    reasons.append(
        {
            "healthy": _kept_promise(serving, seen.health.metrics[0]),
            "degraded": f"{here} breaks its own promise, too: {told}.",
            "insufficient": f"Whether {here} keeps its own promise cannot be told: {told}.",
        }[seen.health.verdict]
    )
    return "\n".join(f"- {reason}" for reason in reasons)


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


def _side_by_side(now: Release | Missing, after: Release, names: tuple[str, str]) -> str:
    """Return a table of two releases; the difference only where both answered the same rows."""
    if isinstance(now, Missing):
        rows = [[fact, text] for fact, text in _facts(after)]
        rows += [[escape(METRICS[name].label), _metric(name, after)] for name in after.metrics]
        return table(["", names[1]], rows, ["left", "right"])
    facts = zip(_facts(now), _facts(after), strict=True)
    rows = [[fact, old, new, ""] for (fact, old), (_, new) in facts]
    same_rows = now.holdout == after.holdout
    for name, metric in METRICS.items():
        old, new = now.metrics.get(name), after.metrics.get(name)
        if old is None and new is None:
            continue
        change = ""
        if old is not None and new is not None and same_rows:
            change = metric.text(metric.sign * (new - old), signed=True, beside=old)
        rows.append([escape(metric.label), _metric(name, now), _metric(name, after), change])
    align: list[Align] = ["left", "right", "right", "right"]
    text = table(["", *names, "change" if same_rows else ""], rows, align)
    if same_rows:
        return f"{text}\n\n*A change with a plus is better, also for losses.*"
    return f"{text}\n\n*The two were judged on different days, so their metrics do not compare.*"


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


def _blocked(release: Release) -> str:
    """Say before anything else that a person overruled the gate."""
    if release.gate != "block":
        return ""
    place = f" (#{release.pull_request})" if release.pull_request else ""
    return f"**✗ The gate advised against this release; it was merged all the same{place}.**"


def _what_changed(release: Release) -> str:
    if not release.changed:
        return "It is the first release." if release.version == "v1.0.0" else ""
    told = [escape(one) for one in release.differences or release.changed]
    if len(told) == 1:
        return f"**What differs from the release before:** {told[0]}."
    return "\n".join(["**What differs from the release before**", *(f"- {one}" for one in told)])


def _unreviewed(release: Release) -> str:
    """Say before its numbers that nobody's review covers a release, and why."""
    if not release.doubts:
        return ""
    doubts = "\n".join(f"- {escape(doubt)}" for doubt in release.doubts)
    return f"**▲ No review covers this release:**\n{doubts}"


def release_notes(release: Release, report: str) -> str:
    """Return the notes of a release page: what it is, then the report it was reviewed by.

    Args:
        release: the release.
        report: the Markdown of its report.
    """
    files = [[code(name), code(short(digest))] for name, digest in sorted(release.files.items())]
    number = None if release.doubts else release.pull_request
    reviewed = f" Reviewed in #{number}." if number else ""
    return paragraphs(
        [
            _unreviewed(release),
            f"**{escape(release.verdict)}**{reviewed}",
            f"Learned from {release.trained}, judged on {release.holdout}.",
            _what_changed(release),
            details("Files and their digests", table(["file", "sha256"], files, ["left", "left"])),
            details("The report it was reviewed by", report),
        ]
    )
