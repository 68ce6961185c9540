"""The record of runs: an orphan branch that only ever grows."""

from pathlib import Path

from ml_gitops.adapters.git.command import compare_and_swap
from ml_gitops.adapters.git.repository import HEADS, GitRepository
from ml_gitops.errors import GitError
from ml_gitops.names import RECORDS_BRANCH
from ml_gitops.ports import Clock
from ml_gitops.pull_request import Actor


class GitRecords:
    """Records on a branch of their own in a Git repository.

    Args:
        path: the repository, bare or not.
        actor, clock: sign and date the commits.
        patience: seconds to go on against other processes that write at once.
    """

    def __init__(self, path: Path, *, actor: Actor, clock: Clock, patience: float = 30.0) -> None:
        self._repository = GitRepository(path, clock=clock, actor=actor)
        self._patience = patience

    def append(self, path: str, text: str) -> None:
        """Write a record; the same path with the same text changes nothing.

        Raises:
            GitError: there is another record at this path, or something in its way.
            TryAgain: others were faster all the time.
        """

        def attempt() -> None:
            tip = self._repository.resolve(HEADS + RECORDS_BRANCH)
            there = self._repository.read(path, tip) if tip else None
            if there is not None and there != text.encode():
                raise GitError(
                    f"there is another record at {path}",
                    hint="records never change; write this one under another name",
                )
            if there is None:
                self._repository.commit_files(
                    RECORDS_BRANCH, {path: text.encode()}, f"Record {path}", expected_old=tip
                )

        place = f"{self._repository.path} ({RECORDS_BRANCH})"
        try:
            compare_and_swap(attempt, patience=self._patience, where=place)
        except GitError as error:
            raise GitError(error.problem, hint=error.hint, where=place) from None

    def read_all(self, prefix: str) -> list[tuple[str, str]]:
        """Return (path, text) of every record under a prefix, sorted by path."""
        tip = self._repository.resolve(HEADS + RECORDS_BRANCH)
        files = self._repository.files(tip, prefix) if tip else {}
        paths = sorted(files)
        texts = self._repository.blobs([files[path] for path in paths])
        found = zip(paths, texts, strict=True)
        return [(path, text.decode(errors="replace")) for path, text in found]

    def newest(self, prefix: str) -> tuple[str, str] | None:
        """Return (path, text) of the record that was written last under a prefix, if any."""
        tip = self._repository.resolve(HEADS + RECORDS_BRANCH)
        if tip is None:
            return None
        # Records never change, so the last commit that touched the folder added one.
        asked = ("log", "-1", "--format=", "--name-only", "-z", tip, "--", *filter(None, [prefix]))
        path = self._repository.text(*asked).strip("\0")
        content = self._repository.read(path, tip) if path else None
        return None if content is None else (path, content.decode(errors="replace"))
