"""Writing nodes into a graph that skl2onnx builds, one line per node."""

from typing import Any

import numpy as np


class Graph:
    """The graph under construction.

    Args:
        scope: skl2onnx's names.
        container: skl2onnx's list of nodes.
    """

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def add(
        self,
        kind: str,
        *inputs: str,
        output: str | None = None,
        version: int | None = None,
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Write a node and return the name of its output."""
        name = self._scope.get_unique_operator_name(kind)
        output = output or self._scope.get_unique_variable_name(kind)
        self._container.add_node(
            kind,
            list(inputs),
            output,
            name=name,
            op_version=version,
            op_domain=domain,
            **attributes,
        )
        return output

    def constant(self, values: Any) -> str:
        """Keep doubles, whole numbers or strings in the file and return their name."""
        from onnx import numpy_helper

        name: str = self._scope.get_unique_variable_name("constant")
        array = np.asarray(values)
        if array.dtype.kind in "UO":
            from onnx import TensorProto

            texts = [str(text).encode() for text in array.ravel()]
            self._container.add_initializer(name, TensorProto.STRING, list(array.shape), texts)
        else:
            tensor = numpy_helper.from_array(array, name)
            self._container.add_initializer(name, tensor.data_type, list(array.shape), tensor)
        return name
