"""One issue per model for what a person must judge: broken contracts, drift without harm."""

from collections.abc import Sequence

from ml_gitops.document import sha256
from ml_gitops.monitoring.observation import Observation
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Issue, Kind, Marker
from ml_gitops.render.observation_body import incident_body, incident_title

KIND: Kind = "incident"


def reconcile_incident(
    forge: Forge, model: str, observation: Observation
) -> tuple[Issue | None, str]:
    """Open, update, close or keep the model's issue, and say which of these was done."""
    # A rollback answers more than an issue could ask.
    wanted = (
        observation.retrain.want in ("incident", "watch") and not observation.rollback.roll_back
    )
    issues = forge.issues()
    current = _current(model, issues)
    if not wanted:
        # Only a window that was judged says that the world recovered.
        if current is None or observation.health.verdict == "insufficient":
            return current, "keep"
        answered = observation.rollback.roll_back or observation.retrain.want == "retrain"
        word = "A pull request answers it" if answered else "It is over"
        forge.close(current.number, f"{word}: {observation.headline}.")
        return current, "close"
    fingerprint = observation.retrain.fingerprint
    if _refused(model, fingerprint, issues):
        return current, "keep"
    title, text = incident_title(observation), incident_body(observation)
    content = sha256(f"{title}\0{text}".encode())
    marker = Marker(kind=KIND, model=model, fingerprint=fingerprint, content=content)
    body = f"{text}\n\n{marker.render()}"
    if current is None:
        return forge.open_issue(title, body, [KIND, model]), "open"
    if current.marker is not None and current.marker.content == content:
        return current, "keep"
    forge.update_issue(current.number, title, body)
    return current, "update"


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
