"""What to do about a column that breaks the contract, as far as the column itself tells."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ml_gitops.data.lookalikes import as_seen, nearest
from ml_gitops.data.schema import Feature, FeatureType, Task

if TYPE_CHECKING:
    import pandas as pd

MANY = 20
"""From so many different numbers on, they are amounts and not classes."""
ENOUGH = 10_000
"""Values that are looked at to tell how all are written."""


def type_of(column: "pd.Series") -> FeatureType | None:
    """Return the type that holds a column without changing a value; None for times and the like."""
    if getattr(column, "ndim", 1) > 1:
        return None
    kind = column.dtype.kind
    if kind in "iu":
        return "integer"
    if kind == "f":
        return "number"
    if kind == "b":
        return "boolean"
    return "string" if _is_text(column) else None


def _is_text(column: "pd.Series") -> bool:
    present = column.dropna()
    return (
        column.dtype.kind in "OUT"
        and len(present) > 0
        and all(isinstance(one, str) for one in present)
    )


def find_missing(name: str, others: Iterable[str]) -> str:
    """Say which other column of the source was probably meant; nothing if none is close."""
    close = nearest(name, others)
    if close is None:
        return ""
    if as_seen(close) == as_seen(name):
        return f"the source has {close!a}, which looks the same: rename one of them"
    return f"did you mean {close!r}?"


def correct_type(column: "pd.Series", feature: Feature) -> str:
    """Say how a column and a feature come to the same type."""
    actual, name = type_of(column), feature.name
    if column.dtype.kind == "M":
        return "a time is no feature: derive numbers from it in the source, such as its hour"
    if actual is None:
        return "let it hold values of one type only"
    nullable = ", nullable = true" if actual == "number" and column.isna().any() else ""
    declared = f'write {{ type = "{actual}"{nullable} }} for it in [features]'
    if actual == "string" and feature.type in ("number", "integer") and _are_numbers(column):
        return f"convert it in the source with pd.to_numeric(rows[{name!r}]), or {declared}"
    return f"{declared}, or convert it in the source"


def parse_time(column: "pd.Series") -> str:
    """Say how a column that should hold times can be parsed."""
    call = f"rows[{column.name!r}] = pd.to_datetime(rows[{column.name!r}]"
    present = column.dropna()
    if column.dtype.kind in "iuf" and len(present):
        unit = "ms" if float(present.abs().median()) > 1e11 else "s"
        return f'parse it in the source: {call}, unit="{unit}")'
    form = time_form(present) if _is_text(column) else None
    if form is not None:
        zone = ", utc=True" if form.endswith("%z") else ""
        return f'parse it in the source: {call}, format="{form}"{zone})'
    return "name a column of times, or parse it in the source with pd.to_datetime"


def time_form(texts: "pd.Series") -> str | None:
    """Return the form in which all of the texts tell a time (`%Y-%m-%d`); None if there is none.

    Args:
        texts: without missing values; where one leaves open which is day and which is month, the
            others may tell.
    """
    import warnings

    import pandas as pd
    from pandas.tseries.api import guess_datetime_format

    few = texts.head(ENOUGH)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It guesses, and says so; we try the guess.
        guessed = guess_datetime_format(str(few.iloc[0])) if len(few) else None
    if guessed is None:
        return None
    swapped = guessed.translate(str.maketrans("dm", "md"))
    for form in (guessed, swapped):
        if pd.to_datetime(few, format=form, errors="coerce", utc=True).notna().all():
            return form
    return None


def fit_task(column: "pd.Series", task: Task) -> str:
    """Say how a target and its task come together."""
    classes = column.dropna().unique().tolist()
    if task == "regression" and _is_text(column) and _are_numbers(column):
        return f"convert it in the source with pd.to_numeric(rows[{column.name!r}])"
    if len(classes) == 2 and task == "binary":
        one = max(classes, key=str)
        call = f"rows[{column.name!r}]"
        return f"compare it in the source: {call} = {call} == {one!r}"
    other = task_of(column)
    return f'set task = "{other}" in [model]' if other != task else ""


def task_of(column: "pd.Series") -> Task:
    """Return the task that the values of a target look like."""
    present = column.dropna()
    classes = present.unique()
    if set(classes.tolist()) <= {0, 1}:
        return "binary"
    amounts = column.dtype.kind in "iuf" and (len(classes) > MANY or bool((present % 1).any()))
    return "regression" if amounts else "multiclass"


def _are_numbers(column: "pd.Series") -> bool:
    import pandas as pd

    return bool(pd.to_numeric(column.dropna(), errors="coerce").notna().all())
