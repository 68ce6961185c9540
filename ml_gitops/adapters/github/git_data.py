"""Commits through the API: blobs, trees and commits, without a clone."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.adapters.github.people import GITHUB_SIGNS
from ml_gitops.adapters.github.refs import Refs, quoted
from ml_gitops.adapters.github.survey import Survey
from ml_gitops.errors import ForgeError, TryAgain
from ml_gitops.names import is_shown
from ml_gitops.ports import Changes

_INLINE = 100_000
"""Bytes of text that travel inside of a tree; more, and all else, is a blob first."""


class GitData(Refs):
    """The objects and refs of a repository.

    Args:
        client, survey: of the repository.
    """

    def __init__(self, client: GitHubClient, survey: Survey) -> None:
        super().__init__(client, survey)
        self._commits: dict[str, Document] = {}

    def commit(self, sha: str) -> Document:
        """Return a commit object: its tree, parents and message."""
        if sha not in self._commits:
            self._commits[sha] = self._client.get(f"/git/commits/{sha}")
        return self._commits[sha]

    def tree(self, commit: str) -> str:
        """Return the tree of a commit."""
        return str(self.commit(commit)["tree"]["sha"])

    def peeled(self, sha: str) -> str:
        """Return the commit that a tag object leads to; a commit is itself."""
        found = self._client.find(f"/git/tags/{sha}")
        return str(found["object"]["sha"]) if found else sha

    def files(self, tree: str, places: Sequence[str]) -> dict[str, bytes]:
        """Return path and content of every file at or below some places, nothing hidden below.

        Raises:
            ForgeError: the tree is too large for GitHub to list.
        """
        whole = self._client.get(f"/git/trees/{tree}", recursive=1)
        if whole["truncated"]:
            raise ForgeError(
                "the repository has more files than GitHub lists at once",
                hint="check it out, and run it there",
                where=self._client.where,
            )
        return {
            it["path"]: self.blob(it["sha"])
            for it in whole["tree"]
            if it["type"] == "blob" and any(is_shown(it["path"], place) for place in places)
        }

    def subtree(self, tree: str, folder: str) -> str:
        """Return the tree of a folder in a tree; empty if there is no such folder."""
        for name in filter(None, folder.split("/")):
            entries = self._client.get(f"/git/trees/{tree}")["tree"]
            found = (it["sha"] for it in entries if (it["path"], it["type"]) == (name, "tree"))
            tree = next(found, "")
            if not tree:
                break
        return tree

    def write_tree(self, base: str | None, changes: Changes) -> str:
        """Return a tree with files changed; the base itself, if nothing differs.

        Args:
            base: the tree to start from; None starts from nothing.
        """
        there = self._entries(base, changes) if base else {}
        entries = []
        for path, content in sorted(changes.items()):
            old = there.get(path)
            if content is None and old is not None:
                entries.append({"path": path, "mode": old["mode"], "type": "blob", "sha": None})
            elif content is not None and (old is None or old["sha"] != blob_id(content)):
                mode = old["mode"] if old and old["type"] == "blob" else "100644"
                entries.append(
                    {"path": path, "mode": mode, "type": "blob", **self._content(content)}
                )
        if base is not None and not entries:
            return base
        body: dict[str, Any] = {"tree": entries} | ({"base_tree": base} if base else {})
        made = self._client.write("POST", "/git/trees", body, repeatable=True)
        return str(made["sha"])

    def write_commit(self, tree: str, parents: list[str], message: str) -> str:
        """Store a commit and return it; GitHub names us as its author, and signs for apps."""
        body = {"tree": tree, "parents": parents, "message": message}
        made = self._client.write("POST", "/git/commits", body, repeatable=True)
        return str(made["sha"])

    def content(self, path: str, ref: str) -> bytes | None:
        """Return a file at a ref; None if it is certain that it is not there.

        Raises:
            Refused: the ref is not there either, or GitHub said no.
        """
        found = self._client.get_any(f"/contents/{quoted(path)}", ref=ref)
        if not isinstance(found, dict) or found.get("type") != "file":
            return None
        if found.get("encoding") == "base64" and (found.get("content") or not found.get("size")):
            return base64.b64decode(found.get("content") or "")
        return self.blob(found["sha"])

    def blob(self, sha: str) -> bytes:
        """Return a file by its id."""
        content = base64.b64decode(self._client.get(f"/git/blobs/{sha}")["content"])
        if blob_id(content) != sha:
            raise TryAgain(
                "GitHub sent another file", hint="run it again", where=self._client.where
            )
        return content

    def compare(self, base: str, head: str) -> Document:
        """Return what a head has that a base has not: `commits`, `files`, `total_commits`.

        Raises:
            Refused: they share no history, or one of them is not there.
        """
        return self._client.get(f"/compare/{quoted(base)}...{quoted(head)}")

    def any_person(self, base: str, head: str) -> bool:
        """Say whether anyone but a bot committed what a head has and a base has not."""
        compared = self.compare(base, head)
        commits = compared["commits"]
        return compared["total_commits"] > len(commits) or self._survey.people.any_person(
            _as_graph(it) for it in commits
        )

    def _content(self, content: bytes) -> dict[str, str]:
        if 0 < len(content) <= _INLINE and b"\0" not in content:
            try:
                return {"content": content.decode()}
            except UnicodeDecodeError:
                pass
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        made = self._client.write("POST", "/git/blobs", body, repeatable=True)
        if made["sha"] != blob_id(content):
            raise ForgeError(
                "GitHub stored another file than was sent",
                hint="run it again",
                where=self._client.where,
            )
        return {"sha": str(made["sha"])}

    def _entries(self, base: str, changes: Changes) -> Mapping[str, Document]:
        """Return mode and id of the files that changes are about, by path."""
        whole = self._client.get(f"/git/trees/{base}", recursive=1)
        if not whole["truncated"]:
            return {it["path"]: it for it in whole["tree"] if it["type"] != "tree"}
        found: dict[str, Document] = {}
        folders = {"": base}
        for path in sorted(changes):
            parts = path.split("/")
            for depth in range(len(parts)):
                folder = "".join(f"{part}/" for part in parts[:depth])
                if folder not in folders or f"{folder}*" in found:
                    continue
                found[f"{folder}*"] = {}
                for it in self._client.get(f"/git/trees/{folders[folder]}")["tree"]:
                    if it["type"] == "tree":
                        folders[f"{folder}{it['path']}/"] = it["sha"]
                    else:
                        found[folder + it["path"]] = it
        return found


def blob_id(content: bytes) -> str:
    """Return the id that Git gives to a file."""
    whole = b"blob %d\0" % len(content) + content
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest()


def _as_graph(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a commit of the REST API as GraphQL tells it."""
    commit = item["commit"]
    found: dict[str, Any] = {
        role: {"email": commit[role]["email"], "user": {"databaseId": (item[role] or {}).get("id")}}
        for role in ("author", "committer")
    }
    valid = commit["verification"]["verified"]
    ours = commit["committer"]["email"] == GITHUB_SIGNS
    return found | {"signature": {"isValid": valid, "wasSignedByGitHub": valid and ours}}
