"""What a bot wants of a forge, as data, and the one rule that reconciles it.

Every bot pull request carries a hidden marker with the fingerprint of its
evidence. `plan` compares what is wanted with what exists and answers with
Open, Update, Close or Keep, so running twice changes nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_gitops.document import Part, sha256

MergeMethod = Literal["merge", "squash", "rebase"]
State = Literal["open", "closed", "merged"]
Kind = Literal["retrain", "rollback", "promotion", "incident", "report"]
ReviewWord = Literal["approve", "request-changes", "comment"]
LONGEST_TEXT = 58_000
"""Characters of a body that every forge accepts, with room for what it adds."""
HANDS_OFF = "a person committed to the branch; it is theirs now"

_MARKER = re.compile(r"<!-- ml-gitops:(\{.*?\}) -->")


class Actor(Part):
    """Who did something on the forge."""

    login: str
    bot: bool = False


class Marker(Part):
    """The hidden identity of what a bot wrote: what it is about, and on what evidence.

    Attributes:
        kind: which flow wrote it.
        model: the model it is about.
        fingerprint: digest of the evidence; equal evidence is the same proposal.
        content: digest of everything proposed.
    """

    kind: Kind
    model: str
    fingerprint: str = ""
    content: str = ""

    def render(self) -> str:
        """Return the marker as an HTML comment that Markdown hides."""
        # Escaped, so that no name can end the comment early.
        text = self.model_dump_json().replace("<", "\\u003c").replace(">", "\\u003e")
        return f"<!-- ml-gitops:{text} -->"

    @classmethod
    def find(cls, text: str) -> "Marker | None":
        """Return the last marker of a text: ours is always written at the end."""
        found = _MARKER.findall(text)
        try:
            return cls.model_validate_json(found[-1]) if found else None
        except ValueError:
            return None


class Comment(Part):
    """A comment on a pull request or an issue."""

    number: int
    author: Actor
    body: str
    created: datetime
    updated: datetime


class Review(Part):
    """A person's judgement of a pull request."""

    author: Actor
    verdict: ReviewWord
    body: str = ""
    created: datetime


class PullRequest(Part):
    """A pull request as the forge knows it.

    Attributes:
        head: commit of the branch (the last one, if it is closed).
        human_commits: whether anyone but a bot committed to the branch.
        closed_by: who closed or merged it.
        merge_commit: what the merge left on the base branch.
    """

    number: int
    title: str
    body: str
    branch: str
    base: str
    head: str
    author: Actor
    state: State
    draft: bool = False
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    reviews: tuple[Review, ...] = ()
    human_commits: bool = False
    created: datetime
    updated: datetime
    closed_by: Actor | None = None
    merge_commit: str | None = None

    @property
    def marker(self) -> Marker | None:
        """The marker in the body, believed only where a bot opened the pull request."""
        return Marker.find(self.body) if self.author.bot else None


class Issue(Part):
    """An issue as the forge knows it."""

    number: int
    title: str
    body: str
    author: Actor
    state: Literal["open", "closed"]
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    created: datetime
    updated: datetime
    closed_by: Actor | None = None

    @property
    def marker(self) -> Marker | None:
        """The marker in the body, believed only where a bot opened the issue."""
        return Marker.find(self.body) if self.author.bot else None


def signed_text(text: str, marker: Marker) -> str:
    """Return a text with its marker at the end, cut to what a forge accepts."""
    end = "\n\n" + marker.render()
    room = LONGEST_TEXT - len(end)
    if len(text) > room:
        cut = "\n\n*The rest did not fit; `ml-gitops report --html FILE` has all of it.*"
        text = text[: room - len(cut)] + cut
    return text + end


@dataclass(frozen=True)
class PullRequestSpec:
    """A pull request that a bot wants: one commit on a branch from the base's tip.

    Args:
        kind, model, fingerprint: what the proposal is and the evidence it stands on.
        branch, base, title, body, labels: as people will see them.
        commit_message: subject and body of the one commit.
        changes: path to new content (None deletes the file).
        draft: whether it is not ready to merge.
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
        )

    @property
    def full_body(self) -> str:
        """The body with the marker at its end, cut to what a forge accepts."""
        return signed_text(self.body, self.marker)


@dataclass(frozen=True)
class Open:
    """Open the pull request."""

    spec: PullRequestSpec


@dataclass(frozen=True)
class Update:
    """Bring an open pull request to what is wanted now."""

    number: int
    spec: PullRequestSpec


@dataclass(frozen=True)
class Close:
    """Close a pull request whose reason is gone."""

    number: int
    reason: str


@dataclass(frozen=True)
class Keep:
    """Change nothing."""

    number: int | None
    reason: str


Action = Open | Update | Close | Keep


def snoozed(
    kind: Kind, model: str, fingerprint: str, existing: Sequence[PullRequest]
) -> PullRequest | None:
    """Return the pull request in which a person refused exactly this evidence, if any."""
    for pull_request in existing:
        marker = pull_request.marker
        refused = pull_request.state == "closed" and not (
            pull_request.closed_by is not None and pull_request.closed_by.bot
        )
        if (
            refused
            and marker is not None
            and (marker.kind, marker.model, marker.fingerprint) == (kind, model, fingerprint)
        ):
            return pull_request
    return None


def open_proposals(kind: Kind, model: str, existing: Sequence[PullRequest]) -> list[PullRequest]:
    """Return the open pull requests that our bot wrote for this kind and model, oldest first."""
    ours = [
        pull_request
        for pull_request in existing
        if pull_request.state == "open"
        and pull_request.marker is not None
        and (pull_request.marker.kind, pull_request.marker.model) == (kind, model)
    ]
    return sorted(ours, key=lambda pull_request: pull_request.number)


def plan(
    kind: Kind,
    model: str,
    wanted: PullRequestSpec | None,
    existing: Sequence[PullRequest],
    *,
    gone: str = "the evidence is gone",
) -> Action:
    """Reconcile one wanted proposal with the pull requests that exist.

    Args:
        kind, model: which proposal this is about; at most one is open at a time.
        wanted: the proposal, or None if there is no reason for one.
        existing: all pull requests of the repository, whatever their state.
        gone: why nothing is wanted, so that an open one is closed.
    """
    proposals = open_proposals(kind, model, existing)
    current = proposals[0] if proposals else None
    if current is not None and current.human_commits:
        return Keep(current.number, HANDS_OFF)
    if wanted is None:
        return Close(current.number, gone) if current else Keep(None, gone)
    refused = snoozed(kind, model, wanted.fingerprint, existing)
    if refused is not None:
        reason = f"#{refused.number} proposed this on the same evidence and was closed"
        return Close(current.number, reason) if current else Keep(refused.number, reason)
    if current is None:
        return Open(wanted)
    # Equal text on newer evidence is updated too: a refusal must count for what was seen last.
    if current.marker == wanted.marker:
        return Keep(current.number, "already proposed, nothing new")
    return Update(current.number, wanted)
