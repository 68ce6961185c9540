"""What a model takes and gives: the contract between the ONNX file and its callers."""

import math
from typing import ClassVar

from pydantic import Field

from ml_gitops.data.schema import Feature, Task
from ml_gitops.document import Digest, Document
from ml_gitops.names import SIGNATURE_FILE


class Signature(Document):
    """The names, types and order of a model's inputs, and the names of its answers.

    Attributes:
        model: name of the model.
        task: what kind of answer it gives.
        features: its inputs, in the order the ONNX file takes them.
        target: what it predicts.
        classes: names of the answers in the order of the probabilities; for a
            binary task the second is the positive one; empty for a regression.
        run_key: digest of everything that went into the model.
    """

    file_name: ClassVar[str] = SIGNATURE_FILE

    model: str
    task: Task
    features: tuple[Feature, ...] = Field(min_length=1)
    target: str
    classes: tuple[str, ...] = ()
    run_key: Digest

    def same_form(self, other: "Signature") -> bool:
        """Say whether callers of the other signature can call this one without a change."""
        return _form(self) == _form(other)


def _form(signature: Signature) -> tuple[object, ...]:
    """Return what callers depend on: not what a column is about, nor which values are known."""
    inputs = tuple(
        (one.name, one.type, one.nullable, one.minimum, one.maximum) for one in signature.features
    )
    return signature.task, signature.target, signature.classes, inputs


def example_features(signature: Signature) -> dict[str, float | bool | str]:
    """Return features that a service accepts, for people to try it with."""
    return {feature.name: _example(feature) for feature in signature.features}


def _example(feature: Feature) -> float | bool | str:
    if feature.type == "string":
        return feature.values[0] if feature.values else "text"
    if feature.type == "boolean":
        return False
    low = -math.inf if feature.minimum is None else feature.minimum
    high = math.inf if feature.maximum is None else feature.maximum
    middle = (low + high) / 2 if math.isfinite(high - low) else min(max(0.0, low), high)
    whole = round(middle)
    if feature.type == "integer" and whole < low:
        return math.ceil(low)
    return whole if feature.type == "integer" or low <= whole <= high else middle
