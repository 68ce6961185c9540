"""Fitting the author's pipeline, seeding it, and saying where it failed."""

from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ml_gitops.data.schema import DataSchema, Feature
from ml_gitops.errors import DataError, TrainingError
from ml_gitops.model.candidate import build_and_fit, dummy_answers
from ml_gitops.model.evaluation import Answers

SCHEMA = DataSchema(
    task="binary",
    features=(Feature(name="b", type="number"), Feature(name="a", type="number")),
    target="late",
    id="id",
    time="time",
)

LOGISTIC = "from sklearn.linear_model import LogisticRegression\n"
OWN_STEP = f"""{LOGISTIC}class Own(LogisticRegression):
    def fit(self, X, y):
        return 1 / 0
def build_pipeline(params):
    return Own()
"""


@pytest.fixture
def frame() -> pd.DataFrame:
    """Make 80 rows with their columns in another order than the schema's."""
    random = np.random.default_rng(0)
    columns = {"id": range(80), "time": date(2013, 1, 1), "a": random.normal(size=80)}
    return pd.DataFrame(columns).assign(b=random.normal(size=80), late=lambda f: f["a"] > 0)


def forest(params: dict) -> Pipeline:
    """Build a pipeline whose forest has no seed of its own."""
    return Pipeline([("scale", StandardScaler()), ("forest", RandomForestClassifier(**params))])


def author(tmp_path: Path, body: str) -> ModuleType:
    """Write a pipeline file as an author would, and load it."""
    path = tmp_path / "pipeline.py"
    path.write_text(body)
    module = ModuleType("pipeline")
    exec(compile(body, str(path), "exec"), module.__dict__)  # noqa: S102  (the test wrote it)
    return module


def test_the_seed_reaches_steps_that_have_none(frame: pd.DataFrame) -> None:
    """Two fits with one seed answer the same; a seed that the author set stays."""
    fits = [build_and_fit(forest, {"n_estimators": 5}, frame, SCHEMA, 7) for _ in range(2)]
    own = build_and_fit(forest, {"n_estimators": 2, "random_state": 3}, frame, SCHEMA, 7)

    features = frame[["b", "a"]]
    answers = [one.predict_proba(features) for one in fits]
    np.testing.assert_array_equal(*answers)
    assert fits[0].get_params()["forest__random_state"] == 7
    assert own.get_params()["forest__random_state"] == 3


def test_the_model_sees_the_features_in_the_schemas_order_and_no_other_column(
    frame: pd.DataFrame,
) -> None:
    """Neither id nor time nor target reach the estimator."""
    fitted = build_and_fit(forest, {"n_estimators": 2}, frame, SCHEMA, 0)

    assert list(fitted.feature_names_in_) == ["b", "a"]


@pytest.mark.parametrize(
    ("body", "where", "problem"),
    [
        ("def build_pipeline(params):\n    x = 1\n    return params['depth']\n", 3, "KeyError"),
        ("\ndef build_pipeline(params):\n    return 42\n", 2, "returned int, no estimator"),
        (
            f"{LOGISTIC}def build_pipeline(params):\n    return LogisticRegression(C=-1)\n",
            2,
            "InvalidParameterError",
        ),
        (
            OWN_STEP,
            4,
            "ZeroDivisionError",
        ),
    ],
    ids=["building", "no estimator", "fitting", "own step"],
)
def test_a_failure_names_the_authors_line(
    tmp_path: Path, frame: pd.DataFrame, body: str, where: int, problem: str
) -> None:
    """Whatever fails in their pipeline is one line with their file and line, not a traceback."""
    module = author(tmp_path, body)

    with pytest.raises(TrainingError, match=problem) as raised:
        build_and_fit(module.build_pipeline, {}, frame, SCHEMA, 0)

    assert raised.value.where == f"{tmp_path / 'pipeline.py'}:{where}"
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "hint"),
    [("high", "encode text features, for example with OneHotEncoder"),
     (float("nan"), "fill missing values, for example with SimpleImputer")],
)  # fmt: skip
def test_what_a_first_pipeline_lacks_is_named(
    frame: pd.DataFrame, value: object, hint: str
) -> None:
    """Text that nothing encodes and gaps that nothing fills have a remedy of their own."""
    broken = frame.assign(a=[value, *frame["a"][1:]])

    with pytest.raises(TrainingError) as raised:
        build_and_fit(lambda _: LinearRegression(), {}, broken, SCHEMA, 0)

    assert raised.value.hint == f"let the pipeline {hint}"


def test_one_class_is_nothing_to_learn(frame: pd.DataFrame) -> None:
    """A window in which nothing was late cannot train, and the remedy is another window."""
    with pytest.raises(DataError, match="one class only in the 80 rows"):
        build_and_fit(forest, {}, frame.assign(late=False), SCHEMA, 0)


def test_a_row_without_a_label_is_not_trained_on(frame: pd.DataFrame) -> None:
    """Missing targets stop the training and are counted."""
    late = frame["late"].astype(object).where(frame.index > 2)

    with pytest.raises(DataError, match="3 of 80 rows to train on have no 'late'"):
        build_and_fit(forest, {}, frame.assign(late=late), SCHEMA, 0)


def test_a_regression_may_have_any_target(frame: pd.DataFrame) -> None:
    """A constant target is no error of a regression."""
    schema = SCHEMA.model_copy(update={"task": "regression"})

    fitted = build_and_fit(lambda _: LinearRegression(), {}, frame.assign(late=1.5), schema, 0)

    assert fitted.predict(frame[["b", "a"]]) == pytest.approx(1.5)


def test_the_dummy_knows_the_rates_only() -> None:
    """It answers the shares of the training rows, or their mean, to every row."""
    model = Answers("multiclass", ("a", "b", "c"), np.full((2, 3), 1 / 3))
    values = Answers("regression", values=np.zeros(2))

    rates = dummy_answers(np.array(["a", "b", "b", "b"]), model)
    mean = dummy_answers(np.array([1.0, 2.0, 6.0]), values)

    assert rates.predicted.tolist() == [[0.25, 0.75, 0]] * 2
    assert mean.predicted.tolist() == [3, 3]
