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
from ml_gitops.workflows.ci import Left
from ml_gitops.workflows.committed import require_at_tip, require_tip
from ml_gitops.workflows.ct import Train, plan_retraining, propose_training, train_for
from ml_gitops.workflows.dashboard import UNTENDED, Tended, tend
from ml_gitops.workflows.failing import plan_failure
from ml_gitops.workflows.incident import apply_incident, plan_incident
from ml_gitops.workflows.observing import observe
from ml_gitops.workflows.reconciliation import apply
from ml_gitops.workflows.recording import record_observation
from ml_gitops.workflows.rollback import plan_rollback

WAITS: IssueAction = Keep(None, "it is decided when the training has ended")


@dataclass(frozen=True)
class Watched:
    """What a run of the monitor saw, and what it did about it.

    Attributes:
        observation: what it saw.
        rehearsed: nothing was done; the actions are what would be.
        rollback, retraining, incident: what was done about each; a training that is still to come
            is a `Train`.
        record: the path of the observation; empty if none was kept.
        commit: what is to be trained from; empty if no training is to come.
        obstacle: what would stop the retraining that is planned; empty if nothing would.
        rollback_proposal, retraining_proposal, issue: where each stands; None if there is none.
        tended: what was brought in order in the end.
    """

    observation: Observation
    rehearsed: bool
    rollback: Action
    retraining: Action | Train
    incident: IssueAction
    record: str = ""
    commit: str = ""
    obstacle: str = ""
    rollback_proposal: PullRequest | None = None
    retraining_proposal: PullRequest | None = None
    issue: Issue | None = None
    tended: Tended = UNTENDED


def monitor(
    config: Config,
    workspace: Workspace,
    repository: Repository,
    forge: Forge,
    records: Records,
    warehouse: FrameWarehouse,
    progress: Progress,
    as_of: date,
) -> Watched:
    """Look at production, train where it follows, and propose what was trained: all in one go."""
    world = (config, workspace, repository, forge, records, warehouse, progress)
    watched = _look(*world, as_of)
    if not isinstance(watched.retraining, Train):
        return _tended(config, forge, records, watched)
    require_tip(config, workspace, repository, forge)
    left = train_for(config, workspace, forge, warehouse, progress, watched.retraining.until)
    return propose(config, forge, records, watched, left)


def look(
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
    """Look at production, and bring the forge to what follows; run none of the author's code.

    Where a training follows, it is planned and left to whoever comes next.

    Args:
        as_of: the day to look back from.
        rehearse: only say what would be done.

    Raises:
        GitError: a training follows, and another commit than the default branch's is checked out.
    """
    world = (config, workspace, repository, forge, records, warehouse, progress)
    watched = _look(*world, as_of, rehearse=rehearse)
    return watched if rehearse else _tended(config, forge, records, watched)


def _look(
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
    """See `look`; labels and dashboard are left as they are."""
    observation = observe(config, forge, warehouse, progress, workspace.root, as_of)
    rollback = plan_rollback(config, forge, observation)
    retraining = plan_retraining(config, forge, records, observation)
    incident = _incident(forge, observation, rollback, retraining)
    planned = Watched(observation, True, rollback, retraining, incident)
    to_train = isinstance(retraining, Train)
    if rehearse:
        obstacle = _obstacle(config, workspace, repository, forge) if to_train else ""
        return replace(planned, obstacle=obstacle)
    record = record_observation(records, observation)
    rollback_proposal = apply(forge, rollback)
    done = replace(planned, rehearsed=False, record=record, rollback_proposal=rollback_proposal)
    if isinstance(retraining, Train):
        return replace(done, commit=require_at_tip(repository, forge), incident=WAITS)
    proposal = apply(forge, retraining)
    return replace(
        done, retraining_proposal=proposal, issue=apply_incident(forge, records, incident)
    )


def propose(
    config: Config, forge: Forge, records: Records, watched: Watched, left: Left | Keep
) -> Watched:
    """Propose what was trained for a look, and then do what it means for the incident.

    Args:
        watched: the look; a training was planned.
        left: by that training.
    """
    proposal, action = propose_training(config, forge, records, watched.observation, left)
    incident = _incident(forge, watched.observation, watched.rollback, action)
    done = replace(
        watched,
        retraining=action,
        retraining_proposal=proposal,
        incident=incident,
        issue=apply_incident(forge, records, incident),
    )
    return _tended(config, forge, records, done)


def _tended(config: Config, forge: Forge, records: Records, watched: Watched) -> Watched:
    """Bring labels and dashboard to what a look has left."""
    seen = watched.observation
    return replace(watched, tended=tend(config, forge, records, seen.as_of, seen=seen))


def resumed(config: Config, forge: Forge, observation: Observation, until: date) -> Watched:
    """Return a look that another job had, as it stands now that the training has ended.

    Args:
        observation: what it saw and kept.
        until: the day the rows of the training end before.
    """
    rollback = plan_rollback(config, forge, observation)
    return Watched(observation, False, rollback, Train(until, None), WAITS)


def tell_failure(
    config: Config, forge: Forge, records: Records, watched: Watched, link: str
) -> Watched:
    """Say once that a training failed: on the proposal it would have renewed, else in an issue.

    Args:
        watched: the look that asked for it.
        link: where people read why it failed.
    """
    action, incident = plan_failure(config, forge, watched.observation, link)
    incident = incident or _incident(forge, watched.observation, watched.rollback, action)
    done = replace(
        watched,
        retraining=action,
        retraining_proposal=apply(forge, action),
        incident=incident,
        issue=apply_incident(forge, records, incident),
    )
    return _tended(config, forge, records, done)


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
