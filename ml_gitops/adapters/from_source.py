"""Code of a work tree runs from the source that was reviewed, never from bytecode beside it."""

import os
import sys
from collections.abc import Callable
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.importlib import PathEntryFinderProtocol

_guarded: set[Path] = set()
"""Work trees whose code is read from source in this process."""


class FromSource(SourceFileLoader):
    """Compiles a module each time: what a cache says is neither read nor written."""

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of a module's own file."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def believe_no_bytecode(root: Path) -> None:
    """Let whatever is imported from below a work tree come from its source.

    Libraries elsewhere keep their bytecode, which is not the author's: without it, pandas and
    scikit-learn take longer to import than a small model to train.

    Args:
        root: the work tree; an environment inside of it, whose Python runs, is not part of it.
    """
    if root not in _guarded:
        _guarded.add(root)
        sys.path_hooks.insert(0, _hook(root))
    below = f"{root}{os.sep}"
    for place in list(sys.path_importer_cache):
        if place == str(root) or place.startswith(below):
            del sys.path_importer_cache[place]


def _hook(root: Path) -> "Callable[[str], PathEntryFinderProtocol]":
    ours = f"{root}{os.sep}"
    environment = f"{sys.prefix}{os.sep}"
    inside = environment if environment.startswith(ours) else None
    find = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES), (FromSource, SOURCE_SUFFIXES)
    )

    def hook(place: str) -> "PathEntryFinderProtocol":
        within = f"{place}{os.sep}"
        if not within.startswith(ours) or (inside is not None and within.startswith(inside)):
            raise ImportError(place)
        return find(place)

    return hook
