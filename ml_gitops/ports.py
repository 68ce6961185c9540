"""What the loops need of the world, as protocols that adapters satisfy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

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

    def head(self, branch: str) -> str | None:
        """Return the commit at the tip of a branch; None if there is no such branch."""
        ...

    def read(self, path: str, *, ref: str) -> bytes | None:
        """Return a file at a branch, tag or commit; None if it is not there."""
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

    def propose(
        self, branch: str, title: str, body: str, *, draft: bool = False, labels: Sequence[str] = ()
    ) -> PullRequest:
        """Open a pull request for a branch that was pushed."""
        ...

    def open_pull_request(self, spec: PullRequestSpec) -> PullRequest:
        """Commit the spec's changes on its branch and open the pull request."""
        ...

    def update_pull_request(self, number: int, spec: PullRequestSpec) -> PullRequest:
        """Rewrite branch, title, body and labels of an open pull request to the spec."""
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


class Records(Protocol):
    """The append-only record of runs: one immutable JSON document per run."""

    def append(self, path: str, text: str) -> None:
        """Write a record; the same path with the same text changes nothing."""
        ...

    def read_all(self, prefix: str) -> list[tuple[str, str]]:
        """Return (path, text) of every record under a prefix, sorted by path."""
        ...


class Warehouse(Protocol):
    """An engine that reduces files of rows to a few numbers; rows stay inside it."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its (few) rows."""
        ...

    def batches(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Run one statement and yield its rows in batches, never all at once."""
        ...


class FrameWarehouse(Warehouse, Protocol):
    """A warehouse that can also read frames of this process."""

    def register(self, name: str, frame: Any) -> None:
        """Make a frame readable as a table of that name."""
        ...


class Workspace(Protocol):
    """The work tree of a model repository, and the author's code in it."""

    @property
    def root(self) -> Path:
        """The folder that holds `ml-gitops.toml`."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file of the work tree; None if it is not there."""
        ...

    def write(self, changes: Changes) -> None:
        """Write files, each whole or not at all."""
        ...

    def sources(self, folder: str, *, without: Sequence[str] = ()) -> dict[str, bytes]:
        """Return path and content of every Python file below a folder of the work tree.

        Args:
            folder: where to look, `.` for everywhere.
            without: folders at its top that are left out.
        """
        ...

    def call(self, reference: str, *arguments: object) -> Any:
        """Call the author's `file.py:function`; what it raises names the author's line."""
        ...

    def function(self, reference: str) -> Callable[..., Any]:
        """Return the author's `file.py:function`."""
        ...

    def author(self, path: str) -> AbstractContextManager[None]:
        """Run the author's code: the work tree importable, failures named by their line."""
        ...

    def environment(self) -> dict[str, str]:
        """Return library and version of everything that decides numbers."""
        ...

    def run_folder(self, name: str) -> Path | None:
        """Return the folder of a run that is kept here; None if there is none."""
        ...

    def keep_run(self, name: str, files: Mapping[str, bytes], frames: Mapping[str, Any]) -> Path:
        """Keep a run's files, and frames as Parquet, all or nothing; return their folder."""
        ...

    def add_to_run(self, name: str, files: Changes) -> None:
        """Add files to a run that is kept here, or remove them."""
        ...

    def read_frame(self, path: Path) -> Any:
        """Return a frame that `keep_run` kept."""
        ...

    def run_checks(self, run_folder: Path, checks: str) -> bytes | None:
        """Run the author's checks with pytest; None if there are none.

        Args:
            run_folder: what the fixtures read: model, signature, holdout, champion.
            checks: the folder of the checks.
        """
        ...


class Repository(Protocol):
    """The clone that a person or a runner works in."""

    def head(self) -> str:
        """Return the commit that is checked out."""
        ...

    def branch(self) -> str | None:
        """Return the branch that is checked out; None on a detached head."""
        ...

    def dirty_paths(self) -> list[str]:
        """Return the paths that differ from the commit."""
        ...


class Bentos(Protocol):
    """What builds a service from a model."""

    def build(self, files: Mapping[str, bytes]) -> bytes:
        """Build a Bento around model, signature and release; return it as one archive."""
        ...


class Clock(Protocol):
    """What time it is, in UTC."""

    def __call__(self) -> datetime:
        """Return now, with its zone."""
        ...


class Progress(Protocol):
    """Where long work says how far it is; silent in machines' output."""

    def step(self, text: str, done: float | None = None) -> None:
        """Say what is being done, and which share of it is done (0 to 1)."""
        ...
