"""What the monitor found, answered: a retraining pull request, trained and judged already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ml_gitops.config import Config
from ml_gitops.document import Missing
from ml_gitops.model.lineage import short
from ml_gitops.monitoring.observation import Observation
from ml_gitops.names import LOCK_FILE
from ml_gitops.ports import Forge, FrameWarehouse, Progress, Records, Workspace
from ml_gitops.pull_request import (
    Action,
    Keep,
    Kind,
    PullRequest,
    PullRequestSpec,
    held_back,
    open_proposals,
    ticked,
)
from ml_gitops.render.observation_body import retraining_body
from ml_gitops.render.tables import unlinked
from ml_gitops.report import artifact_name
from ml_gitops.workflows.ci import Left, make_lock, publish, train
from ml_gitops.workflows.overflow import keep_whole, pointed
from ml_gitops.workflows.promotion import subject_of
from ml_gitops.workflows.reconciliation import apply, decide, with_note
from ml_gitops.workflows.recording import BUDGETED, recent_trainings
from ml_gitops.workflows.registry import latest_release, locked_until, read_release
from ml_gitops.workflows.reporting import facts_of, posted_report

KIND: Kind = "retrain"


@dataclass(frozen=True)
class Train:
    """Train on newer rows, judge, and propose the candidate.

    Args:
        until: the day the rows end before.
        number: the open proposal that it renews; None if there is none.
    """

    until: date
    number: int | None


@dataclass(frozen=True)
class _Retraining:
    """Where the steps of a retraining are said: who waits for a monitor is told why it takes long.

    Args:
        progress: where the monitor says what it does.
        until: the day the rows end before.
    """

    progress: Progress
    until: date

    def step(self, text: str, done: float | None = None) -> None:
        """Say what is being done, and for what."""
        self.progress.step(f"Retraining to {self.until}: {text[:1].lower()}{text[1:]}", done)


def plan_retraining(
    config: Config, forge: Forge, records: Records, observation: Observation
) -> Action | Train:
    """Say what an observation does about the model's retraining proposal; train nothing yet.

    Nothing is trained for evidence that a person refused, nor for what is proposed already.
    """
    model, decision = config.model.name, observation.retrain
    existing = forge.pull_requests()
    current = _current(model, existing)
    if decision.want != "retrain":
        recovered = decision.want in ("nothing", "watch")
        if current is None or not recovered or observation.health.verdict != "healthy":
            return Keep(current.number if current else None, decision.headline)
        gone = f"It is over: {decision.headline}."
        return decide(forge, KIND, model, None, gone=gone, today=observation.as_of)
    held = held_back(KIND, model, decision.fingerprint, existing, observation.as_of)
    if held is not None:
        return held
    if observation.rollback.roll_back:
        return Keep(current.number if current else None, "a rollback comes first")
    until = observation.as_of - timedelta(days=config.monitor.label_delay_days)
    told = ticked(current)
    if current is not None and told:
        locked = locked_until(forge, current.branch)
        return Train(until if "train" in told else locked or until, current.number)
    kept = _kept(config, forge, records, observation, until, existing)
    return kept or Train(until, current.number if current else None)


def train_for(
    config: Config,
    workspace: Workspace,
    forge: Forge,
    warehouse: FrameWarehouse,
    progress: Progress,
    until: date,
) -> Left | Keep:
    """Train and judge on rows until a day; nothing, where no newer rows are than those locked."""
    progress = _Retraining(progress, until)
    lock = make_lock(config, workspace, progress, until)
    if workspace.read(LOCK_FILE) == lock.to_json().encode():
        return nothing_newer(forge, until)
    return train(config, workspace, forge, warehouse, progress, lock).left


def nothing_newer(forge: Forge, until: date) -> Keep:
    """Say that a training would only repeat the one that was merged."""
    branch = forge.default_branch
    return Keep(None, f"{branch} has locked every row that there is until {until} already")


def propose_training(
    config: Config, forge: Forge, records: Records, observation: Observation, left: Left | Keep
) -> tuple[PullRequest | None, Action]:
    """Propose what was trained, with its report; nothing of it is run.

    Args:
        observation: why it was trained.
        left: by the training.
    """
    if isinstance(left, Keep):
        return None, left
    wanted = pointed(forge, retraining_spec(config, forge, observation, left))
    keep_whole(records, wanted)
    action = decide(forge, KIND, config.model.name, wanted, today=observation.as_of)
    proposal = apply(forge, action)
    if proposal is not None and proposal.state == "open":
        publish(forge, records, left, proposal.number)
        proposal = forge.pull_request(proposal.number)
    return proposal, action


def retraining_spec(
    config: Config, forge: Forge, observation: Observation, left: Left
) -> PullRequestSpec:
    """Return the pull request of a training: the data lock advanced, and nothing else."""
    report, decision, model = left.report, observation.retrain, config.model.name
    until = report.lock.window.until
    proposed = PullRequestSpec(
        kind=KIND,
        model=model,
        fingerprint=decision.fingerprint,
        branch=f"ml-gitops/retrain-{model}-{short(decision.fingerprint)[:8]}",
        base=forge.default_branch,
        title=f"Retrain {model} on data until {until}",
        body=retraining_body(observation, report),
        commit_message=(
            f"Advance the data lock of {model} to {until}\n\n{unlinked(decision.headline)}."
        ),
        changes=((LOCK_FILE, report.lock.to_json().encode()),),
        labels=("retraining", model, f"gate-{report.verdict}"),
        draft=report.verdict == "block",
        facts=facts_of(report),
        reviewers=config.bot.reviewers,
    )
    return with_note(proposed, forge)


def _kept(
    config: Config,
    forge: Forge,
    records: Records,
    observation: Observation,
    until: date,
    existing: Sequence[PullRequest],
) -> Keep | None:
    """Return why nothing is trained for a decay; None if there is no such reason."""
    model, fingerprint = config.model.name, observation.retrain.fingerprint
    current = _current(model, existing)
    number = current.number if current else None
    fresh = until - timedelta(days=config.retrain.renew_days)
    if current is not None and _proposes(forge, current, fingerprint, fresh):
        return Keep(number, "already proposed, nothing new")
    reason = _answered(config, forge, observation, until, existing) or _spent(
        config, records, observation, existing
    )
    return Keep(number, reason) if reason else None


def _spent(
    config: Config,
    records: Records,
    observation: Observation,
    existing: Sequence[PullRequest],
) -> str | None:
    """Say that the monitor has trained as often as it may; None if it has not."""
    recent = recent_trainings(records, config.model.name, existing, observation.as_of)
    if len(recent) < config.retrain.budget:
        return None
    return (
        f"the monitor has trained {len(recent)} times on rows of the last {BUDGETED.days} days, "
        "which is its budget; tick a box of a proposal, or train by hand"
    )


def _answered(
    config: Config,
    forge: Forge,
    observation: Observation,
    until: date,
    existing: Sequence[PullRequest],
) -> str | None:
    """Say what was merged against the decay and has not reached production; None if nothing."""
    locked, branch = locked_until(forge, forge.default_branch), forge.default_branch
    if locked is not None and locked >= until:
        return f"{branch} has locked the rows until {locked} already"
    if locked is not None and (until - locked).days < config.retrain.cooldown_days:
        return (
            f"{branch} has locked the rows until {locked}; fewer than "
            f"{config.retrain.cooldown_days} days of newer ones could bring little"
        )
    newest = latest_release(forge, config.model.name)
    subject = subject_of(config.model.name, observation.environment)
    promotion = next(iter(open_proposals("promotion", subject, existing)), None)
    if isinstance(newest, Missing) or promotion is None:
        return None
    serving = read_release(forge, observation.release)
    if newest.trained.until <= serving.trained.until:
        return None
    return f"{newest.tag} learned from newer rows and waits for promotion in #{promotion.number}"


def _proposes(forge: Forge, current: PullRequest, fingerprint: str, fresh: date) -> bool:
    """Say whether an open proposal stands on this evidence and fresh rows, with its report.

    A crash can leave a branch whose candidate was not kept yet, or not reported on.
    """
    if current.marker is None or current.marker.fingerprint != fingerprint:
        return False
    posted = posted_report(current, current.marker.model)
    locked = locked_until(forge, current.branch)
    if posted is None or locked is None or locked <= fresh:
        return False
    _, marker = posted
    kept = forge.artifact(artifact_name(marker.model, marker.fingerprint, marker.content)) or {}
    return kept.get(LOCK_FILE) == forge.read(LOCK_FILE, ref=current.branch)


def _current(model: str, existing: Sequence[PullRequest]) -> PullRequest | None:
    return next(iter(open_proposals(KIND, model, existing)), None)
