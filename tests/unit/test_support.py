"""The support table says of scikit-learn what is measured, and leaves nothing out."""

import inspect
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import ensemble, linear_model, svm
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.feature_selection import SelectFromModel, SelectPercentile
from sklearn.impute import SimpleImputer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.random_projection import GaussianRandomProjection
from sklearn.utils import all_estimators

from ml_gitops.data.schema import Feature
from ml_gitops.errors import ExportError
from ml_gitops.serving.conversion import convert, open_steps
from ml_gitops.serving.edges import edge_rows
from ml_gitops.serving.exportable import COMPOSED, refuse_inexact_steps
from ml_gitops.serving.onnx_model import OnnxModel, class_names, conform
from ml_gitops.serving.parity import compare_answers, finite_rows
from ml_gitops.serving.signature import Signature
from ml_gitops.serving.support import Support, support_table

FEATURES = (
    Feature(name="temp", type="number", nullable=True),
    Feature(name="amount", type="number"),
    Feature(name="n_items", type="integer"),
    Feature(name="flag", type="boolean"),
    Feature(name="city", type="string", nullable=True),
    Feature(name="plan", type="string"),
)
NUMBERS, STRINGS = ["temp", "amount", "n_items", "flag"], ["city", "plan"]
OF_STRINGS = ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")
NEAR = 1e-9
"""Doubles that were added in another order; what went through float32 is at 1e-7."""

FOREST = ensemble.RandomForestClassifier(5, random_state=0)
TREES = ensemble.HistGradientBoostingClassifier(max_iter=5, random_state=0)
LOGISTIC = linear_model.LogisticRegression()
MIXED = [("forest", FOREST), ("trees", TREES), ("logistic", LOGISTIC)]
VALUES = [
    ("forest", ensemble.RandomForestRegressor(5, random_state=0)),
    ("trees", ensemble.HistGradientBoostingRegressor(max_iter=5)),
    ("ridge", linear_model.Ridge()),
]
MADE: dict[str, list[Any]] = {
    "BaggingClassifier": [ensemble.BaggingClassifier(it, 3, max_features=0.5) for _, it in MIXED],
    "CalibratedClassifierCV": [CalibratedClassifierCV(it, cv=2) for _, it in MIXED],
    "GaussianRandomProjection": [GaussianRandomProjection(2, random_state=0)],
    "LinearSVC": [CalibratedClassifierCV(svm.LinearSVC(), cv=2)],
    "Normalizer": [Normalizer("l1"), Normalizer("l2")],
    "OneHotEncoder": [
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(handle_unknown="ignore", min_frequency=80),
    ],
    "OneVsRestClassifier": [OneVsRestClassifier(it) for _, it in MIXED],
    "OrdinalEncoder": [
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
    ],
    "PolynomialFeatures": [
        PolynomialFeatures(include_bias=False),
        PolynomialFeatures(include_bias=False, interaction_only=True),
    ],
    "QuadraticDiscriminantAnalysis": [QuadraticDiscriminantAnalysis(reg_param=0.1)],
    "RidgeClassifier": [CalibratedClassifierCV(linear_model.RidgeClassifier(), cv=2)],
    "SGDClassifier": [
        linear_model.SGDClassifier(loss="log_loss", random_state=0),
        CalibratedClassifierCV(linear_model.SGDClassifier(random_state=0), cv=2),
    ],
    "SelectFromModel": [SelectFromModel(LOGISTIC), SelectFromModel(FOREST)],
    "SelectPercentile": [SelectPercentile(percentile=50)],
    "SimpleImputer": [
        SimpleImputer(strategy=it) for it in ("mean", "median", "most_frequent", "constant")
    ],
    "StackingClassifier": [ensemble.StackingClassifier(MIXED, cv=2)],
    "StackingRegressor": [ensemble.StackingRegressor(VALUES, cv=2)],
    "VotingClassifier": [ensemble.VotingClassifier(MIXED, voting="soft", flatten_transform=False)],
    "VotingRegressor": [ensemble.VotingRegressor(VALUES)],
}
"""What cannot be made without arguments, or is exact with these."""

CLASSES = dict(all_estimators())
ROWS = {row.name: row for row in support_table()}
MEASURED = [row for row in ROWS.values() if row.state != "refused"]


def mixed_frame(seed: int, rows: int = 300) -> pd.DataFrame:
    """Numbers of unequal scale, some missing, and strings, some missing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "temp": rng.normal(50, 20, rows),
            "amount": rng.lognormal(3, 1, rows).round(2),
            "n_items": rng.integers(0, 40, rows),
            "flag": rng.random(rows) < 0.4,
            "city": rng.choice(["A", "B", "C", "D'é"], rows),
            "plan": rng.choice(["x", "y"], rows),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "temp"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "city"] = None
    return conform(frame, FEATURES)


TRAIN, FRESH = mixed_frame(1), mixed_frame(2)
SCORE = (
    TRAIN.temp.fillna(50) / 20
    + np.log(TRAIN.amount)
    + TRAIN.flag
    + 1.5 * (TRAIN.city == "A")
    + np.random.default_rng(3).normal(0, 0.5, len(TRAIN))
    - 6.4
).to_numpy()
TARGETS = {
    "binary": SCORE > 0,
    "multiclass": np.where(SCORE > 1, "high", np.where(SCORE < -1, "low", "middle")),
    "regression": np.exp(SCORE / 4),
}


def made(name: str) -> list[Any]:
    """Return what is measured of a class."""
    if name in MADE:
        return MADE[name]
    one = CLASSES[name]()
    return [one.set_params(random_state=0) if "random_state" in one.get_params() else one]


def measure_model(model: Any, task: Any) -> None:
    """Hold a classifier or regressor to its ONNX file."""
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    filled = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("numbers", filled, NUMBERS), ("strings", one_hot, STRINGS)])
    pipeline = make_pipeline(columns, model).fit(TRAIN, TARGETS[task])
    signature = Signature(
        model="m",
        task=task,
        features=FEATURES,
        target="y",
        classes=class_names(pipeline),
        run_key="sha256:" + "0" * 64,
    )
    file = OnnxModel(convert(pipeline, FEATURES, task), signature)
    ask = pipeline.predict if task == "regression" else pipeline.predict_proba
    for kind, rows in {"rows": FRESH, **edge_rows(pipeline, FRESH, FEATURES)}.items():
        told = rows[finite_rows(ask(rows))]
        report = compare_answers(ask(told), file.predict(told).predicted)
        assert report.passed, f"{task}, {kind}: {report.text}"
        assert report.max_discrepancy < NEAR or "very" in kind, f"{task}, {kind}: {report.text}"


def measure_transformer(model: Any) -> None:
    """Hold the columns that a transformer makes to those of its ONNX form, one by one."""
    strings = type(model).__name__ in OF_STRINGS
    part = model if strings else make_pipeline(SimpleImputer(), model)
    columns = STRINGS if strings else NUMBERS
    steps = make_pipeline(ColumnTransformer([("part", part, columns)], sparse_threshold=0))
    steps.fit(TRAIN, TARGETS["binary"])
    refuse_inexact_steps(steps)
    run = open_steps(steps, FEATURES)
    for kind, rows in {"rows": FRESH, **edge_rows(steps, FRESH, FEATURES)}.items():
        expected, actual = np.asarray(steps.transform(rows), dtype=float), run(rows)
        assert expected.shape == actual.shape
        assert np.allclose(expected, actual, rtol=NEAR, atol=NEAR, equal_nan=True), kind


@pytest.mark.slow
@pytest.mark.parametrize("row", MEASURED, ids=lambda row: row.name)
def test_what_is_exact_is_measured(row: Support) -> None:
    """Each answers like its ONNX file, on new rows, at the edges, and for every kind of target."""
    for model in made(row.name):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if row.kind == "transformer":
                measure_transformer(model)
            elif row.kind == "classifier":
                measure_model(model, "binary")
                measure_model(model, "multiclass")
            else:
                measure_model(model, "regression")


def test_nothing_is_left_out() -> None:
    """Every class of scikit-learn that a tabular pipeline may hold has its row, and no other."""
    kinds = (ClassifierMixin, RegressorMixin)
    offered = {
        name for name, it in CLASSES.items() if issubclass(it, kinds) or hasattr(it, "transform")
    }

    assert set(ROWS) == offered - COMPOSED - {"FrozenEstimator"}
    assert len(ROWS) == len(support_table())


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.state != "exact"], ids=lambda row: row.name
)
def test_the_others_are_refused_with_what_to_use(row: Support) -> None:
    """What is refused, or not set as it must be, is refused unfitted and by name."""
    wanted = inspect.signature(CLASSES[row.name]).parameters.values()
    needed = {one.name: LOGISTIC for one in wanted if one.default is one.empty}
    model = CLASSES[row.name](**needed)

    with pytest.raises(ExportError, match=row.name) as refusal:
        refuse_inexact_steps(make_pipeline(StandardScaler(), model))

    assert refusal.value.hint


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: row.name)
def test_what_is_exact_is_let_through(row: Support) -> None:
    """What is measured is not refused, alone or beside another."""
    for model in made(row.name):
        refuse_inexact_steps(FeatureUnion([("one", model), ("none", "drop")]))


def test_every_remedy_passes() -> None:
    """No remedy names a class that would be refused in its turn."""
    for row in ROWS.values():
        if row.state == "refused":
            named = [name for name in CLASSES if f" {name}" in f" {row.remedy}".replace("(", " ")]
            assert all(ROWS[name].state != "refused" for name in named), row
