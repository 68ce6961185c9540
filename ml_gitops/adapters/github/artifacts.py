"""Files that jobs of GitHub Actions leave to each other under names."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from ml_gitops.adapters.archive import OddArchiveError, read
from ml_gitops.adapters.file_name import to_file_name
from ml_gitops.adapters.github.client import Document
from ml_gitops.adapters.github.threads import Threads
from ml_gitops.document import sha256
from ml_gitops.errors import ForgeError, TryAgain
from ml_gitops.names import OUTBOX_VARIABLE

LARGEST = 512 << 20
"""Bytes of an archive."""


class Artifacts(Threads):
    """Artifacts of workflow runs: read from GitHub, left in a folder that the job uploads."""

    _outbox: Path | None

    def store_artifact(self, name: str, files: Mapping[str, bytes]) -> None:
        """Keep files under a name; the same name with the same files changes nothing."""
        if self._outbox is None:
            raise self._refusal(
                "there is no place to keep artifacts",
                hint=f"run this in a job of GitHub Actions, or set {OUTBOX_VARIABLE} to a folder",
            )
        place = self._outbox / to_file_name(name)
        if _kept(place) == dict(files):
            return
        self._outbox.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".", dir=self._outbox))
        for file, content in files.items():
            (draft / to_file_name(file)).write_bytes(content)
        if place.exists():
            shutil.rmtree(place)
        draft.replace(place)

    def artifact(self, name: str) -> dict[str, bytes] | None:
        """Return the files kept under a name; None if there are none.

        What this job left in its outbox comes first; then the newest artifact of this
        repository, never one that a fork's run made.
        """
        if self._outbox is not None and (kept := _kept(self._outbox / to_file_name(name))):
            return kept
        listed = self._client.pages("/actions/artifacts", "artifacts", name=to_file_name(name))
        ours = [it for it in listed if _is_ours(it, to_file_name(name))]
        if not ours:
            return None
        newest = max(ours, key=lambda it: (it["created_at"], it["id"]))
        if newest["size_in_bytes"] > LARGEST:
            raise self._unsound(name, "it is too large")
        path = f"/actions/artifacts/{newest['id']}/zip"
        archive = self._client.download(path, accept="application/vnd.github+json", limit=LARGEST)
        digest = newest.get("digest")
        if digest and digest.removeprefix("sha256:") != sha256(archive).removeprefix("sha256:"):
            raise TryAgain(
                f"another archive came for {name} than GitHub lists",
                hint="run it again",
                where=self._client.where,
            )
        try:
            return unpacked(archive) or None
        except OddArchiveError as problem:
            raise self._unsound(name, str(problem)) from None

    def _unsound(self, name: str, problem: str) -> ForgeError:
        return self._refusal(
            f"the artifact {name} is not taken: {problem}", hint="run the job that made it again"
        )


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files of an archive by their names; nothing is ever written to disk.

    Raises:
        OddArchiveError: it is no archive of plain files that all lie at its top.
    """
    files = read(archive)
    for name in files:
        if "/" in name or name.startswith("."):
            raise OddArchiveError(f"it would write {name[:80]!r}")
    return {unquote(name): content for name, content in files.items()}


def _is_ours(item: Document, name: str) -> bool:
    """Say whether an artifact is whole, and was made by a run of this repository's own code."""
    run = item.get("workflow_run") or {}
    return (
        item["name"] == name
        and not item["expired"]
        and run.get("repository_id") is not None
        and run.get("repository_id") == run.get("head_repository_id")
    )


def _kept(place: Path) -> dict[str, bytes] | None:
    if not place.is_dir():
        return None
    with os.scandir(place) as listed:
        paths = sorted(Path(it.path) for it in listed if it.is_file(follow_symlinks=False))
    return {unquote(path.name): path.read_bytes() for path in paths}
