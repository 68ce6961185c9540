"""Environments: what each should serve changes by pull request, forward and back."""

from ml_gitops.config import Config
from ml_gitops.delivery.deployment import DeploymentState, deploy, state_path
from ml_gitops.delivery.release import BENTO_FILE
from ml_gitops.delivery.version import next_assignment, parse_release
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import ForgeError
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Action, PullRequest, PullRequestSpec, open_proposals
from ml_gitops.render.proposal_body import promotion_body, rollback_body
from ml_gitops.workflows.reconciliation import reconcile
from ml_gitops.workflows.registry import assigned, read_release, release_before, served

ASKED = "asked"
"""The evidence of a rollback that a person asked for."""


def promote(
    config: Config, forge: Forge, environment: str, *, insist: bool = False
) -> tuple[PullRequest | None, Action]:
    """Propose that an environment serves what the one before it serves.

    Args:
        environment: the one to promote to.
        insist: propose again even if a person closed the same proposal.

    Raises:
        ForgeError: there is no such environment, or nothing to promote.
    """
    source = _environment_before(config, environment)
    state = served(forge, source)
    if isinstance(state, Missing):
        raise ForgeError(
            f"{source} serves nothing that could be promoted to {environment}",
            hint="merge a model and run `ml-gitops release`",
            where=state_path(source),
        )
    current = served(forge, environment)
    wanted, gone = None, f"{environment} serves {state.tag} already"
    if isinstance(current, Missing) or current.tag != state.tag:
        wanted = _promotion(forge, state, current, source=source, environment=environment)
        if not insist and _was_promoted(forge, wanted):
            # It was served here and left again: only a person brings it forward once more.
            wanted, gone = None, f"{environment} was rolled back from {state.tag}"
    subject = subject_of(config.model.name, environment)
    return reconcile(forge, "promotion", subject, wanted, gone=gone, insist=insist)


def subject_of(model: str, environment: str) -> str:
    """Return what a proposal about an environment is about: one is open for each of them."""
    return f"{model}#{environment}"


def _was_promoted(forge: Forge, wanted: PullRequestSpec) -> bool:
    """Say whether exactly this promotion was merged before, tagged since or not."""
    return any(
        one.state == "merged"
        and one.marker is not None
        and (one.marker.kind, one.marker.model, one.marker.fingerprint)
        == (wanted.kind, wanted.model, wanted.fingerprint)
        for one in forge.pull_requests()
    )


def _promotion(
    forge: Forge,
    state: DeploymentState,
    current: DeploymentState | Missing,
    *,
    source: str,
    environment: str,
) -> PullRequestSpec:
    release = read_release(forge, state.tag)
    serving = current if isinstance(current, Missing) else read_release(forge, current.tag)
    body = promotion_body(release, serving, source=source, environment=environment)
    wanted = deploy(release, environment, state.bento_digest)
    return PullRequestSpec(
        kind="promotion",
        model=subject_of(release.model, environment),
        fingerprint=sha256(f"{environment} {release.tag}".encode()),
        branch=f"ml-gitops/promote-{release.model}-{environment}",
        base=forge.default_branch,
        title=f"Promote {release.tag} to {environment}",
        body=body,
        commit_message=f"Let {environment} serve {release.tag}\n\n{release.verdict}",
        changes=((state_path(environment), wanted.to_json().encode()),),
        labels=("promotion", environment),
    )


def roll_back(
    config: Config,
    forge: Forge,
    environment: str,
    *,
    to: str | None = None,
    reasons: tuple[str, ...] = ("A person asked for it.",),
    evidence: str = ASKED,
    insist: bool = True,
) -> tuple[PullRequest | None, Action]:
    """Propose that an environment serves an earlier release again.

    Args:
        to: the version to go back to (`v1.0.0`); the one served before, if not given.
        reasons: why, one sentence each.
        evidence: what the proposal stands on; equal evidence is the same proposal.
        insist: propose again even if a person closed the same proposal.

    Raises:
        ForgeError: there is nothing to go back to.
    """
    model = config.model.name
    current = served(forge, environment)
    if isinstance(current, Missing):
        raise ForgeError(
            current.reason, hint="promote a release first", where=state_path(environment)
        )
    tag = f"{model}@{to}" if to else release_before(forge, model, environment)
    if tag is None or tag == current.tag:
        raise ForgeError(
            f"{environment} serves {current.tag} and served nothing else before it",
            hint="name another version with --to",
            where=state_path(environment),
        )
    if parse_release(tag) is None:
        raise ForgeError(f"{to!r} is no version", hint="write it like v1.2.0", where="--to")
    target, serving = read_release(forge, tag), read_release(forge, current.tag)
    state = deploy(target, environment, target.files[BENTO_FILE])
    wanted = PullRequestSpec(
        kind="rollback",
        model=subject_of(model, environment),
        fingerprint=rollback_fingerprint(current.tag, tag, evidence),
        branch=f"ml-gitops/rollback-{model}-{environment}",
        base=forge.default_branch,
        title=f"Roll {environment} back to {target.tag}",
        body=rollback_body(
            target, serving, environment=environment, reasons=reasons, asked=evidence == ASKED
        ),
        commit_message=f"Roll {environment} back to {target.tag}\n\n" + "\n".join(reasons),
        changes=((state_path(environment), state.to_json().encode()),),
        labels=("rollback", environment),
    )
    return reconcile(forge, "rollback", wanted.model, wanted, insist=insist)


def rollback_fingerprint(serving: str, target: str, evidence: str) -> str:
    """Return the identity of a rollback: from what, to what, on which evidence."""
    return sha256(f"{serving} {target} {evidence}".encode())


def withdraw_rollback(
    config: Config,
    forge: Forge,
    environment: str,
    *,
    serving: str,
    to: str,
    evidence: str,
    reason: str,
) -> tuple[PullRequest | None, Action | None]:
    """Close the monitor's own rollback proposal whose evidence is gone; a person's stays.

    Args:
        serving, to, evidence: what the proposal stood on.
        reason: why it is closed.
    """
    subject = subject_of(config.model.name, environment)
    fingerprint = rollback_fingerprint(serving, to, evidence)
    ours = open_proposals("rollback", subject, forge.pull_requests())
    if not any(one.marker is not None and one.marker.fingerprint == fingerprint for one in ours):
        return None, None
    return reconcile(forge, "rollback", subject, None, gone=f"The evidence is gone: {reason}.")


def record_assignments(config: Config, forge: Forge) -> list[str]:
    """Tag every deployment that the default branch declares and no tag records yet."""
    created = []
    model = config.model.name
    for environment in config.delivery.environments:
        state = served(forge, environment)
        if isinstance(state, Missing):
            continue
        past = assigned(forge, model, environment)
        if past and past[-1].tag == state.tag:
            continue
        tags = {tag.name: tag.commit for tag in forge.tags()}
        if state.tag not in tags:
            raise ForgeError(
                f"{state.tag} was never released",
                hint="revert the commit that names it",
                where=state_path(environment),
            )
        assignment = str(next_assignment(model, environment, tags))
        forge.create_tag(assignment, tags[state.tag], state.tag)
        created.append(assignment)
    return created


def _environment_before(config: Config, environment: str) -> str:
    environments = config.delivery.environments
    if environment not in environments[1:]:
        raise ForgeError(
            f"nothing is promoted to {environment!r}",
            hint=f"name one of {', '.join(environments[1:]) or 'none: there is one environment'}",
            where="--to",
        )
    return environments[environments.index(environment) - 1]
