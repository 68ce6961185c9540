"""What the monitor found, answered: a retraining pull request, trained and judged already."""

from datetime import timedelta

from ml_gitops.config import Config
from ml_gitops.data.lock import PATH as LOCK_PATH
from ml_gitops.data.lock import DataLock
from ml_gitops.errors import GitError, MlGitopsError
from ml_gitops.model.lineage import short
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge, FrameWarehouse, Progress, Repository, Workspace
from ml_gitops.pull_request import (
    HANDS_OFF,
    Action,
    Keep,
    Kind,
    PullRequest,
    PullRequestSpec,
    open_proposals,
    snoozed,
)
from ml_gitops.render.ci_report import to_markdown
from ml_gitops.render.observation_body import retraining_body
from ml_gitops.workflows.ci import Trained, make_lock, publish, train
from ml_gitops.workflows.proposals import reconcile

KIND: Kind = "retrain"


def act_on_retraining(
    config: Config,
    workspace: Workspace,
    repository: Repository,
    forge: Forge,
    warehouse: FrameWarehouse,
    progress: Progress,
    observation: Observation,
) -> tuple[PullRequest | None, Action]:
    """Bring the model's one retraining pull request to what the observation says.

    Nothing is trained for evidence that a person refused, nor twice for the same rows.

    Raises:
        GitError: the work tree is not what the default branch holds.
    """
    model, decision = config.model.name, observation.retrain
    existing = forge.pull_requests()
    current = next(iter(open_proposals(KIND, model, existing)), None)
    if current is not None and current.human_commits:
        return current, Keep(current.number, HANDS_OFF)
    if decision.want != "retrain":
        if current is None or observation.health.verdict == "insufficient":
            return current, Keep(current.number if current else None, decision.headline)
        return reconcile(forge, KIND, model, None, gone=f"It is over: {decision.headline}.")
    if observation.rollback.roll_back:
        return current, Keep(current.number if current else None, "a rollback comes first")
    refused = snoozed(KIND, model, decision.fingerprint, existing)
    if refused is not None:
        reason = f"#{refused.number} proposed this on the same evidence and was closed"
        return refused, Keep(refused.number, reason)
    until = observation.as_of - timedelta(days=config.monitor.label_delay_days)
    if current is not None and _proposes(forge, current, decision.fingerprint, until.isoformat()):
        return current, Keep(current.number, "already proposed, nothing new")
    _require_tip(repository, forge)
    lock = make_lock(config, workspace, progress, until)
    trained = train(config, workspace, forge, warehouse, progress, lock)
    wanted = _proposal(config, forge, observation, lock, trained)
    proposal, action = reconcile(forge, KIND, model, wanted)
    if proposal is not None and not isinstance(action, Keep):
        publish(forge, trained, proposal.number, to_markdown(trained.report))
        proposal = forge.pull_request(proposal.number)
    return proposal, action


def _proposal(
    config: Config,
    forge: Forge,
    observation: Observation,
    lock: DataLock,
    trained: Trained,
) -> PullRequestSpec:
    report, decision = trained.report, observation.retrain
    return PullRequestSpec(
        kind=KIND,
        model=config.model.name,
        fingerprint=decision.fingerprint,
        branch=f"ml-gitops/retrain-{config.model.name}-{short(decision.fingerprint)[:8]}",
        base=forge.default_branch,
        title=f"Retrain {config.model.name} on data until {lock.window.until}",
        body=retraining_body(observation, report),
        commit_message=(
            f"Advance the data lock of {config.model.name} to {lock.window.until}\n\n"
            f"{decision.headline}."
        ),
        changes=((LOCK_PATH, lock.to_json().encode()),),
        labels=("retraining", config.model.name, f"gate-{report.verdict}"),
        draft=report.verdict == "block",
    )


def _proposes(forge: Forge, current: PullRequest, fingerprint: str, until: str) -> bool:
    """Say whether an open proposal stands on this evidence and these rows already."""
    if current.marker is None or current.marker.fingerprint != fingerprint:
        return False
    content = forge.read(LOCK_PATH, ref=current.branch)
    if content is None:
        return False
    try:
        lock = DataLock.from_json(content, where=LOCK_PATH)
    except MlGitopsError:
        return False
    return lock.window.until.isoformat() == until


def _require_tip(repository: Repository, forge: Forge) -> None:
    dirty = repository.dirty_paths()
    if dirty or repository.head() != forge.head(forge.default_branch):
        state = f"differs from its commit ({dirty[0]})" if dirty else "is not its tip"
        raise GitError(
            f"a retraining starts from {forge.default_branch}, and the work tree {state}",
            hint=f"run `git switch {forge.default_branch}` and `git pull`, without changes",
        )
