"""What a local forge remembers: documents in the tree of one Git ref.

Every change is one commit on `refs/ml-gitops/forge`, moved together with the
branches it is about in one compare-and-swap; so the history of the forge is
`git log refs/ml-gitops/forge`, and a process that dies leaves the state before
or after. Only a machine that dies while Git moves the refs of one transaction,
one by one, can leave a branch ahead of its document.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ml_gitops.adapters.git.command import compare_and_swap
from ml_gitops.adapters.git.refs import RefMove
from ml_gitops.adapters.git.repository import HEADS, GitRepository
from ml_gitops.adapters.local_forge.records import (
    IssueRecord,
    PullRequestRecord,
    Record,
    followed,
)
from ml_gitops.errors import ForgeError, GitError
from ml_gitops.pull_request import Issue, PullRequest

STATE = "refs/ml-gitops/forge"
Result = TypeVar("Result")

_THREAD = re.compile(r"(pulls|issues)/(\d+)\.json")


@dataclass
class Work:
    """One look at the forge, and the changes that are to be made of it.

    Args:
        repository: where it lies.
        refs: branches, heads of pull requests and the state itself.
        files: path and blob of every file of the state.
        stored: the records as they are written down.
    """

    repository: GitRepository
    refs: dict[str, str]
    files: dict[str, str]
    stored: Mapping[int, Record]
    records: dict[int, Record] = field(init=False)
    changes: dict[str, bytes | None] = field(default_factory=dict)
    moves: dict[str, str | None] = field(default_factory=dict)
    message: str = "Follow the branches"

    def __post_init__(self) -> None:
        self.records = dict(self.stored)
        for record in followed(self.repository, self.stored, self.refs):
            self.put(record)

    def branch(self, name: str) -> str:
        """Return the tip of a branch.

        Raises:
            ForgeError: there is no such branch.
        """
        tip = self.refs.get(HEADS + name)
        if tip is None:
            raise self.refusal(f"there is no branch {name!r}", hint="push it first")
        return tip

    def thread(self, number: int) -> PullRequest | Issue:
        """Return a pull request or an issue.

        Raises:
            ForgeError: there is none of this number.
        """
        record = self.records.get(number)
        if record is None:
            raise self.refusal(f"there is no #{number}", hint="look at `ml-gitops status`")
        return record.pull_request if isinstance(record, PullRequestRecord) else record.issue

    def pull_request(self, number: int, *, to: str = "") -> PullRequest:
        """Return a pull request.

        Args:
            to: what is to be done with it that only an open one allows: `merge`.

        Raises:
            ForgeError: there is none of this number, or it is not open.
        """
        found = self.thread(number)
        if not isinstance(found, PullRequest):
            raise self.refusal(f"#{number} is an issue", hint="name a pull request")
        if to and found.state != "open":
            raise self.refusal(
                f"cannot {to} #{number}: it is {found.state}", hint="open a new pull request"
            )
        return found

    def edit(
        self,
        number: int,
        *,
        base_head: str | None = None,
        written: str | None = None,
        **changes: object,
    ) -> None:
        """Change a pull request or an issue; it counts as updated only if something differs."""
        record, old = self.records[number], self.thread(number)
        new = old.model_copy(update=changes)
        if new != old:
            new = new.model_copy(update={"updated": self.repository.clock()})
        name = "pull_request" if isinstance(record, PullRequestRecord) else "issue"
        noted = {"base_head": base_head, "written": written}
        update = {name: new} | {key: value for key, value in noted.items() if value}
        self.put(record.model_copy(update=update))

    def refusal(self, problem: str, *, hint: str) -> ForgeError:
        """Return the error that says what the forge refuses."""
        return ForgeError(problem, hint=hint, where=str(self.repository.path))

    def put(self, record: Record) -> None:
        """Write a record down, and keep the commits of a pull request from being lost."""
        if isinstance(record, IssueRecord):
            self.records[record.issue.number] = record
            return
        number = record.pull_request.number
        self.records[number] = record
        self.move(f"refs/pull/{number}/head", record.pull_request.head)

    def move(self, ref: str, new: str | None) -> None:
        """Move a ref when the work is done; None deletes it."""
        self.moves[ref] = new

    @property
    def next_number(self) -> int:
        """The number of the next pull request or issue."""
        return max(self.records, default=0) + 1

    def documents(self) -> dict[str, bytes | None]:
        """Return the files that differ from what is written down."""
        changes = dict(self.changes)
        for number, record in self.records.items():
            if record != self.stored.get(number):
                kind = "pulls" if isinstance(record, PullRequestRecord) else "issues"
                changes[f"{kind}/{number}.json"] = record.to_json().encode()
        return changes


class ForgeState:
    """The documents of a local forge.

    Args:
        repository: the bare repository.
        patience: seconds to go on against other writers.
    """

    def __init__(self, repository: GitRepository, patience: float) -> None:
        self._repository = repository
        self._patience = patience

    def look(self) -> Work:
        """Read everything, with a number of processes that does not grow with the state."""
        refs = self._repository.refs(HEADS, "refs/pull", STATE)
        files = self._repository.files(refs[STATE]) if STATE in refs else {}
        paths = [path for path in files if _THREAD.fullmatch(path)]
        texts = self._repository.blobs([files[path] for path in paths])
        stored: dict[int, Record] = {}
        for path, text in zip(paths, texts, strict=True):
            kind, _, name = path.partition("/")
            form = PullRequestRecord if kind == "pulls" else IssueRecord
            number = int(name.removesuffix(".json"))
            stored[number] = form.from_json(text, where=f"{STATE}:{path}")
        return Work(self._repository, refs, files, dict(sorted(stored.items())))

    def files(self, prefix: str) -> dict[str, str]:
        """Return path and blob of every file of the state under a prefix."""
        commit = self._repository.resolve(STATE)
        return self._repository.files(commit, prefix) if commit else {}

    def change(self, step: Callable[[Work], Result]) -> Result:
        """Make one change that happens whole or not at all.

        Args:
            step: changes the work it is given; it starts afresh if others were faster.

        Raises:
            ForgeError, TryAgain: see `insist`.
        """

        def attempt() -> Result:
            work = self.look()
            result = step(work)
            self._finish(work)
            return result

        return self.insist(attempt)

    def insist(self, attempt: Callable[[], Result]) -> Result:
        """Repeat an attempt until no other writer comes between.

        Raises:
            TryAgain: others were faster all the time.
            ForgeError: Git refused.
        """
        where = str(self._repository.path)
        try:
            return compare_and_swap(attempt, patience=self._patience, where=where)
        except GitError as error:
            raise ForgeError(error.problem, hint=error.hint, where=error.where) from None

    def _finish(self, work: Work) -> None:
        old = work.refs.get(STATE)
        changes = work.documents()
        if changes:
            tree = self._repository.write_tree(old, changes)
            if old is None or tree != self._repository.tree(old):
                parents = [] if old is None else [old]
                work.move(STATE, self._repository.write_commit(tree, parents, work.message + "\n"))
        self._repository.move_refs(
            [RefMove(ref, work.refs.get(ref), new) for ref, new in work.moves.items()]
        )
