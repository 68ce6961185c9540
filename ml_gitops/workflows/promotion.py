"""Environments: what each should serve changes by pull request, forward and back."""

from ml_gitops.config import Config
from ml_gitops.delivery.deployment import DeploymentState, deploy, state_path
from ml_gitops.delivery.release import BENTO_FILE
from ml_gitops.delivery.version import next_assignment, parse_release
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import ForgeError
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Action, PullRequest, PullRequestSpec
from ml_gitops.render.proposal_body import promotion_body, rollback_body
from ml_gitops.workflows.proposals import reconcile
from ml_gitops.workflows.registry import assigned, read_release, release_before, served


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
    past = [entry.tag for entry in assigned(forge, config.model.name, environment)]
    wanted, gone = None, f"{environment} serves {state.tag} already"
    if not isinstance(current, Missing) and current.tag == state.tag:
        pass
    elif state.tag in past and not insist:
        # It was served here and rolled back from: only a person brings it forward again.
        gone = f"{environment} was rolled back from {state.tag}"
    else:
        wanted = _promotion(forge, state, current, source=source, environment=environment)
    return reconcile(forge, "promotion", config.model.name, wanted, gone=gone, insist=insist)


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
        model=release.model,
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
    evidence: str = "asked",
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
        model=model,
        fingerprint=sha256(f"{environment} {current.tag} {tag} {evidence}".encode()),
        branch=f"ml-gitops/rollback-{model}-{environment}",
        base=forge.default_branch,
        title=f"Roll {environment} back to {target.tag}",
        body=rollback_body(target, serving, environment=environment, reasons=reasons),
        commit_message=f"Roll {environment} back to {target.tag}\n\n" + "\n".join(reasons),
        changes=((state_path(environment), state.to_json().encode()),),
        labels=("rollback", environment),
    )
    return reconcile(forge, "rollback", model, wanted, insist=insist)


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
