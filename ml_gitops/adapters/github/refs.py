"""Branches and tags of a repository: read, made, moved, and never moved over somebody's work."""

import re
from urllib.parse import quote

from ml_gitops.adapters.github import questions
from ml_gitops.adapters.github.answers import Lost, Refused
from ml_gitops.adapters.github.client import GitHubClient
from ml_gitops.adapters.github.survey import Survey
from ml_gitops.errors import TryAgain

SOUND_NAME = re.compile(r"(?!-)(?!.*(\.\.|@\{|//|\.lock$|[/.]$))[^\s~^:?*\[\\\x00-\x1f\x7f]+")
"""What a branch or a tag may be called: no expression, and no option, of Git."""


class Refs:
    """The refs of a repository.

    Args:
        client, survey: of the repository.
    """

    def __init__(self, client: GitHubClient, survey: Survey) -> None:
        self._client = client
        self._survey = survey

    def head(self, branch: str) -> str | None:
        """Return the tip of a branch; None if it is certain that there is none."""
        return self.ref(f"heads/{branch}") if branch else None

    def ref(self, name: str) -> str | None:
        """Return what a ref (`heads/main`) points to; None if it is certain that there is none."""
        found = self._client.find(f"/git/ref/{quoted(name)}")
        return str(found["object"]["sha"]) if found else None

    def create(self, name: str, sha: str) -> bool:
        """Make a ref; say whether it is ours, and not one that was there.

        Raises:
            TryAgain: nobody can say.
        """
        body = {"ref": f"refs/{name}", "sha": sha}
        try:
            made = self._client.settled(
                lambda: self._client.write("POST", "/git/refs", body),
                lambda: self._client.find(f"/git/ref/{quoted(name)}"),
            )
        except Refused as refused:
            if "already exists" not in refused.said.lower():
                raise
            return self.ref(name) == sha
        return bool(made["object"]["sha"] == sha)

    def in_the_way(self, branch: str) -> str | None:
        """Return a branch beside which Git cannot hold one of this name; None if there is none."""
        parts = branch.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if self.head(above) is not None:
                return above
        below = self._client.pages(f"/git/matching-refs/{quoted(f'heads/{branch}/')}")
        return str(below[0]["ref"]).removeprefix("refs/heads/") if below else None

    def advance(self, branch: str, new: str) -> bool:
        """Move a branch to a commit that stands on its tip; False if others were faster.

        Raises:
            TryAgain: nobody can say.
        """
        path = f"/git/refs/{quoted('heads/' + branch)}"
        try:
            self._client.write("PATCH", path, {"sha": new, "force": False}, repeatable=True)
        except Refused as refused:
            if "fast forward" not in refused.said.lower().replace("-", " "):
                raise
            return False
        return True

    def replace(self, branch: str, old: str, new: str) -> None:
        """Move a branch from one commit to another; nobody's commit is lost on the way.

        Raises:
            TryAgain: the branch is not where it was.
        """
        variables = {
            "repository": self._survey.about["id"],
            "ref": f"refs/heads/{branch}",
            "old": old,
            "new": new,
        }
        try:
            self._client.graphql(questions.MOVE_REF, variables, change=True)
        except (Lost, Refused) as problem:
            there = self.head(branch)
            if there == new:
                return
            if there == old:
                raise
            raise TryAgain(
                f"somebody changed {branch} just now", hint="run it again", where=self._client.where
            ) from problem

    def delete(self, branch: str) -> None:
        """Delete a branch, if it is there."""
        try:
            path = f"/git/refs/{quoted('heads/' + branch)}"
            self._client.write("DELETE", path, repeatable=True)
        except Refused as refused:
            gone = "does not exist" in refused.said
            if not gone and (refused.status not in (404, 422) or self.head(branch) is not None):
                raise


def quoted(name: str) -> str:
    """Return a name as a part of a path of the API."""
    return quote(name, safe="/")
