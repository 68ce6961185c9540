"""What the loops need of a forge, as a protocol that adapters satisfy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ml_gitops.account import Account, ForgeRules
from ml_gitops.pull_request import (
    Comment,
    Issue,
    MergeMethod,
    PullRequest,
    PullRequestSpec,
    Review,
)

Changes = Mapping[str, bytes | None]
"""Path to new content; None deletes the file."""


@dataclass(frozen=True)
class Tag:
    """An annotated tag: its name, the commit it names, its message, when it was made."""

    name: str
    commit: str
    message: str
    created: datetime


@dataclass(frozen=True)
class ForgeRelease:
    """A release page of the forge: its tag, title, notes and the names of its assets."""

    tag: str
    title: str
    notes: str
    assets: tuple[str, ...]
    created: datetime


class Forge(Protocol):
    """Pull requests, issues, tags, releases and artifacts of one repository.

    Every method raises `ForgeError` when the forge refuses, and `TryAgain` when
    it cannot answer now; an unknown answer is never reported as absence.
    """

    @property
    def default_branch(self) -> str:
        """The branch that pull requests are merged into."""
        ...

    @property
    def address(self) -> str:
        """Where people find this forge: a path or a URL."""
        ...

    @property
    def account(self) -> Account:
        """Who acts here."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What it did not do, where that was no reason to stop; one line each."""
        ...

    def rules(self) -> ForgeRules:
        """Return what the repository allows and asks for, as far as the account may look."""
        ...

    def head(self, branch: str) -> str | None:
        """Return the commit at the tip of a branch; None if there is no such branch."""
        ...

    def landed(self, commit: str) -> bool:
        """Say whether a commit is in the history of the default branch."""
        ...

    def read(self, path: str, *, ref: str) -> bytes | None:
        """Return a file at a branch, tag or commit; None if it is not there."""
        ...

    def files(self, *places: str, ref: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden below."""
        ...

    def content_id(self, folder: str = "", *, ref: str) -> str:
        """Return what stands for all files of a folder at a ref: equal files, equal answer.

        Args:
            folder: with a slash at its end; empty for everything.
            ref: a branch, tag or commit.
        """
        ...

    def commit(self, branch: str, changes: Changes, message: str) -> str:
        """Commit changes on top of a branch and return the commit (the tip, if nothing differs)."""
        ...

    def pull_requests(self) -> list[PullRequest]:
        """Return every pull request, whatever its state, oldest first."""
        ...

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        ...

    def diff(self, number: int) -> str:
        """Return the pull request's changes as a unified diff against its merge base."""
        ...

    def propose(self, branch: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        """Open a pull request for a branch that was pushed."""
        ...

    def open_pull_request(self, spec: PullRequestSpec) -> PullRequest:
        """Commit the spec's changes on its branch and open the pull request."""
        ...

    def update_pull_request(self, number: int, spec: PullRequestSpec) -> PullRequest:
        """Rewrite branch, title, body and our labels of an open pull request to the spec."""
        ...

    def mark_ready(self, number: int) -> PullRequest:
        """Take the draft mark from a pull request."""
        ...

    def merge(self, number: int, method: MergeMethod = "merge") -> PullRequest:
        """Merge a pull request."""
        ...

    def close(self, number: int, reason: str | None = None) -> None:
        """Close a pull request or an issue without merging; a reason becomes a comment."""
        ...

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment to a pull request or an issue."""
        ...

    def edit_comment(self, number: int, comment: int, body: str) -> None:
        """Replace the body of a comment."""
        ...

    def delete_comment(self, number: int, comment: int) -> None:
        """Delete a comment; one that is gone stays gone."""
        ...

    def edit_body(self, number: int, body: str) -> None:
        """Replace the body of a pull request or an issue."""
        ...

    def review(self, number: int, verdict: str, body: str = "") -> Review:
        """Review a pull request: approve, request-changes or comment."""
        ...

    def label(self, number: int, labels: Sequence[str]) -> None:
        """Set the labels of a pull request or an issue."""
        ...

    def issues(self) -> list[Issue]:
        """Return every issue, whatever its state, oldest first."""
        ...

    def open_issue(self, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        """Open an issue."""
        ...

    def update_issue(self, number: int, title: str, body: str) -> None:
        """Replace title and body of an issue."""
        ...

    def tags(self) -> list[Tag]:
        """Return every annotated tag, oldest first."""
        ...

    def create_tag(self, name: str, commit: str, message: str) -> Tag:
        """Create an annotated tag; an existing one is never moved (`ForgeError`)."""
        ...

    def releases(self) -> list[ForgeRelease]:
        """Return every release page, oldest first."""
        ...

    def create_release(
        self, tag: str, title: str, notes: str, assets: Mapping[str, bytes]
    ) -> ForgeRelease:
        """Create the release page of a tag with its assets."""
        ...

    def asset(self, tag: str, name: str) -> bytes | None:
        """Return one asset of a release; None if the release or the asset is not there."""
        ...

    def store_artifact(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep files under a name; the same name with the same files changes nothing."""
        ...

    def artifact(self, name: str) -> dict[str, bytes] | None:
        """Return the files kept under a name; None if there are none."""
        ...
