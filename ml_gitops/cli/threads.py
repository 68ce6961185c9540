"""What `pr` and `issue` share: finding the one that was named, and showing what was said."""

import argparse
from typing import TYPE_CHECKING, TypeVar, get_args

from ml_gitops.errors import ForgeError
from ml_gitops.pull_request import Command, Issue, PullRequest, tick
from ml_gitops.render.terminal import Terminal

if TYPE_CHECKING:
    from ml_gitops.ports import Forge

Thread = TypeVar("Thread", PullRequest, Issue)

VERDICTS = {
    "approve": "approved",
    "request-changes": "requested changes",
    "comment": "reviewed",
}
"""What a reviewer did, as people read it."""
_BOTH = ("show", "close", "comment")
"""What can be done with a pull request and with an issue."""
TICKED = "ticked; the next `ml-gitops monitor` obeys"
"""What follows from a tick."""


def require(forge: "Forge", parsed: argparse.Namespace, kind: type[Thread]) -> Thread:
    """Return the pull request or the issue that a command names.

    Args:
        forge: where it is.
        parsed: the command line; `number` and `step` are read.
        kind: which of the two the command is for.

    Raises:
        ForgeError: there is none of this number, or it is the other kind.
    """
    number = parsed.number
    issue = next((one for one in forge.issues() if one.number == number), None)
    found = issue or forge.pull_request(number)
    if isinstance(found, kind):
        return found
    here, there = ("an issue", "issue") if issue else ("a pull request", "pr")
    step = parsed.step if parsed.step in _BOTH else "show"
    raise ForgeError(
        f"#{number} is {here}", hint=f"run `ml-gitops {there} {step} {number}`", where=forge.address
    )


def tick_box(forge: "Forge", found: PullRequest | Issue, command: Command) -> None:
    """Tick a box in what the bot wrote, as a person does on a page.

    Raises:
        ForgeError: the bot offers no such box there.
    """
    body = tick(found.body, command)
    if found.author.bot and body is not None:
        return forge.edit_body(found.number, body)
    for comment in found.comments:
        text = tick(comment.body, command)
        if comment.author.bot and text is not None:
            return forge.edit_comment(found.number, comment.number, text)
    raise ForgeError(
        f"#{found.number} has no box to {command!r} that is not ticked",
        hint=f"look at `ml-gitops {_word(found)} show {found.number}`",
        where=forge.address,
    )


def tell_thread(terminal: Terminal, found: PullRequest | Issue, *, full: bool) -> None:
    """Show the labels, the text, and what was said since.

    Args:
        terminal: where.
        found: the thread.
        full: also what is folded; else each section says how many lines it has.
    """
    if found.labels:
        terminal.line(f"labels: {', '.join(found.labels)}")
    said = [(one.created, f"{one.author.login} commented:", one.body) for one in found.comments]
    if isinstance(found, PullRequest):
        said += [
            (one.created, f"{one.author.login} {VERDICTS[one.verdict]}:", one.body)
            for one in found.reviews
        ]
    for who, text in [("", found.body), *(one[1:] for one in sorted(said))]:
        terminal.line()
        if who:
            terminal.line(who if text else who.rstrip(":"))
        terminal.markdown(text, full=full)
    if not full and any("<details" in text for text in (found.body, *(one[2] for one in said))):
        terminal.line()
        terminal.line("▸ is folded; --full shows it.")
    bots = [found.body] if found.author.bot else []
    bots += [one.body for one in found.comments if one.author.bot]
    boxes = [box for box in get_args(Command) if any(tick(text, box) for text in bots)]
    if boxes and found.state == "open":
        terminal.line()
        terminal.line("to tick a box:")
        for box in boxes:
            terminal.line(f"  ml-gitops {_word(found)} tick {found.number} {box}")


def _word(found: PullRequest | Issue) -> str:
    return "issue" if isinstance(found, Issue) else "pr"
