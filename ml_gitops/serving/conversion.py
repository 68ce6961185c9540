"""From a fitted estimator to an ONNX file that answers the same."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_gitops.data.schema import Feature, Task
from ml_gitops.errors import ExportError
from ml_gitops.serving.exportable import refuse_inexact_steps
from ml_gitops.serving.imputer import convert_imputer, infer_shape
from ml_gitops.serving.onnx_file import canonical_bytes, raise_opset
from ml_gitops.serving.runtime import column, one_line
from ml_gitops.serving.target_encoder import convert_target_encoder, infer_encoded
from ml_gitops.serving.tree_converter import (
    convert_trees,
    infer_answers,
    tree_classes,
)

if TYPE_CHECKING:
    import pandas as pd

OPSETS = {"": 19, "ai.onnx.ml": 3}
"""Old enough for every onnxruntime that we allow, new enough for every operator but our trees."""


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
    raise_opset(model)
    content = canonical_bytes(model, metadata or {})
    _refuse_unreadable(content)
    return content


def open_steps(steps: Any, features: Sequence[Feature]) -> "Callable[[pd.DataFrame], np.ndarray]":
    """Return the ONNX form of the first steps of a pipeline, to look inside it.

    Args:
        steps: a fitted pipeline of transformers.
        features: its inputs in order.

    Returns:
        What they make of n rows, of shape (n, columns).
    """
    import onnxruntime

    model = _converted(_joined(steps, features), features, "regression")
    raise_opset(model)
    content = canonical_bytes(model, {})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def run(rows: "pd.DataFrame") -> np.ndarray:
        columns = [column(rows[feature.name], feature).reshape(-1, 1) for feature in features]
        (found,) = session.run(None, dict(zip(names, columns, strict=True)))
        return np.asarray(found)

    return run


def _converted(pipeline: Any, features: Sequence[Feature], task: Task) -> Any:
    """Return a pipeline as ONNX, with our own form of imputers and trees."""
    from skl2onnx import convert_sklearn
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import TargetEncoder

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
                TargetEncoder: convert_target_encoder,
                **dict.fromkeys(tree_classes(), convert_trees),
            },
            custom_shape_calculators={
                SimpleImputer: infer_shape,
                TargetEncoder: infer_encoded,
                **dict.fromkeys(tree_classes(), infer_answers),
            },
        )


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
