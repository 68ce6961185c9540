"""The rehearsal refuses before anything was fitted, and holds nothing against the rest."""

import time
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ml_gitops.errors import ExportError
from ml_gitops.serving.rehearsal import rehearse
from tests.unit.test_onnx_model import (
    FEATURES,
    PIPELINES,
    columns,
    filled_strings,
    numbers,
    one_hot,
    scaled,
    task_of,
)


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_exported_is_let_through(name: str) -> None:
    """Every pipeline that is exported exactly also passes its rehearsal, and stays unfitted."""
    pipeline, target = PIPELINES[name]
    before = repr(pipeline)

    rehearse(pipeline, FEATURES, task_of(target))

    assert repr(pipeline) == before


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        (make_pipeline(columns(FunctionTransformer(abs)), LogisticRegression()), "Python function"),
        (
            make_pipeline(
                columns(numbers(), make_pipeline(filled_strings()[0], one_hot(max_categories=2))),
                LogisticRegression(),
            ),
            "OneHotEncoder cannot become ONNX: Infrequent",
        ),
        (make_pipeline(columns(StandardScaler(), "passthrough"), LogisticRegression()), ""),
    ],
    ids=["a function", "what only the converter knows", "what the real fit will say better"],
)
def test_refusals_come_before_the_fit(pipeline: Any, said: str) -> None:
    """A step without an exact form is named; a fit of made-up rows that fails proves nothing."""
    if not said:
        rehearse(pipeline, FEATURES, "binary")
        return
    with pytest.raises(ExportError, match=said):
        rehearse(pipeline, FEATURES, "binary")


def test_a_large_model_is_rehearsed_in_little_time() -> None:
    """However many trees it will have, a refusal takes less than two seconds of processor time."""
    forest = make_pipeline(scaled(), RandomForestClassifier(5000), FunctionTransformer(abs))
    solver = make_pipeline(scaled(), PoissonRegressor(max_iter=10**6))

    started = time.process_time()
    with pytest.raises(ExportError):
        rehearse(forest, FEATURES, "binary")
    rehearse(make_pipeline(scaled(), RandomForestClassifier(5000)), FEATURES, "binary")
    rehearse(solver, FEATURES, "regression")

    assert time.process_time() - started < 2
