"""Cutting rows into slices: categories as they are, numbers by quartiles."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

MAX_VALUES = 20
"""A column's most frequent values get a slice each; the rest share one."""

MAX_DISTINCT = 10
"""Numbers with more distinct values than this are cut into quartile ranges."""

MISSING = "missing"

Slice = tuple[str, NDArray[np.intp]]


def cut(column: Any) -> list[Slice]:
    """Cut rows by the values of a column; every row is in exactly one slice.

    Args:
        column: n values of one kind, missing ones included.

    Returns:
        (value, row indices) per slice, the largest category first, numbers in their order.
    """
    import pandas as pd

    series = pd.Series(column).reset_index(drop=True)
    numeric = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if numeric and series.nunique() > MAX_DISTINCT:
        return _quartiles(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return _categories(series)


def _quartiles(values: NDArray[np.float64]) -> list[Slice]:
    missing = np.isnan(values)
    edges = np.unique(np.quantile(values[np.isfinite(values)], [0, 0.25, 0.5, 0.75, 1]))
    inner = edges[1:-1]
    names = _digits(edges)
    labels = [f"{low} to {high}" for low, high in pairwise(names)]
    bins = np.searchsorted(inner, values, "right")
    if not len(inner):
        # One value fills the quartiles, as no rain does: it and the rest are the two slices.
        labels = [names[0], f"over {names[0]} to {names[-1]}"]
        bins = (values > edges[0]).astype(np.intp)
    bins[missing] = len(labels)
    found = [(label, np.flatnonzero(bins == index)) for index, label in enumerate(labels)]
    if missing.any():
        found.append((MISSING, np.flatnonzero(missing)))
    return [(label, rows) for label, rows in found if len(rows)]


def _digits(edges: NDArray[np.float64]) -> list[str]:
    """Write edges with as few digits as keep them apart."""
    for digits in range(3, 17):
        names = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(names)) == len(edges):
            return names
    return [repr(float(edge)) for edge in edges]


def _categories(series: "pd.Series[Any]") -> list[Slice]:
    codes, values = series.factorize(use_na_sentinel=True)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(-1, len(values)), "right")
    rows = np.split(order, ends[:-1])
    found = [(_name(value), rows[code + 1]) for code, value in enumerate(values)]
    found.sort(key=lambda one: (-len(one[1]), one[0]))
    if len(found) > MAX_VALUES:
        rest = np.sort(np.concatenate([one[1] for one in found[MAX_VALUES - 1 :]]))
        found[MAX_VALUES - 1 :] = [(f"{len(found) - MAX_VALUES + 1} other values", rest)]
    if len(rows[0]):
        found.append((MISSING, rows[0]))
    return found


def _name(value: object) -> str:
    """Name a category in few digits: `3`, not `3.0`; `true`, not `True`."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
