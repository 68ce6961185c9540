"""The record of runs on a branch of GitHub: it only ever grows."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ml_gitops.adapters.github import questions
from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.adapters.github.git_data import GitData, blob_id
from ml_gitops.adapters.github.survey import Survey
from ml_gitops.errors import GitError, TryAgain
from ml_gitops.names import RECORDS_BRANCH

_RACES = 8
_BATCH = 20
_STEPS = 20
"""Commits that are looked back for the newest record of a kind."""


class GitHubRecords:
    """Records on a branch of their own in a repository on GitHub.

    Args:
        client, survey: of the repository.
    """

    def __init__(self, client: GitHubClient, survey: Survey) -> None:
        self._client = client
        self._survey = survey
        self._git = GitData(client, survey)
        self._texts: dict[str, str] = {}

    def append(self, path: str, text: str) -> None:
        """Write a record; the same path with the same text changes nothing.

        Raises:
            GitError: there is another record at this path, or something in its way.
            TryAgain: others were faster all the time.
        """
        content = text.encode()
        for _ in range(_RACES):
            target = self._survey.records()
            listed = self._listed(target)
            _refuse_clash(path, listed)
            there = listed.get(path)
            if there is not None and there != blob_id(content):
                raise GitError(
                    f"there is another record at {path}",
                    hint="records never change; write this one under another name",
                    where=RECORDS_BRANCH,
                )
            if there is not None or self._add(target, path, content):
                return
            self._survey.forget()
        raise TryAgain(
            f"others kept writing to {RECORDS_BRANCH}",
            hint="run it again",
            where=self._client.where,
        )

    def read_all(self, prefix: str) -> list[tuple[str, str]]:
        """Return (path, text) of every record under a prefix, sorted by path."""
        listed = self._listed(self._survey.records())
        wanted = {path: oid for path, oid in listed.items() if path.startswith(prefix)}
        self._fetch([oid for oid in wanted.values() if oid not in self._texts])
        return [(path, self._texts[oid]) for path, oid in sorted(wanted.items())]

    def newest(self, prefix: str) -> tuple[str, str] | None:
        """Return (path, text) of the record that was written last under a prefix, if any.

        Every record is a commit that names it; where none of the last few is of the prefix, the
        last one by its path stands for it.
        """
        target = self._survey.records()
        wanted = {it: oid for it, oid in self._listed(target).items() if it.startswith(prefix)}
        if target is None or not wanted:
            return None
        path, commit = max(wanted), str(target["oid"])
        for _ in range(_STEPS):
            found = self._git.commit(commit)
            named = str(found["message"]).partition("\n")[0].removeprefix("Record ")
            if named in wanted:
                path = named
                break
            if not found["parents"]:
                break
            commit = str(found["parents"][0]["sha"])
        self._fetch([oid for oid in [wanted[path]] if oid not in self._texts])
        return path, self._texts[wanted[path]]

    def _add(self, target: Document | None, path: str, content: bytes) -> bool:
        """Commit one record on top of what we saw; False if somebody was faster."""
        tree = self._git.write_tree(target["tree"]["oid"] if target else None, {path: content})
        parents = [str(target["oid"])] if target else []
        commit = self._git.write_commit(tree, parents, f"Record {path}")
        if target is None:
            return self._git.create(f"heads/{RECORDS_BRANCH}", commit)
        return self._git.advance(RECORDS_BRANCH, commit)

    def _listed(self, target: Document | None) -> dict[str, str]:
        """Return path and id of every record; deep folders are asked for one more time."""
        if target is None:
            return {}
        entries = list(_entries(target["tree"]["entries"]))
        if all(kind == "blob" for _, kind, _ in entries):
            return {path: oid for path, _, oid in entries}
        whole = self._client.get(f"/git/trees/{target['tree']['oid']}", recursive=1)
        if whole["truncated"]:
            raise GitError(
                f"{RECORDS_BRANCH} has more files than GitHub lists at once",
                hint="move old ones to another branch",
                where=self._client.where,
            )
        return {it["path"]: it["sha"] for it in whole["tree"] if it["type"] == "blob"}

    def _fetch(self, ids: Sequence[str]) -> None:
        """Read texts by the ids of their blobs."""
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            variables = {f"oid{n}": oid for n, oid in enumerate(batch)}
            answer = self._survey.ask(questions.some_blobs(len(batch)), **variables)
            for n, oid in enumerate(batch):
                node = answer["data"]["repository"].get(f"b{n}")
                text = None if node is None or node["isTruncated"] else node["text"]
                if text is None or blob_id(text.encode()) != oid:
                    text = self._git.blob(oid).decode(errors="replace")
                self._texts[oid] = text


def _refuse_clash(path: str, listed: Iterable[str]) -> None:
    """Refuse a path that is a folder of another: GitHub would drop one of them in silence."""
    for other in listed:
        short, long = sorted((path, other), key=len)
        if long.startswith(f"{short}/"):
            raise GitError(
                f"{short!r} is a file, and would have to be a folder",
                hint="remove what is there, or name another path",
                where=RECORDS_BRANCH,
            )


def _entries(entries: Sequence[Any], folder: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, kind and id of what a listing shows, to its depth."""
    for it in entries:
        inside = (it.get("object") or {}).get("entries")
        if inside is None:
            yield folder + it["name"], it["type"], it["oid"]
        else:
            yield from _entries(inside, f"{folder}{it['name']}/")
