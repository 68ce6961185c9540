"""What a bot wants of a forge, as data, and the one rule that reconciles it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from ml_gitops.document import sha256
from ml_gitops.pull_request.commands import (
    asleep,
    hands_off_text,
    snooze_text,
    ticked,
    told_hands_off,
)
from ml_gitops.pull_request.thread import (
    REPORT_HAS_ALL,
    Facts,
    Kind,
    Marker,
    Thread,
    fits,
    signed_text,
)

HANDS_OFF = "a person committed to the branch; it is theirs now"
RESUMED = "A box was ticked: the bot goes on in a pull request of its own. This branch is yours."


@dataclass(frozen=True)
class PullRequestSpec:
    """A pull request that a bot wants: one commit on a branch from the base's tip.

    Args:
        kind, model, fingerprint: what the proposal is and the evidence it stands on.
        branch, base, title, body, labels: as people will see them.
        commit_message: subject and body of the one commit.
        changes: path to new content (None deletes the file).
        draft: whether it is not ready to merge.
        folder: where in the repository those paths start; the identity does not depend on it.
        facts: what its marker tells machines.
        reviewers: who is asked for a review when it opens: logins, and teams as `owner/team`.
        rest: where to read what of the body does not fit, as one sentence.
    """

    kind: Kind
    model: str
    fingerprint: str
    branch: str
    base: str
    title: str
    body: str
    commit_message: str
    changes: tuple[tuple[str, bytes | None], ...]
    labels: tuple[str, ...] = ()
    draft: bool = False
    folder: str = ""
    facts: Facts | None = None
    reviewers: tuple[str, ...] = ()
    rest: str = REPORT_HAS_ALL

    @property
    def files(self) -> dict[str, bytes | None]:
        """The changes, by their paths in the repository."""
        return {self.folder + path: content for path, content in self.changes}

    @property
    def marker(self) -> Marker:
        """The identity of this proposal, with a digest of all that it proposes."""
        parts = [self.title, self.body, self.commit_message, *self.labels, str(self.draft)]
        for path, content in sorted(self.changes):
            parts += [path, "deleted" if content is None else sha256(content)]
        return Marker(
            kind=self.kind,
            model=self.model,
            fingerprint=self.fingerprint,
            content=sha256("\0".join(parts).encode()),
            facts=self.facts,
        )

    @property
    def full_body(self) -> str:
        """The body with the marker at its end, cut to what a forge accepts."""
        return signed_text(self.body, self.marker, rest=self.rest)

    @property
    def overflows(self) -> bool:
        """Whether the body is longer than what a forge accepts."""
        return not fits(self.body, self.marker)


@dataclass(frozen=True)
class IssueSpec:
    """An issue that a bot wants.

    Args:
        kind, model, fingerprint: what the issue is and the evidence it stands on.
        title, body, labels: as people will see them.
        facts, rest: see `PullRequestSpec`.
    """

    kind: Kind
    model: str
    fingerprint: str
    title: str
    body: str
    labels: tuple[str, ...] = ()
    facts: Facts | None = None
    rest: str = REPORT_HAS_ALL

    @property
    def marker(self) -> Marker:
        """The identity of this issue, with a digest of what it says."""
        content = sha256(f"{self.title}\0{self.body}".encode())
        return Marker(
            kind=self.kind,
            model=self.model,
            fingerprint=self.fingerprint,
            content=content,
            facts=self.facts,
        )

    @property
    def full_body(self) -> str:
        """The body with the marker at its end, cut to what a forge accepts."""
        return signed_text(self.body, self.marker, rest=self.rest)

    @property
    def overflows(self) -> bool:
        """Whether the body is longer than what a forge accepts."""
        return not fits(self.body, self.marker)


Wanted = TypeVar("Wanted", PullRequestSpec, IssueSpec)
Existing = TypeVar("Existing", bound=Thread)


@dataclass(frozen=True)
class Open(Generic[Wanted]):
    """Open it."""

    spec: Wanted


@dataclass(frozen=True)
class Update(Generic[Wanted]):
    """Bring an open one to what is wanted now."""

    number: int
    spec: Wanted


@dataclass(frozen=True)
class Close:
    """Close one whose reason is gone."""

    number: int
    reason: str


@dataclass(frozen=True)
class Tell:
    """Say something in a comment and change nothing else."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True)
class Keep:
    """Change nothing."""

    number: int | None
    reason: str


Standstill = Close | Tell | Keep
"""What is done about a proposal that is not written anew."""
Action = Open[PullRequestSpec] | Update[PullRequestSpec] | Standstill
IssueAction = Open[IssueSpec] | Update[IssueSpec] | Standstill


def snoozed(
    kind: Kind, model: str, fingerprint: str, existing: Sequence[Existing]
) -> Existing | None:
    """Return the thread in which a person refused exactly this evidence, if any."""
    for thread in existing:
        marker = thread.marker
        by_bot = thread.closed_by is not None and thread.closed_by.bot
        if (
            thread.state == "closed"
            and not by_bot
            and marker is not None
            and (marker.kind, marker.model, marker.fingerprint) == (kind, model, fingerprint)
        ):
            return thread
    return None


def open_proposals(kind: Kind, model: str, existing: Sequence[Existing]) -> list[Existing]:
    """Return the open threads that our bot wrote for this kind and model, oldest first."""
    ours = [
        thread
        for thread in existing
        if thread.state == "open"
        and thread.marker is not None
        and (thread.marker.kind, thread.marker.model) == (kind, model)
    ]
    return sorted(ours, key=lambda thread: thread.number)


def surplus(kind: Kind, model: str, existing: Sequence[Existing]) -> list[Existing]:
    """Return the open threads beyond the first, but those that people work on.

    Runs that did not see each other opened them; no forge keeps two of them from it.
    """
    return [it for it in open_proposals(kind, model, existing)[1:] if not it.taken_over]


def held_back(
    kind: Kind,
    model: str,
    fingerprint: str | None,
    existing: Sequence[Thread],
    today: date | None = None,
) -> Standstill | None:
    """Say what people's wishes make of a proposal; None if nothing stands against it.

    Args:
        kind, model: which one this is about.
        fingerprint: the evidence that it would stand on; None if there is no reason for one.
        existing: all of the repository, whatever their state.
        today: where a person may ask for silence; None where nobody may.
    """
    current = next(iter(open_proposals(kind, model, existing)), None)
    if current is not None and current.taken_over:
        return _handed_over(kind, model, current)
    if current is not None and today is not None and "snooze" in ticked(current):
        return Close(current.number, snooze_text(kind, model, today))
    if fingerprint is None:
        return None
    refused = snoozed(kind, model, fingerprint, existing)
    quiet = asleep(kind, model, existing, today) if today is not None else None
    if refused is not None:
        number, why = refused.number, "proposed this on the same evidence and was closed"
    elif quiet is not None:
        number, why = quiet.number, "was snoozed by a person"
    else:
        return None
    reason = f"#{number} {why}"
    return Close(current.number, reason) if current else Keep(number, reason)


def _handed_over(kind: Kind, model: str, current: Thread) -> Standstill:
    """Leave to people what they work on, say so once, and come back if they ask for it."""
    if "resume" in ticked(current):
        return Close(current.number, RESUMED)
    if told_hands_off(kind, model, current):
        return Keep(current.number, HANDS_OFF)
    return Tell(current.number, hands_off_text(kind, model), HANDS_OFF)


def plan(
    kind: Kind,
    model: str,
    wanted: Wanted | None,
    existing: Sequence[Thread],
    *,
    gone: str = "the evidence is gone",
    today: date | None = None,
) -> Open[Wanted] | Update[Wanted] | Standstill:
    """Reconcile one wanted pull request, or issue, with those that exist.

    Args:
        kind, model: which one this is about; at most one is open at a time.
        wanted: what it should say, or None if there is no reason for one.
        existing: all of the repository, whatever their state.
        gone: why nothing is wanted, so that an open one is closed.
        today: where a person may ask for silence; None where nobody may.
    """
    current = next(iter(open_proposals(kind, model, existing)), None)
    held = held_back(kind, model, wanted.fingerprint if wanted else None, existing, today)
    if held is not None:
        return held
    if wanted is None:
        return Close(current.number, gone) if current else Keep(None, gone)
    if current is None:
        return Open(wanted)
    # Equal text on newer evidence is updated too: a refusal must count for what was seen last.
    # So is what somebody ticked: a box that was obeyed is empty again.
    if current.marker == wanted.marker and not ticked(current):
        return Keep(current.number, "already proposed, nothing new")
    return Update(current.number, wanted)
