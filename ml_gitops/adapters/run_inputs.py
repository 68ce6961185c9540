"""What of a work tree decides the numbers of a model: its Python files and its environment."""

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from ml_gitops.adapters.reading import read_file
from ml_gitops.document import sha256
from ml_gitops.errors import ConfigError
from ml_gitops.names import CONFIG_FILE, ENVIRONMENT_LOCKS, is_hidden

LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "skl2onnx", "onnx", "onnxruntime")
"""The libraries whose version decides the numbers of every model."""
MARKS = ("pyvenv.cfg", CONFIG_FILE)
"""A folder with one of these is an environment, or another model."""


def python_files(folder: Path, *, without: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield every Python file below a folder, in order.

    Whatever the author's code may import counts, not only the files that the config names:
    a key that misses an import would ship an old model as a new one.

    Args:
        folder: where to look; links, hidden folders, environments and other models are left out.
        without: names of folders at the top that are left out too.
    """
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if not is_hidden(name)
            and not (here == folder and name in without)
            and not any((here / name / mark).exists() for mark in MARKS)
        )
        for name in sorted(files):
            file = here / name
            if name.endswith(".py") and file.is_file() and not file.is_symlink():
                yield file


def decisive_versions(root: Path) -> dict[str, str]:
    """Return library and version of what decides numbers, and digests of the author's locks.

    Raises:
        ConfigError: a library that training needs is not installed.
    """
    versions = {"python": ".".join(platform.python_version_tuple()[:2])}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            raise ConfigError(
                f"training needs {library}, which is not installed",
                hint="install ml-gitops[train]",
            ) from None
    for name in ENVIRONMENT_LOCKS:
        content = read_file(root, name)
        if content is not None:
            versions[name] = sha256(content)
    return versions
