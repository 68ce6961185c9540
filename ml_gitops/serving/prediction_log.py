"""The prediction log: JSON lines, written off the request path, whole or not at all.

One thread writes what the requests hand over, as soon as it comes. A full disk
is retried and said aloud; when too many records wait, further ones are counted
as dropped and that is said aloud as well.
"""

import atexit
import contextlib
import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = dict[str, Any]

CAPACITY = 50_000
"""Records that wait for the disk at most: some tens of megabytes, minutes of traffic."""

FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""A log holds people's features: nobody reads it but its owner and the group of the monitor."""

MOST_PER_WRITE = 1_000
RETRY_SECONDS = 1.0
REMIND_SECONDS = 10.0

logger = logging.getLogger("ml_gitops.prediction_log")


class PredictionLog:
    """An open prediction log, one file per UTC day of writing.

    Args:
        directory: where the files are; made if it is missing.
        capacity: records that may wait before further ones are dropped.

    Attributes:
        writable: whether the disk took what was last written.
        dropped: records that were lost.

    Raises:
        OSError: nothing can be written there.
    """

    def __init__(self, directory: Path, *, capacity: int = CAPACITY) -> None:
        directory.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        self.writable = True
        self.dropped = 0
        self._directory = directory
        self._capacity = capacity
        self._changed = threading.Condition()
        self._waiting: list[Record] = []  # until they are on disk
        self._closed = False
        self._reminded = -REMIND_SECONDS
        self._file = _LineFile(self._path())
        self._thread = threading.Thread(target=self._write_all, name="prediction-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def append(self, records: Sequence[Record]) -> None:
        """Hand records over to be written; never waits for the disk."""
        with self._changed:
            closed, full = self._closed, len(self._waiting) + len(records) > self._capacity
            if not closed and not full:
                self._waiting.extend(records)
                self._changed.notify()
        if closed or full:
            self._drop(len(records), "the log is closed" if closed else "too many records wait")

    def close(self, timeout: float = 5.0) -> None:
        """Write what is waiting and stop; a second call does nothing."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify()
        atexit.unregister(self.close)
        self._thread.join(timeout)

    def _write_all(self) -> None:
        while batch := self._next():
            self._write(batch)
            with self._changed:
                del self._waiting[: len(batch)]
        self._file.close()

    def _next(self) -> list[Record]:
        """Return records that wait, as soon as there are some; none once the log is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting[:MOST_PER_WRITE]

    def _write(self, batch: list[Record]) -> None:
        """Write records, again and again until the disk takes them or the log is closed."""
        lines = b"".join(self._line(record) for record in batch)
        while True:
            try:
                self._file = self._file.at(self._path())
                self._file.append(lines)
            except OSError as error:
                self.writable = False
                if self._closed:
                    self._drop(len(batch), f"cannot write: {error}")
                    return
                self._say(f"cannot write: {error}; trying again, {len(self._waiting)} records wait")
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, RETRY_SECONDS)
            else:
                self.writable = True
                return

    def _line(self, record: Record) -> bytes:
        try:
            text = json.dumps(record, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            self._drop(1, f"a record is no JSON: {error}")
            return b""
        return text.encode() + b"\n"

    def _path(self) -> Path:
        return self._directory / f"predictions-{datetime.now(UTC):%Y-%m-%d}.jsonl"

    def _drop(self, count: int, why: str) -> None:
        with self._changed:
            self.dropped += count
            total = self.dropped
        self._say(f"{why}; {total} records dropped so far")

    def _say(self, problem: str) -> None:
        now = time.monotonic()
        if now - self._reminded >= REMIND_SECONDS or self._closed:
            self._reminded = now
            logger.error("prediction log %s: %s", self._directory, problem)


class _LineFile:
    """A file of whole lines: appended to under a lock, cut back when a write fails halfway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, FILE_MODE)
        self._left: tuple[int, int] | None = None  # what could not be cut off: from, to
        with self._locked():
            self._cut_torn_line()

    def at(self, path: Path) -> "_LineFile":
        """Return the file for a path: this one, the next day's, or a new one if it was removed."""
        if path == self._path and os.fstat(self._descriptor).st_nlink:
            return self
        following = _LineFile(path)
        self.close()
        return following

    def append(self, lines: bytes) -> None:
        with self._locked():
            if self._left is not None:
                start, size = self._left
                # Where nobody wrote behind it all of it goes; elsewhere half a line at the end.
                if os.fstat(self._descriptor).st_size == size:
                    os.ftruncate(self._descriptor, start)
                self._cut_torn_line()
                self._left = None
            end = os.lseek(self._descriptor, 0, os.SEEK_END)
            view = memoryview(lines)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:
                self._take_back(end)
                raise

    def close(self) -> None:
        os.close(self._descriptor)

    @contextlib.contextmanager
    def _locked(self) -> Any:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _take_back(self, end: int) -> None:
        """Cut off what a write left that failed halfway; where that fails too, before the next."""
        try:
            os.ftruncate(self._descriptor, end)
        except OSError as error:
            self._left = end, os.fstat(self._descriptor).st_size
            logger.error(  # noqa: TRY400  one line, no traceback
                "prediction log %s: cannot cut off half a line, trying again: %s", self._path, error
            )

    def _cut_torn_line(self) -> None:
        """Cut off half a line that a killed process left, so that every line is whole."""
        size = end = os.fstat(self._descriptor).st_size
        while end and os.pread(self._descriptor, 1, end - 1) != b"\n":
            start = max(0, end - 4096)
            newline = os.pread(self._descriptor, end - start, start).rfind(b"\n")
            end = start + newline + 1
        if end < size:
            logger.error("prediction log %s: cut off half a line", self._path)
            os.ftruncate(self._descriptor, end)


def utc_text(moment: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
