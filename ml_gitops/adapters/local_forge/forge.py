"""A forge in a bare Git repository: what runs where there is no GitHub."""

import os
from pathlib import Path
from typing import Self

from ml_gitops.account import Account, ForgeRules
from ml_gitops.adapters.git.history import diff, folder_tree, is_ancestor
from ml_gitops.adapters.git.repository import HEADS, GitRepository
from ml_gitops.adapters.limits import BOT_BRANCHES, checked_choice
from ml_gitops.adapters.local_forge.merging import combine
from ml_gitops.adapters.local_forge.proposals import Proposals
from ml_gitops.adapters.local_forge.records import PullRequestRecord
from ml_gitops.adapters.local_forge.shelf import Shelf
from ml_gitops.adapters.local_forge.state import ForgeState, Work
from ml_gitops.adapters.local_forge.threads import Threads
from ml_gitops.errors import ForgeError
from ml_gitops.names import is_shown
from ml_gitops.ports import Changes, Clock
from ml_gitops.pull_request import Actor, MergeMethod, PullRequest


class LocalForge(Proposals, Threads, Shelf):
    """Pull requests, issues, releases and artifacts in a bare repository on this machine.

    Args:
        path: the bare repository; `create` makes one.
        actor: who acts.
        clock: dates everything.
        patience: seconds to go on against other processes that write at once.

    Raises:
        ForgeError: there is no bare repository.
    """

    def __init__(self, path: Path, *, actor: Actor, clock: Clock, patience: float = 30.0) -> None:
        self._repository = GitRepository(path, clock=clock, actor=actor)
        self._state = ForgeState(self._repository, patience)
        if not self._repository.bare:
            raise ForgeError(
                "this is no bare Git repository", hint="name the folder of a forge", where=str(path)
            )

    @classmethod
    def create(
        cls, path: Path, *, actor: Actor, clock: Clock, default_branch: str = "main"
    ) -> Self:
        """Make a forge with nothing in it; one that exists stays as it is."""
        GitRepository.create_bare(path, clock=clock, actor=actor, default_branch=default_branch)
        return cls(path, actor=actor, clock=clock)

    @property
    def address(self) -> str:
        """The path of the bare repository."""
        return str(self._repository.path)

    @property
    def account(self) -> Account:
        """Who acts; there are no tokens here."""
        return Account(self._repository.actor.login, "local")

    @property
    def remarks(self) -> tuple[str, ...]:
        """Nothing: what is not refused is done here."""
        return ()

    def rules(self) -> ForgeRules:
        """Return what a repository of this machine asks for: nothing."""
        return ForgeRules()

    def head(self, branch: str) -> str | None:
        """Return the commit at the tip of a branch; None if there is no such branch."""
        return self._repository.resolve(HEADS + branch)

    def landed(self, commit: str) -> bool:
        """Say whether a commit is in the history of the default branch."""
        tip, known = self.head(self.default_branch), self._repository.resolve(commit)
        return None not in (tip, known) and is_ancestor(self._repository, commit, tip or "")

    def read(self, path: str, *, ref: str) -> bytes | None:
        """Return a file at a branch, tag or commit; None if it is not there."""
        unborn = ref == self.default_branch and self.head(ref) is None
        return None if unborn else self._state.insist(lambda: self._repository.read(path, ref))

    def files(self, *places: str, ref: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden below."""

        def attempt() -> dict[str, bytes]:
            found = {
                # Names need not be text; what is told of them is.
                os.fsencode(path).decode(errors="backslashreplace"): id_
                for path, id_ in self._repository.files(ref).items()
                if any(is_shown(path, place) for place in places)
            }
            return dict(zip(found, self._repository.blobs(list(found.values())), strict=True))

        return self._state.insist(attempt)

    def content_id(self, folder: str = "", *, ref: str) -> str:
        """Return what stands for all files of a folder at a ref: equal files, equal answer."""
        return self._state.insist(lambda: folder_tree(self._repository, ref, folder))

    def commit(self, branch: str, changes: Changes, message: str) -> str:
        """Commit changes on top of a branch and return the commit (the tip, if nothing differs)."""

        def attempt() -> str:
            tip = self.head(branch)
            if tip is None and branch != self.default_branch:
                raise ForgeError(
                    f"there is no branch {branch!r}", hint="push it first", where=self.address
                )
            return self._repository.commit_files(branch, changes, message, expected_old=tip)

        return self._state.insist(attempt)

    def pull_requests(self) -> list[PullRequest]:
        """Return every pull request, whatever its state, oldest first."""
        records = self._state.look().records.values()
        return [it.pull_request for it in records if isinstance(it, PullRequestRecord)]

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        return self._state.look().pull_request(number)

    def diff(self, number: int) -> str:
        """Return the pull request's changes as a unified diff against its merge base."""
        work = self._state.look()
        pull_request, record = work.pull_request(number), work.records[number]
        base = record.base_head if isinstance(record, PullRequestRecord) else ""
        if pull_request.state == "open":
            base = work.branch(pull_request.base)
        return diff(self._repository, base, pull_request.head)

    def merge(self, number: int, method: MergeMethod = "merge") -> PullRequest:
        """Merge a pull request."""
        checked_choice(method, MergeMethod)

        def step(work: Work) -> PullRequest:
            old = work.pull_request(number, to="merge")
            if old.draft:
                hint = f"run `ml-gitops pr ready {number}`"
                raise work.refusal(f"#{number} is a draft", hint=hint)
            base = work.branch(old.base)
            commit = combine(
                self._repository,
                method,
                base=base,
                head=old.head,
                number=number,
                branch=old.branch,
                title=old.title,
            )
            work.message = f"Merge pull request #{number}: {old.title}"
            work.move(HEADS + old.base, commit)
            work.edit(
                number,
                base_head=base,
                state="merged",
                closed_by=self._repository.actor,
                merge_commit=commit,
            )
            self._drop_branch(work, old)
            return work.pull_request(number)

        return self._state.change(step)

    def close(self, number: int, reason: str | None = None) -> None:
        """Close a pull request or an issue without merging; a reason becomes a comment."""

        def step(work: Work) -> None:
            old = work.thread(number)
            if old.state == "merged":
                raise work.refusal(f"#{number} is merged", hint="revert it with a new one")
            if old.state == "closed":
                return
            if reason:
                self._add_comment(work, number, reason)
            work.message = f"Close #{number}: {old.title}"
            work.edit(number, state="closed", closed_by=self._repository.actor)
            # What a person committed stays where they put it.
            if isinstance(old, PullRequest) and not old.human_commits:
                self._drop_branch(work, old)

        self._state.change(step)

    def _drop_branch(self, work: Work, pull_request: PullRequest) -> None:
        """Delete the branch of a bot; `refs/pull/N/head` keeps its commits."""
        if pull_request.author.bot and pull_request.branch.startswith(BOT_BRANCHES):
            work.move(HEADS + pull_request.branch, None)
