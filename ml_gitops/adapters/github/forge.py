"""A forge on GitHub: what the port asks for, in calls of its API."""

import re
from pathlib import Path

from ml_gitops.adapters.github import reading
from ml_gitops.adapters.github.answers import Lost, Refused
from ml_gitops.adapters.github.artifacts import Artifacts
from ml_gitops.adapters.github.checks import Checks
from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.adapters.github.git_data import GitData
from ml_gitops.adapters.github.proposals import Proposals
from ml_gitops.adapters.github.refs import SOUND_NAME
from ml_gitops.adapters.github.settings import Settings
from ml_gitops.adapters.github.shelf import Shelf
from ml_gitops.adapters.github.survey import Survey
from ml_gitops.adapters.limits import BOT_BRANCHES, checked_choice
from ml_gitops.errors import ForgeError, TryAgain
from ml_gitops.ports import Changes, Clock
from ml_gitops.pull_request import MergeMethod, PullRequest

_RACES = 5


class GitHubForge(Proposals, Shelf, Artifacts, Checks, Settings):
    """Pull requests, issues, releases and artifacts of one repository on GitHub.

    Args:
        client: of the repository.
        survey: what its lists are read from.
        clock: dates tags.
        outbox: where artifacts lie until the job uploads them; None outside of a job.
    """

    def __init__(
        self,
        client: GitHubClient,
        survey: Survey,
        *,
        clock: Clock,
        outbox: Path | None = None,
    ) -> None:
        self._client = client
        self._survey = survey
        self._clock = clock
        self._outbox = outbox
        self._remarks = []
        self._git = GitData(client, survey)
        self._small_assets: dict[int, bytes] = {}

    @property
    def address(self) -> str:
        """The page of the repository."""
        return str(self._survey.about["url"])

    def head(self, branch: str) -> str | None:
        """Return the commit at the tip of a branch; None if there is no such branch."""
        return self._git.head(branch) if SOUND_NAME.fullmatch(branch) else None

    def landed(self, commit: str) -> bool:
        """Say whether a commit is in the history of the default branch."""
        try:
            return bool(self._git.compare(self.default_branch, commit)["total_commits"] == 0)
        except Refused as refused:
            if refused.status != 404:
                raise
            return False  # they share no history

    def read(self, path: str, *, ref: str) -> bytes | None:
        """Return a file at a branch, tag or commit; None if it is not there."""
        if ref == self.default_branch and (ahead := self._survey.file(path)) is not None:
            return ahead
        if not SOUND_NAME.fullmatch(ref):
            raise self._no_ref(ref)
        try:
            return self._git.content(path, ref)
        except Refused as refused:
            if refused.status != 404:
                raise
        # Only where the ref is known is a missing file an absence; and a replica may lag behind.
        commit = self._commit_at(ref)
        try:
            return self._git.content(path, commit)
        except Refused as refused:
            if refused.status != 404:
                raise
            return None

    def files(self, *places: str, ref: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden below."""
        return self._git.files(self._tree_at(ref), places)

    def content_id(self, folder: str = "", *, ref: str) -> str:
        """Return what stands for all files of a folder at a ref: equal files, equal answer."""
        return self._git.subtree(self._tree_at(ref), folder)

    def commit(self, branch: str, changes: Changes, message: str) -> str:
        """Commit changes on top of a branch and return the commit (the tip, if nothing differs)."""
        made: set[str] = set()
        for _ in range(_RACES):
            tip = self._tip(branch)
            tree = self._git.write_tree(self._git.tree(tip), changes)
            if tree == self._git.tree(tip):
                return tip
            new = self._git.write_commit(tree, [tip], message)
            made.add(new)
            if self._git.advance(branch, new):
                return new
            if self._git.head(branch) in made:
                return new
        raise TryAgain(
            f"others kept changing {branch}", hint="run it again", where=self._client.where
        )

    def diff(self, number: int) -> str:
        """Return the pull request's changes as a unified diff against its merge base."""
        try:
            text = self._client.text(f"/pulls/{number}", "application/vnd.github.diff")
        except Refused as refused:
            if refused.status == 406:
                raise self._refusal(
                    f"the changes of #{number} are too many for GitHub to show",
                    hint="compare the branches with `git diff`",
                ) from None
            if refused.status == 404:
                self._pull(number)
            raise
        return _QUOTED.sub(_plain, text)

    def merge(self, number: int, method: MergeMethod = "merge") -> PullRequest:
        """Merge a pull request."""
        checked_choice(method, MergeMethod)
        old, _ = self._pull(number)
        if old.state == "merged":
            self._drop_branch(old)  # A crash may have come between.
        self._require_open(old, "merge")
        if old.draft:
            raise self._refusal(f"#{number} is a draft", hint=f"run `ml-gitops pr ready {number}`")
        ask = {"sha": old.head, "merge_method": method}
        try:
            self._client.write("PUT", f"/pulls/{number}/merge", ask)
        except Lost:
            if self._pull(number)[0].state != "merged":
                raise
        except Refused as refused:
            raise self._unmerged(old, refused) from None
        self._drop_branch(old)
        return self.pull_request(number)

    def close(self, number: int, reason: str | None = None) -> None:
        """Close a pull request or an issue without merging; a reason becomes a comment."""
        node = self._thread(number)
        state = node.get("issueState") or node["state"]
        if state == "MERGED":
            raise self._refusal(f"#{number} is merged", hint="revert it with a new one")
        if state == "CLOSED":
            return
        if reason and not self._said_last(node, reason):
            self.comment(number, reason)
        if node["__typename"] == "PullRequest":
            old, _ = self._pull(number)
            # The branch goes first, which closes it too: so none is left behind by a crash.
            if not old.human_commits:
                self._drop_branch(old)
        ask = {"state": "closed"}
        self._client.write("PATCH", f"/issues/{number}", ask, repeatable=True)

    def _said_last(self, node: Document, reason: str) -> bool:
        """Say whether a crash left the reason behind as the last word already."""
        notes = node["comments"]["nodes"]
        last = reading.comment(notes[-1], self._survey.people) if notes else None
        return last is not None and (last.author.login, last.body) == (self._me.login, reason)

    def _drop_branch(self, pull_request: PullRequest) -> None:
        """Delete the branch of a bot, if it is where we saw it; `refs/pull/N/head` keeps it."""
        branch = pull_request.branch
        if not (pull_request.author.bot and branch.startswith(BOT_BRANCHES)):
            return
        if self._git.head(branch) == pull_request.head:
            self._git.delete(branch)

    def _unmerged(self, old: PullRequest, refused: Refused) -> ForgeError | TryAgain:
        """Say why a merge was refused: a conflict with its files, a race, or a rule."""
        moved = "was modified" in refused.said
        if refused.status == 409 or moved:
            return TryAgain(
                f"#{old.number} changed meanwhile", hint="run it again", where=self._client.where
            )
        if refused.status == 405 and "not mergeable" in refused.said.lower():
            ours, theirs = (
                {it["filename"] for it in self._git.compare(*pair)["files"]}
                for pair in ((old.head, old.base), (old.base, old.head))
            )
            if ours & theirs:
                return self._refusal(
                    f"both sides changed {', '.join(sorted(ours & theirs))}",
                    hint="merge the base branch into it, resolve the conflicts and push",
                )
        return self._refusal(
            f"GitHub does not merge #{old.number} ({refused.said})",
            hint="look at its page for what is missing",
        )

    def _tree_at(self, ref: str) -> str:
        """Return the tree that a branch, tag or commit id names.

        Raises:
            ForgeError: there is none.
        """
        if not SOUND_NAME.fullmatch(ref):
            raise self._no_ref(ref)
        return self._git.tree(self._commit_at(ref))

    def _commit_at(self, ref: str) -> str:
        """Return the commit that a branch, tag or commit id names.

        Raises:
            ForgeError: there is none.
        """
        if re.fullmatch("[0-9a-f]{40}", ref):
            if self._client.find(f"/git/commits/{ref}") is not None:
                return ref
            raise self._no_ref(ref)
        for kind in ("heads", "tags"):
            sha = self._git.ref(f"{kind}/{ref}")
            if sha is not None:
                return sha if kind == "heads" else self._git.peeled(sha)
        raise self._no_ref(ref)

    def _no_ref(self, ref: str) -> ForgeError:
        return self._refusal(
            f"there is no branch, tag or commit {ref!r}", hint="name one that exists"
        )


_QUOTED = re.compile(r'(?m)^(?:diff --git|---|\+\+\+|rename from|rename to) .*"$')
_OCTALS = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _plain(line: re.Match[str]) -> str:
    """Return a header of a diff with its paths as they are; Git quotes what is not ASCII."""

    def unquoted(name: re.Match[str]) -> str:
        text = name[1].encode().decode("unicode_escape").encode("latin-1")
        return text.decode(errors="replace")

    return _OCTALS.sub(unquoted, line[0])
