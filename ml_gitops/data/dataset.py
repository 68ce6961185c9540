"""Rows in canonical order, with a digest of their content."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ml_gitops.data.schema import DataSchema, Window
from ml_gitops.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Dataset:
    """Rows of one window, sorted by time and id.

    Attributes:
        frame: the rows, with every column that the source gives.
        schema: what the columns are.
        window: the days they belong to.
        digest: digest of their content.
    """

    frame: "pd.DataFrame"
    schema: DataSchema
    window: Window
    digest: str

    @property
    def filled(self) -> Window:
        """The window without the days at its end that have no rows: they are not quiet but late."""
        last: date = utc_naive(self.frame[self.schema.time]).max().date()
        return Window(start=self.window.start, until=last + timedelta(days=1))

    def part(self, window: Window) -> "pd.DataFrame":
        """Return the rows of a part of the window."""
        days = utc_naive(self.frame[self.schema.time])
        inside = (days >= str(window.start)) & (days < str(window.until))
        return self.frame[inside].reset_index(drop=True)


def utc_naive(times: "pd.Series") -> "pd.Series":
    """Return times in UTC without a zone, so that days can be cut on them."""
    zone = getattr(times.dt, "tz", None)
    return times.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else times


def days_of(times: "pd.Series") -> "NDArray[Any]":
    """Return the UTC day of each time as a number, shape (n,)."""
    days: NDArray[Any] = utc_naive(times).to_numpy().astype("datetime64[D]").astype("int64")
    return days


def require_frame(value: object, *, where: str) -> "pd.DataFrame":
    """Return what the author's source gave, if it is a frame.

    Raises:
        DataError: it is something else.
    """
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        names: list[object] = list(value.columns)
        odd = [name for name in names if not isinstance(name, str)]
        if odd:
            raise DataError(
                f"the name of column {odd[0]!r} is no text",
                hint="name every column with a string",
                where=where,
            )
        return value
    raise DataError(
        f"it returned {type(value).__name__}, not a DataFrame",
        hint="return the rows as a pandas DataFrame",
        where=where,
    )


def make_dataset(frame: "pd.DataFrame", schema: DataSchema, window: Window) -> Dataset:
    """Sort the rows and digest them.

    Every column of the source is kept and digested, not only those of the
    schema, so a change of features alone is judged on the very same rows.

    Args:
        frame: rows that passed validation.
        schema: what the columns are.
        window: the days the rows belong to.
    """
    ordered = frame.sort_values([schema.time, schema.id], kind="stable").reset_index(drop=True)
    return Dataset(frame=ordered, schema=schema, window=window, digest=frame_digest(ordered))


def frame_digest(frame: "pd.DataFrame") -> str:
    """Return a digest of names, types and values that is equal in every process.

    Args:
        frame: rows in canonical order; the order of the columns does not count.

    Raises:
        DataError: a column holds values that cannot be hashed, such as lists.
    """
    import pandas as pd

    digest = hashlib.sha256()
    for name in sorted(frame.columns):
        digest.update(f"{name}\0{_kind(frame[name])}\0".encode())
        try:
            hashes = pd.util.hash_pandas_object(_in_finest_unit(frame[name]), index=False)
        except TypeError:
            raise DataError(
                f"column {name!r} holds values that are neither numbers, strings nor times",
                hint="flatten it in the function that loads the rows",
            ) from None
        digest.update(hashes.to_numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def columns_digest(frame: "pd.DataFrame") -> str:
    """Return a digest of the names and types of a frame's columns, whatever their order."""
    named = "\n".join(f"{name}\0{_kind(frame[name])}" for name in sorted(frame.columns))
    return f"sha256:{hashlib.sha256(named.encode()).hexdigest()}"


def _kind(column: "pd.Series") -> str:
    """Name a column's type in words that do not change between versions of pandas."""
    kind = column.dtype.kind
    return "string" if kind in "OUT" else kind


def _in_finest_unit(column: "pd.Series") -> "pd.Series":
    """Return times in the finest unit that holds all of them: versions of pandas read others."""
    if column.dtype.kind not in "mM":
        return column
    for unit in ("ns", "us", "ms"):
        with suppress(ValueError):  # One is too far away to be counted in it.
            finer: pd.Series[Any] = column.dt.as_unit(unit)
            return finer
    return column
