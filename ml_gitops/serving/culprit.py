"""Where answers part: the row and the columns that differ most, and the step they come from."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml_gitops.data.schema import Feature
from ml_gitops.serving.conversion import open_steps
from ml_gitops.serving.parity import discrepancies

if TYPE_CHECKING:
    import pandas as pd

    Ask = Callable[["pd.DataFrame"], NDArray[np.floating]]

NAMED = 3
"""Columns that a sentence names at most."""


def find_culprit(
    estimator: Any,
    ask_estimator: "Ask",
    ask_file: "Ask",
    rows: "pd.DataFrame",
    features: Sequence[Feature],
) -> tuple[str, str]:
    """Say where an estimator and its ONNX file part.

    Args:
        estimator: fitted.
        ask_estimator: what it answers to rows.
        ask_file: what the ONNX file answers to them.
        rows: as `conform` made them; some are answered differently.
        features: their columns.

    Returns:
        A sentence about the row and the columns, and what to change.
    """
    expected, actual = ask_estimator(rows), ask_file(rows)
    if expected.shape != actual.shape:
        name, step = getattr(estimator, "steps", [("estimator", estimator)])[-1]
        named = type(step).__name__
        return f"the likely cause is {name}: {named}", f"replace {named}"
    apart = discrepancies(expected, actual)
    apart = np.where(np.isfinite(apart), apart, np.inf)
    worst = rows.iloc[[int(apart.argmax())]]
    best = rows.iloc[int(apart.argmin())]
    columns = list(_columns(ask_estimator, ask_file, worst, best, features))
    said = ", ".join(f"{name}={_value(worst[name].iloc[0])}" for name in columns[:NAMED])
    told = f"row {worst.index[0]} differs most" + (f", by its {said}" if said else "")
    step = _step(estimator, worst, features)
    return f"{told}; the likely cause is {step}", f"replace {step.rpartition(': ')[2]}"


def _columns(
    ask_estimator: "Ask",
    ask_file: "Ask",
    worst: "pd.DataFrame",
    best: "pd.Series",
    features: Sequence[Feature],
) -> Iterator[str]:
    """Yield the columns that make a row differ: with another row's value it differs by half."""
    before = discrepancies(ask_estimator(worst), ask_file(worst))[0]
    for feature in features:
        changed = worst.assign(**{feature.name: best[feature.name]})
        after = discrepancies(ask_estimator(changed), ask_file(changed))[0]
        if after < before / 2 or not np.isfinite(before):
            yield feature.name


def _value(value: Any) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.6g}"


def _step(estimator: Any, worst: "pd.DataFrame", features: Sequence[Feature]) -> str:
    """Return path and class of the first step that gives other numbers in ONNX."""
    steps = getattr(estimator, "steps", [("estimator", estimator)])
    for count in range(1, len(steps)):
        name, step = steps[count - 1]
        expected = estimator[:count].transform(worst)
        expected = expected.toarray() if hasattr(expected, "toarray") else np.asarray(expected)
        try:
            actual = open_steps(estimator[:count], features)(worst)
        except Exception:  # noqa: BLE001, S112  a part alone may have no ONNX form
            continue
        if expected.shape != actual.shape:
            return f"{name}: {type(step).__name__}"
        near = np.isclose(expected.astype(float), actual, rtol=1e-6, atol=1e-9, equal_nan=True)
        if not near.all():
            return _branch(name, step, int(np.flatnonzero(~near[0])[0]))
    name, step = steps[-1]
    return f"{name}: {type(step).__name__}"


def _branch(name: str, step: Any, column: int) -> str:
    """Return the part of a ColumnTransformer that makes a column; of another step, itself."""
    for part, span in getattr(step, "output_indices_", {}).items():
        if span.start <= column < span.stop:
            inside = step.named_transformers_[part]
            inside = getattr(inside, "steps", [(part, inside)])
            return f"{name}.{part}: " + ", ".join(type(it).__name__ for _, it in inside)
    return f"{name}: {type(step).__name__}"
