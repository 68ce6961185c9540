"""Bring the forge to what `plan` says: the one place where bot pull requests change."""

from ml_gitops.ports import Forge
from ml_gitops.pull_request import (
    Action,
    Close,
    Kind,
    Open,
    PullRequest,
    PullRequestSpec,
    Update,
    plan,
)


def reconcile(
    forge: Forge,
    kind: Kind,
    model: str,
    wanted: PullRequestSpec | None,
    *,
    gone: str = "the evidence is gone",
    insist: bool = False,
) -> tuple[PullRequest | None, Action]:
    """Open, update, close or keep the one proposal of a kind for a model.

    Args:
        kind, model: which proposal.
        wanted: what it should say; None if there is no reason for one.
        gone: why an open one is closed when nothing is wanted.
        insist: a person asks for it now, so an earlier refusal does not count.

    Returns:
        The pull request it is about, if there is one, and what was done.
    """
    existing = forge.pull_requests()
    if insist:
        existing = [pull_request for pull_request in existing if pull_request.state == "open"]
    action = plan(kind, model, wanted, existing, gone=gone)
    match action:
        case Open(spec):
            return forge.open_pull_request(spec), action
        case Update(number, spec):
            return forge.update_pull_request(number, spec), action
        case Close(number, reason):
            forge.close(number, reason)
            return forge.pull_request(number), action
    return (forge.pull_request(action.number) if action.number else None), action
