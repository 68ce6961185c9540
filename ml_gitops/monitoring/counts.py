"""Counts of a window and what they are counts of; parts of a log add up to the whole.

The counts of one profile are a commutative monoid, so any engine may make them, in any order.
"""

from datetime import datetime
from typing import Literal

from ml_gitops.document import Part

Kind = Literal["numeric", "categorical", "boolean"]


class Cells(Part):
    """How one column is counted.

    Attributes:
        edges: numeric; cell i holds edges[i-1] < x <= edges[i], the last one x > edges[-1].
        values: categorical; one cell each, and a last one for all other values.
    """

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.edges if self.kind == "numeric" else self.values) + 1


class ColumnCounts(Part):
    """How many rows of a column fell into each cell, and how many had no value (null or NaN)."""

    nulls: int
    cells: tuple[int, ...]

    @property
    def present(self) -> int:
        """How many rows have a value."""
        return sum(self.cells)

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return self.nulls + self.present

    def __add__(self, other: "ColumnCounts") -> "ColumnCounts":
        """Return the counts of both parts together."""
        cells = zip(self.cells, other.cells, strict=True)
        return ColumnCounts(nulls=self.nulls + other.nulls, cells=tuple(a + b for a, b in cells))


class Counts(Part):
    """One window reduced to counts.

    Attributes:
        since, until: the window; the first instant is in it, the second is not.
        rows: predictions that were counted.
        columns: feature to its counts.
        prediction: the counts of the score (or of the label, for multiclass models).
    """

    since: datetime
    until: datetime
    rows: int
    columns: dict[str, ColumnCounts]
    prediction: ColumnCounts

    def __add__(self, other: "Counts") -> "Counts":
        """Return the counts of both parts together, over the span of both."""
        if self.columns.keys() != other.columns.keys():
            raise ValueError("counts of different profiles do not add up")
        return Counts(
            since=min(self.since, other.since),
            until=max(self.until, other.until),
            rows=self.rows + other.rows,
            columns={name: self.columns[name] + other.columns[name] for name in self.columns},
            prediction=self.prediction + other.prediction,
        )


class LeftOut(Part):
    """Rows of the log that were not counted, and why; the first reason that applies.

    Attributes:
        unreadable: lines that are no record; one that is being written is one of them.
    """

    unreadable: int = 0
    no_time: int = 0
    outside: int = 0
    other_release: int = 0
    repeated_id: int = 0

    @property
    def text(self) -> str:
        """What somebody should look into, in one line; empty if there is nothing."""
        reasons = (
            (self.unreadable, "unreadable"),
            (self.no_time, "without a time"),
            (self.repeated_id, "with an id that came before"),
        )
        parts = [f"{count:,} {reason}" for count, reason in reasons if count]
        return f"rows of the log that are not counted: {', '.join(parts)}" if parts else ""

    def __add__(self, other: "LeftOut") -> "LeftOut":
        """Return the rows left out of both parts."""
        return LeftOut(
            unreadable=self.unreadable + other.unreadable,
            no_time=self.no_time + other.no_time,
            outside=self.outside + other.outside,
            other_release=self.other_release + other.other_release,
            repeated_id=self.repeated_id + other.repeated_id,
        )


class Scan(Part):
    """What one look at the log gives: the counts of every window, and what was left out.

    Attributes:
        one_in: 1, or how many rows each counted row stands for, where rows were capped.
    """

    windows: tuple[Counts, ...]
    left_out: LeftOut
    one_in: int = 1
