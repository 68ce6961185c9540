"""Which steps have an exact ONNX form, and what to use instead of those that have not.

Some steps convert without a word and then answer something else; they are
refused by name, with the remedy. The list of exact ones is measured: every
name on it stands in `tests/unit/test_onnx_model.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ml_gitops.errors import ExportError

COMPOSED = {"Pipeline", "ColumnTransformer", "FeatureUnion"}

EXACT_TRANSFORMERS = {
    "FunctionTransformer",  # without a function: it passes columns through
    "MaxAbsScaler",
    "MinMaxScaler",
    "Normalizer",
    "OneHotEncoder",
    "OrdinalEncoder",
    "PCA",
    "RobustScaler",
    "SelectKBest",
    "SimpleImputer",
    "StandardScaler",
    "TargetEncoder",
    "TruncatedSVD",
    "VarianceThreshold",
}


@dataclass(frozen=True)
class Refusal:
    """A step that would answer differently in ONNX: when, why, and what to do instead."""

    step: str
    applies: Callable[[Any], bool]
    problem: str
    hint: str


REFUSALS = (
    Refusal(
        "FunctionTransformer",
        lambda step: step.func is not None,
        "its Python function cannot be put into an ONNX file",
        "compute that column where the rows are loaded",
    ),
    Refusal(
        "Binarizer",
        lambda _: True,
        "its ONNX form answers differently",
        "compare with the threshold where the rows are loaded",
    ),
    Refusal(
        "QuantileTransformer",
        lambda _: True,
        "its ONNX form takes minutes to build",
        "use RobustScaler",
    ),
    Refusal(
        "KNNImputer",
        lambda _: True,
        "its ONNX form fills in other numbers",
        "use SimpleImputer, or an estimator that takes missing values",
    ),
    Refusal(
        "SimpleImputer",
        lambda step: bool(step.add_indicator),
        "its ONNX form mixes up the columns that add_indicator adds",
        "add a boolean feature where the rows are loaded",
    ),
    Refusal(
        "CalibratedClassifierCV",
        lambda step: step.method != "sigmoid",
        "the ONNX form of any method but sigmoid answers differently",
        'use CalibratedClassifierCV(method="sigmoid")',
    ),
    Refusal(
        "VotingClassifier",
        lambda step: step.voting != "soft" or step.flatten_transform,
        "only an average of probabilities has an ONNX form",
        'use VotingClassifier(voting="soft", flatten_transform=False)',
    ),
    Refusal(
        "LinearDiscriminantAnalysis",
        lambda _: True,
        "its ONNX form answers differently where there are two classes",
        "use LogisticRegression",
    ),
    Refusal(
        "OneHotEncoder",
        lambda step: step.handle_unknown != "ignore",
        "it would refuse or misread a category that it has never seen",
        'use OneHotEncoder(handle_unknown="ignore")',
    ),
    Refusal(
        "OrdinalEncoder",
        lambda step: step.handle_unknown != "use_encoded_value",
        "it would refuse or misread a category that it has never seen",
        'use OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)',
    ),
    *(
        Refusal(
            name,
            lambda _: True,
            "its ONNX form splits words at other places",
            "compute features of the text where the rows are loaded",
        )
        for name in ("CountVectorizer", "TfidfVectorizer", "HashingVectorizer")
    ),
    *(
        Refusal(
            name,
            lambda step: getattr(step, "is_categorical_", None) is not None,
            "its ONNX form ignores categorical_features",
            "put an OrdinalEncoder in front and leave categorical_features out",
        )
        for name in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
    ),
)


def refuse_inexact_steps(estimator: Any) -> None:
    """Refuse an estimator with a step that is not known to be exact in ONNX.

    Args:
        estimator: fitted, a pipeline or a single estimator.

    Raises:
        ExportError: naming the step, what is wrong with it, and the remedy.
    """
    for path, step in steps(estimator):
        name = type(step).__name__
        for refusal in REFUSALS:
            if refusal.step == name and refusal.applies(step):
                raise ExportError(f"{path}: {name}: {refusal.problem}", hint=refusal.hint)
        if not (hasattr(step, "predict") or name in EXACT_TRANSFORMERS):
            raise ExportError(
                f"{path}: {name} is not known to be exact in ONNX",
                hint="use "
                + ", ".join(sorted(EXACT_TRANSFORMERS - {"FunctionTransformer"}))
                + ", or compute its columns where the rows are loaded",
            )


def steps(estimator: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of a composed estimator with its path, such as `columns.numbers.scale`."""
    if type(estimator).__name__ not in COMPOSED:
        yield path or "estimator", estimator
        return
    parts = getattr(estimator, "transformers_", None) or getattr(
        estimator, "transformer_list", None
    )
    for name, part, *_ in parts or estimator.steps:
        if not isinstance(part, str) and part is not None:
            yield from steps(part, f"{path}.{name}" if path else name)
