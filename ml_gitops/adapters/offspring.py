"""Processes that a program of others leaves behind: found, however they hid, and ended."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ml_gitops.errors import TrainingError

_SET_CHILD_SUBREAPER = 36
"""Of prctl(2): whoever loses a parent below us becomes our child, not that of process 1."""
_PAUSE = 0.01
"""Seconds for the ended to end, before we look again."""


@contextmanager
def none_left_behind(where: str, *, patience: float = 10.0) -> Iterator[None]:
    """End what was started inside and still runs; on Linux also what left its group and session.

    Args:
        where: who started it, for the message.
        patience: seconds to go on against processes that start others.

    Raises:
        TrainingError: something still runs.
    """
    before, left = _children(), False
    adopting = sys.platform == "linux" and _adopt_orphans(1)
    try:
        yield
    finally:
        if adopting:
            left = not _all_ended(before, time.monotonic() + patience)
            _adopt_orphans(0)
    if left:
        raise TrainingError(
            "it left processes behind that cannot be ended",
            hint="wait for whatever it starts, and start nothing as another user",
            where=where,
        )


def _adopt_orphans(wanted: int) -> bool:
    """Say whether the kernel agreed."""
    return bool(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, wanted, 0, 0, 0) == 0)


def _all_ended(before: set[int], until: float) -> bool:
    """End our new children until there are none; return False if that took too long.

    Only children: their numbers are theirs until we reap them, and what they leave behind comes
    to us. Whoever was between two parents while we looked is still counted by the kernel.
    """
    while True:
        for child in _children() - before:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        if not (_children() - before if before else _has_children()):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> set[int]:
    """Return the numbers of our children, also of those that ended and nobody reaped."""
    ours, found = str(os.getpid()), set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # It ended while we looked.
            # The name of a program stands in parentheses and may hold any of them.
            if status.read_bytes().rpartition(b")")[2].split()[1].decode() == ours:
                found.add(int(status.parent.name))
    return found
