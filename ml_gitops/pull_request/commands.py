"""What people tell the bot by ticking a box in what it wrote."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, TypeVar, get_args

from ml_gitops.pull_request.thread import Kind, Marker, Thread, signed_text

Command = Literal["train", "refresh", "snooze", "resume"]
SNOOZE_DAYS = 30
"""Days for which the bot is silent where somebody asks for it."""
WORDS: dict[Command, str] = {
    "train": "Train again on the newest rows",
    "refresh": "Judge it again and renew the evidence, on the same rows",
    "snooze": f"Propose nothing like this for {SNOOZE_DAYS} days",
    "resume": "Let the bot go on in a pull request of its own",
}

_TICKED = re.compile(r"^[-*] \[[xX]\] .*<!-- ml-gitops:do (\w+) -->\s*$", re.MULTILINE)
Existing = TypeVar("Existing", bound=Thread)


def offered(command: Command) -> str:
    """Return a box that people may tick, as the text of an item."""
    return f"[ ] {WORDS[command]} <!-- ml-gitops:do {command} -->"


def ticked(thread: Thread | None) -> set[Command]:
    """Return what people ticked in what a bot wrote in a thread.

    Only who may edit the words of others can tick: on a forge, those with write access.
    """
    if thread is None:
        return set()
    written = [thread.body] if thread.author.bot else []
    written += [comment.body for comment in thread.comments if comment.author.bot]
    named = {name for text in written for name in _TICKED.findall(text)}
    return {command for command in get_args(Command) if command in named}


def tick(text: str, command: Command) -> str | None:
    """Return a text with its box for a command ticked; None if it offers none."""
    after = text.replace(offered(command), f"[x]{offered(command)[3:]}")
    return None if after == text else after


def snooze_text(kind: Kind, model: str, today: date) -> str:
    """Return what the bot says when it closes a thread for a while, with a marker to find it by."""
    until = today + timedelta(days=SNOOZE_DAYS)
    said = f"Snoozed, because a box was ticked: nothing like this is proposed before {until}."
    return signed_text(said, Marker(kind=kind, model=model, until=until))


def asleep(kind: Kind, model: str, existing: Sequence[Existing], today: date) -> Existing | None:
    """Return the thread in which a person snoozed this kind for a model, if that still holds."""
    for thread in existing:
        marker = asleep_in(thread)
        if (
            marker is not None
            and (marker.kind, marker.model) == (kind, model)
            and marker.until is not None
            and marker.until > today
        ):
            return thread
    return None


def asleep_in(thread: Thread) -> Marker | None:
    """Return the last snooze that was said in a thread, over or not; None if there was none."""
    said = [Marker.find(it.body) for it in thread.comments if it.author.bot]
    return next((it for it in reversed(said) if it is not None and it.until is not None), None)


def silences(
    existing: Sequence[Thread], today: date
) -> dict[tuple[Kind, str], tuple[int, date | None]]:
    """Return kind and model of what people refused or snoozed: where they did, and until when.

    Of each the last word counts; where something newer of the kind was opened since, none does.

    Args:
        existing: pull requests and issues, whatever their state.
        today: a snooze that is over is none.
    """
    found: dict[tuple[Kind, str], tuple[int, date | None]] = {}
    for thread in sorted(existing, key=lambda it: it.number):
        marker = thread.marker
        if marker is None:
            continue
        key = (marker.kind, marker.model)
        found.pop(key, None)
        said = asleep_in(thread)
        if said is not None and said.until is not None:
            if said.until > today:
                found[key] = (thread.number, said.until)
        elif thread.state == "closed" and not (thread.closed_by and thread.closed_by.bot):
            found[key] = (thread.number, None)
    return found


def hands_off_text(kind: Kind, model: str) -> str:
    """Return what the bot says, once, where a person committed to its branch."""
    said = (
        "Somebody committed to this branch, so it is yours now: I leave it alone, and say so "
        f"only once. If you want me back, tick this box:\n\n- {offered('resume')}"
    )
    return signed_text(said, Marker(kind=kind, model=model, content="hands off"))


def told_hands_off(kind: Kind, model: str, thread: Thread) -> bool:
    """Say whether the bot has said already that it leaves a thread alone."""
    wanted = Marker(kind=kind, model=model, content="hands off")
    return any(it.author.bot and Marker.find(it.body) == wanted for it in thread.comments)
