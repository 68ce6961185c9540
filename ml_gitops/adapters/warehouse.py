"""DuckDB as the engine of the monitor: files in, counts out, one process, flat memory."""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

from ml_gitops.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_HALF_A_FILE = (
    "this is not a whole Parquet file",
    "write it again; a copy that was interrupted leaves half a file",
)
_REFUSALS: tuple[tuple[str, str, str], ...] = (
    (
        r'No files found that match the pattern "(?P<file>[^"]*)"',
        "there is no such file",
        "correct the path, or wait until the first file is written",
    ),
    (r"No magic bytes[^']*'(?P<file>[^']*)'", *_HALF_A_FILE),
    (r"File '(?P<file>[^']*)' too small to be a Parquet file", *_HALF_A_FILE),
    (
        r'Malformed JSON in file "(?P<file>[^"]*)".*? in line (?P<after>\d+): (?P<detail>[^.|]*)',
        "a line is not JSON",
        "correct or remove that line; every line is one prediction",
    ),
    (
        r'JSON transform error in file "(?P<file>[^"]*)", in line (?P<line>\d+):(?P<detail>[^|:]*)',
        "a value does not have the type of its column",
        "correct or remove that line",
    ),
    (
        r"CSV Error on Line: (?P<line>\d+).*?not utf-8.*? file = (?P<file>.*?) \|",
        "this is not UTF-8",
        "write it again as UTF-8",
    ),
    (
        r"CSV Error on Line: (?P<line>\d+).*(?P<detail>Expected N[^|]*).* file = (?P<file>[^|]*)\|",
        "a row has more columns than the header",
        "correct it, or put values with a comma in quotes",
    ),
    (
        r'Error when sniffing file "(?P<file>[^"]*)"',
        "this is no CSV file that can be read",
        "write it with one kind of quotes and line ends, as UTF-8, and look once it is whole",
    ),
    (
        r"GZIP stream: (?P<file>[^|]*)",
        "this is not a whole gzip file",
        "write it again; a copy that was interrupted leaves half a file",
    ),
    (
        r'Referenced column "(?P<detail>[^"]*)" not found',
        "a column is missing",
        "compare the columns of the file with the config",
    ),
    (
        r'"maximum_object_size" of .* while reading file "(?P<file>[^"]*)"',
        "a line is longer than 16 MiB",
        "correct or remove that line; every line is one prediction",
    ),
    (
        r'Cannot open file "(?P<file>[^"]*)": (?P<detail>[^|]*)',
        "the system does not let it be read",
        "permit it, or name another file",
    ),
    (
        r"Out of Memory",
        "the scan needs more memory than it may use",
        "raise the memory limit or scan shorter windows",
    ),
)
"""What DuckDB says, what that means, and what to do about it. Values are not repeated."""


MEMORY_LIMIT, MOST_THREADS = "400MB", 4
"""Beyond that the rows of a look are on disk; every thread takes of it what it needs to read."""


class DuckDBWarehouse:
    """An in-memory DuckDB that satisfies `ports.Warehouse`.

    It downloads no extension, sees no Python variables, and spills to a private
    directory that is gone when the warehouse is closed.

    Args:
        memory_limit: what the engine may hold before it spills to disk.
        threads: how many threads it may use; None for one per core, `MOST_THREADS` at most.
    """

    def __init__(self, *, memory_limit: str = MEMORY_LIMIT, threads: int | None = None) -> None:
        import duckdb

        self._spill = tempfile.TemporaryDirectory(prefix="ml-gitops-")
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": self._spill.name,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        }
        config["threads"] = str(threads or min(os.cpu_count() or 1, MOST_THREADS))
        self._connection = duckdb.connect(":memory:", config=config)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET lock_configuration = true")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its (few) rows.

        Raises:
            DataError: a file or a column is not what the statement expects.
        """
        import duckdb

        try:
            return self._connection.execute(sql, list(parameters)).fetchall()
        except (duckdb.ParserException, duckdb.InternalException):
            raise  # The statement is ours: this is a bug, not the user's data.
        except duckdb.Error as error:
            raise _refusal(str(error)) from None

    def batches(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Run one statement and yield its rows in batches, never all at once.

        Raises:
            DataError: a file or a column is not what the statement expects.
        """
        import duckdb

        try:
            cursor = self._connection.execute(sql, list(parameters))
            while batch := cursor.fetchmany(size):
                yield batch
        except (duckdb.ParserException, duckdb.InternalException):
            raise  # The statement is ours: this is a bug, not the user's data.
        except duckdb.Error as error:
            raise _refusal(str(error)) from None

    def register(self, name: str, frame: "pd.DataFrame") -> None:
        """Make a frame readable as a table of that name, without a copy."""
        self._connection.register(name, frame)

    def close(self) -> None:
        """Close the engine and remove what it spilled."""
        self._connection.close()
        self._spill.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refusal(message: str) -> DataError:
    """Return DuckDB's message as one line with its remedy."""
    text = re.sub(r"\s*\n\s*", " | ", message.strip())
    for pattern, problem, hint in _REFUSALS:
        found = re.search(pattern, text)
        if found is None:
            continue
        part = found.groupdict()
        detail = (part.get("detail") or "").strip()
        where = (part.get("file") or "").strip() or None
        line = part.get("line")
        if part.get("after"):  # DuckDB counts a malformed line one too far.
            line = str(int(part["after"]) - 1)
        where = f"{where}:{line}" if where and line else where
        return DataError(f"{problem}: {detail}" if detail else problem, hint=hint, where=where)
    first = re.sub(r"'[^']*'|\"[^\"]*\"", "…", text.split(" | ")[0])
    return DataError(f"DuckDB cannot read this: {first}", hint="check the files and their columns")
