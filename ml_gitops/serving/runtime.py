"""An ONNX file that answers: the one path for tests, monitoring and every request.

This module and what it imports of ours travel inside the Bento, so it knows
numpy and onnxruntime and no more.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ml_gitops.data.schema import Feature
from ml_gitops.errors import ServiceError
from ml_gitops.serving.signature import Signature

BATCH_ROWS = 10_000
MISSING_STRING = ""


def column(values: Iterable[Any], feature: Feature) -> np.ndarray:
    """Return one feature's values in the only form that model and ONNX file see.

    Numbers, integers and booleans are float64, exact up to 2**53, missing ones
    NaN; strings are Python strings, missing ones empty.

    Args:
        values: n values of the feature's type; None, NaN and NaT are missing.
        feature: what the column is.

    Returns:
        An array of shape (n,).
    """
    if feature.type == "string":
        texts = [MISSING_STRING if _missing(value) else str(value) for value in values]
        return np.array(texts, dtype=object)
    numbers = values if isinstance(values, np.ndarray) else list(values)
    return np.asarray(numbers, dtype=np.float64)  # None becomes NaN


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


class Runtime:
    """An open ONNX file.

    Args:
        content: the ONNX file.
        signature: its inputs and answers.
    """

    def __init__(self, content: bytes, signature: Signature) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # A model is one file: weights in other files are looked for where there are none.
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", "/nowhere/outside-the-model"
        )
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001  onnxruntime's errors share no base of their own
            raise ServiceError(
                f"onnxruntime cannot open the model: {one_line(error)}",
                hint="train it again with the versions that serve it",
            ) from None
        names = [given.name for given in self._session.get_inputs()]
        if (given := len(names)) != (declared := len(signature.features)):
            raise ServiceError(
                f"the model takes {given} columns, its signature has {declared}",
                hint="export it with one input per feature, in the signature's order",
            )
        # By position: the exporter rewrites names that are no identifiers, such as "a b".
        self._inputs = {
            feature.name: name for feature, name in zip(signature.features, names, strict=True)
        }
        self._output = self._session.get_outputs()[-1].name  # after a classifier's label
        self._regression = signature.task == "regression"

    def run(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the answers to rows in batches, so that memory stays flat.

        Args:
            columns: one array of shape (n,) per feature, as `column` makes them.

        Returns:
            Probabilities of shape (n, classes), or values of shape (n,) for a regression.
        """
        inputs = {given: columns[name].reshape(-1, 1) for name, given in self._inputs.items()}
        rows = len(next(iter(columns.values())))
        batches = [
            self._run({name: part[start : start + BATCH_ROWS] for name, part in inputs.items()})
            for start in range(0, max(rows, 1), BATCH_ROWS)
        ]
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _run(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        (answers,) = self._session.run([self._output], inputs)
        found: np.ndarray = answers
        return found.ravel() if self._regression else found


def one_line(error: BaseException) -> str:
    """Return the first line of a foreign error, short enough to read."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
