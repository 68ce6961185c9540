"""Reduce the prediction log to counts where it lies; only counts leave the engine."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ml_gitops.monitoring.counts import Cells, ColumnCounts, Counts, Kind, LeftOut, Scan
from ml_gitops.monitoring.log import feature_column
from ml_gitops.monitoring.look import UNREADABLE, Look
from ml_gitops.monitoring.query import Engine, Span, Table, ours, window_index
from ml_gitops.monitoring.sql import doubles

_SQL_TYPES: dict[Kind, str] = {
    "numeric": "DOUBLE",
    "categorical": "VARCHAR",
    "boolean": "VARCHAR",
}
_GROUPING_LIMIT = 60
"""How many columns one `GROUPING SETS` statement takes: `grouping()` is a word of 64 bits."""


@dataclass(frozen=True)
class Counted:
    """A column to count: its cells, and the SQL that gives its value in the table."""

    cells: Cells
    value: str

    @property
    def sql(self) -> str:
        """The value as the type that is counted; NaN is no value."""
        if self.cells.kind == "numeric":
            # DuckDB's histogram counts NaN in the lowest bin.
            return f"nullif(TRY_CAST({self.value} AS DOUBLE), 'nan'::DOUBLE)"
        text = f"CAST({self.value} AS VARCHAR)"
        if self.cells.kind == "boolean":
            return f"coalesce(TRY_CAST({text} AS BOOLEAN)::VARCHAR, {text})"
        return text


def scan(
    look: Look,
    columns: Sequence[Cells],
    prediction: Cells,
    *,
    windows: Sequence[Span],
    row_cap: int | None = None,
) -> Scan:
    """Count every column of the log in every window.

    Args:
        look: the log as it was read, with the columns as `sql_types` has them.
        columns: the features and how they are counted, from the profile.
        prediction: how the score (numeric) or the label (categorical) is counted.
        windows: spans that do not overlap, among those of the look.
        row_cap: count about this many rows of a window at most, chosen by their ids; the effect
            of a shift is known well enough from 100,000.
    """
    left_out, kept = take_census(look, windows)
    one_in = max(1, math.ceil(kept / (row_cap * len(windows)))) if row_cap and windows else 1
    counted = [Counted(cells, feature_column(cells.name)) for cells in columns]
    counted.append(Counted(prediction, "score" if prediction.kind == "numeric" else "label"))
    rows = Table(look.inside(windows, one_in=one_in))
    counts = count(look.engine, rows, counted, len(windows))
    return Scan(
        windows=tuple(
            _assemble(span, part, columns) for span, part in zip(windows, counts, strict=True)
        ),
        left_out=left_out,
        one_in=one_in,
    )


def sql_types(columns: Sequence[Cells]) -> dict[str, str]:
    """Return the SQL type that each column is read as."""
    return {cells.name: _SQL_TYPES[cells.kind] for cells in columns}


def take_census(look: Look, windows: Sequence[Span]) -> tuple[LeftOut, int]:
    """Return the rows that a scan leaves out, by reason, and how many it keeps."""
    ((unreadable, no_time, outside, other, repeated, kept),) = look.engine.rows(
        f"SELECT count(*) FILTER (WHERE {UNREADABLE}),"
        f" count(*) FILTER (WHERE t IS NULL AND NOT ({UNREADABLE})),"
        " count(*) FILTER (WHERE t IS NOT NULL AND w IS NULL),"
        " count(*) FILTER (WHERE w IS NOT NULL AND NOT ours),"
        " count(*) FILTER (WHERE w IS NOT NULL AND ours AND NOT counts),"
        " count(*) FILTER (WHERE w IS NOT NULL AND counts)"
        f" FROM (SELECT *, {window_index(windows)} AS w, {ours(look.releases)} AS ours"
        f" FROM {look.name})"
    )
    left_out = LeftOut(
        unreadable=unreadable,
        no_time=no_time,
        outside=outside,
        other_release=other,
        repeated_id=repeated,
    )
    return left_out, kept


def count(
    engine: Engine, table: Table, columns: Sequence[Counted], windows: int
) -> list[list[ColumnCounts]]:
    """Count columns of a table by window.

    Args:
        engine: where the rows are.
        table: rows with the index `w` of their window.
        columns: what to count.
        windows: how many windows there are.

    Returns:
        For every window the counts of every column, in their order.
    """
    counts = [[_zero(column.cells) for column in columns] for _ in range(windows)]
    numeric = [i for i, column in enumerate(columns) if column.cells.kind == "numeric"]
    others = [i for i, column in enumerate(columns) if column.cells.kind != "numeric"]
    if numeric:
        _count_numbers(engine, table, columns, numeric, counts)
    for start in range(0, len(others), _GROUPING_LIMIT):
        _count_values(engine, table, columns, others[start : start + _GROUPING_LIMIT], counts)
    return counts


def _count_numbers(
    engine: Engine,
    table: Table,
    columns: Sequence[Counted],
    numeric: Sequence[int],
    counts: list[list[ColumnCounts]],
) -> None:
    """Fill in numeric columns: one statement, one histogram per column."""
    values = ", ".join(f"{columns[i].sql} AS c{i}" for i in numeric)
    bins = ", ".join(f"histogram(c{i}, {doubles(columns[i].cells.edges)})" for i in numeric)
    for window, rows, *histograms in engine.rows(
        f"SELECT w, count(*), {bins} FROM (SELECT w, {values} FROM ({table.sql})) GROUP BY w",
        table.parameters,
    ):
        for i, histogram in zip(numeric, histograms, strict=True):
            found: dict[float, int] = histogram or {}
            inner = [found.get(edge, 0) for edge in columns[i].cells.edges]
            present = sum(found.values())
            counts[window][i] = ColumnCounts(
                nulls=rows - present, cells=(*inner, present - sum(inner))
            )


def _count_values(
    engine: Engine,
    table: Table,
    columns: Sequence[Counted],
    chosen: Sequence[int],
    counts: list[list[ColumnCounts]],
) -> None:
    """Fill in categorical columns: one statement; values the profile does not list are one cell."""
    names = [f"c{i}" for i in chosen]
    # `grouping()` has a zero bit for the one column that a set groups by.
    masks = {
        (1 << len(names)) - 1 - (1 << (len(names) - 1 - place)): i for place, i in enumerate(chosen)
    }
    listed = [
        (mask, value, cell)
        for mask, i in masks.items()
        for cell, value in enumerate(columns[i].cells.values)
    ]
    values = ", ".join(f"{columns[i].sql} AS c{i}" for i in chosen)
    sets = ", ".join(f"(w, {name})" for name in names)
    every = ", ".join(names)
    statement = (
        f"WITH grouped AS (SELECT w, coalesce({every}) AS value, grouping({every})::BIGINT AS mask,"
        f" count(*) AS n FROM (SELECT w, {values} FROM ({table.sql}))"
        f" GROUP BY GROUPING SETS ({sets})),"
        " listed AS (SELECT unnest(?::BIGINT[]) AS mask, unnest(?::VARCHAR[]) AS value,"
        " unnest(?::INTEGER[]) AS cell)"
        " SELECT w, mask, CASE WHEN value IS NULL THEN -2 ELSE coalesce(cell, -1) END AS place,"
        " sum(n) FROM grouped LEFT JOIN listed USING (mask, value) GROUP BY ALL"
    )
    lists: list[list[Any]] = [list(column) for column in zip(*listed, strict=True)] or [[], [], []]
    tallies: dict[tuple[int, int], dict[int, int]] = {}
    for window, mask, place, rows in engine.rows(statement, (*table.parameters, *lists)):
        tallies.setdefault((window, masks[mask]), {})[place] = int(rows)
    for (window, i), tally in tallies.items():
        size = columns[i].cells.size
        cells = [tally.get(cell, 0) for cell in range(size - 1)]
        counts[window][i] = ColumnCounts(nulls=tally.get(-2, 0), cells=(*cells, tally.get(-1, 0)))


def _zero(cells: Cells) -> ColumnCounts:
    return ColumnCounts(nulls=0, cells=(0,) * cells.size)


def _assemble(span: Span, counts: Sequence[ColumnCounts], columns: Sequence[Cells]) -> Counts:
    """Return the counts of one window; the last column is the prediction."""
    *features, prediction = counts
    return Counts(
        since=span[0],
        until=span[1],
        rows=prediction.rows,
        columns={cells.name: part for cells, part in zip(columns, features, strict=True)},
        prediction=prediction,
    )
