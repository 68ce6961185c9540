"""Rows that a holdout may lack and a service will see: what parity is also checked on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml_gitops.data.schema import Feature
from ml_gitops.serving.runtime import MISSING_STRING
from ml_gitops.serving.tree_converter import tree_classes
from ml_gitops.serving.trees import ensemble_of

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50
"""Copies of ordinary rows for each change, and thresholds of a column that are looked at."""

UNSEEN_STRING = "a category that nobody has seen"
EXTREMES = (1e9, -1e9, 1e-9, -1e-9)
"""Beyond what people measure; further out the distances of neighbours cancel to noise."""

STEPS = 3
"""Along a straight line the first arrives; the others make up for its rounding."""


def edge_rows(
    estimator: Any, frame: "pd.DataFrame", features: Sequence[Feature]
) -> "dict[str, pd.DataFrame]":
    """Return rows for the parity check by what is unusual about them.

    Args:
        estimator: fitted; its trees say where their thresholds are.
        frame: ordinary rows as `conform` made them, to start from.
        features: its columns.
    """
    import pandas as pd

    start = frame.head(ROWS)
    strings = [feature.name for feature in features if feature.type == "string"]
    numbers = [feature.name for feature in features if feature.type != "string"]
    changes: dict[str, list[tuple[str, Any]]] = {
        "missing values": [
            (feature.name, MISSING_STRING if feature.type == "string" else float("nan"))
            for feature in features
            if feature.nullable
        ],
        "unseen categories": [
            *((name, UNSEEN_STRING) for name in strings),
            *((name, start[name] + " ") for name in strings),
        ],
        "empty strings": [(name, MISSING_STRING) for name in strings],
        "very large and very small values": [
            (name, extreme) for name in numbers for extreme in EXTREMES
        ],
    }
    edges = {
        kind: pd.concat([start.assign(**{name: value}) for name, value in wanted])
        for kind, wanted in changes.items()
        if wanted
    }
    if len(near := threshold_rows(estimator, frame, numbers)):
        edges["both sides of the thresholds of trees"] = near
    return {kind: rows.reset_index(drop=True) for kind, rows in edges.items()}


def threshold_rows(estimator: Any, frame: "pd.DataFrame", numbers: Sequence[str]) -> "pd.DataFrame":
    """Return ordinary rows with one number moved to where a tree sees a float32 beside a split.

    The steps in front of the trees are only asked, and need not be understood: a
    column is followed along a straight line, and left out where it is none.

    Args:
        estimator: fitted.
        frame: ordinary rows as `conform` made them.
        numbers: the columns to move.
    """
    import pandas as pd

    steps = getattr(estimator, "steps", [("model", estimator)])
    splits = list(_splits(steps[-1][1]))
    if not splits or not len(frame):
        return frame.head(0)
    before = estimator[:-1] if len(steps) > 1 else None
    aims = _aims(np.concatenate(splits, axis=1))
    parts = [frame.head(0)]
    for name in numbers:
        span = frame[name].min() - 1, frame[name].max() + 1
        if np.isfinite(span).all():
            columns = [it for it in _changed(before, frame, name, span) if it in aims]
            parts += [_reached(before, frame, name, it, aims[it], span) for it in columns]
    return pd.concat(parts)


def _splits(model: Any) -> Iterator[NDArray[np.float64]]:
    """Yield columns and thresholds of all trees in a fitted estimator, of shape (2, nodes)."""
    if type(model) in tree_classes():
        for tree in ensemble_of(model).trees:
            inner = ~tree.leaf
            yield np.array([tree.feature[inner], tree.threshold[inner]], dtype=np.float64)
        return
    inside = [getattr(model, "estimator", None), *getattr(model, "calibrated_classifiers_", ())]
    if not hasattr(model, "estimators_features_"):  # They count columns from others' first.
        inside += list(getattr(model, "estimators_", ()))
    for part in inside:
        # The estimator that others were cloned from is not fitted and has no trees.
        if hasattr(part, "classes_") or hasattr(part, "n_features_in_"):
            yield from _splits(part)


def _aims(splits: NDArray[np.float64]) -> Mapping[int, NDArray[np.float64]]:
    """Return for each column what a tree should see: the float32 below a split, and above."""
    aims = {}
    for column in np.unique(splits[0]):
        thresholds = np.unique(splits[1][splits[0] == column])
        thresholds = thresholds[np.isfinite(thresholds)]
        chosen = thresholds[:: max(1, len(thresholds) // ROWS)]
        near = chosen.astype(np.float32)
        below = np.where(near > chosen, np.nextafter(near, np.float32(-np.inf)), near)
        above = np.nextafter(below, np.float32(np.inf))
        aims[int(column)] = np.concatenate([below, above]).astype(np.float64)
    return aims


def _seen(before: Any, rows: "pd.DataFrame") -> NDArray[np.float64]:
    """Return what trees see of rows."""
    found = rows if before is None else before.transform(rows)
    return np.asarray(getattr(found, "toarray", lambda: found)(), dtype=np.float64)


def _changed(
    before: Any, frame: "pd.DataFrame", name: str, span: tuple[float, float]
) -> NDArray[np.intp]:
    """Return the columns that trees see otherwise when a feature goes from end to end."""
    low, high = (_seen(before, frame.head(1).assign(**{name: end})) for end in span)
    return np.flatnonzero(low[0] != high[0])


def _reached(
    before: Any,
    frame: "pd.DataFrame",
    name: str,
    column: int,
    wanted: NDArray[np.float64],
    span: tuple[float, float],
) -> "pd.DataFrame":
    """Return rows in which trees see a column exactly as wanted."""
    rows = frame.iloc[np.arange(len(wanted)) % min(len(frame), ROWS)]
    ends = [_seen(before, rows.assign(**{name: end}))[:, column] for end in span]
    slope = (ends[1] - ends[0]) / (span[1] - span[0])
    value = np.full(len(wanted), span[0])
    seen = ends[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(STEPS):
            value = np.nan_to_num(value + (wanted - seen) / slope)
            seen = _seen(before, rows.assign(**{name: value}))[:, column]
    between = (np.minimum(*ends) <= wanted) & (wanted <= np.maximum(*ends))
    reached = seen.astype(np.float32) == wanted.astype(np.float32)
    there: pd.DataFrame = rows.assign(**{name: value}).loc[between & reached]
    return there
