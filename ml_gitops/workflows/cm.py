"""A schedule: look at production, record what was seen, and propose what follows."""

from dataclasses import dataclass, replace
from datetime import date

from ml_gitops.config import Config
from ml_gitops.errors import MlGitopsError
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge, FrameWarehouse, Progress, Records, Repository, Workspace
from ml_gitops.pull_request import (
    Action,
    Close,
    Issue,
    IssueAction,
    Keep,
    Open,
    PullRequest,
    Update,
)
from ml_gitops.workflows.committed import require_tip
from ml_gitops.workflows.ct import Train, plan_retraining, retrain
from ml_gitops.workflows.incident import apply_incident, plan_incident
from ml_gitops.workflows.observing import observe
from ml_gitops.workflows.reconciliation import apply
from ml_gitops.workflows.recording import record_observation
from ml_gitops.workflows.rollback import plan_rollback


@dataclass(frozen=True)
class Watched:
    """What a run of the monitor saw, and what it did about it.

    Attributes:
        observation: what it saw.
        rehearsed: nothing was done; the actions are what would be.
        rollback, retraining, incident: what was done about each.
        obstacle: what would stop the retraining that is planned; empty if nothing would.
        rollback_proposal, retraining_proposal, issue: where each stands; None if there is none.
    """

    observation: Observation
    rehearsed: bool
    rollback: Action
    retraining: Action | Train
    incident: IssueAction
    obstacle: str = ""
    rollback_proposal: PullRequest | None = None
    retraining_proposal: PullRequest | None = None
    issue: Issue | None = None


def monitor(
    config: Config,
    workspace: Workspace,
    repository: Repository,
    forge: Forge,
    records: Records,
    warehouse: FrameWarehouse,
    progress: Progress,
    as_of: date,
    *,
    rehearse: bool = False,
) -> Watched:
    """Look at production, decide, and then bring the forge to what was decided.

    Args:
        as_of: the day to look back from.
        rehearse: only say what would be done.
    """
    observation = observe(config, forge, warehouse, progress, workspace.root, as_of)
    rollback = plan_rollback(config, forge, observation)
    retraining = plan_retraining(config, forge, records, observation)
    incident = _incident(forge, observation, rollback, retraining)
    planned = Watched(observation, True, rollback, retraining, incident)
    if rehearse and isinstance(planned.retraining, Train):
        return replace(planned, obstacle=_obstacle(config, workspace, repository, forge))
    if rehearse:
        return planned
    record_observation(records, observation)
    rollback_proposal = apply(forge, planned.rollback)
    world = (config, workspace, repository, forge, records, warehouse, progress)
    retraining_proposal, retraining = (
        retrain(*world, observation, retraining.until)
        if isinstance(retraining, Train)
        else (apply(forge, retraining), retraining)
    )
    if retraining != planned.retraining:
        incident = _incident(forge, observation, rollback, retraining)
    return replace(
        planned,
        rehearsed=False,
        retraining=retraining,
        incident=incident,
        rollback_proposal=rollback_proposal,
        retraining_proposal=retraining_proposal,
        issue=apply_incident(forge, incident),
    )


def _incident(
    forge: Forge, observation: Observation, rollback: Action, retraining: Action | Train
) -> IssueAction:
    answered = _stands(forge, rollback) or _stands(forge, retraining)
    return plan_incident(forge, observation.model, observation, answered=answered)


def _stands(forge: Forge, action: Action | Train) -> bool:
    """Say whether an action leaves an open pull request behind."""
    match action:
        case Train() | Open() | Update():
            return True
        case Close() | Keep(None):
            return False
    numbers = {one.number for one in forge.pull_requests() if one.state == "open"}
    return action.number in numbers


def _obstacle(config: Config, workspace: Workspace, repository: Repository, forge: Forge) -> str:
    """Return why nothing could be trained from this work tree; nothing, if it could."""
    try:
        require_tip(config, workspace, repository, forge)
    except MlGitopsError as error:
        return f"{error.problem}; {error.hint}"
    return ""
