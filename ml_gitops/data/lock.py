"""The data lock: which rows a model was trained and judged on, pinned in Git."""

from datetime import timedelta
from typing import ClassVar

from ml_gitops.data.schema import Window
from ml_gitops.document import Digest, Document
from ml_gitops.errors import DataError
from ml_gitops.names import LOCK_FILE


class DataLock(Document):
    """The window of rows a model may learn from, and the digest of what was in it.

    Attributes:
        source: the reference that loads the rows, as in the config.
        window: the days the rows belong to.
        rows: how many there were.
        digest: digest of their content, whatever their order.
        schema_digest: digest of the names and types of their columns.
    """

    file_name: ClassVar[str] = LOCK_FILE

    source: str
    window: Window
    rows: int
    digest: Digest
    schema_digest: Digest


class Split(Document):
    """The lock's window cut in two: learn from one part, judge on the other."""

    train: Window
    holdout: Window


def split(window: Window, holdout_days: int) -> Split:
    """Cut the last days of a window off as the holdout.

    Raises:
        DataError: nothing would be left to learn from.
    """
    if window.days <= holdout_days:
        raise DataError(
            f"the window {window} has no day left to train on beside "
            f"{holdout_days} days of holdout",
            hint="lock a longer window, or lower holdout_days in [data]",
            where=LOCK_FILE,
        )
    cut = window.until - timedelta(days=holdout_days)
    return Split(
        train=Window(start=window.start, until=cut),
        holdout=Window(start=cut, until=window.until),
    )


def check_locked(lock: DataLock, *, rows: int, digest: str, schema_digest: str) -> None:
    """Refuse rows that are not the ones the lock names.

    Raises:
        DataError: the source now gives other rows for the same window.
    """
    if (rows, digest) == (lock.rows, lock.digest):
        return
    if schema_digest != lock.schema_digest:
        problem = f"the source gives other columns for {lock.window} than were locked"
    else:
        counted = f"{rows:,} rows, {lock.rows:,} locked"
        problem = f"the source gives other rows for {lock.window} than were locked ({counted})"
    raise DataError(
        problem,
        hint="if that is meant, lock again with `ml-gitops data lock`; if not, ask why the past "
        "changed",
        where=LOCK_FILE,
    )
