"""What the monitor asks of an engine: which files there are, and which rows lie in a window."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from glob import escape
from typing import Any, Protocol

from ml_gitops.errors import DataError
from ml_gitops.monitoring.sql import instant, literal

READERS = {
    ".parquet": "read_parquet",
    ".pq": "read_parquet",
    ".jsonl": "read_json",
    ".ndjson": "read_json",
    ".json": "read_json",
    ".csv": "read_csv",
    ".tsv": "read_tsv",
}
_COMPRESSIONS = (".gz", ".zst")
Span = tuple[datetime, datetime]
"""A window of instants: the first is in it, the second is not."""


class Engine(Protocol):
    """What runs a statement where the rows are; `ports.Warehouse` is one."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its (few) rows."""
        ...


@dataclass(frozen=True)
class Table:
    """A table expression and the values of its placeholders."""

    sql: str
    parameters: tuple[Any, ...] = ()


def find_files(engine: Engine, paths: Sequence[str]) -> list[str]:
    """Return the files that paths and globs name, without the empty ones, each as a glob of one.

    Raises:
        DataError: a path that is no glob names no file.
    """
    files = named_files(engine, paths)
    if not files:
        return []
    full = engine.rows("SELECT filename FROM read_blob(?) WHERE size > 0", [files])
    return [escape(name) for name in sorted({name for (name,) in full})]


def named_files(engine: Engine, paths: Sequence[str]) -> list[str]:
    """Return the files that paths and globs name, each as a glob of one.

    Raises:
        DataError: a path that is no glob names no file.
    """
    files: list[str] = []
    for path in paths:
        found = [escape(name) for (name,) in engine.rows("SELECT file FROM glob(?)", [path])]
        if not found and escape(unescaped(path)) == path:
            raise DataError(
                "there is no such file",
                hint="correct the path in [monitor], or write the file, be it empty",
                where=unescaped(path),
            )
        files += found
    return files


def unescaped(path: str) -> str:
    """Return the path that a glob of one file names."""
    return re.sub(r"\[([*?[])\]", r"\1", path)


def reader_of(files: Sequence[str]) -> str:
    """Return the table function that reads all these files."""
    readers = {_reader(name): name for name in files}
    if len(readers) > 1:
        raise DataError(
            f"the files have different formats: {', '.join(sorted(readers.values()))}",
            hint="keep one format per log",
        )
    return next(iter(readers))


def _reader(name: str) -> str:
    base = name.lower()
    for ending in _COMPRESSIONS:
        base = base.removesuffix(ending)
    for suffix, reader in READERS.items():
        if base.endswith(suffix):
            return reader
    raise DataError(
        "the ending says no known format",
        hint=f"use one of {', '.join(READERS)}",
        where=unescaped(name),
    )


def describe(engine: Engine, sql: str, parameters: Sequence[Any]) -> list[tuple[str, str]]:
    """Return name and type of every column of a statement."""
    return [(row[0], row[1]) for row in engine.rows(f"DESCRIBE {sql}", parameters)]


def require(wanted: Sequence[str], present: Collection[str], *, where: str) -> None:
    """Refuse a file that lacks a column."""
    folded = {name.casefold() for name in present}
    for name in wanted:
        if name.casefold() not in folded:
            raise DataError(
                # Not which: the first line of what is no such file is not for a log of CI.
                f"there is no column {name!r}; it has {len(present)}",
                hint="name the column in the config, or write it",
                where=unescaped(where),
            )


def window_index(windows: Sequence[Span]) -> str:
    """Return the SQL that says in which window the instant `t` lies; null for none."""
    cases = " ".join(
        f"WHEN t >= {instant(since)} AND t < {instant(until)} THEN {index}"
        for index, (since, until) in enumerate(windows)
    )
    return f"CASE {cases} END" if windows else "NULL::INTEGER"


def ours(releases: Sequence[str]) -> str:
    """Return the SQL that says whether a row was answered by one of these releases."""
    named = ", ".join(literal(name) for name in releases)
    return f"coalesce(release IN ({named}), false)" if releases else "false"
