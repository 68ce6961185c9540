"""Back to an earlier release, by pull request: asked for by a person, or by the monitor."""

from ml_gitops.config import Config
from ml_gitops.delivery.deployment import state_path
from ml_gitops.delivery.release import Release
from ml_gitops.delivery.version import parse_release
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import DocumentError, ForgeError
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge
from ml_gitops.pull_request import (
    Action,
    Facts,
    Keep,
    Kind,
    PullRequest,
    PullRequestSpec,
    open_proposals,
)
from ml_gitops.render.proposal_body import rollback_body
from ml_gitops.render.tables import unlinked
from ml_gitops.report import Report
from ml_gitops.workflows.promotion import declared, subject_of
from ml_gitops.workflows.reconciliation import apply, decide
from ml_gitops.workflows.registry import kept_file, read_release, release_before, served

KIND: Kind = "rollback"
ASKED = "asked"
"""The evidence of a rollback that a person asked for."""
MOST = 5
"""Releases that are named to whoever asked for one that is none."""


def roll_back(
    config: Config, forge: Forge, environment: str, *, to: str | None = None
) -> tuple[PullRequest | None, Action]:
    """Propose that an environment serves an earlier release again, because a person asks.

    Args:
        to: the version to go back to (`v1.0.0`), or its tag (`delay@v1.0.0`); the one served
            before, if not given.

    Raises:
        ForgeError: there is nothing to go back to.
    """
    model = config.model.name
    named = f"{model}@{to.removeprefix(f'{model}@')}" if to else None
    if named is not None and parse_release(named) is None:
        known = [page.tag for page in forge.releases() if page.tag.startswith(f"{model}@")]
        hint = f"name one of {', '.join(known[-MOST:])}" if known else "write it like v1.2.0"
        raise ForgeError(f"{to!r} is no version of {model}", hint=hint, where="--to")
    tag = named or release_before(forge, model, environment)
    wanted = _proposal(config, forge, environment, tag, ASKED)
    action = decide(forge, KIND, wanted.model, wanted, insist=True)
    return apply(forge, action), action


def plan_rollback(config: Config, forge: Forge, observation: Observation) -> Action:
    """Say what an observation does about the environment's rollback proposal.

    It is opened or renewed while production is worse than the release before, and withdrawn
    when that is over, or when another release serves. A person's own proposal stays theirs.
    """
    decision, environment = observation.rollback, observation.environment
    subject = subject_of(config.model.name, environment)
    if decision.roll_back:
        evidence = decision.fingerprint
        wanted = _proposal(config, forge, environment, decision.to, evidence, observation)
        return decide(forge, KIND, subject, wanted)
    current = next(iter(open_proposals(KIND, subject, forge.pull_requests())), None)
    if current is None or current.marker is None:
        return Keep(None, decision.headline)
    serving, evidence = observation.release, current.marker.fingerprint
    asked = {_fingerprint(serving, page.tag, ASKED) for page in forge.releases()}
    ours = _fingerprint(serving, decision.to or "", decision.fingerprint)
    if evidence == ours and not isinstance(decision.loss, Missing):
        gone = f"The evidence is gone: {decision.headline}."
        return decide(forge, KIND, subject, None, gone=gone)
    if evidence not in {ours, *asked}:
        gone = f"It is about a release that {environment} serves no more: {serving} serves now."
        return decide(forge, KIND, subject, None, gone=gone)
    return Keep(current.number, decision.headline)


def _proposal(
    config: Config,
    forge: Forge,
    environment: str,
    tag: str | None,
    evidence: str,
    seen: Observation | None = None,
) -> PullRequestSpec:
    current = served(forge, environment)
    if isinstance(current, Missing):
        raise ForgeError(
            current.reason, hint="promote a release first", where=state_path(environment)
        )
    if tag is None:
        raise _nothing_before(config, forge, environment, current.tag)
    if tag == current.tag:
        raise ForgeError(
            f"{environment} serves {tag} already",
            hint="name another version, or leave --to out",
            where=state_path(environment),
        )
    target, serving = read_release(forge, tag), read_release(forge, current.tag)
    why = seen.rollback.headline if seen else "A person asked for it."
    return PullRequestSpec(
        kind=KIND,
        model=subject_of(config.model.name, environment),
        fingerprint=_fingerprint(current.tag, tag, evidence),
        branch=f"ml-gitops/rollback-{config.model.name}-{environment}",
        base=forge.default_branch,
        title=f"Roll {environment} back to {target.tag}",
        body=rollback_body(
            target,
            serving,
            environment=environment,
            seen=seen,
            report=_report_of_both(forge, serving, target),
        ),
        commit_message=f"Roll {environment} back to {target.tag}\n\n{unlinked(why)}",
        changes=(declared(target, environment),),
        labels=("rollback", environment, "proposed"),
        facts=Facts(release=target.tag),
        reviewers=config.bot.reviewers,
    )


def _report_of_both(forge: Forge, *releases: Release) -> Report | None:
    """Return the report in which two releases answered the same rows, if one is kept.

    A rollback is urgent: a report that cannot be read is an argument less, no reason to stop.
    """
    tags = {one.tag for one in releases}
    for one in releases:
        try:
            content = kept_file(forge, one, Report.file_name)
            report = Report.from_json(content, where=one.tag) if content else None
        except (DocumentError, ForgeError):
            continue
        if report is None or report.comparison.champion not in tags - {one.tag}:
            continue
        if report.comparison.change(report.comparison.primary) is not None:
            return report
    return None


def _nothing_before(config: Config, forge: Forge, environment: str, serving: str) -> ForgeError:
    """Say that nothing was served before, and what else there is to go to, if anything is."""
    own = f"{config.model.name}@"
    tags = [page.tag for page in forge.releases() if page.tag.startswith(own)]
    others = [tag.removeprefix(own) for tag in tags if tag != serving]
    if others:
        problem = f"{environment} serves {serving} and served nothing else before it"
        hint = f"name another release with --to, such as {others[-1]}"
    else:
        problem = f"there is nothing to roll back to: {serving} is the only release"
        hint = "correct the model, merge and release it"
    return ForgeError(problem, hint=hint, where=state_path(environment))


def _fingerprint(serving: str, target: str, evidence: str) -> str:
    """Return the identity of a rollback: from what, to what, on which evidence."""
    return sha256(f"{serving} {target} {evidence}".encode())
