"""Pull requests that open and change: a pushed branch, or the one commit of a proposal."""

from collections.abc import Sequence
from typing import Any

from ml_gitops.adapters.github import questions
from ml_gitops.adapters.github.answers import Refused
from ml_gitops.adapters.github.client import Document
from ml_gitops.adapters.github.git_data import GitData
from ml_gitops.adapters.github.threads import Threads
from ml_gitops.adapters.limits import checked_body, checked_title
from ml_gitops.errors import BranchTaken, TryAgain
from ml_gitops.pull_request import (
    Marker,
    PullRequest,
    PullRequestSpec,
    relabelled,
    signed_text,
)

_NO_DRAFTS = "raft pull requests are not supported"
"""What GitHub says in private repositories of its free plan."""


class Proposals(Threads):
    """The half of the forge that opens pull requests and keeps a proposal's up to date."""

    _git: GitData
    _remarks: list[str]

    @property
    def default_branch(self) -> str:
        """The branch that pull requests are merged into."""
        ref = self._survey.about.get("defaultBranchRef")
        return str(ref["name"]) if ref else "main"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What GitHub did not do, where that was no reason to stop."""
        return tuple(self._remarks)

    def propose(self, branch: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        """Open a pull request for a branch that was pushed."""
        base = self.default_branch
        start, head = self._tip(base), self._tip(branch)
        try:
            changed = self._git.compare(start, head)["files"]
        except Refused as refused:
            if refused.status != 404:
                raise
            raise self._refusal(
                f"{branch} shares no history with {base}", hint=f"branch off from {base}"
            ) from None
        if not changed:
            raise self._refusal(f"{branch} changes nothing in {base}", hint="commit something")
        self._require_none_open(branch, base)
        ask = {"title": checked_title(title), "body": checked_body(body), "draft": draft}
        return self.pull_request(self._create(branch, base, ask, None))

    def open_pull_request(self, spec: PullRequestSpec) -> PullRequest:
        """Commit the spec's changes on its branch and open the pull request.

        A branch of this name that an earlier proposal left behind is overwritten,
        unless it holds commits of a person.

        Raises:
            BranchTaken: somebody else uses the branch, or one that is in its way.
        """
        title, body = checked_title(spec.title), checked_body(spec.full_body)
        base = self._tip(spec.base)
        leftover = self._git.head(spec.branch)
        known = self._open_for(spec.branch, spec.base) if leftover else None
        if known is not None:
            return self._adopted(known, spec)
        if leftover is not None and (
            spec.branch == spec.base or self._git.any_person(base, leftover)
        ):
            raise self._taken(f"the branch {spec.branch} holds commits of a person")
        head = self._written(spec, base, current=leftover)
        self._point(spec.branch, leftover, head)
        # The marker is completed last, so that whoever dies before the labels comes back for them.
        bare = spec.marker.model_copy(update={"content": ""})
        unfinished = signed_text(spec.body, bare, rest=spec.rest)
        ask = {"title": title, "body": unfinished, "draft": spec.draft}
        number = self._create(spec.branch, spec.base, ask, spec.marker)
        if spec.labels:
            self.label(number, spec.labels)
        self._ask_reviewers(number, spec.reviewers)
        self._client.write("PATCH", f"/pulls/{number}", {"body": body}, repeatable=True)
        return self.pull_request(number)

    def update_pull_request(self, number: int, spec: PullRequestSpec) -> PullRequest:
        """Rewrite an open pull request to the spec: its branch, title, body and labels.

        The branch keeps its name, whatever the spec calls it: no forge can change that. The labels
        of people stay.
        """
        title, body = checked_title(spec.title), checked_body(spec.full_body)
        old, node = self._pull(number, to="update")
        if old.base != spec.base:
            raise self._refusal(
                f"#{number} goes to {old.base}, not to {spec.base}",
                hint="close it and open a new one",
            )
        if old.human_commits:
            raise self._refusal(
                f"a person committed to {old.branch}", hint=f"leave #{number} to them"
            )
        head = self._written(spec, self._tip(spec.base), current=old.head)
        labels = relabelled(old.labels, spec.labels)
        before = self._client.changes
        if head != old.head:
            self._git.replace(old.branch, old.head, head)
        if set(labels) != set(old.labels):
            self.label(number, labels)
        if spec.draft != old.draft:
            self._mark_as(node["id"], draft=spec.draft)
        if old.marker is not None and not old.marker.content:
            self._ask_reviewers(number, spec.reviewers)  # Whoever opened it died before.
        # Title and body come last: the marker in it says that all the rest is done.
        if (title, body) != (old.title, old.body):
            ask = {"title": title, "body": body}
            self._client.write("PATCH", f"/pulls/{number}", ask, repeatable=True)
        return old if self._client.changes == before else self.pull_request(number)

    def _create(self, branch: str, base: str, ask: dict[str, Any], marker: Marker | None) -> int:
        """Open a pull request once, and return its number: ours, if another run was faster."""

        def look() -> int | None:
            found = self._open_for(branch, base)
            return int(found["number"]) if found and self._is_ours(found, marker) else None

        try:
            return self._client.settled(
                lambda: int(
                    self._client.write("POST", "/pulls", {**ask, "head": branch, "base": base})[
                        "number"
                    ]
                ),
                look,
            )
        except Refused as refused:
            if "already exists" in refused.said:
                number = look() if marker else None
                if number is not None:
                    return number
                self._require_none_open(branch, base)
                raise TryAgain(
                    f"somebody closed the pull request of {branch} just now",
                    hint="run it again",
                    where=self._client.where,
                ) from None
            if _NO_DRAFTS in refused.said and ask["draft"]:
                return self._create(branch, base, {**ask, "draft": False}, marker)
            raise

    def _mark_as(self, id_: str, *, draft: bool) -> None:
        """Make a pull request a draft, or ready; where GitHub sells no drafts, it stays ready."""
        try:
            self._mark(id_, questions.MARK_DRAFT if draft else questions.MARK_READY)
        except Refused as refused:
            if _NO_DRAFTS not in refused.said:
                raise

    def _adopted(self, known: Document, spec: PullRequestSpec) -> PullRequest:
        """Bring an open pull request to the spec, if it is ours on the same evidence."""
        if self._is_ours(known, spec.marker):
            return self.update_pull_request(int(known["number"]), spec)
        problem = f"#{known['number']} is open for {spec.branch} already"
        if self._is_ours(known, None):
            raise self._refusal(problem, hint="update that one")
        raise self._taken(problem)

    def _is_ours(self, item: Document, marker: Marker | None) -> bool:
        """Say whether we opened a pull request of the REST API, on the evidence of a marker."""
        if item["user"] is None or self._actor(item["user"]).login != self._me.login:
            return False
        if marker is None:
            return True
        found = Marker.find(item["body"] or "")
        return found is not None and (found.kind, found.model, found.fingerprint) == (
            marker.kind,
            marker.model,
            marker.fingerprint,
        )

    def _open_for(self, branch: str, base: str) -> Document | None:
        """Return the open pull request of a branch, from the list that GitHub itself checks."""
        owner = self._client.repository.partition("/")[0]
        found = self._client.pages("/pulls", head=f"{owner}:{branch}", base=base, state="open")
        return next((it for it in found if it["head"]["ref"] == branch), None)

    def _require_none_open(self, branch: str, base: str) -> None:
        found = self._open_for(branch, base)
        if found is not None:
            raise self._refusal(
                f"#{found['number']} is open for {branch} already", hint="update that one"
            )

    def _ask_reviewers(self, number: int, reviewers: Sequence[str]) -> None:
        """Ask people for a review; whoever may not review is told of, and no reason to stop."""
        # One who may not is a refusal of all of them, so then each is asked alone.
        refused = bool(reviewers) and self._refuses(number, reviewers)
        if refused:
            for one in reviewers:
                if len(reviewers) == 1 or self._refuses(number, [one]):
                    told = f"#{number}: GitHub does not let {one} be asked for a review"
                    self._remarks.append(f"{told}; look at bot.reviewers")

    def _refuses(self, number: int, reviewers: Sequence[str]) -> bool:
        """Ask for a review, and say whether GitHub refused."""
        people = [it for it in reviewers if "/" not in it]
        teams = [it.partition("/")[2] for it in reviewers if "/" in it]
        ask = {"reviewers": people, "team_reviewers": teams}
        path = f"/pulls/{number}/requested_reviewers"
        try:
            self._client.write(
                "POST", path, {k: it for k, it in ask.items() if it}, repeatable=True
            )
        except Refused:
            return True
        return False

    def _tip(self, branch: str) -> str:
        """Return the tip of a branch.

        Raises:
            ForgeError: there is no such branch.
        """
        tip = self._git.head(branch)
        if tip is None:
            raise self._refusal(f"there is no branch {branch!r}", hint="push it first")
        return tip

    def _point(self, branch: str, old: str | None, new: str) -> None:
        """Let a branch of ours point to a commit.

        Raises:
            BranchTaken: the name of another branch is in its way.
            TryAgain: another run made it meanwhile.
        """
        if old is not None:
            if old != new:
                self._git.replace(branch, old, new)
            return
        try:
            made = self._git.create(f"heads/{branch}", new)
        except Refused:
            other = self._git.in_the_way(branch)
            if other is None:
                raise
            raise self._taken(f"the branch {other} is in the way of {branch}") from None
        if not made:
            raise TryAgain(
                f"somebody made {branch} just now", hint="run it again", where=self._client.where
            )

    def _taken(self, problem: str) -> BranchTaken:
        return BranchTaken(problem, hint="rename or delete it", where=self._client.where)

    def _written(self, spec: PullRequestSpec, base: str, *, current: str | None) -> str:
        """Return the one commit of a proposal: the current one, if it says the same."""
        start = self._git.tree(base)
        tree = self._git.write_tree(start, spec.files)
        if tree == start:
            raise self._refusal(
                f"the proposal changes nothing in {spec.base}", hint="close it; it is done"
            )
        if current is not None:
            commit = self._git.commit(current)
            if (
                [it["sha"] for it in commit["parents"]] == [base]
                and commit["message"].strip() == spec.commit_message.strip()
                and commit["tree"]["sha"] == tree
            ):
                return current
        return self._git.write_commit(tree, [base], spec.commit_message)
