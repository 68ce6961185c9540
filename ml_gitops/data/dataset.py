"""Rows in canonical order, with a digest of their content."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_gitops.data.schema import DataSchema, Window
from ml_gitops.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """Rows of one window, sorted by time and id.

    Attributes:
        frame: the rows, with the columns of the schema and no others.
        schema: what the columns are.
        window: the days they belong to.
        digest: digest of their content.
    """

    frame: "pd.DataFrame"
    schema: DataSchema
    window: Window
    digest: str

    def part(self, window: Window) -> "pd.DataFrame":
        """Return the rows of a part of the window."""
        days = utc_naive(self.frame[self.schema.time])
        inside = (days >= str(window.start)) & (days < str(window.until))
        return self.frame[inside].reset_index(drop=True)


def utc_naive(times: "pd.Series") -> "pd.Series":
    """Return times in UTC without a zone, so that days can be cut on them."""
    zone = getattr(times.dt, "tz", None)
    return times.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else times


def make_dataset(frame: "pd.DataFrame", schema: DataSchema, window: Window) -> Dataset:
    """Sort the rows, keep only the columns of the schema, and digest them.

    Args:
        frame: rows that passed validation; forbidden columns are dropped here.
        schema: what the columns are.
        window: the days the rows belong to.
    """
    columns = [schema.id, schema.time, *schema.feature_names, schema.target]
    kept = frame[columns].sort_values([schema.time, schema.id], kind="stable")
    kept = kept.reset_index(drop=True)
    return Dataset(frame=kept, schema=schema, window=window, digest=frame_digest(kept))


def frame_digest(frame: "pd.DataFrame") -> str:
    """Return a digest of names, types and values that is equal in every process.

    Args:
        frame: rows in canonical order.

    Raises:
        DataError: a column holds values that cannot be hashed, such as lists.
    """
    import pandas as pd

    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(f"{name}\0{_kind(frame[name])}\0".encode())
        try:
            hashes = pd.util.hash_pandas_object(frame[name], index=False)
        except TypeError:
            raise DataError(
                f"column {name!r} holds values that are neither numbers, strings nor times",
                hint="flatten it in the function that loads the rows",
            ) from None
        digest.update(hashes.to_numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def _kind(column: "pd.Series") -> str:
    """Name a column's type in words that do not change between versions of pandas."""
    kind = column.dtype.kind
    return "string" if kind in "OUT" else kind
