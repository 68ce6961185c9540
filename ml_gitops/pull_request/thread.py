"""What a forge keeps: pull requests and issues, and the marker by which a bot finds its own."""

import re
from datetime import date, datetime
from typing import Literal

from ml_gitops.document import Part
from ml_gitops.pull_request.shortening import shortened

MergeMethod = Literal["merge", "squash", "rebase"]
State = Literal["open", "closed", "merged"]
Kind = Literal["retrain", "rollback", "promotion", "incident", "report", "dashboard"]
ReviewWord = Literal["approve", "request-changes", "comment"]
LONGEST_TEXT = 58_000
"""Characters of a body that every forge accepts, with room for what it adds."""
REPORT_HAS_ALL = "`ml-gitops report --html FILE` has all of it."

_MARKER = re.compile(r"<!-- ml-gitops:(\{.*?\}) -->")


class Actor(Part):
    """Who did something on the forge."""

    login: str
    bot: bool = False


class Facts(Part):
    """What a machine may want to know of what a bot wrote, without reading its words.

    Attributes:
        verdict: what was found: the gate's word of a candidate, the monitor's of production.
        window: the days of the rows that it stands on.
        run_key: of the candidate.
        release: the tag that an environment shall serve.
    """

    verdict: str | None = None
    window: str | None = None
    run_key: str | None = None
    release: str | None = None


class Marker(Part):
    """The hidden identity of what a bot wrote: what it is about, and on what evidence.

    Attributes:
        kind: which flow wrote it.
        model: the model it is about.
        fingerprint: digest of the evidence; equal evidence is the same proposal.
        content: digest of everything proposed.
        until: the day before which nothing like it is proposed, where a person asked for that.
        facts: for machines; nothing is identified by them.
    """

    kind: Kind
    model: str
    fingerprint: str = ""
    content: str = ""
    until: date | None = None
    facts: Facts | None = None

    def render(self) -> str:
        """Return the marker as an HTML comment that Markdown hides."""
        # Escaped, so that no name can end the comment early.
        text = (
            self.model_dump_json(exclude_none=True).replace("<", "\\u003c").replace(">", "\\u003e")
        )
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


class Thread(Part):
    """What a pull request and an issue have in common.

    Attributes:
        closed_by: who closed or merged it.
    """

    number: int
    title: str
    body: str
    author: Actor
    state: State
    labels: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    created: datetime
    updated: datetime
    closed_by: Actor | None = None

    @property
    def marker(self) -> Marker | None:
        """The marker in the body, believed only where a bot opened the thread."""
        return Marker.find(self.body) if self.author.bot else None

    @property
    def taken_over(self) -> bool:
        """Whether people work on it now."""
        return False


class PullRequest(Thread):
    """A pull request as the forge knows it.

    Attributes:
        head: commit of the branch (the last one, if it is closed).
        human_commits: whether anyone but a bot committed to the branch.
        reviewers: who was asked for a review, where the forge tells that.
        merge_commit: what the merge left on the base branch.
    """

    branch: str
    base: str
    head: str
    draft: bool = False
    reviews: tuple[Review, ...] = ()
    reviewers: tuple[str, ...] = ()
    human_commits: bool = False
    merge_commit: str | None = None

    @property
    def taken_over(self) -> bool:
        """Whether people work on it now."""
        return self.human_commits


class Issue(Thread):
    """An issue as the forge knows it."""

    state: Literal["open", "closed"]


def fits(text: str, marker: Marker) -> bool:
    """Say whether a forge accepts a text with its marker whole."""
    return len(text) <= _room(marker)


def signed_text(text: str, marker: Marker, *, rest: str = REPORT_HAS_ALL) -> str:
    """Return a text with its marker at the end, cut to what a forge accepts.

    Args:
        rest: where to read what does not fit, as one sentence.
    """
    cut = f"*The rest did not fit; {rest}*"
    return f"{shortened(text, _room(marker), cut)}\n\n{marker.render()}"


def _room(marker: Marker) -> int:
    return LONGEST_TEXT - len(marker.render()) - 2
