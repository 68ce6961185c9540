"""A training that failed is told where people look, and once: not by one issue a night."""

from ml_gitops.config import Config
from ml_gitops.document import canonical_json, sha256
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge
from ml_gitops.pull_request import (
    Action,
    IssueAction,
    IssueSpec,
    Keep,
    Marker,
    Tell,
    Thread,
    open_proposals,
    plan,
    signed_text,
)
from ml_gitops.render.observation_body import failure_body
from ml_gitops.workflows.ct import KIND
from ml_gitops.workflows.incident import KIND as INCIDENT

FAILED = "the training failed"
TOLD = "the training failed, which was said already"


def plan_failure(
    config: Config, forge: Forge, observation: Observation, link: str
) -> tuple[Action, IssueAction | None]:
    """Say what a failed training does about the proposal and the incident; do nothing yet.

    Args:
        observation: why it was trained.
        link: where people read why it failed.

    Returns:
        What is done about the proposal; and about the issue, None where that is as ever.
    """
    model = config.model.name
    proposal = next(iter(open_proposals(KIND, model, forge.pull_requests())), None)
    if proposal is not None:
        return _once(proposal, observation, link), None
    spec = IssueSpec(
        kind=INCIDENT,
        model=model,
        fingerprint=_evidence(observation),
        title=f"The retraining of {model} fails",
        body=failure_body(observation, link),
        labels=(INCIDENT, model),
    )
    issues = forge.issues()
    issue = next(iter(open_proposals(INCIDENT, model, issues)), None)
    if issue is None:
        return Keep(None, FAILED), plan(INCIDENT, model, spec, issues, today=observation.as_of)
    if issue.marker is not None and issue.marker.fingerprint == spec.fingerprint:
        return Keep(None, FAILED), Keep(issue.number, TOLD)
    return Keep(None, FAILED), _once(issue, observation, link)


def _once(thread: Thread, observation: Observation, link: str) -> Tell | Keep:
    """Say it in a comment, if it was not said there of this evidence."""
    wanted = Marker(kind=KIND, model=observation.model, fingerprint=_evidence(observation))
    said = (Marker.find(it.body) for it in thread.comments if it.author.bot)
    if any(it == wanted for it in said):
        return Keep(thread.number, TOLD)
    return Tell(thread.number, signed_text(failure_body(observation, link), wanted), FAILED)


def _evidence(observation: Observation) -> str:
    """Return what a failure is known by: another reason to retrain is another failure."""
    stands_on = {"failed": "training", "for": observation.retrain.fingerprint}
    return sha256(canonical_json(stands_on).encode())
