"""One issue per model for what a person must judge: broken contracts, drift without harm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ml_gitops.document import sha256
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Issue, Kind, Marker, signed_text
from ml_gitops.render.observation_body import incident_body, incident_title

KIND: Kind = "incident"


@dataclass(frozen=True)
class IssueAction:
    """What is to be done about the model's issue.

    Args:
        word: the kind of change.
        number: the issue that is there; None if there is none.
        title, text: what it should say; of a `close`, the text is the reason.
    """

    word: Literal["open", "update", "close", "keep"]
    number: int | None
    title: str = ""
    text: str = ""


def plan_incident(forge: Forge, model: str, observation: Observation) -> IssueAction:
    """Say what an observation does about the model's one issue; do nothing yet."""
    # A rollback answers more than an issue could ask.
    wanted = (
        observation.retrain.want in ("incident", "watch") and not observation.rollback.roll_back
    )
    issues = forge.issues()
    current = _current(model, issues)
    number = current.number if current else None
    if not wanted:
        # Only a window that was judged says that the world recovered.
        if current is None or observation.health.verdict == "insufficient":
            return IssueAction("keep", number)
        answered = observation.rollback.roll_back or observation.retrain.want == "retrain"
        word = "A pull request answers it" if answered else "It is over"
        return IssueAction("close", number, current.title, f"{word}: {observation.headline}.")
    fingerprint = observation.retrain.fingerprint
    if _refused(model, fingerprint, issues):
        return IssueAction("keep", number)
    title, text = incident_title(observation), incident_body(observation)
    content = sha256(f"{title}\0{text}".encode())
    marker = Marker(kind=KIND, model=model, fingerprint=fingerprint, content=content)
    body = signed_text(text, marker)
    if current is None:
        return IssueAction("open", None, title, body)
    if current.marker is not None and current.marker.content == content:
        return IssueAction("keep", number)
    return IssueAction("update", number, title, body)


def apply_incident(forge: Forge, model: str, action: IssueAction) -> Issue | None:
    """Do it, and return the issue it is about, if there is one."""
    if action.word == "open":
        return forge.open_issue(action.title, action.text, [KIND, model])
    if action.number is None:
        return None
    if action.word == "update":
        forge.update_issue(action.number, action.title, action.text)
    if action.word == "close":
        forge.close(action.number, action.text)
    return next((issue for issue in forge.issues() if issue.number == action.number), None)


def _current(model: str, issues: Sequence[Issue]) -> Issue | None:
    for issue in issues:
        marker = issue.marker
        if issue.state != "open" or marker is None:
            continue
        if (marker.kind, marker.model) == (KIND, model):
            return issue
    return None


def _refused(model: str, fingerprint: str, issues: Sequence[Issue]) -> bool:
    """Say whether a person closed an issue on exactly this evidence."""
    return any(
        issue.state == "closed"
        and not (issue.closed_by is not None and issue.closed_by.bot)
        and issue.marker is not None
        and (issue.marker.kind, issue.marker.model, issue.marker.fingerprint)
        == (KIND, model, fingerprint)
        for issue in issues
    )
