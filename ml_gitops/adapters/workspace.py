"""The work tree of a model repository: its files, and the author's code."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any

from ml_gitops.adapters.author import imported_files, load_function, named_errors
from ml_gitops.adapters.frames import read_frame, write_frame
from ml_gitops.adapters.run_inputs import decisive_versions, python_files
from ml_gitops.errors import ConfigError, TrainingError
from ml_gitops.ports import Changes

CACHE = ".ml-gitops"
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "OMP_NUM_THREADS",
    "SYSTEMROOT",
)
"""What the author's checks may see of the environment: enough to run, no secret."""


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
        """Return a file of the work tree; None if it is not there."""
        try:
            return self._inside(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            raise ConfigError("this is a folder", hint="name a file", where=path) from None
        except OSError as error:
            raise _refused("read", path, error) from None

    def write(self, changes: Changes) -> None:
        """Write files, each whole or not at all; None removes a file.

        Raises:
            ConfigError: something is in the way, or the system refuses.
        """
        for path, content in changes.items():
            target = self._inside(path)
            try:
                if content is None:
                    target.unlink(missing_ok=True)
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, content)
            except OSError as error:
                raise _refused("write", path, error) from None

    def sources(self, folder: str, *, without: Sequence[str] = ()) -> dict[str, bytes]:
        """Return path and content of every Python file below a folder of the work tree."""
        found = python_files(self._inside(folder), without=frozenset(without))
        return {file.relative_to(self._root).as_posix(): file.read_bytes() for file in found}

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
        self._inside(reference.partition(":")[0])
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

    def run_folder(self, name: str) -> Path | None:
        """Return the folder of a run that is kept here; None if there is none."""
        folder = self._root / CACHE / "runs" / name
        return folder if folder.is_dir() else None

    def keep_run(self, name: str, files: Mapping[str, bytes], frames: Mapping[str, Any]) -> Path:
        """Keep a run's files, and frames as Parquet, all or nothing; return their folder.

        Raises:
            ConfigError: something is in the way, or the system refuses.
        """
        try:
            return self._keep(self._root / CACHE / "runs", name, files, frames)
        except OSError as error:
            raise _refused("write", f"{CACHE}/runs/{name}", error) from None

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
            try:
                draft.replace(kept)
            except OSError:
                # Another process kept the same key meanwhile: equal keys are equal runs.
                if not kept.is_dir():
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return kept

    def add_to_run(self, name: str, files: Changes) -> None:
        """Add files to a run that is kept here, or remove them."""
        self.write({f"{CACHE}/runs/{name}/{file}": content for file, content in files.items()})

    def read_frame(self, path: Path) -> Any:
        """Return a frame that `keep_run` kept."""
        return read_frame(path)

    def run_checks(self, run_folder: Path, checks: str) -> bytes | None:
        """Run the author's checks with pytest; None if there are none.

        Raises:
            TrainingError: pytest could not collect or run them.
        """
        folder = self._inside(checks)
        if not any(folder.glob("test_*.py")):
            return None
        with tempfile.TemporaryDirectory() as scratch:
            outcome = Path(scratch) / "checks.json"
            environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
            environment |= {
                "ML_GITOPS_RUN": str(run_folder),
                "ML_GITOPS_CHECKS_OUT": str(outcome),
                "PYTHONDONTWRITEBYTECODE": "1",
                # Bytecode that came with a commit is not the source that was reviewed.
                "PYTHONPYCACHEPREFIX": scratch,
            }
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--no-header",
                "-p",
                "no:cacheprovider",
                "--rootdir",
                str(self._root),
                str(folder),
            ]
            done = subprocess.run(
                command,
                cwd=self._root,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode not in (0, 1) or not outcome.exists():
                raise TrainingError(
                    f"pytest could not run the checks: {_last_error(done.stdout + done.stderr)}",
                    hint=f"run `pytest {checks}` and correct what it says",
                    where=checks,
                )
            return outcome.read_bytes()

    def _inside(self, path: str) -> Path:
        """Resolve a path of the repository, refusing one that leaves it."""
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise ConfigError(
                "the path leaves the repository", hint="name a file inside of it", where=path
            )
        target = self._root / path
        for part in (target, *target.parents):
            if part == self._root:
                break
            if part.is_symlink():
                raise ConfigError("this is a link", hint="put the file itself there", where=path)
        return target


def _refused(verb: str, path: str, error: OSError) -> ConfigError:
    """Return what the system said of a file, with the remedy that it leaves."""
    reason = (error.strerror or str(error)).lower()
    return ConfigError(
        f"cannot {verb} it: {reason}", hint="make room for it or permit it", where=path
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

    Raises:
        ConfigError: there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / marker).is_file():
            return folder
    raise ConfigError(
        f"no {marker} here or in any folder above",
        hint="go to a model repository, or make one with `ml-gitops init DIR`",
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


def _last_error(output: str) -> str:
    lines = [line for line in output.splitlines() if re.match(r"(E |ERROR|.*Error)", line.strip())]
    return " ".join(lines[-1].split())[:300] if lines else "it ended without an outcome"
