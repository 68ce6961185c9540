"""What a command refuses of the places that it works in, before it does anything there."""

import os
from pathlib import Path

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.workspace import CACHE
from ml_gitops.errors import ConfigError, DataError


def in_git(folder: Path) -> bool:
    """Say whether a folder is in a work tree of Git."""
    return any((it / ".git").exists() for it in (folder, *folder.parents))


def refuse_foreign_cache(model: Clone) -> None:
    """Refuse a cache that came with a commit: what it holds, nobody here trained or judged.

    Args:
        model: the clone as seen from the model's folder; it need not be in Git.

    Raises:
        ConfigError: Git tracks it, or it is a link to somewhere else.
    """
    cache = model.path / CACHE
    tracked = cache.exists() and in_git(model.path) and model.tracked(CACHE)
    if tracked or cache.is_symlink():
        raise ConfigError(
            "the cache of runs came with a commit, or is a link",
            hint=f"remove it: git rm -r --cached {CACHE}, then delete it",
            where=CACHE,
        )


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is done that it would tell of.

    Raises:
        DataError: it is a folder, or its folder cannot be written to.
    """
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if path.is_dir():
        problem = "it is a folder"
    elif not above.is_dir():
        problem = f"{above} is a file"
    elif not os.access(above, os.W_OK):
        problem = f"{above} may not be written to"
    else:
        return
    raise DataError(f"cannot write it: {problem}", hint="name another file", where=str(path))
