"""Which steps have an exact ONNX form, and what to use instead of those that have not.

Some steps convert without a word and then answer something else; they are
refused by name, with the remedy. What is exact stands in `support.py`, and is
measured; here stand the settings that make it inexact.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ml_gitops.errors import ExportError
from ml_gitops.serving.support import support_table

COMPOSED = {"Pipeline", "ColumnTransformer", "FeatureUnion"}
DECIDE = {"LinearSVC", "RidgeClassifier", "SGDClassifier"}
"""Give no probabilities of their own, and exact ones once they are calibrated."""

Step = tuple[str, Any, bool]


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
        "SimpleImputer",
        lambda step: bool(step.add_indicator),
        "its ONNX form mixes up the columns that add_indicator adds",
        "add a boolean feature where the rows are loaded",
    ),
    Refusal(
        "Normalizer",
        lambda step: step.norm == "max",
        "its norm max has no ONNX form",
        'use Normalizer(norm="l2")',
    ),
    Refusal(
        "PolynomialFeatures",
        lambda step: step.include_bias,
        "its column of ones has no ONNX form",
        "use PolynomialFeatures(include_bias=False)",
    ),
    Refusal(
        "SGDClassifier",
        lambda step: step.loss not in ("log_loss", "modified_huber"),
        "it gives no probabilities",
        'use SGDClassifier(loss="log_loss")',
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
            lambda step: (
                getattr(step, "is_categorical_", None) is not None
                or not isinstance(step.categorical_features, str | None)
            ),
            "its ONNX form ignores categorical_features",
            "put an OrdinalEncoder in front and leave categorical_features out",
        )
        for name in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
    ),
)


def refuse_inexact_steps(estimator: Any) -> None:
    """Refuse an estimator with a step that is not known to be exact in ONNX.

    Args:
        estimator: a pipeline or a single estimator; it need not be fitted.

    Raises:
        ExportError: naming the step, what is wrong with it, and the remedy.
    """
    table = {row.name: row for row in support_table()}
    for path, step, calibrated in steps(estimator):
        name = type(step).__name__
        if calibrated and name in DECIDE:
            continue
        for refusal in REFUSALS:
            if refusal.step == name and refusal.applies(step):
                raise ExportError(f"{path}: {name}: {refusal.problem}", hint=refusal.hint)
        row = table.get(name)
        if row is None:
            raise ExportError(
                f"{path}: {name} is not known to be exact in ONNX",
                hint="use what `ml-gitops check --export` lists, or compute its columns where the "
                "rows are loaded",
            )
        if row.state == "refused" or name in DECIDE - {"SGDClassifier"}:
            raise ExportError(f"{path}: {name} is not exact in ONNX", hint=row.remedy)


def steps(estimator: Any, path: str = "", *, calibrated: bool = False) -> Iterator[Step]:
    """Yield every part of an estimator with its path, and whether calibration makes it answer.

    Args:
        estimator: fitted or not.
        path: of the estimator itself, such as `columns.numbers`.
        calibrated: whether it stands inside a CalibratedClassifierCV.
    """
    if type(estimator).__name__ not in COMPOSED:
        yield path or "estimator", estimator, calibrated
    for name, part in _parts(estimator):
        if hasattr(part, "fit"):  # and no "passthrough" or "drop"
            inside = type(estimator).__name__ == "CalibratedClassifierCV"
            yield from steps(part, f"{path}.{name}" if path else name, calibrated=inside)


def _parts(estimator: Any) -> Iterator[tuple[str, Any]]:
    """Yield the estimators that another was made of."""
    for key in ("steps", "transformers", "transformer_list", "estimators"):
        parts = getattr(estimator, key, None)
        yield from ((name, part) for name, part, *_ in (parts if isinstance(parts, list) else []))
    for key in ("remainder", "estimator", "final_estimator"):
        yield key, getattr(estimator, key, None)
