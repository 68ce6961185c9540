"""From a fitted estimator to an ONNX file that answers the same, and back to answers."""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_gitops.data.schema import Feature, Task
from ml_gitops.errors import ExportError
from ml_gitops.model.evaluation import Answers
from ml_gitops.model.target import class_name
from ml_gitops.serving.exportable import refuse_inexact_steps
from ml_gitops.serving.imputer import convert_imputer, infer_shape
from ml_gitops.serving.onnx_file import canonical_bytes, refuse_unsafe
from ml_gitops.serving.runtime import MISSING_STRING, Runtime, column, one_line
from ml_gitops.serving.signature import Signature
from ml_gitops.serving.tree_converter import (
    convert_trees,
    declare_trees,
    infer_answers,
    tree_classes,
)

if TYPE_CHECKING:
    import pandas as pd

OPSETS = {"": 19, "ai.onnx.ml": 3}
"""Old enough for every onnxruntime that we allow, new enough for every operator but our trees."""

UNSEEN_STRING = "a category that nobody has seen"


def convert(
    estimator: Any,
    features: Sequence[Feature],
    task: Task,
    *,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Convert a fitted scikit-learn estimator into an ONNX file.

    Inputs are one column of doubles or strings per feature. The same estimator
    gives the same bytes in every process.

    Args:
        estimator: fitted on frames that `conform` made.
        features: its inputs in order.
        task: what it predicts.
        metadata: pairs of text to keep inside the file, such as the run key.

    Returns:
        The file: for a classification its outputs are a label and the
        probabilities of shape (n, classes), for a regression the values.

    Raises:
        ExportError: a step has no exact form in ONNX, or none at all.
    """
    refuse_inexact_steps(estimator)
    pipeline = _joined(estimator, features)
    try:
        model = _converted(pipeline, features, task)
    except Exception as error:  # noqa: BLE001  the converters raise whatever comes to hand
        raise ExportError(
            f"{_failing_step(error, estimator)} cannot become ONNX: {one_line(error).rstrip('.')}",
            hint="use a step or a setting that has an ONNX form",
        ) from None
    declare_trees(model)
    content = canonical_bytes(model, metadata or {})
    _refuse_unreadable(content)
    return content


def _converted(pipeline: Any, features: Sequence[Feature], task: Task) -> Any:
    """Return a pipeline as ONNX, with our own form of imputers and trees."""
    from skl2onnx import convert_sklearn
    from sklearn.impute import SimpleImputer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # skl2onnx's own use of protobuf
        return convert_sklearn(
            pipeline,
            name="model",
            initial_types=_initial_types(features),
            target_opset=OPSETS,
            options={} if task == "regression" else {id(pipeline): {"zipmap": False}},
            custom_conversion_functions={
                SimpleImputer: convert_imputer,
                **dict.fromkeys(tree_classes(), convert_trees),
            },
            custom_shape_calculators={
                SimpleImputer: infer_shape,
                **dict.fromkeys(tree_classes(), infer_answers),
            },
        )


def class_names(estimator: Any) -> tuple[str, ...]:
    """Return the names of a classifier's answers in the order of its probabilities."""
    return tuple(class_name(value) for value in getattr(estimator, "classes_", ()))


def conform(frame: "pd.DataFrame", features: Sequence[Feature]) -> "pd.DataFrame":
    """Return the features of a frame as the ONNX file sees them.

    Used for fitting and for predicting, so that the estimator learns from
    exactly what the service will hand to the file.

    Args:
        frame: n rows with at least the columns of the features.
        features: the columns to keep, in this order.
    """
    import pandas as pd

    columns = {
        feature.name: pd.Series(
            column(_plain(frame[feature.name]), feature),
            index=frame.index,
            dtype=object if feature.type == "string" else "float64",
        )
        for feature in features
    }
    return pd.DataFrame(columns, index=frame.index)


def edge_rows(
    frame: "pd.DataFrame", features: Sequence[Feature], *, rows: int = 50
) -> "pd.DataFrame":
    """Return rows that training may lack and the service will see; for the parity check.

    Args:
        frame: rows to start from.
        features: each nullable one is made missing and each string one unseen,
            on copies of the first rows.
        rows: how many copies for each.
    """
    import pandas as pd

    start = conform(frame.head(rows), features)
    changed = [
        *(
            start.assign(**{feature.name: _missing_value(feature)})
            for feature in features
            if feature.nullable
        ),
        *(
            start.assign(**{feature.name: UNSEEN_STRING})
            for feature in features
            if feature.type == "string"
        ),
    ]
    return conform(pd.concat(changed, ignore_index=True) if changed else start, features)


def _missing_value(feature: Feature) -> str | float:
    return MISSING_STRING if feature.type == "string" else float("nan")


class OnnxModel:
    """An ONNX file with its signature; it is opened when it first answers.

    Args:
        content: the ONNX file.
        signature: its inputs and answers.
        threads: processor threads for one batch.

    Raises:
        ExportError: the file refers to other files, or to operators that are not standard.
    """

    def __init__(self, content: bytes, signature: Signature, *, threads: int = 1) -> None:
        refuse_unsafe(content)
        self.content = content
        self.signature = signature
        self._threads = threads
        self._runtime: Runtime | None = None

    def predict(self, frame: "pd.DataFrame | Mapping[str, Sequence[Any]]") -> Answers:
        """Answer rows.

        Args:
            frame: n rows with the columns of the signature, or a mapping of
                columns to n values each.

        Raises:
            ExportError: a column is missing.
        """
        columns = {}
        for feature in self.signature.features:
            if feature.name not in frame:
                raise ExportError(
                    f"column {feature.name!r} is missing",
                    hint="give the model every feature of its signature",
                )
            columns[feature.name] = column(_plain(frame[feature.name]), feature)
        answers = self._open().run(columns).astype(np.float64)
        if self.signature.task == "regression":
            return Answers("regression", values=answers)
        return Answers(self.signature.task, self.signature.classes, probabilities=answers)

    def _open(self) -> Runtime:
        if self._runtime is None:
            self._runtime = Runtime(self.content, self.signature, threads=self._threads)
        return self._runtime


def _plain(values: Any) -> Any:
    """Return a pandas column as numpy or a list, its kinds of missing as None."""
    if not hasattr(values, "isna"):
        return values
    if values.dtype.kind in "fiub" and isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    return values.astype(object).where(values.notna(), None).tolist()


def _joined(estimator: Any, features: Sequence[Feature]) -> Any:
    """Return the estimator as a pipeline for export: columns joined, and doubles from there on."""
    import pandas as pd
    from skl2onnx.sklapi import CastTransformer
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    steps = list(estimator.steps) if isinstance(estimator, Pipeline) else [("model", estimator)]
    names = [feature.name for feature in features]
    strings = any(feature.type == "string" for feature in features)
    if not isinstance(steps[0][1], ColumnTransformer) and not strings:
        joined = ColumnTransformer([("all", "passthrough", names)])
        steps.insert(0, ("columns", joined.fit(pd.DataFrame([[0.0] * len(names)], columns=names))))
    elif isinstance(steps[0][1], ColumnTransformer) and strings:
        # The converter believes that all joined columns are what the first is: encoded text is
        # float32, and the answers would be declared so.
        steps.insert(1, ("float64", CastTransformer(dtype=np.float64)))
    return Pipeline(steps)


def _failing_step(error: BaseException, estimator: Any) -> str:
    """Return the name of the step whose converter raised, found on the way it came."""
    failing, trace = estimator, error.__traceback__
    while trace is not None:
        operator = trace.tb_frame.f_locals.get("operator")
        failing = getattr(operator, "raw_operator", None) or failing
        trace = trace.tb_next
    return type(failing).__name__


def _initial_types(features: Sequence[Feature]) -> list[tuple[str, Any]]:
    from skl2onnx.common.data_types import DoubleTensorType, StringTensorType

    return [
        (
            feature.name,
            (StringTensorType if feature.type == "string" else DoubleTensorType)([None, 1]),
        )
        for feature in features
    ]


def _refuse_unreadable(content: bytes) -> None:
    """Open the file once: some graphs convert and cannot be loaded."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  onnxruntime's errors share no base of their own
        raise ExportError(
            f"onnxruntime cannot open what was exported: {one_line(error)}",
            hint="use a simpler estimator, or one step less",
        ) from None
