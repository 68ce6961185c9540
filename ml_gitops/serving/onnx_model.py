"""An ONNX file that answers rows of a frame, and the form in which it sees them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_gitops.data.schema import Feature
from ml_gitops.errors import ExportError
from ml_gitops.model.evaluation import Answers
from ml_gitops.model.target import class_name
from ml_gitops.serving.onnx_file import refuse_unsafe
from ml_gitops.serving.runtime import Runtime, column
from ml_gitops.serving.signature import Signature

if TYPE_CHECKING:
    import pandas as pd


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


class OnnxModel:
    """An ONNX file with its signature; it is opened when it first answers.

    Args:
        content: the ONNX file.
        signature: its inputs and answers.

    Raises:
        ExportError: the file refers to other files, or to operators that are not standard.
    """

    def __init__(self, content: bytes, signature: Signature) -> None:
        refuse_unsafe(content)
        self.content = content
        self.signature = signature
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
            self._runtime = Runtime(self.content, self.signature)
        return self._runtime


def _plain(values: Any) -> Any:
    """Return a pandas column as numpy or a list, its kinds of missing as None."""
    if not hasattr(values, "isna"):
        return values
    if values.dtype.kind in "fiub" and isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    return values.astype(object).where(values.notna(), None).tolist()
