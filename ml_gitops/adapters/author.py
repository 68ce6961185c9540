"""The author's code: imported afresh from the work tree, its failures named by file and line."""

import importlib
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, cast

from ml_gitops.adapters.failures import explain
from ml_gitops.adapters.from_source import believe_no_bytecode
from ml_gitops.errors import ConfigError, MlGitopsError, TrainingError

_SECRET = re.compile(
    r"(GITHUB|GH|GITHUB_ENTERPRISE|GH_ENTERPRISE|GITLAB|GITEA|FORGEJO|CI_JOB)_(TOKEN|PAT)"
    r"|ACTIONS_.*|INPUT_.*"  # what GitHub gives to actions: its tokens, and their inputs
    r"|GITHUB_(ENV|PATH|OUTPUT|STATE|STEP_SUMMARY)"  # files that steer the steps after this one
    r"|(COSIGN|SIGSTORE|ML_GITOPS)_.*(KEY|TOKEN|SECRET|PASSWORD).*"
)
"""Variables that are ours and the forge's, and never the author's. What opens their own data
stays. This keeps honest code from leaking; it is no wall: the process's memory has them."""


def load_function(root: Path, reference: str) -> Callable[..., Any]:
    """Return the author's `file.py:function`.

    Args:
        root: the work tree; what the file imports from there is imported afresh too.
        reference: such as `model/pipeline.py:build_pipeline`.

    Raises:
        ConfigError: there is no such file or function.
        TrainingError: the file cannot be imported.
    """
    path, _, name = reference.partition(":")
    if not (root / path).is_file():
        raise ConfigError(
            "there is no such file", hint="create it, or correct ml-gitops.toml", where=path
        )
    with named_errors(root, path):
        function = getattr(_import(root, path), name, None)
    if not callable(function):
        raise ConfigError(
            f"there is no function {name!r}",
            hint="define it, or correct the reference in ml-gitops.toml",
            where=path,
        )
    return cast("Callable[..., Any]", function)


@contextmanager
def named_errors(root: Path, path: str) -> Iterator[None]:
    """Run the author's code: work tree importable, our secrets withheld, their failing line named.

    Args:
        root: the work tree.
        path: the file to name if no line of theirs was running.

    Raises:
        TrainingError: whatever the author's code raised, as one line.
    """
    withheld = {name: os.environ.pop(name) for name in list(os.environ) if _SECRET.fullmatch(name)}
    sys.path.insert(_after_the_standard_library(), str(root))
    believe_no_bytecode(root)
    try:
        # What they print is no part of our answer, which a machine may read.
        with redirect_stdout(sys.stderr):
            yield
    except MlGitopsError:
        raise
    except (Exception, SystemExit) as error:
        problem, hint = explain(error, root)
        raise TrainingError(problem, hint=hint, where=_line_of(error, root) or path) from error
    finally:
        sys.path.remove(str(root))
        os.environ.update(withheld)


def _after_the_standard_library() -> int:
    """Return where the work tree comes in the path: no file in it takes the place of Python's own.

    Before the libraries that are installed: a `data` or `utils` of theirs is not the author's.
    """
    standard = sysconfig.get_path("stdlib")
    places = [
        place
        for place, entry in enumerate(sys.path, start=1)
        if entry.startswith(standard) and "-packages" not in entry
    ]
    return places[-1] if places else 0


def _import(root: Path, path: str) -> Any:
    """Import a file as a module of its folder's package, forgetting what was imported before."""
    parts = PurePosixPath(path).with_suffix("").parts
    _roots.add(root)
    prefixes = tuple(f"{one}{os.sep}" for one in _roots)
    for name in [name for name, it in sys.modules.items() if _is_authors(it, prefixes)]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return importlib.import_module(".".join(parts))


def imported_files(root: Path) -> list[str]:
    """Return the files of a work tree that this process has imported, whatever their kind."""
    prefix = (f"{root}{os.sep}",)
    ours = [it for it in list(sys.modules.values()) if _is_authors(it, prefix)]
    origins = [getattr(getattr(it, "__spec__", None), "origin", None) for it in ours]
    return sorted(
        {
            Path(origin).relative_to(root).as_posix()
            for origin in origins
            if isinstance(origin, str) and origin.startswith(prefix)
        }
    )


_roots: set[Path] = set()
"""Every work tree whose code was imported; modules are shared by the whole process."""


def _is_authors(module: ModuleType, prefixes: tuple[str, ...]) -> bool:
    """Say whether a module came from a work tree, and not from the libraries inside of one.

    Thousands of modules are asked, so text is compared first.
    """
    if module.__name__.partition(".")[0] == "ml_gitops":
        return False
    spec = getattr(module, "__spec__", None)
    places = [getattr(spec, "origin", None), *(getattr(module, "__path__", None) or ())]
    return any(
        isinstance(place, str)
        and place.startswith(prefixes)
        and not {".venv", "site-packages"} & set(Path(place).parts)
        for place in places
    )


def _line_of(error: BaseException, root: Path) -> str | None:
    """Return `file:line` of the last line of the author's code that was running."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    for name, number in reversed(places):
        file = Path(name)
        if file.is_relative_to(root) and ".venv" not in file.parts:
            return f"{file.relative_to(root)}:{number}"
    return None
