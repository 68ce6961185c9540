"""The work tree of a model repository: its files, and the author's code."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from glob import iglob
from pathlib import Path
from typing import Any

from ml_gitops.adapters.author import imported_files, load_function, named_errors
from ml_gitops.adapters.checking import run_checks
from ml_gitops.adapters.frames import read_frame, write_frame
from ml_gitops.adapters.reading import files_below, inside, read_file, refused, require_text
from ml_gitops.adapters.run_inputs import decisive_versions, python_files
from ml_gitops.errors import ConfigError
from ml_gitops.ports import Changes, KeptRun

CACHE = ".ml-gitops"


class LocalWorkspace:
    """A work tree on this machine.

    Args:
        root: the folder that holds `ml-gitops.toml`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @property
    def root(self) -> Path:
        """The folder that holds `ml-gitops.toml`."""
        return self._root

    def read(self, path: str) -> bytes | None:
        """Return a file of the work tree; None if it is not there.

        Raises:
            ConfigError: it is no regular file, too large, or the system refuses.
        """
        return read_file(self._root, path)

    def write(self, changes: Changes) -> None:
        """Write files, each whole or not at all; None removes a file.

        Raises:
            ConfigError: something is in the way, or the system refuses.
        """
        for path, content in changes.items():
            target = inside(self._root, path)
            try:
                if content is None:
                    target.unlink(missing_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, content)
            except OSError as error:
                raise refused("write", path, error) from None

    def refuse_links_out(self, patterns: Iterable[str]) -> None:
        """Refuse files that lie elsewhere than the config says: a link out of the repository.

        Args:
            patterns: paths or globs of the config; absolute ones and URIs say where they lead.

        Raises:
            ConfigError: one of them finds such a link.
        """
        for pattern in patterns:
            if "://" in pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
                continue
            # Not by `Path.glob`, which refuses patterns that engines read.
            found = iglob(pattern, root_dir=self._root, recursive=True, include_hidden=True)  # noqa: PTH207
            for path in found:
                # Not by `Path.resolve`, which fails where a link leads to itself.
                if not Path(os.path.realpath(self._root / path)).is_relative_to(self._root):
                    raise ConfigError(
                        "a link leads out of the repository",
                        hint="put the file itself there, or name the place in [monitor]",
                        where=path,
                    )

    def sources(self, folder: str, *, without: Sequence[str] = ()) -> dict[str, bytes]:
        """Return path and content of every Python file below a folder of the work tree."""
        found = python_files(inside(self._root, folder), without=frozenset(without))
        return self._contents(file.relative_to(self._root).as_posix() for file in found)

    def files(self, *places: str) -> dict[str, bytes]:
        """Return path and content of every file at or below these places, nothing hidden."""
        return self._contents(path for place in places for path in files_below(self._root, place))

    def _contents(self, paths: Iterable[str]) -> dict[str, bytes]:
        return {path: read_file(self._root, path) or b"" for path in paths}

    def call(self, reference: str, *arguments: object) -> Any:
        """Call the author's `file.py:function`.

        Raises:
            ConfigError: there is no such file or function.
            TrainingError: the author's code failed; file and line are named.
        """
        with named_errors(self._root, reference.partition(":")[0]):
            return self.function(reference)(*arguments)

    def function(self, reference: str) -> Callable[..., Any]:
        """Return the author's `file.py:function`.

        Raises:
            ConfigError: there is no such file or function.
            TrainingError: the file cannot be imported; file and line are named.
        """
        inside(self._root, reference.partition(":")[0])
        return load_function(self._root, reference)

    def imported(self) -> list[str]:
        """Return the author's files that this process has imported."""
        return imported_files(self._root)

    def author(self, path: str) -> AbstractContextManager[None]:
        """Run the author's code: the work tree importable, failures named by their line."""
        return named_errors(self._root, path)

    def environment(self) -> dict[str, str]:
        """Return library and version of everything that decides numbers."""
        return decisive_versions(self._root)

    @contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep every other process out that would train here; the system ends that with ours.

        Args:
            waiting: is called if we have to wait for one.

        Raises:
            ConfigError: something is in the way, or the system refuses.
        """
        home = self._root / CACHE / "runs"
        try:
            home.mkdir(parents=True, exist_ok=True)
            handle = os.open(home, os.O_RDONLY)
        except OSError as error:
            raise refused("write", f"{CACHE}/runs", error) from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def kept_run(self, name: str) -> KeptRun | None:
        """Return a run that is kept here; None if there is none."""
        folder = self._root / CACHE / "runs" / name
        return _read_run(folder) if folder.is_dir() else None

    def keep_run(self, name: str, files: Mapping[str, bytes], frames: Mapping[str, Any]) -> KeptRun:
        """Keep a run's files, and frames as Parquet, all or nothing.

        Raises:
            ConfigError: something is in the way, or the system refuses.
        """
        try:
            return _read_run(self._keep(self._root / CACHE / "runs", name, files, frames))
        except OSError as error:
            raise refused("write", f"{CACHE}/runs/{name}", error) from None

    def _keep(
        self, home: Path, name: str, files: Mapping[str, bytes], frames: Mapping[str, Any]
    ) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        # Rows lie here: no `git add` may pick them up, whatever the repository ignores.
        write_whole(home.parent / ".gitignore", b"*\n")
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=home))
        try:
            for file, content in files.items():
                (draft / file).write_bytes(content)
            for file, frame in frames.items():
                write_frame(frame, draft / file)
            kept = home / name
            shutil.rmtree(kept, ignore_errors=True)
            draft.replace(kept)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return kept

    def add_to_run(self, run: KeptRun, files: Mapping[str, bytes]) -> KeptRun:
        """Add files to a run that is kept here."""
        home = run.folder.relative_to(self._root).as_posix()
        self.write({f"{home}/{file}": content for file, content in files.items()})
        return replace(run, files={**run.files, **files})

    def rows(self, run: KeptRun, name: str) -> Any:
        """Return a frame of a run that is kept here.

        Raises:
            DataError: its file is gone or damaged.
        """
        return read_frame(run.folder / name)

    def run_checks(
        self,
        run: KeptRun,
        beside: Mapping[str, bytes],
        checks: str,
        told: Callable[[float], None] = lambda _: None,
    ) -> bytes | None:
        """Run the author's checks with pytest, on a copy of a run; None if there are none.

        Raises:
            TrainingError: pytest could not collect or run them, or they changed the run.
        """
        folder = inside(self._root, checks)
        if not any(folder.rglob("test_*.py")):
            return None
        return run_checks(self._root, folder, run.folder, beside, told)


def _read_run(folder: Path) -> KeptRun:
    names = sorted(path.name for path in folder.iterdir())
    files = [name for name in names if name.endswith((".json", ".onnx"))]
    return KeptRun(
        folder,
        {name: (folder / name).read_bytes() for name in files},
        frozenset(name for name in names if name.endswith(".parquet")),
    )


def write_whole(target: Path, content: bytes) -> None:
    """Write a file through a temporary one, so that nobody ever sees half of it."""
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(draft).chmod(mode)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def find_root(start: Path, marker: str) -> Path:
    """Return the nearest folder at or above `start` that holds the config.

    Folders of another owner are not looked into on the way up: in a folder that all may write
    to, anybody could leave a config, and its code would run as whoever works below.

    Raises:
        ConfigError: there is none, or its name is no text.
    """
    below = Path(os.path.realpath(start))
    for folder in (below, *below.parents):
        if folder.exists() and below.exists() and folder.stat().st_uid != below.stat().st_uid:
            break
        if (folder / marker).is_file():
            require_text(str(folder))
            return folder
    raise ConfigError(
        f"no {marker} here or in any folder above",
        hint="go to the folder of a model (`ml-gitops models` lists them), make one with "
        "`ml-gitops init DIR`, or run `ml-gitops init . --adopt` in a repository that exists",
        where=str(start),
    )


def template_folder() -> Path:
    """Return the model repository that `ml-gitops init` copies."""
    package = Path(__file__).parents[1]
    installed = package / "template"
    return installed if installed.is_dir() else package.parent / "model-repo-template"


def template_files() -> dict[str, bytes]:
    """Return path and content of every file that `ml-gitops init` copies."""
    root = template_folder()
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {"__pycache__", CACHE, "live"} & set(path.relative_to(root).parts)
    }
