"""Files of a work tree: regular ones of a bounded size, never through a link."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ml_gitops.errors import ConfigError
from ml_gitops.names import is_hidden

LARGEST = 2**24
"""Bytes of a file that people write or review; no row of data is read this way."""

_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Not blocking, because a pipe in place of a file would keep us waiting for ever."""


def inside(root: Path, path: str) -> Path:
    """Return where a path of the repository lies.

    Raises:
        ConfigError: it leaves the repository, goes through a link or into a repository of its
            own, or is no text.
    """
    require_text(path)
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ConfigError(
            "the path leaves the repository", hint="name a file inside of it", where=path
        )
    target = root / path
    for part in (target, *target.parents):
        if part == root:
            break
        if part.is_symlink():
            raise ConfigError("this is a link", hint="put the file itself there", where=path)
        if (part / ".git").exists():
            raise _submodule(part.relative_to(root).as_posix())
    return target


def require_text(path: str) -> None:
    """Refuse a path that no document could name.

    Raises:
        ConfigError: a name in it is not UTF-8.
    """
    readable = os.fsencode(path).decode(errors="backslashreplace")
    if readable != path:
        raise ConfigError("the name is not UTF-8", hint="rename it", where=readable)


def read_file(root: Path, path: str) -> bytes | None:
    """Return a file of the work tree; None if it is not there.

    Raises:
        ConfigError: it is no regular file, too large, or the system refuses.
    """
    try:
        handle = os.open(inside(root, path), _READING)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise refused("read", path, error) from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise ConfigError("this is a folder", hint="name a file", where=path)
        if not stat.S_ISREG(mode):
            raise ConfigError("this is no regular file", hint="put a file there", where=path)
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        raise ConfigError(
            f"this is larger than {LARGEST // 2**20} MiB",
            hint="keep it smaller; data do not belong into the repository",
            where=path,
        )
    return content


def files_below(root: Path, place: str) -> Iterator[str]:
    """Yield the path of every regular file at or below a place, in order; nothing hidden.

    Raises:
        ConfigError: a submodule is there, be it that its files are not.
    """
    for path in _submodules(root):
        if f"{path}/".startswith(f"{place}/"):
            raise _submodule(path)
    target = inside(root, place)
    if target.is_file():
        yield place
    for folder, names, files in os.walk(target):
        names[:] = sorted(name for name in names if not is_hidden(name))
        for name in sorted(files):
            file = Path(folder) / name
            if not is_hidden(name) and file.is_file() and not file.is_symlink():
                yield file.relative_to(root).as_posix()


def _submodules(root: Path) -> list[str]:
    """Return the paths of the submodules that the work tree declares."""
    declared = (read_file(root, ".gitmodules") or b"").decode(errors="replace")
    return [path.strip('"') for path in re.findall(r"(?m)^\s*path\s*=\s*(.+?)\s*$", declared)]


def _submodule(path: str) -> ConfigError:
    return ConfigError(
        "this is a repository of its own",
        hint="commit its files here instead: what is in it is in no commit that is reviewed",
        where=path,
    )


def refused(verb: str, path: str, error: OSError) -> ConfigError:
    """Return what the system said of a file, with the remedy that it leaves."""
    reason = (error.strerror or str(error)).lower()
    return ConfigError(
        f"cannot {verb} it: {reason}", hint="make room for it or permit it", where=path
    )
