"""Finished runs of workflows, and commits that are not checked out, as the API shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_gitops.adapters.archive import OddArchiveError
from ml_gitops.adapters.github.answers import Refused
from ml_gitops.adapters.github.artifacts import unpacked
from ml_gitops.adapters.github.checks import Conclusion
from ml_gitops.adapters.github.client import GitHubClient
from ml_gitops.adapters.github.forge import GitHubForge
from ml_gitops.adapters.github.git_data import GitData

MOST_FILES = 5_000
LARGEST = 16 << 20
"""Bytes of one file that is read."""
_REGULAR = ("100644", "100755")


class GitHubRuns:
    """What a job may ask about another one, and about the commit it ran on.

    Args:
        client: of the repository.
        git: its objects.
        forge: leaves check runs.
    """

    def __init__(self, client: GitHubClient, git: GitData, forge: GitHubForge) -> None:
        self._client = client
        self._git = git
        self._forge = forge
        self._trees: dict[str, dict[str, str]] = {}

    def pull_requests(self, owner: str, branch: str) -> Sequence[Mapping[str, Any]]:
        """Return the open pull requests of a branch."""
        return self._client.pages("/pulls", state="open", head=f"{owner}:{branch}")

    def changed_files(self, number: int) -> list[str]:
        """Return the paths that a pull request changes, old and new."""
        listed = self._client.pages(f"/pulls/{number}/files")
        names = [it["filename"] for it in listed]
        return names + [it["previous_filename"] for it in listed if it.get("previous_filename")]

    def artifacts(self, run: int) -> Sequence[Mapping[str, Any]]:
        """Return the artifacts of a run."""
        return self._client.pages(f"/actions/runs/{run}/artifacts", "artifacts")

    def archive(self, artifact: int, limit: int) -> bytes:
        """Return an artifact as it was packed, at most one byte more than a limit."""
        path = f"/actions/artifacts/{artifact}/zip"
        return self._client.download(path, accept="application/vnd.github+json", limit=limit)

    def unpack(self, archive: bytes) -> Mapping[str, bytes] | None:
        """Return the files of an archive; None if it is one that nobody honest makes."""
        try:
            return unpacked(archive)
        except OddArchiveError:
            return None

    def fork_point(self, branch: str, commit: str) -> str | None:
        """Return the commit at which another one left a branch; None if it never was on it."""
        try:
            return str(self._git.compare(branch, commit)["merge_base_commit"]["sha"])
        except Refused as refused:
            if refused.status != 404:
                raise
            return None

    def paths(self, commit: str) -> Sequence[str] | None:
        """Return the regular files of a commit; None if they are too many for one look."""
        whole = self._client.get(f"/git/trees/{self._git.tree(commit)}", recursive=1)
        files = {
            it["path"]: it["sha"]
            for it in whole["tree"]
            if it["type"] == "blob" and it["mode"] in _REGULAR and it.get("size", 0) <= LARGEST
        }
        self._trees[commit] = files
        return None if whole["truncated"] or len(files) > MOST_FILES else sorted(files)

    def file(self, commit: str, path: str) -> bytes:
        """Return one of them."""
        return self._git.blob(self._trees[commit][path])

    def check(
        self, commit: str, name: str, conclusion: Conclusion, title: str, summary: str, key: str
    ) -> None:
        """Leave one check run on a commit; the same key leaves no second one."""
        self._forge.check_run(commit, name, conclusion, title=title, summary=summary, evidence=key)
