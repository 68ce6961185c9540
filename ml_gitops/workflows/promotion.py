"""Environments: what each should serve changes by pull request."""

from ml_gitops.config import Config
from ml_gitops.delivery.deployment import DeploymentState, deploy, state_path
from ml_gitops.delivery.release import BENTO_FILE, Release
from ml_gitops.delivery.version import next_assignment
from ml_gitops.document import Missing, sha256
from ml_gitops.errors import DocumentError, ForgeError
from ml_gitops.ports import Forge
from ml_gitops.pull_request import UNREVIEWED, Action, Facts, PullRequest, PullRequestSpec
from ml_gitops.render.proposal_body import promotion_body
from ml_gitops.render.tables import unlinked
from ml_gitops.workflows.reconciliation import apply, decide
from ml_gitops.workflows.registry import assigned, read_release, served


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
        wanted = _promotion(config, forge, state, current, source=source, environment=environment)
        if not insist and _was_promoted(forge, wanted):
            # It was served here and left again: only a person brings it forward once more.
            wanted, gone = None, f"{environment} was rolled back from {state.tag}"
    subject = subject_of(config.model.name, environment)
    action = decide(forge, "promotion", subject, wanted, gone=gone, insist=insist)
    return apply(forge, action), action


def declared(release: Release, environment: str) -> tuple[str, bytes]:
    """Return the file that declares what an environment serves: path and content."""
    state = deploy(release, environment, release.files[BENTO_FILE])
    return state_path(environment), state.to_json().encode()


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
    config: Config,
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
    return PullRequestSpec(
        kind="promotion",
        model=subject_of(release.model, environment),
        fingerprint=sha256(f"{environment} {release.tag}".encode()),
        branch=f"ml-gitops/promote-{release.model}-{environment}",
        base=forge.default_branch,
        title=f"Promote {release.tag} to {environment}",
        body=body,
        commit_message=f"Let {environment} serve {release.tag}\n\n{unlinked(release.verdict)}",
        changes=(declared(release, environment),),
        labels=("promotion", environment, "proposed", *([UNREVIEWED] if release.doubts else [])),
        facts=Facts(release=release.tag),
        reviewers=config.bot.reviewers,
    )


def record_assignments(config: Config, forge: Forge) -> list[str]:
    """Tag every deployment that the default branch declares and no tag records yet."""
    created = []
    model = config.model.name
    for environment in config.delivery.environments:
        state = served(forge, environment)
        if isinstance(state, Missing):
            continue
        tags = {tag.name: tag.commit for tag in forge.tags()}
        if state.tag not in tags:
            raise ForgeError(
                f"{state.tag} was never released",
                hint="revert the commit that names it",
                where=state_path(environment),
            )
        _hold(forge, environment, state, tags[state.tag])
        past = assigned(forge, model, environment)
        if past and past[-1].tag == state.tag:
            continue
        assignment = str(next_assignment(model, environment, tags))
        forge.create_tag(assignment, tags[state.tag], state.tag)
        created.append(assignment)
    return created


def _hold(forge: Forge, environment: str, state: DeploymentState, tagged: str) -> None:
    """Hold a declared state, and the tag it names, to the record of the release."""
    release = read_release(forge, state.tag)
    if state != deploy(release, environment, release.files[BENTO_FILE]):
        raise DocumentError(
            f"it names other files than {state.tag} was released with",
            hint="revert the commit that changed it",
            where=state_path(environment),
        )
    if tagged != release.commit:
        raise ForgeError(
            f"the tag {state.tag} was moved: it names {tagged[:12]}, and {release.commit[:12]} "
            "was released",
            hint=f"push it again from a clone that has the old one: git push --force origin "
            f"refs/tags/{state.tag}",
            where=forge.address,
        )


def _environment_before(config: Config, environment: str) -> str:
    environments = config.delivery.environments
    if environment not in environments[1:]:
        raise ForgeError(
            f"nothing is promoted to {environment!r}",
            hint=f"name one of {', '.join(environments[1:]) or 'none: there is one environment'}",
            where="--to",
        )
    return environments[environments.index(environment) - 1]
