"""Bring the forge to what `plan` says: the one place where bot pull requests change."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from ml_gitops.errors import BranchTaken
from ml_gitops.ports import Forge
from ml_gitops.pull_request import (
    Action,
    Close,
    IssueAction,
    Kind,
    Open,
    PullRequest,
    PullRequestSpec,
    Tell,
    Thread,
    Update,
    open_proposals,
    plan,
    surplus,
)
from ml_gitops.render.account_note import account_note

ENDINGS = ("", "-2", "-3", "-4", "-5")
"""What the name of a branch gets when somebody sits on it."""


def decide(
    forge: Forge,
    kind: Kind,
    model: str,
    wanted: PullRequestSpec | None,
    *,
    gone: str = "the evidence is gone",
    insist: bool = False,
    today: date | None = None,
) -> Action:
    """Say what is to be done about the one proposal of a kind for a model; do nothing yet.

    Args:
        kind, model: which proposal.
        wanted: what it should say; None if there is no reason for one.
        gone: why nothing is wanted, so that an open one is closed.
        insist: a person asks for it now, so an earlier refusal does not count.
        today: where a person may ask for silence; None where nobody may.
    """
    if wanted is not None:
        wanted = with_note(wanted, forge)
    existing = forge.pull_requests()
    if insist:
        existing = [pull_request for pull_request in existing if pull_request.state == "open"]
    return plan(kind, model, wanted, existing, gone=gone, today=today)


def with_note(wanted: PullRequestSpec, forge: Forge) -> PullRequestSpec:
    """Say at the end of a proposal, once, what follows from the token that opens it."""
    note = account_note(forge.account)
    if not note or wanted.body.endswith(note):
        return wanted
    return replace(wanted, body=f"{wanted.body}\n\n{note}")


def apply(forge: Forge, action: Action) -> PullRequest | None:
    """Do it, and return the pull request it is about, if there is one.

    Runs at once that saw different evidence may each open one: the first of them stays.
    """
    done = _done(forge, action)
    if done is None or not close_surplus(forge, done, forge.pull_requests, action):
        return done
    return forge.pull_request(done.number)


def close_surplus(
    forge: Forge,
    done: Thread,
    read: Callable[[], Sequence[Thread]],
    action: Action | IssueAction,
) -> bool:
    """Close what runs at once opened beside the first, and say whether it was this one.

    Who opened one answers for that one alone; who comes later clears away what a crash left.

    Args:
        done: what an action was about.
        read: returns everything of its sort.
    """
    marker = done.marker
    if done.state != "open" or marker is None:
        return False
    existing = read()
    extra = surplus(marker.kind, marker.model, existing)
    if isinstance(action, Open):
        extra = [it for it in extra if it.number == done.number]
    for it in extra:
        first = open_proposals(marker.kind, marker.model, existing)[0]
        forge.close(it.number, f"#{first.number} was opened first, and one is enough.")
    return any(it.number == done.number for it in extra)


def _done(forge: Forge, action: Action) -> PullRequest | None:
    match action:
        case Open(spec):
            return _open(forge, spec)
        case Update(number, spec):
            return forge.update_pull_request(number, spec)
        case Close(number, reason):
            forge.close(number, reason)
            return forge.pull_request(number)
        case Tell(number, text):
            forge.comment(number, text)
    return shown(forge, action)


def _open(forge: Forge, spec: PullRequestSpec) -> PullRequest:
    """Open a pull request; where somebody sits on its branch, on the next free one.

    Raises:
        BranchTaken: somebody sits on every branch that was tried.
    """
    for ending in ENDINGS:
        with suppress(BranchTaken):
            return forge.open_pull_request(replace(spec, branch=f"{spec.branch}{ending}"))
    return forge.open_pull_request(spec)


def shown(forge: Forge, action: Action) -> PullRequest | None:
    """Return the pull request that an action is about, as it stands now."""
    number = None if isinstance(action, Open) else action.number
    return forge.pull_request(number) if number else None
