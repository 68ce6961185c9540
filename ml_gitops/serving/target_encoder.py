"""TargetEncoder in ONNX: a double for each category, where the stock converter has a float32."""

from typing import Any

import numpy as np

from ml_gitops.serving.graph import Graph


def infer_encoded(operator: Any) -> None:
    """Say that doubles come out, one for each column, or for each column and class."""
    from skl2onnx.common.data_types import DoubleTensorType

    operator.outputs[0].type = DoubleTensorType([None, len(operator.raw_operator.encodings_)])


def convert_target_encoder(scope: Any, operator: Any, container: Any) -> None:
    """Write one table of categories for each column that comes out.

    Args:
        scope: names of the graph (named so by skl2onnx).
        operator: the fitted encoder with its inputs and outputs.
        container: the graph under construction.

    Raises:
        ValueError: it encodes columns that are no strings.
    """
    from onnx import numpy_helper
    from skl2onnx.common.data_types import StringTensorType
    from skl2onnx.operator_converters.common import concatenate_variables

    graph, encoder = Graph(scope, container), operator.raw_operator
    if not all(isinstance(given.type, StringTensorType) for given in operator.inputs):
        raise ValueError("it encodes numbers; declare these features as strings")
    texts = concatenate_variables(scope, operator.inputs, container)
    means = np.atleast_1d(encoder.target_mean_)
    columns = []
    for index, values in enumerate(encoder.encodings_):
        which, answer = divmod(index, len(means))
        column = graph.add("Gather", texts, graph.constant([which]), axis=1, version=13)
        column = graph.add(
            "LabelEncoder",
            column,
            version=1,
            domain="ai.onnx.ml",
            keys_strings=[str(text) for text in encoder.categories_[which]],
            values_tensor=numpy_helper.from_array(np.asarray(values, np.float64), "values"),
            default_tensor=numpy_helper.from_array(means[[answer]].astype(np.float64), "default"),
        )
        columns.append(column)
    graph.add("Concat", *columns, output=operator.outputs[0].full_name, axis=1, version=13)
