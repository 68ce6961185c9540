"""SimpleImputer in ONNX, for doubles and for strings.

The stock converter knows neither: onnxruntime has no Imputer for doubles, and
missing strings cannot be told from others.
"""

from typing import Any

import numpy as np

from ml_gitops.serving.runtime import MISSING_STRING


def infer_shape(operator: Any) -> None:
    """Say that as many columns come out as went in, doubles or strings as they were."""
    from skl2onnx.common.data_types import DoubleTensorType, StringTensorType

    strings = isinstance(operator.inputs[0].type, StringTensorType)
    kind = StringTensorType if strings else DoubleTensorType
    operator.outputs[0].type = kind([None, len(operator.raw_operator.statistics_)])


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Write `missing ? statistic : value` with Where.

    Args:
        scope: names of the graph (named so by skl2onnx).
        operator: the fitted imputer with its inputs and outputs.
        container: the graph under construction.

    Raises:
        ValueError: the imputer's settings have no exact form.
    """
    from onnx import TensorProto
    from skl2onnx.common.data_types import StringTensorType
    from skl2onnx.operator_converters.common import concatenate_variables

    imputer = operator.raw_operator
    strings = isinstance(operator.inputs[0].type, StringTensorType)
    _refuse_inexact(imputer, strings=strings)

    values = concatenate_variables(scope, operator.inputs, container)
    fill = scope.get_unique_variable_name("fill")
    missing = scope.get_unique_variable_name("missing")
    shape = [1, len(imputer.statistics_)]
    if strings:
        texts = [str(text).encode() for text in imputer.statistics_]
        container.add_initializer(fill, TensorProto.STRING, shape, texts)
        empty = scope.get_unique_variable_name("empty")
        container.add_initializer(empty, TensorProto.STRING, [1], [MISSING_STRING.encode()])
        _add(scope, container, "Equal", [values, empty], missing, version=19)
    else:
        numbers = [float(number) for number in imputer.statistics_]
        container.add_initializer(fill, TensorProto.DOUBLE, shape, numbers)
        _add(scope, container, "IsNaN", [values], missing, version=13)
    output = operator.outputs[0].full_name
    _add(scope, container, "Where", [missing, fill, values], output, version=16)


def _add(
    scope: Any, container: Any, kind: str, inputs: list[str], output: str, *, version: int
) -> None:
    name = scope.get_unique_operator_name(kind)
    container.add_node(kind, inputs, output, name=name, op_version=version)


def _refuse_inexact(imputer: Any, *, strings: bool) -> None:
    marker = imputer.missing_values
    if strings and marker != MISSING_STRING:
        raise ValueError("missing strings arrive as ''; use SimpleImputer(missing_values='')")
    if not strings and not (isinstance(marker, float) and np.isnan(marker)):
        raise ValueError(f"missing numbers arrive as NaN, and this imputer looks for {marker!r}")
    empty = [number for number in imputer.statistics_ if number is None or number != number]  # noqa: PLR0124
    if empty:
        raise ValueError(
            "a column was missing in every training row; drop it or set keep_empty_features=True"
        )
