"""What was done on the forge, and found there, told to the person who typed."""

from collections.abc import Iterable

from ml_gitops.pull_request import Action, Close, Keep, Open, PullRequest, Tell, Update
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.dashboard import Tended
from ml_gitops.workflows.finding import Finding


def tell_findings(terminal: Terminal, findings: Iterable[Finding]) -> None:
    """Say what was found, each with its remedy below it."""
    for one in findings:
        terminal.status(one.state, f"{one.what}: {one.text}")
        if one.remedy:
            terminal.line(f"             {one.remedy}")


def tell_tended(terminal: Terminal, tended: Tended) -> None:
    """Say what became of the dashboard; nothing where it is as it was."""
    done = {"open": "opened", "update": "renewed", "close": "closed", "keep": ""}[tended.action]
    if done:
        state = "closed" if tended.action == "close" else "open"
        terminal.status(state, f"{done} the dashboard, #{tended.dashboard}")
    if tended.obstacle:
        terminal.status("warn", tended.obstacle)


def tell_proposal(terminal: Terminal, proposal: PullRequest | None, action: Action) -> None:
    """Say what was done about a pull request."""
    draft = ", a draft" if proposal is not None and proposal.draft else ""
    named = f"#{proposal.number} {proposal.title}{draft}" if proposal else "no pull request"
    match action:
        case Open():
            terminal.status("open", f"opened {named}")
        case Update():
            terminal.status("open", f"updated {named}")
        case Close(_, reason):
            terminal.status("closed", f"closed {named}: {reason}")
        case Keep(_, reason) | Tell(_, _, reason):
            terminal.status("keep", f"{named}: {reason}")
