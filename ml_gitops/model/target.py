"""The truth in the model's terms: which class, by number, or which value."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ml_gitops.data.schema import Task
from ml_gitops.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BOOLEAN = {"false": "0", "true": "1"}


def encode(target: "NDArray[Any]", task: Task, classes: Sequence[str]) -> "NDArray[Any]":
    """Return the target as indices of the classes, or as numbers for regression.

    A boolean, its name in small letters and 0 or 1 mean the same class.

    Args:
        target: classes or values, shape (n,).
        task: what the model predicts.
        classes: their names, as the model has them; empty for regression.

    Raises:
        DataError: a value is missing, no number, or none of the classes.
    """
    import numpy as np
    import pandas as pd

    series = pd.Series(target).reset_index(drop=True)
    if missing := int(series.isna().sum()):
        raise DataError(
            f"{missing} of {len(series)} rows have no target",
            hint="leave rows out of the data until their label is known",
        )
    if task == "regression":
        try:
            return series.to_numpy(dtype=np.float64)
        except ValueError:
            raise DataError("the target is not a number", hint="make it one") from None
    names = [class_name(name) for name in classes]
    boolean = set(names) <= {*_BOOLEAN, *_BOOLEAN.values()}

    def common(name: str) -> str:
        return _BOOLEAN.get(name, name) if boolean else name

    index = {common(name): code for code, name in enumerate(names)}
    codes = {value: index.get(common(class_name(value)), -1) for value in series.unique()}
    if unknown := sorted(class_name(value) for value, code in codes.items() if code < 0):
        raise DataError(
            f"the target has the value {unknown[0]!r}, which is no class of the model",
            hint=f"the model knows {', '.join(classes)}; train it on every class",
        )
    return series.map(codes).to_numpy(dtype=np.intp)


def class_name(value: object) -> str:
    """Return a class as it is written down: `true`, `1` or its own text."""
    text = str(value)
    if text in ("True", "False"):
        return text.lower()
    return text if isinstance(value, str) else text.removesuffix(".0")
