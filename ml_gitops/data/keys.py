"""Ids, times and targets: the columns that every row needs, held to what each is for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from ml_gitops.data.dataset import utc_naive
from ml_gitops.data.remedy import fit_task, parse_time, task_of
from ml_gitops.data.schema import DataSchema, Task, Window
from ml_gitops.data.violation import Violation, examples_of

if TYPE_CHECKING:
    import pandas as pd


def key_violations(
    frame: "pd.DataFrame", schema: DataSchema, window: Window
) -> Iterator[Violation]:
    """Yield what is wrong with ids, times and targets, as far as every day by itself must hold.

    Args:
        frame: rows; a column that is missing is not looked at.
        schema: which columns those are.
        window: the days the rows must belong to.
    """
    if schema.id in frame:
        yield from _identity(frame[schema.id])
    if schema.time in frame:
        yield from _times(frame[schema.time], window)
    if schema.target in frame:
        yield from _target(frame[schema.target], schema)


def _identity(column: "pd.Series") -> Iterator[Violation]:
    name = str(column.name)
    missing = int(column.isna().sum())
    if missing:
        yield Violation(column=name, problem=f"{missing:,} ids are missing", rows=missing)
    doubled = column[column.duplicated() & column.notna()]
    if len(doubled):
        yield Violation(
            column=name,
            problem=f"{len(doubled):,} rows repeat an id",
            rows=len(doubled),
            examples=examples_of(doubled),
        )


def _times(column: "pd.Series", window: Window) -> Iterator[Violation]:
    name = str(column.name)
    mismatch = time_violation(column)
    if mismatch is not None:
        yield mismatch
        return
    missing = int(column.isna().sum())
    if missing:
        yield Violation(column=name, problem=f"{missing:,} times are missing", rows=missing)
    days = utc_naive(column)
    outside = days[(days < str(window.start)) | (days >= str(window.until))]
    if len(outside):
        yield Violation(
            column=name,
            problem=f"{len(outside):,} rows lie outside {window}",
            rows=len(outside),
            examples=examples_of(outside),
            remedy="return the rows from start to before end, and no others",
        )


def time_violation(column: "pd.Series") -> Violation | None:
    """Return what is wrong with the type of the column of times; None if days can be cut on it."""
    if column.dtype.kind == "M":
        return None
    zones = {getattr(value, "tzinfo", None) for value in column.dropna().head(10_000)}
    mixed = len(zones) > 1
    return Violation(
        column=str(column.name),
        problem="mixes time zones" if mixed else f"is {column.dtype}, not a time",
        rows=len(column),
        # One value shows how all are written.
        examples=examples_of(column.dropna())[:1],
        remedy="convert all to UTC in the source" if mixed else parse_time(column),
    )


def _target(column: "pd.Series", schema: DataSchema) -> Iterator[Violation]:
    name = schema.target
    missing = int(column.isna().sum())
    if missing:
        yield Violation(column=name, problem=f"{missing:,} targets are missing", rows=missing)
    found = _contradiction(column, schema.task)
    if found is not None:
        problem, severity = found
        yield Violation(
            column=name,
            problem=problem,
            rows=len(column) - missing,
            examples=examples_of(column.dropna()),
            severity=severity,
            remedy=fit_task(column, schema.task),
        )


def _contradiction(
    column: "pd.Series", task: Task
) -> tuple[str, Literal["error", "warning"]] | None:
    """Say how the values of a target contradict the task, and whether that must stop training."""
    if task == "regression" and column.dtype.kind not in "iuf":
        return f"is {column.dtype}, not a number", "error"
    alike = task_of(column)
    if task == "binary" and alike != "binary":
        return "must hold true and false (or 1 and 0) for a binary task", "error"
    if task == "multiclass" and alike == "regression":
        return "holds amounts, and the task has classes", "warning"
    if task == "regression" and alike == "binary" and column.nunique() == 2:
        return "holds 0 and 1 alone, and the task has amounts", "warning"
    return None


def one_class(column: "pd.Series", schema: DataSchema) -> Iterator[Violation]:
    """Yield that there is one class only: no fault of a day, but of all rows together."""
    present = column.dropna()
    if schema.task != "regression" and present.nunique() < 2:
        yield Violation(
            column=schema.target,
            problem="has one class only; there is nothing to learn",
            rows=len(present),
            examples=examples_of(present),
        )
