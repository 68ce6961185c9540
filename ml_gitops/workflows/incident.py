"""One issue per model for what a person must judge: broken contracts, drift without harm."""

from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge, Records
from ml_gitops.pull_request import (
    Close,
    Facts,
    Issue,
    IssueAction,
    IssueSpec,
    Keep,
    Kind,
    Open,
    Tell,
    Update,
    open_proposals,
    plan,
)
from ml_gitops.render.observation_body import incident_body, incident_title
from ml_gitops.workflows.overflow import keep_whole, pointed
from ml_gitops.workflows.reconciliation import close_surplus

KIND: Kind = "incident"


def plan_incident(
    forge: Forge, model: str, observation: Observation, *, answered: bool
) -> IssueAction:
    """Say what an observation does about the model's one issue; do nothing yet.

    Args:
        answered: whether a pull request is open, or about to be, that answers what was seen.
    """
    issues = forge.issues()
    want, roll_back = observation.retrain.want, observation.rollback.roll_back
    # A rollback answers more than an issue could ask.
    if want in ("incident", "watch") and not roll_back:
        spec = pointed(forge, _spec(model, observation))
        return plan(KIND, model, spec, issues, today=observation.as_of)
    current = next(iter(open_proposals(KIND, model, issues)), None)
    number = current.number if current else None
    if observation.health.verdict == "insufficient":
        return Keep(number, "only a window that was judged says that the world recovered")
    harmed = roll_back or want == "retrain"
    if harmed and not answered:
        return Keep(number, "it goes on, and no pull request answers it")
    word = "A pull request answers it" if harmed else "It is over"
    no_issue: IssueSpec | None = None
    return plan(KIND, model, no_issue, issues, gone=f"{word}: {observation.headline}.")


def _spec(model: str, observation: Observation) -> IssueSpec:
    return IssueSpec(
        kind=KIND,
        model=model,
        fingerprint=observation.retrain.fingerprint,
        title=incident_title(observation),
        body=incident_body(observation),
        labels=(KIND, model),
        facts=Facts(verdict=observation.retrain.want, window=_window(observation)),
    )


def _window(observation: Observation) -> str | None:
    """Return the days of the newest window, whose drift and breaks were looked at."""
    if not observation.drift:
        return None
    newest = observation.drift[-1]
    return f"{newest.since.date()}..{newest.until.date()}"


def apply_incident(forge: Forge, records: Records, action: IssueAction) -> Issue | None:
    """Do it, and return the issue it is about, if there is one; of several, the first stays."""
    if isinstance(action, Open | Update):
        keep_whole(records, action.spec)
    done = _done(forge, action)
    if done is not None and close_surplus(forge, done, forge.issues, action):
        return next(issue for issue in forge.issues() if issue.number == done.number)
    return done


def _done(forge: Forge, action: IssueAction) -> Issue | None:
    match action:
        case Open(spec):
            return forge.open_issue(spec.title, spec.full_body, spec.labels)
        case Update(number, spec):
            forge.update_issue(number, spec.title, spec.full_body)
        case Close(number, reason):
            forge.close(number, reason)
        case Tell(number, text):
            forge.comment(number, text)
        case Keep(None):
            return None
    return next(issue for issue in forge.issues() if issue.number == action.number)
