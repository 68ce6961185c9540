"""The author's checks: pytest in a process of its own, beside a copy of the run it is to judge."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ml_gitops.adapters.offspring import none_left_behind
from ml_gitops.errors import TrainingError
from ml_gitops.names import PATH_VARIABLE, RECORD_VARIABLE, RUN_VARIABLE

PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "VIRTUAL_ENV",
    "OMP_NUM_THREADS",
    "SYSTEMROOT",
)
"""What the author's checks may see of the environment: enough to run, no secret."""
_SETTINGS = {
    "pytest.toml": "",
    ".pytest.toml": "",
    "pytest.ini": "",
    ".pytest.ini": "",
    "pyproject.toml": "pytest",
    "tox.ini": "pytest",
    "setup.cfg": "tool:pytest",
}
"""Files with settings of pytest in its own order, and the part that must be there to count."""
_PAUSE = 0.05
"""Seconds between two looks at how far the checks are."""
_TAIL = 4096
"""Bytes of pytest's output in which its last word on that is found."""
_SOME_FAILED = 1
"""What pytest ends with when a check failed; 0 when none did."""


def run_checks(
    root: Path,
    checks: Path,
    run: Path,
    beside: Mapping[str, bytes],
    told: Callable[[float], None] = lambda _: None,
) -> bytes:
    """Run the author's checks and return what the recorder of our plugin wrote.

    The checks get a copy of the run, and every file of the run is held to what it was before:
    whoever is judged does not write the evidence.

    Args:
        root: the work tree.
        checks: the folder of the checks.
        run: the run's folder.
        beside: more files that the checks find beside the run's own.
        told: hears which share of the checks is done (0 to 1).

    Raises:
        TrainingError: pytest could not collect or run them, or they changed the run; then the
            run is removed, so that nobody believes it later.
    """
    _refuse_unseen(checks)
    before = _digests(run)
    with tempfile.TemporaryDirectory(
        prefix="ml-gitops-checks-", ignore_cleanup_errors=True
    ) as scratch:
        copy, outcome = Path(scratch) / "run", Path(scratch) / "checks.json"
        _copy(run, copy, beside)
        code, output = _pytest(root, checks, copy, outcome, told)
        content = outcome.read_bytes() if outcome.is_file() else None
    changed = {name for name, _ in _digests(run).items() ^ before.items()}
    if changed:
        shutil.rmtree(run, ignore_errors=True)
        raise TrainingError(
            f"the checks changed {min(changed)} of the run that they judge",
            hint="let checks only read what their fixtures give them, and train again",
            where=checks.name,
        )
    if code not in (0, _SOME_FAILED) or content is None:
        raise TrainingError(
            f"pytest could not run the checks: {_last_error(output)}",
            hint=f"run `pytest {checks.name}` and correct what it says",
            where=checks.name,
        )
    if code == _SOME_FAILED and b'"failed"' not in content:
        raise TrainingError(
            f"pytest failed, and no check did: {_last_error(output)}",
            hint=f"run `pytest {checks.name}` and correct what it says",
            where=checks.name,
        )
    return content


def _refuse_unseen(checks: Path) -> None:
    """Refuse what pytest would obey and nobody is told of: links, and settings that are hidden."""
    for path in sorted(checks.rglob("*")):
        if path.is_symlink() or path.name.startswith(".pytest."):
            raise TrainingError(
                f"{path.relative_to(checks)} is a {'link' if path.is_symlink() else 'hidden file'}",
                hint="put the file itself there under its own name, so that a review sees it",
                where=checks.name,
            )


def _pytest(
    root: Path, checks: Path, run: Path, outcome: Path, told: Callable[[float], None]
) -> tuple[int, str]:
    """Run pytest, and leave no process of the checks behind."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {
        RUN_VARIABLE: str(run),
        RECORD_VARIABLE: str(outcome),
        **_paths(root),
    }
    words = ["-v", "--no-header", "-p", "no:cacheprovider", "--rootdir", str(root)]
    # What lies above the root is other models', and has no say in how this one is judged.
    words += ["-c", str(_settings(root, checks)), "--confcutdir", str(root)]
    # From the root on: what the folders above are called means nothing to pytest.
    words.append(str(checks.relative_to(root)))
    # A file and not a pipe: a process that the checks leave behind would hold a pipe open.
    with tempfile.TemporaryFile() as output:
        with (
            none_left_behind(checks.name),
            subprocess.Popen(
                # Safely: else the work tree comes first, and a file of theirs named like a
                # library, pytest or this package would run in its place.
                [sys.executable, "-P", "-m", "pytest", *words],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
            _ended(process),
        ):
            while not _is_done(process):
                told(_share(output.fileno()))
                time.sleep(_PAUSE)
        code = process.returncode
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _settings(root: Path, checks: Path) -> Path:
    """Return the file of settings that pytest would find in the work tree; an empty one if none.

    Left to itself it looks on in the folders above.
    """
    places = [folder / name for folder in (checks, root) for name in _SETTINGS]
    return next((it for it in places if it.is_file() and _has_settings(it)), Path(os.devnull))


def _has_settings(file: Path) -> bool:
    section = _SETTINGS[file.name]
    if file.suffix != ".toml" or not section:
        header = re.compile(rf"^\[{section}\]".encode(), re.MULTILINE)
        return not section or header.search(file.read_bytes()) is not None
    try:
        tools = tomllib.loads(file.read_text(encoding="utf-8")).get("tool")
    except ValueError:
        return True  # pytest says best what is wrong with it.
    return isinstance(tools, dict) and section in tools


def _paths(root: Path) -> dict[str, str]:
    """Return where Python looks for modules: in the work tree only once our plugin lets it.

    What pytest's settings load as a plugin comes before, and could be a file of theirs.
    """
    named = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    places = [Path(os.path.normpath(root / place)) for place in named]
    inside = [place for place in places if place.is_relative_to(root)]
    outside = [place for place in places if place not in inside]
    return {
        "PYTHONPATH": os.pathsep.join(map(str, outside)),
        PATH_VARIABLE: os.pathsep.join(map(str, inside)),
    }


def _is_done(process: "subprocess.Popen[bytes]") -> bool:
    """Say whether a process came to its end, without reaping it where the system can."""
    if hasattr(os, "waitid"):
        # Not reaped yet, so that its number still names its own group when that is ended.
        return bool(os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG))
    # macOS before Python 3.13; its group is ended at once, before the number is given away.
    return process.poll() is not None


@contextmanager
def _ended(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End a process and its whole group, however we leave."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _share(output: int) -> float:
    """Return how far pytest says that it is; its own place in the file stays where it is."""
    end = os.fstat(output).st_size
    said = re.findall(rb"\[ *(\d{1,3})%\]", os.pread(output, _TAIL, max(end - _TAIL, 0)))
    return int(said[-1]) / 100 if said else 0.0


def _copy(run: Path, copy: Path, beside: Mapping[str, bytes]) -> None:
    """Copy the files of a run, to be read only."""
    copy.mkdir()
    for file in run.iterdir():
        shutil.copyfile(file, copy / file.name)
    for name, content in beside.items():
        (copy / name).write_bytes(content)
    for file in copy.iterdir():
        file.chmod(0o400)
    copy.chmod(0o500)


def _digests(run: Path) -> dict[str, str]:
    """Return name and digest of every file of a run, its rows included."""
    if run.is_symlink() or not run.is_dir():
        return {}
    return {file.name: _digest(file) for file in run.iterdir()}


def _digest(file: Path) -> str:
    if file.is_symlink() or not file.is_file():
        return "no regular file"
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _last_error(output: str) -> str:
    lines = [line for line in output.splitlines() if re.match(r"(E |ERROR|.*Error)", line.strip())]
    return " ".join(lines[-1].split())[:300] if lines else "it ended without an outcome"
