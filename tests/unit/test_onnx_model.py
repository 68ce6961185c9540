"""The ONNX file answers what the fitted estimator answers, or is not made at all."""

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from ml_gitops.data.schema import Feature
from ml_gitops.errors import ExportError
from ml_gitops.serving.conversion import convert
from ml_gitops.serving.edges import edge_rows
from ml_gitops.serving.onnx_model import OnnxModel, class_names, conform
from ml_gitops.serving.parity import compare_answers
from ml_gitops.serving.signature import Signature

FEATURES = (
    Feature(name="temp", type="number", nullable=True),
    Feature(name="amount", type="number"),
    Feature(name="n_items", type="integer"),
    Feature(name="flag", type="boolean"),
    Feature(name="city", type="string", nullable=True),
    Feature(name="plan", type="string"),
)
NUMBERS = ["temp", "amount", "n_items", "flag"]
STRINGS = ["city", "plan"]
ROWS = 2500


def raw_frame(rows: int = ROWS) -> pd.DataFrame:
    """Rows as an author might load them: missing in several spellings, unequal scales."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "temp": rng.normal(50, 20, rows),
            "amount": rng.lognormal(11, 1.5, rows).round(2),
            "n_items": rng.integers(0, 40, rows),
            "flag": rng.random(rows) < 0.4,
            "city": rng.choice(["A", "B", "C", "D'é", "rare"], rows, p=[0.4, 0.3, 0.2, 0.09, 0.01]),
            "plan": pd.Categorical(rng.choice(["x", "y"], rows)),
            "other": 1,
        }
    )
    frame.loc[rng.random(rows) < 0.1, "temp"] = np.nan
    frame["city"] = frame["city"].astype(object)
    frame.loc[rng.random(rows) < 0.05, "city"] = None
    return frame


RAW = raw_frame()
FRAME = conform(RAW, FEATURES)
SCORE = (
    np.nan_to_num(RAW.temp, nan=50) / 20
    + np.log(RAW.amount)
    - 11
    + RAW.flag
    + 1.5 * (RAW.city == "A")
    + np.random.default_rng(8).normal(0, 1, ROWS)
    - 3.2
).to_numpy()
TARGETS: dict[str, Any] = {
    "binary": SCORE > 0,
    "strings": np.where(SCORE > 0, "late", "in time"),
    "multiclass": np.digitize(SCORE, [-1, 1]),
    "regression": SCORE * 1000,
    "counts": np.exp(SCORE).round(),
}


def numbers(*steps: Any) -> Pipeline:
    """Fill missing numbers, then do more."""
    return make_pipeline(SimpleImputer(strategy="median"), *steps)


def one_hot(**settings: Any) -> OneHotEncoder:
    """One column per category, none for an unseen one."""
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False, **settings)


def ordinal() -> OrdinalEncoder:
    """A number per category, -1 for an unseen one."""
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def columns(for_numbers: Any = "passthrough", for_strings: Any = None) -> ColumnTransformer:
    """Numbers this way, strings that way."""
    return ColumnTransformer(
        [("numbers", for_numbers, NUMBERS), ("strings", for_strings or one_hot(), STRINGS)]
    )


def scaled() -> ColumnTransformer:
    """Numbers filled and scaled, strings one-hot."""
    return columns(numbers(StandardScaler()))


def strings_first() -> ColumnTransformer:
    """Strings in front of the numbers that are filled and scaled."""
    return ColumnTransformer(
        [("strings", one_hot(), STRINGS), ("numbers", numbers(StandardScaler()), NUMBERS)]
    )


def filled_strings() -> Pipeline:
    """Fill missing strings, then one-hot."""
    return make_pipeline(SimpleImputer(missing_values="", strategy="most_frequent"), one_hot())


HGB = HistGradientBoostingClassifier
PIPELINES: dict[str, tuple[Any, str]] = {
    "hist gradient boosting, missing values as they are": (
        make_pipeline(columns(), HGB(max_iter=10)),
        "binary",
    ),
    "hist gradient boosting behind a scaler": (
        make_pipeline(scaled(), HGB(max_iter=10)),
        "binary",
    ),
    "hist gradient boosting, ordinal strings": (
        make_pipeline(columns(for_strings=ordinal()), HGB(max_iter=10)),
        "strings",
    ),
    "hist gradient boosting, rare strings together": (
        make_pipeline(columns(for_strings=one_hot(min_frequency=50)), HGB(max_iter=10)),
        "binary",
    ),
    "hist gradient boosting, three classes": (
        make_pipeline(columns(), HGB(max_iter=10)),
        "multiclass",
    ),
    "hist gradient boosting, regression": (
        make_pipeline(columns(), HistGradientBoostingRegressor(max_iter=10)),
        "regression",
    ),
    "gradient boosting behind a scaler": (
        make_pipeline(scaled(), GradientBoostingClassifier(n_estimators=20)),
        "strings",
    ),
    "gradient boosting, regression": (
        make_pipeline(scaled(), GradientBoostingRegressor(n_estimators=20)),
        "regression",
    ),
    "random forest behind a scaler": (
        make_pipeline(scaled(), RandomForestClassifier(20, random_state=0)),
        "binary",
    ),
    "random forest, missing values as they are": (
        make_pipeline(columns(), RandomForestClassifier(10, max_depth=8, random_state=0)),
        "binary",
    ),
    "random forest, regression": (
        make_pipeline(columns(), RandomForestRegressor(10, max_depth=8, random_state=0)),
        "regression",
    ),
    "logistic regression, filled strings": (
        make_pipeline(columns(numbers(StandardScaler()), filled_strings()), LogisticRegression()),
        "binary",
    ),
    "logistic regression, three classes": (
        make_pipeline(scaled(), LogisticRegression()),
        "multiclass",
    ),
    "logistic regression, strings first": (
        make_pipeline(strings_first(), LogisticRegression()),
        "binary",
    ),
    "logistic regression, strings first, three classes": (
        make_pipeline(strings_first(), StandardScaler(), LogisticRegression()),
        "multiclass",
    ),
    "ridge, strings first": (
        make_pipeline(strings_first(), Ridge()),
        "regression",
    ),
    "random forest, strings first": (
        make_pipeline(strings_first(), RandomForestClassifier(10, max_depth=8, random_state=0)),
        "binary",
    ),
    "ridge with columns passed through and dropped": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("numbers", numbers(), ["temp", "amount"]),
                    ("one", one_hot(), ["plan", "n_items"]),
                    ("none", "drop", ["city"]),
                ],
                remainder="passthrough",
            ),
            Ridge(),
        ),
        "regression",
    ),
    "hist gradient boosting, strings first": (
        make_pipeline(strings_first(), HGB(max_iter=10)),
        "binary",
    ),
    "hist gradient boosting, counts": (
        make_pipeline(scaled(), HistGradientBoostingRegressor(loss="poisson", max_iter=10)),
        "counts",
    ),
    "gradient boosting, exponential loss": (
        make_pipeline(scaled(), GradientBoostingClassifier(loss="exponential", n_estimators=10)),
        "binary",
    ),
    "gradient boosting from zero, three classes": (
        make_pipeline(scaled(), GradientBoostingClassifier(init="zero", n_estimators=10)),
        "multiclass",
    ),
    "random forest, three classes": (
        make_pipeline(columns(), RandomForestClassifier(10, random_state=0)),
        "multiclass",
    ),
    "a forest of stumps and single leaves": (
        make_pipeline(columns(), ExtraTreesClassifier(10, max_depth=1, min_samples_leaf=900)),
        "binary",
    ),
    "a tree": (make_pipeline(columns(), DecisionTreeRegressor()), "regression"),
    "a calibrated forest": (
        make_pipeline(scaled(), CalibratedClassifierCV(RandomForestClassifier(5), cv=2)),
        "multiclass",
    ),
    "a calibrated ensemble of three classes": (
        make_pipeline(scaled(), CalibratedClassifierCV(HGB(max_iter=5), cv=2)),
        "multiclass",
    ),
    "forests and trees voted on": (
        make_pipeline(
            scaled(),
            VotingClassifier(
                [("forest", RandomForestClassifier(5)), ("boosted", HGB(max_iter=5))],
                voting="soft",
                flatten_transform=False,
            ),
        ),
        "multiclass",
    ),
    "forests and trees stacked": (
        make_pipeline(
            scaled(),
            StackingClassifier(
                [("forest", RandomForestClassifier(5)), ("boosted", HGB(max_iter=5))]
            ),
        ),
        "binary",
    ),
    "a forest stacked on a forest": (
        make_pipeline(
            scaled(),
            StackingRegressor(
                [("forest", RandomForestRegressor(5)), ("ridge", Ridge())],
                final_estimator=RandomForestRegressor(5),
            ),
        ),
        "regression",
    ),
    "forests in bags of features": (
        make_pipeline(scaled(), BaggingClassifier(RandomForestClassifier(3), 3, max_features=0.5)),
        "binary",
    ),
    "a forest on encoded targets, three classes": (
        make_pipeline(columns(numbers(), TargetEncoder()), RandomForestClassifier(5)),
        "multiclass",
    ),
    "a regression on encoded targets": (
        make_pipeline(columns(numbers(), TargetEncoder()), Ridge()),
        "regression",
    ),
    "a calibrated ensemble": (
        make_pipeline(scaled(), CalibratedClassifierCV(HGB(max_iter=5), cv=2)),
        "binary",
    ),
}


def fit(pipeline: Any, target: str, features: tuple[Feature, ...] = FEATURES) -> Any:
    """Fit on the conformed rows."""
    names = [feature.name for feature in features]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.fit(FRAME[names], TARGETS[target])


def task_of(target: str) -> Any:
    """Return the task of a target."""
    return {"strings": "binary", "counts": "regression"}.get(target, target)


def open_model(fitted: Any, target: str, features: tuple[Feature, ...] = FEATURES) -> OnnxModel:
    """Convert a fitted pipeline and open the file."""
    signature = Signature(
        model="delay",
        task=task_of(target),
        features=features,
        target="late",
        classes=class_names(fitted),
        run_key="sha256:" + "0" * 64,
    )
    return OnnxModel(convert(fitted, features, task_of(target)), signature)


def expected_answers(fitted: Any, frame: pd.DataFrame) -> np.ndarray:
    """Return what the estimator itself answers."""
    if hasattr(fitted, "predict_proba"):
        return fitted.predict_proba(frame)
    return fitted.predict(frame)


@pytest.mark.parametrize("name", PIPELINES)
def test_answers_like_the_estimator(name: str) -> None:
    """Every kind of pipeline answers alike on missing, unseen and ordinary rows."""
    pipeline, target = PIPELINES[name]
    fitted = fit(pipeline, target)
    model = open_model(fitted, target)
    edges = edge_rows(fitted, FRAME, FEATURES)
    for kind, rows in {"ordinary": FRAME, **edges}.items():
        report = compare_answers(expected_answers(fitted, rows), model.predict(rows).predicted)

        assert report.passed, f"{kind}: {report.text}"
        # Sums of numbers so unequal lose digits, in whichever order.
        assert report.max_discrepancy < (1e-8 if "very large" in kind else 1e-12), kind


@pytest.mark.parametrize("seed", range(3))
def test_a_forest_breaks_its_ties_as_the_estimator_does(seed: int) -> None:
    """Where half of the trees vote each way, both files name the same class.

    A grown forest of 20 trees votes 10 to 10 on 1.5 to 1.8 % of new rows. Sums
    of float32 shares called 73 to 90 of 5,000 such rows the other way, over
    seeds 0 to 5 and each an exact tie; sums of doubles call none.
    """
    half = ROWS // 2
    pipeline = make_pipeline(scaled(), RandomForestClassifier(20, random_state=seed))
    fitted = pipeline.fit(FRAME[:half], TARGETS["binary"][:half])

    expected, actual = fitted.predict_proba(FRAME), open_model(fitted, "binary").predict(FRAME)

    assert (expected[:, 0] == expected[:, 1]).sum() >= 10
    assert np.array_equal(expected.argmax(axis=1), actual.predicted.argmax(axis=1))


def test_thresholds_are_doubles() -> None:
    """Whole seconds since 1970 lie closer together than float32 can tell; trees tell them apart."""
    feature = (Feature(name="seconds", type="integer"),)
    frame = pd.DataFrame({"seconds": 1.7e9 + np.arange(400.0)})
    fitted = HGB(max_iter=5, min_samples_leaf=5).fit(frame, (frame.seconds // 10) % 2 == 1)

    actual = open_model(fitted, "binary", feature).predict(frame).predicted

    assert len(np.unique(actual[:, 1].round(6))) > 2
    assert np.abs(fitted.predict_proba(frame) - actual).max() < 1e-15


@pytest.mark.parametrize(
    "estimator",
    [HGB(max_iter=10), make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())],
    ids=["a bare estimator", "no columns named"],
)
def test_pipelines_without_a_column_transformer(estimator: Any) -> None:
    """An estimator that takes all columns as they come is exported as well."""
    fitted = fit(estimator, "binary", FEATURES[:4])

    report = compare_answers(
        fitted.predict_proba(FRAME[NUMBERS]),
        open_model(fitted, "binary", FEATURES[:4]).predict(FRAME).predicted,
    )

    assert report.passed, report.text


def test_features_may_have_any_name() -> None:
    """Names that are no identifiers, or look alike without their spaces, stay apart."""
    names = ["a b", "a_b", "1 é", "merged_columns"]
    features = tuple(Feature(name=name, type="number") for name in names)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 4)), columns=names)
    pipeline = make_pipeline(ColumnTransformer([("all", "passthrough", names[::-1])]), Ridge())
    fitted = pipeline.fit(frame, frame @ [1, 2, 3, 4])

    model = open_model(fitted, "regression", features)

    assert np.allclose(model.predict(frame[names[::-1]]).values, fitted.predict(frame), rtol=1e-12)


def test_answers_are_named_and_shaped() -> None:
    """Answers carry the task, the classes as text, and the task's own shape."""
    binary, _ = PIPELINES["hist gradient boosting, missing values as they are"]
    regression, _ = PIPELINES["hist gradient boosting, regression"]

    answers = open_model(fit(binary, "binary"), "binary").predict(RAW)
    values = open_model(fit(regression, "regression"), "regression").predict(RAW)

    assert answers.classes == ("false", "true")
    assert answers.probabilities.shape == (ROWS, 2)
    assert values.values.shape == (ROWS,)


def test_batches_and_plain_mappings_answer_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the size of batches nor the kind of table changes an answer."""
    pipeline, target = PIPELINES["hist gradient boosting behind a scaler"]
    model = open_model(fit(pipeline, target), target)
    plain = {
        feature.name: [None if pd.isna(value) else value for value in RAW[feature.name].tolist()]
        for feature in FEATURES
    }

    whole = model.predict(RAW).predicted
    monkeypatch.setattr("ml_gitops.serving.runtime.BATCH_ROWS", 700)

    assert np.array_equal(model.predict(RAW).predicted, whole)
    assert np.array_equal(model.predict(plain).predicted, whole)
    assert len(model.predict(RAW.head(0))) == 0


def test_conform_says_missing_in_one_way() -> None:
    """Every spelling of missing becomes NaN or an empty string, and every type canonical."""
    frame = pd.DataFrame(
        {
            "temp": pd.array([1, None, 3], dtype="Int64"),
            "amount": [1, 2, 3],
            "n_items": pd.array([True, False, True]),
            "flag": [True, False, True],
            "city": pd.Categorical(["A", None, "B"]),
            "plan": pd.array(["x", pd.NA, None], dtype="string"),
        },
        index=[5, 6, 7],
    )

    conformed = conform(frame, FEATURES)

    assert conformed.index.tolist() == [5, 6, 7]
    assert conformed.dtypes.astype(str).tolist() == ["float64"] * 4 + ["object"] * 2
    assert conformed.temp.isna().tolist() == [False, True, False]
    assert conformed.city.tolist() == ["A", "", "B"]
    assert conformed.plan.tolist() == ["x", "", ""]
    assert conform(conformed, FEATURES).equals(conformed)


BYTES_SCRIPT = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from ml_gitops.data.schema import Feature
from ml_gitops.document import sha256
from ml_gitops.serving.conversion import convert
from ml_gitops.serving.onnx_model import conform
features = (Feature(name="a", type="number"), Feature(name="b", type="string"))
rng = np.random.default_rng(0)
frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.choice(["x", "y", "z"], 400)})
pipeline = make_pipeline(
    ColumnTransformer([("n", SimpleImputer(), ["a"]),
                       ("s", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["b"])]),
    HistGradientBoostingClassifier(max_iter=5, random_state=0))
pipeline.fit(conform(frame, features), frame.a + (frame.b == "x") > 0)
print(sha256(convert(pipeline, features, "binary", metadata={"run_key": "k", "model": "m"})))
"""


def test_equal_models_are_equal_bytes() -> None:
    """Two processes with other hash seeds make the same file of the same model, bit by bit."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", BYTES_SCRIPT],
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(digests) == 1


def test_metadata_stays_inside_the_file() -> None:
    """The run key can be read from the file itself."""
    fitted = fit(make_pipeline(scaled(), LogisticRegression()), "binary")

    content = convert(fitted, FEATURES, "binary", metadata={"run_key": "sha256:1"})

    kept = {pair.key: pair.value for pair in onnx.load_from_string(content).metadata_props}
    assert kept == {"run_key": "sha256:1"}


class Doubler(TransformerMixin, BaseEstimator):
    """A transformer of the author's own."""

    def fit(self, _rows: Any, _target: Any = None) -> "Doubler":
        """Learn nothing."""
        return self

    def transform(self, rows: Any) -> Any:
        """Return twice the rows."""
        return rows * 2


REFUSED: dict[str, tuple[Any, str]] = {
    "function": (columns(numbers(FunctionTransformer(np.abs))), "functiontransformer.*loaded"),
    "knn imputer": (columns(KNNImputer()), "numbers: KNNImputer.*SimpleImputer"),
    "indicator": (columns(SimpleImputer(add_indicator=True)), "add_indicator.*boolean feature"),
    "unseen refused": (
        columns(numbers(), OneHotEncoder(handle_unknown="error")),
        'strings: OneHotEncoder.*handle_unknown="ignore"',
    ),
    "unseen in ordinals": (columns(numbers(), OrdinalEncoder()), "use_encoded_value"),
    "binarizer": (columns(numbers(Binarizer())), "Binarizer.*threshold where the rows"),
    "slow": (columns(numbers(QuantileTransformer())), "QuantileTransformer.*use RobustScaler"),
    "inexact": (columns(numbers(KBinsDiscretizer(3))), "KBinsDiscretizer is not exact.*loaded"),
    "of the author's own": (columns(numbers(Doubler())), "doubler: Doubler.*not known"),
    "text": (
        ColumnTransformer([("n", numbers(), NUMBERS), ("text", TfidfVectorizer(), "city")]),
        "text: TfidfVectorizer.*words",
    ),
    "missing strings as NaN": (
        columns(numbers(), make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot())),
        "SimpleImputer.*missing_values=''",
    ),
    "missing numbers as -1": (
        ColumnTransformer([("n", SimpleImputer(missing_values=-1), ["amount", "n_items"])]),
        "looks for -1",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_by_name_with_a_remedy(name: str) -> None:
    """What has no exact form is refused in one line that names the step and what to do."""
    transformer, message = REFUSED[name]
    fitted = fit(make_pipeline(transformer, HGB(max_iter=2)), "binary")

    with pytest.raises(ExportError, match=message) as refusal:
        convert(fitted, FEATURES, "binary")

    assert "\n" not in str(refusal.value)
    assert refusal.value.hint


def test_refuses_categorical_features_of_histogram_trees() -> None:
    """The stock converter forgets categorical splits without a word, so they are refused."""
    pipeline = make_pipeline(
        columns(for_strings=ordinal()), HGB(max_iter=2, categorical_features=[4, 5])
    )

    with pytest.raises(ExportError, match=r"categorical_features.*OrdinalEncoder"):
        convert(fit(pipeline, "binary"), FEATURES, "binary")


def test_a_converter_that_gives_up_names_the_step() -> None:
    """Whatever the converters raise becomes one line that names the step."""
    rare = make_pipeline(SimpleImputer(missing_values=""), one_hot(min_frequency=50))
    rare.steps[0][1].set_params(strategy="most_frequent")
    fitted = fit(make_pipeline(columns(numbers(), rare), LogisticRegression()), "binary")

    with pytest.raises(ExportError, match=r"^OneHotEncoder cannot become ONNX: Infrequent"):
        convert(fitted, FEATURES, "binary")


def tiny_file(**changes: Any) -> onnx.ModelProto:
    """Return a file of one node and one tensor, with something wrong in it."""
    node = helper.make_node("Add", ["a", "b"], ["c"], domain=changes.get("domain", ""))
    tensor = helper.make_tensor("b", TensorProto.FLOAT, [1], [1.0])
    if location := changes.get("location"):
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
    if changes.get("inside_a_node"):
        node = helper.make_node("Constant", [], ["c"], value=tensor)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [1])],
        [] if changes.get("inside_a_node") else [tensor],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tiny_file(location="/etc/passwd").SerializeToString(), "'b' is kept in another file"),
        (
            tiny_file(location="x", inside_a_node=True).SerializeToString(),
            "'b' is kept in another file",
        ),
        (tiny_file(domain="com.example").SerializeToString(), "com.example"),
        (b"\xff\xffnot a model", "not an ONNX file"),
    ],
    ids=["external", "external inside a node", "strange operators", "no model"],
)
@pytest.mark.hostile
def test_distrusts_files_from_elsewhere(content: bytes, message: str) -> None:
    """A file that reads other files or needs strangers' operators is refused unopened."""
    signature = Signature(
        model="m",
        task="regression",
        features=(Feature(name="a", type="number"),),
        target="y",
        run_key="sha256:" + "0" * 64,
    )

    with pytest.raises(ExportError, match=message):
        OnnxModel(content, signature)


@pytest.mark.hostile
def test_a_file_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is looked at before anything is parsed."""
    monkeypatch.setattr("ml_gitops.serving.onnx_file.LARGEST_FILE", 10)

    with pytest.raises(ExportError, match="MiB"):
        OnnxModel(tiny_file().SerializeToString(), None)


def test_a_missing_column_is_named() -> None:
    """A frame without one of the features is refused with its name."""
    fitted = fit(make_pipeline(scaled(), LogisticRegression()), "binary")

    with pytest.raises(ExportError, match="'city' is missing"):
        open_model(fitted, "binary").predict(RAW.drop(columns="city"))
