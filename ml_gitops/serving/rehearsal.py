"""The export rehearsed on made-up rows, so that a refusal comes before the hours of a fit."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_gitops.data.schema import Feature, Task
from ml_gitops.errors import ExportError
from ml_gitops.serving.conversion import convert
from ml_gitops.serving.exportable import refuse_inexact_steps
from ml_gitops.serving.onnx_model import conform

if TYPE_CHECKING:
    import pandas as pd

ROWS = 60
ROUNDS = 3
"""Trees, or steps of a solver: enough to have something to convert."""

COUNTS = ("n_estimators", "max_iter")


def rehearse(estimator: Any, features: Sequence[Feature], task: Task) -> None:
    """Fit a copy on a handful of made-up rows and export it; nothing of it is kept.

    Args:
        estimator: unfitted; it stays so.
        features: its inputs.
        task: what it will predict.

    Raises:
        ExportError: a step has no exact form in ONNX; the step and the remedy are named.
    """
    from sklearn.base import clone

    refuse_inexact_steps(estimator)
    rng = np.random.default_rng(0)
    rows = conform(_made_up(features, rng), features)
    target = {
        "binary": np.arange(ROWS) % 2 == 1,
        "multiclass": np.arange(ROWS) % 3,
        "regression": rng.normal(size=ROWS),
    }[task]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            fitted = clone(estimator)
            few = {
                name: ROUNDS
                for name, value in fitted.get_params(deep=True).items()
                if name.rpartition("__")[2] in COUNTS and isinstance(value, int) and value > ROUNDS
            }
            fitted = fitted.set_params(**few).fit(rows, target)
        except Exception:  # noqa: BLE001  these rows are made up: the real ones may be fitted
            return
        if task != "regression" and not hasattr(fitted, "predict_proba"):
            raise ExportError(
                f"{type(fitted).__name__} gives no probabilities",
                hint="use a classifier with predict_proba, or wrap it in CalibratedClassifierCV",
            )
        convert(fitted, features, task)


def _made_up(features: Sequence[Feature], rng: np.random.Generator) -> "pd.DataFrame":
    """Return rows that keep the schema."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for feature in features:
        if feature.type == "string":
            columns[feature.name] = rng.choice(feature.values or ("a", "b", "c"), ROWS)
        elif feature.type == "boolean":
            columns[feature.name] = rng.random(ROWS) < 0.5
        else:
            low = feature.minimum if feature.minimum is not None else -1.0
            high = feature.maximum if feature.maximum is not None else low + 100
            values = rng.uniform(min(low, high), high, ROWS)
            columns[feature.name] = values.round() if feature.type == "integer" else values
    return pd.DataFrame(columns)
