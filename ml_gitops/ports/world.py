"""What the loops need of the rest of the world: files, engines, Git, time, and who watches."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ml_gitops.ports.forge import Changes


class Records(Protocol):
    """The append-only record of runs: one immutable JSON document per run."""

    def append(self, path: str, text: str) -> None:
        """Write a record; the same path with the same text changes nothing."""
        ...

    def read_all(self, prefix: str) -> list[tuple[str, str]]:
        """Return (path, text) of every record under a prefix, sorted by path."""
        ...

    def newest(self, prefix: str) -> tuple[str, str] | None:
        """Return (path, text) of the record that was written last under a prefix, if any."""
        ...


class Warehouse(Protocol):
    """An engine that reduces files of rows to a few numbers; rows stay inside it."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its (few) rows."""
        ...

    def batches(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Run one statement and yield its rows in batches, never all at once."""
        ...


class FrameWarehouse(Warehouse, Protocol):
    """A warehouse that can also read frames of this process."""

    def register(self, name: str, frame: Any) -> None:
        """Make a frame readable as a table of that name."""
        ...


@dataclass(frozen=True)
class KeptRun:
    """A run that is kept in the work tree.

    Attributes:
        folder: where it lies.
        files: name to content of what may travel.
        frames: names of the rows beside them, which never do.
    """

    folder: Path
    files: Mapping[str, bytes]
    frames: frozenset[str]

    @property
    def place(self) -> str:
        """Where it lies, for messages."""
        return str(self.folder)


class Files(Protocol):
    """The files of a model, in a work tree or in a commit."""

    def read(self, path: str) -> bytes | None:
        """Return a file; None if it is not there."""
        ...

    def sources(self, folder: str, *, without: Sequence[str] = ()) -> dict[str, bytes]:
        """Return path and content of every Python file below a folder.

        Args:
            folder: where to look, `.` for everywhere.
            without: folders at its top that are left out.
        """
        ...

    def files(self, *places: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden."""
        ...

    def environment(self) -> dict[str, str]:
        """Return library and version of everything that decides numbers."""
        ...


class Workspace(Files, Protocol):
    """The work tree of a model repository, and the author's code in it."""

    @property
    def root(self) -> Path:
        """The folder that holds `ml-gitops.toml`."""
        ...

    def write(self, changes: Changes) -> None:
        """Write files, each whole or not at all."""
        ...

    def call(self, reference: str, *arguments: object) -> Any:
        """Call the author's `file.py:function`; what it raises names the author's line."""
        ...

    def function(self, reference: str) -> Callable[..., Any]:
        """Return the author's `file.py:function`."""
        ...

    def imported(self) -> list[str]:
        """Return the author's files that this process has imported."""
        ...

    def author(self, path: str) -> AbstractContextManager[None]:
        """Run the author's code: the work tree importable, failures named by their line."""
        ...

    def alone(self, waiting: Callable[[], None]) -> AbstractContextManager[None]:
        """Keep every other process out that would train here.

        Args:
            waiting: is called if we have to wait for one.
        """
        ...

    def kept_run(self, name: str) -> KeptRun | None:
        """Return a run that is kept here; None if there is none."""
        ...

    def keep_run(self, name: str, files: Mapping[str, bytes], frames: Mapping[str, Any]) -> KeptRun:
        """Keep a run's files, and frames as Parquet, all or nothing."""
        ...

    def add_to_run(self, run: KeptRun, files: Mapping[str, bytes]) -> KeptRun:
        """Add files to a run that is kept here."""
        ...

    def rows(self, run: KeptRun, name: str) -> Any:
        """Return a frame of a run that is kept here."""
        ...

    def run_checks(
        self,
        run: KeptRun,
        beside: Mapping[str, bytes],
        checks: str,
        told: Callable[[float], None],
    ) -> bytes | None:
        """Run the author's checks with pytest, on a copy of a run; None if there are none.

        Args:
            run: what the fixtures read: model, signature, holdout.
            beside: more files for them, such as the champion.
            checks: the folder of the checks.
            told: hears which share of them is done (0 to 1).
        """
        ...


class Repository(Protocol):
    """The clone that a person or a runner works in."""

    def head(self) -> str:
        """Return the commit that is checked out."""
        ...

    def content_id(self) -> str:
        """Return what stands for all files of the commit, see `Forge.content_id`."""
        ...

    def branch(self) -> str | None:
        """Return the branch that is checked out; None on a detached head."""
        ...

    def dirty_paths(self) -> list[str]:
        """Return the paths that differ from the commit, as far as Git is told to look."""
        ...

    def overlooked(self, read: Iterable[str]) -> list[str]:
        """Return which of these files differ from the commit, even where Git does not look."""
        ...


class Bentos(Protocol):
    """What builds a service from a model."""

    def build(self, files: Mapping[str, bytes]) -> bytes:
        """Build a Bento around model, signature and release; return it as one archive."""
        ...


class Clock(Protocol):
    """What time it is, in UTC."""

    def __call__(self) -> datetime:
        """Return now, with its zone."""
        ...


class Progress(Protocol):
    """Where long work says how far it is; silent in machines' output."""

    def step(self, text: str, done: float | None = None) -> None:
        """Say what is being done, and which share of it is done (0 to 1)."""
        ...
