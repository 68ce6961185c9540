"""Frames on disk, as Parquet."""

import os
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ml_gitops.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def write_frame(frame: "pd.DataFrame", path: Path) -> None:
    """Write a frame as Parquet, whole or not at all.

    Args:
        frame: rows; text columns may have missing values.
        path: the file; its folder exists.

    Raises:
        OSError: there is no room for it, or the system refuses.
    """
    import duckdb

    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with duckdb.connect() as connection:
            connection.register("frame", frame)
            connection.execute("COPY frame TO $path (FORMAT parquet)", {"path": str(draft)})
        draft.replace(path)
    except duckdb.IOException:  # Its text is of another form in every version.
        raise OSError(f"the rows of {path.name} found no room") from None
    finally:
        draft.unlink(missing_ok=True)


def read_frame(path: Path) -> "pd.DataFrame":
    """Read a Parquet file that `write_frame` wrote.

    Raises:
        DataError: the file is gone or damaged.
    """
    import duckdb

    try:
        with duckdb.connect() as connection:
            # A folder may be named like a glob.
            named = {"path": escape(str(path))}
            return connection.execute("SELECT * FROM read_parquet($path)", named).df()
    except duckdb.Error:
        raise DataError(
            "this is not a Parquet file", hint="remove its folder and train again", where=str(path)
        ) from None
