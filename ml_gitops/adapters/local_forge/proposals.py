"""Pull requests that open and change: a pushed branch, or the one commit of a proposal."""

from collections.abc import Sequence

from ml_gitops.adapters.git.history import diff, log, merge_base
from ml_gitops.adapters.git.repository import HEADS, GitRepository
from ml_gitops.adapters.limits import checked_body, checked_title
from ml_gitops.adapters.local_forge.records import PullRequestRecord
from ml_gitops.adapters.local_forge.state import ForgeState, Work
from ml_gitops.errors import BranchTaken, ForgeError
from ml_gitops.pull_request import PullRequest, PullRequestSpec, relabelled


class Proposals:
    """The half of the local forge that opens pull requests and keeps a proposal's up to date."""

    _repository: GitRepository
    _state: ForgeState

    @property
    def default_branch(self) -> str:
        """The branch that pull requests are merged into."""
        return self._repository.branch() or "main"

    def propose(self, branch: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
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
            return self._open(work, branch, base, head, title, body, draft=draft)

        return self._state.change(step)

    def open_pull_request(self, spec: PullRequestSpec) -> PullRequest:
        """Commit the spec's changes on its branch and open the pull request.

        A branch of this name that an earlier proposal left behind is overwritten,
        unless it holds commits of a person, or such that no pull request knows.

        Raises:
            BranchTaken: somebody else uses the branch, or one that is in its way.
        """

        def step(work: Work) -> PullRequest:
            base = work.branch(spec.base)
            leftover = work.refs.get(HEADS + spec.branch)
            self._refuse_taken(work, spec, base, leftover)
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
                reviewers=spec.reviewers,
                written=head,
            )

        return self._state.change(step)

    def _refuse_taken(
        self, work: Work, spec: PullRequestSpec, base: str, leftover: str | None
    ) -> None:
        """Refuse a branch with commits that nobody proposed, and one beside which it cannot be."""
        ref = HEADS + spec.branch
        # What a person committed to a proposal stays where they put it, also when that is closed.
        theirs = {
            f"refs/pull/{number}/head"
            for number, record in work.records.items()
            if isinstance(record, PullRequestRecord) and record.pull_request.human_commits
        }
        known = [
            tip
            for name, tip in work.refs.items()
            if name.startswith("refs/pull/") and name not in theirs
        ]
        problem = next(
            (
                f"the branch {name.removeprefix(HEADS)} is in the way of {spec.branch}"
                for name in work.refs
                if name.startswith(f"{ref}/") or ref.startswith(f"{name}/")
            ),
            None,
        )
        if leftover is not None and (
            spec.branch == spec.base or log(self._repository, leftover, exclude=[base, *known])
        ):
            problem = f"the branch {spec.branch} holds commits of a person"
        if problem is not None:
            raise BranchTaken(problem, hint="rename or delete it", where=str(self._repository.path))

    def update_pull_request(self, number: int, spec: PullRequestSpec) -> PullRequest:
        """Rewrite an open pull request to the spec: its branch, title, body and labels.

        The branch keeps its name, whatever the spec calls it: no forge can change that. The labels
        of people stay.
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
                written=head,
                head=head,
                title=checked_title(spec.title),
                body=checked_body(spec.full_body),
                draft=spec.draft,
                labels=relabelled(old.labels, spec.labels),
            )
            return work.pull_request(number)

        return self._state.change(step)

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
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
        written: str | None = None,
    ) -> PullRequest:
        for record in work.records.values():
            if isinstance(record, PullRequestRecord):
                other = record.pull_request
                if (other.state, other.branch, other.base) == ("open", branch, base):
                    kind = ForgeError if other.author.bot else BranchTaken
                    raise kind(
                        f"#{other.number} is open for {branch} already",
                        hint="update that one",
                        where=str(self._repository.path),
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
            reviewers=tuple(reviewers),
            human_commits=any(
                not commit.by_bot for commit in log(self._repository, head, exclude=[start])
            ),
            created=now,
            updated=now,
        )
        work.message = f"Open pull request #{opened.number}: {opened.title}"
        work.put(PullRequestRecord(pull_request=opened, base_head=start, written=written))
        return opened

    def _written(self, work: Work, spec: PullRequestSpec, base: str, *, current: str | None) -> str:
        """Return the one commit of a proposal: the current one, if it says the same."""
        tree = self._repository.write_tree(base, spec.files)
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
