"""A forge in a bare Git repository: what runs where there is no GitHub."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from ml_gitops.adapters.forge_records import PullRequestRecord
from ml_gitops.adapters.forge_shelf import Shelf
from ml_gitops.adapters.forge_state import ForgeState, Work
from ml_gitops.adapters.forge_threads import Threads, checked_body, checked_choice, checked_title
from ml_gitops.adapters.git import HEADS, GitRepository
from ml_gitops.adapters.history import diff, log, merge_base
from ml_gitops.adapters.merging import combine
from ml_gitops.errors import ForgeError
from ml_gitops.ports import Changes, Clock
from ml_gitops.pull_request import Actor, MergeMethod, PullRequest, PullRequestSpec

BOT_BRANCHES = "ml-gitops/"
"""Branches under this prefix belong to the bot; they go when their pull request does."""


class LocalForge(Threads, Shelf):
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
    def default_branch(self) -> str:
        """The branch that pull requests are merged into."""
        return self._repository.branch() or "main"

    @property
    def address(self) -> str:
        """The path of the bare repository."""
        return str(self._repository.path)

    def head(self, branch: str) -> str | None:
        """Return the commit at the tip of a branch; None if there is no such branch."""
        return self._repository.resolve(HEADS + branch)

    def read(self, path: str, *, ref: str) -> bytes | None:
        """Return a file at a branch, tag or commit; None if it is not there."""
        unborn = ref == self.default_branch and self.head(ref) is None
        return None if unborn else self._state.insist(lambda: self._repository.read(path, ref))

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

    def propose(
        self, branch: str, title: str, body: str, *, draft: bool = False, labels: Sequence[str] = ()
    ) -> PullRequest:
        """Open a pull request for a branch that was pushed."""
        base = self.default_branch

        def step(work: Work) -> PullRequest:
            start, head = work.branch(base), work.branch(branch)
            if merge_base(self._repository, start, head) is None:
                raise work.refusal(
                    f"{branch} shares no history with {base}", hint=f"branch off from {base}"
                )
            if not diff(self._repository, start, head):
                raise work.refusal(f"{branch} changes nothing in {base}", hint="commit something")
            return self._open(work, branch, base, head, title, body, draft=draft, labels=labels)

        return self._state.change(step)

    def open_pull_request(self, spec: PullRequestSpec) -> PullRequest:
        """Commit the spec's changes on its branch and open the pull request.

        A branch of this name that an earlier proposal left behind is overwritten,
        unless it holds commits of a person that no pull request knows.
        """

        def step(work: Work) -> PullRequest:
            base = work.branch(spec.base)
            leftover = work.refs.get(HEADS + spec.branch)
            if leftover is not None:
                known = [tip for ref, tip in work.refs.items() if ref.startswith("refs/pull/")]
                unknown = log(self._repository, leftover, exclude=[base, *known])
                if spec.branch == spec.base or any(not commit.by_bot for commit in unknown):
                    raise work.refusal(
                        f"the branch {spec.branch} holds commits of a person",
                        hint="rename or delete it",
                    )
            head = self._written(work, spec, base, current=leftover)
            work.move(HEADS + spec.branch, head)
            return self._open(
                work,
                spec.branch,
                spec.base,
                head,
                spec.title,
                spec.full_body,
                draft=spec.draft,
                labels=spec.labels,
            )

        return self._state.change(step)

    def update_pull_request(self, number: int, spec: PullRequestSpec) -> PullRequest:
        """Rewrite an open pull request to the spec: its branch, title, body and labels.

        The branch keeps its name, whatever the spec calls it: no forge can change that.
        """

        def step(work: Work) -> PullRequest:
            old = work.pull_request(number, to="update")
            if old.base != spec.base:
                raise work.refusal(
                    f"#{number} goes to {old.base}, not to {spec.base}",
                    hint="close it and open a new one",
                )
            if old.human_commits:
                raise work.refusal(
                    f"a person committed to {old.branch}", hint=f"leave #{number} to them"
                )
            base = work.branch(spec.base)
            head = self._written(work, spec, base, current=old.head)
            work.message = f"Update pull request #{number}: {old.title}"
            work.move(HEADS + old.branch, head)
            work.edit(
                number,
                base_head=base,
                head=head,
                title=checked_title(spec.title),
                body=checked_body(spec.full_body),
                draft=spec.draft,
                labels=tuple(dict.fromkeys(spec.labels)),
            )
            return work.pull_request(number)

        return self._state.change(step)

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

    def _open(
        self,
        work: Work,
        branch: str,
        base: str,
        head: str,
        title: str,
        body: str,
        *,
        draft: bool,
        labels: Sequence[str],
    ) -> PullRequest:
        for record in work.records.values():
            if isinstance(record, PullRequestRecord):
                other = record.pull_request
                if (other.state, other.branch, other.base) == ("open", branch, base):
                    raise work.refusal(
                        f"#{other.number} is open for {branch} already", hint="update that one"
                    )
        start, now = work.branch(base), self._repository.clock()
        opened = PullRequest(
            number=work.next_number,
            title=checked_title(title),
            body=checked_body(body),
            branch=branch,
            base=base,
            head=head,
            author=self._repository.actor,
            state="open",
            draft=draft,
            labels=tuple(dict.fromkeys(labels)),
            human_commits=any(
                not commit.by_bot for commit in log(self._repository, head, exclude=[start])
            ),
            created=now,
            updated=now,
        )
        work.message = f"Open pull request #{opened.number}: {opened.title}"
        work.put(PullRequestRecord(pull_request=opened, base_head=start))
        return opened

    def _written(self, work: Work, spec: PullRequestSpec, base: str, *, current: str | None) -> str:
        """Return the one commit of a proposal: the current one, if it says the same."""
        tree = self._repository.write_tree(base, dict(spec.changes))
        if tree == self._repository.tree(base):
            raise work.refusal(
                f"the proposal changes nothing in {spec.base}", hint="close it; it is done"
            )
        if current is not None:
            commits = log(self._repository, current, exclude=[base])
            if (
                [commit.parents for commit in commits] == [(base,)]
                and commits[0].message.strip() == spec.commit_message.strip()
                and self._repository.tree(current) == tree
            ):
                return current
        return self._repository.write_commit(tree, [base], spec.commit_message)

    def _drop_branch(self, work: Work, pull_request: PullRequest) -> None:
        """Delete the branch of a bot; `refs/pull/N/head` keeps its commits."""
        if pull_request.author.bot and pull_request.branch.startswith(BOT_BRANCHES):
            work.move(HEADS + pull_request.branch, None)
