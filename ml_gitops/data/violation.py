"""One way in which rows break their contract, in words that show the fault and not the table."""

from typing import TYPE_CHECKING, Literal

from ml_gitops.document import Part

if TYPE_CHECKING:
    import pandas as pd

MAX_EXAMPLES = 3
"""Values shown per violation: enough to recognise the fault, too few to leak a table."""

MISSING = "is missing"
"""What is wrong with a column that is not there."""


class Violation(Part):
    """One way in which one column breaks the contract.

    Attributes:
        column: the column, or "" for the table as a whole.
        problem: what is wrong, in words.
        rows: how many rows are affected.
        examples: up to three values that show it.
        severity: an error stops training; a warning is told to the reviewer.
        remedy: what to do about it, where the column itself tells.
    """

    column: str
    problem: str
    rows: int
    examples: tuple[str, ...] = ()
    severity: Literal["error", "warning"] = "error"
    remedy: str = ""

    @property
    def missing(self) -> bool:
        """Whether the column is not there at all."""
        return self.problem == MISSING

    def __str__(self) -> str:
        """Return the violation as one line."""
        shown = f" (such as {', '.join(self.examples)})" if self.examples else ""
        where = f"column {self.column!r}: " if self.column else ""
        return f"{where}{self.problem}{shown}"


def examples_of(column: "pd.Series") -> tuple[str, ...]:
    """Return the first few different values of a column, each cut short."""
    return tuple(str(value)[:40] for value in column.unique()[:MAX_EXAMPLES])
