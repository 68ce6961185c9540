"""The files the monitor reads, as SQL tables; names are quoted, values are parameters."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from glob import escape
from typing import Any, Protocol

from ml_gitops.document import Part
from ml_gitops.errors import DataError
from ml_gitops.monitoring.sql import identifier, instant, literal

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
_LOG_TYPES = {
    "id": "VARCHAR",
    "time": "VARCHAR",
    "received": "VARCHAR",
    "release": "VARCHAR",
    "score": "DOUBLE",
    "label": "VARCHAR",
}
_REQUIRED = ("id", "time", "release", "score")

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


class LogFiles(Part):
    """Where predictions are logged: JSON lines or Parquet, one record per prediction.

    Attributes:
        paths: files or globs; a glob that matches nothing is an empty log, and so is an empty
            file.
    """

    paths: tuple[str, ...]

    def table(
        self, engine: Engine, fields: dict[str, str] | None = None, *, strict: bool = False
    ) -> Table | None:
        """Return the log as rows of t, id, received, release, score, label, `feature_column`s.

        A row is `received` when the service got the request; where nobody noted that, at its
        time. A line that is no record, such as one that is being written, is a row of nulls.

        Args:
            engine: asked which files there are and what they hold.
            fields: feature to SQL type; features that the files lack read as null.
                None leaves the features out.
            strict: refuse lines that are no records, when they are read.

        Raises:
            DataError: a file is missing or lacks a column.
        """
        files = find_files(engine, self.paths)
        if not files:
            return None
        reader = reader_of(files)
        if reader in ("read_csv", "read_tsv"):
            raise DataError(
                "a prediction log cannot be CSV: features are nested",
                hint="write JSON lines or Parquet",
                where=_unescaped(files[0]),
            )
        return (
            _json_log(files, fields, strict=strict)
            if reader == "read_json"
            else _parquet_log(engine, files, fields)
        )


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
        if not found and escape(_unescaped(path)) == path:
            raise DataError(
                "there is no such file",
                hint="correct the path in [monitor], or write the file, be it empty",
                where=_unescaped(path),
            )
        files += found
    return files


def _unescaped(path: str) -> str:
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
        where=_unescaped(name),
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
                where=_unescaped(where),
            )


def feature_column(name: str) -> str:
    """Return the quoted column of a feature in a log's table; no other column has its name."""
    return identifier(f"feature {name}")


def _json_log(files: list[str], fields: dict[str, str] | None, *, strict: bool) -> Table:
    types = dict(_LOG_TYPES)
    features = ""
    if fields:
        members = ", ".join(f"{identifier(name)} {kind}" for name, kind in fields.items())
        types["features"] = f"STRUCT({members})"
        features = "".join(
            f", features.{identifier(name)} AS {feature_column(name)}" for name in fields
        )
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
    return Table(
        f"SELECT {_times('time', 'received')}, id, release, score, label{features}"
        f" FROM read_json(?, format = 'newline_delimited', columns = {{{columns}}},"
        f" ignore_errors = {str(not strict).lower()})",
        (files,),
    )


def _parquet_log(engine: Engine, files: list[str], fields: dict[str, str] | None) -> Table:
    source = "read_parquet(?, union_by_name = true)"
    types = dict(describe(engine, f"SELECT * FROM {source}", [files]))
    require([*_REQUIRED, *(["features"] if fields else [])], types, where=files[0])
    # A bare column lets the reader skip row groups by their statistics.
    time = "time" if types["time"].startswith("TIMESTAMP") else "time::VARCHAR"
    received = "received::VARCHAR" if "received" in types else "NULL"
    label = "label::VARCHAR" if "label" in types else "NULL::VARCHAR"
    features = ""
    if fields:
        members = describe(engine, f"SELECT unnest(features) FROM {source}", [files])
        there = {name for name, _ in members}
        # One column per feature, not a struct of them: a statement then reads what it counts.
        features = "".join(
            f", TRY_CAST({f'features.{identifier(name)}' if name in there else 'NULL'} AS {kind})"
            f" AS {feature_column(name)}"
            for name, kind in fields.items()
        )
    return Table(
        f"SELECT {_times(time, received)}, id::VARCHAR AS id,"
        f" release::VARCHAR AS release, TRY_CAST(score AS DOUBLE) AS score, {label} AS label"
        f"{features} FROM {source}",
        (files,),
    )


def _times(time: str, received: str) -> str:
    """Return the SQL of both times of a row: what the client said, and when we heard it."""
    t = f"TRY_CAST({time} AS TIMESTAMPTZ)"
    return f"{t} AS t, coalesce(TRY_CAST({received} AS TIMESTAMPTZ), {t}) AS received"


def window_index(windows: Sequence[Span]) -> str:
    """Return the SQL that says in which window the instant `t` lies; null for none."""
    cases = " ".join(
        f"WHEN t >= {instant(since)} AND t < {instant(until)} THEN {index}"
        for index, (since, until) in enumerate(windows)
    )
    return f"CASE {cases} END"


def ours(releases: Sequence[str]) -> str:
    """Return the SQL that says whether a row was answered by one of these releases."""
    return f"coalesce(release IN ({', '.join(literal(name) for name in releases)}), false)"


def inside(
    table: Table, windows: Sequence[Span], releases: Sequence[str], *, one_in: int = 1
) -> Table:
    """Return the rows of these windows and releases, with the index `w` of their window.

    Args:
        table: rows of the log.
        windows: spans that do not overlap.
        releases: releases whose answers count.
        one_in: take this share of the rows, chosen by their id.
    """
    first, last = min(since for since, _ in windows), max(until for _, until in windows)
    chosen = f" AND hash(coalesce(id, t::VARCHAR)) % {one_in:d} = 0" if one_in > 1 else ""
    return Table(
        f"SELECT {window_index(windows)} AS w, * FROM ({table.sql})"
        f" WHERE t >= {instant(first)} AND t < {instant(last)}"
        f" AND {ours(releases)} AND w IS NOT NULL{chosen}",
        table.parameters,
    )
