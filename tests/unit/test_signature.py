"""The signature is a document that says what a model takes and gives."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ml_gitops.data.schema import Feature, FeatureType
from ml_gitops.errors import DocumentError
from ml_gitops.serving.requests import request_models
from ml_gitops.serving.signature import Signature, example_features

FEATURES = (
    Feature(name="temp", type="number", nullable=True, about="°F at the origin"),
    Feature(name="origin", type="string", values=("EWR", "JFK")),
)


def signature(**changes: object) -> Signature:
    """Return a signature with some of its parts changed."""
    given = {
        "model": "delay",
        "task": "binary",
        "features": FEATURES,
        "target": "late",
        "classes": ("false", "true"),
        "run_key": "sha256:" + "0" * 64,
    }
    return Signature(**{**given, **changes})


def test_survives_the_way_through_a_file() -> None:
    """A signature read back from its file is the same, features in the same order."""
    written = signature()

    read = Signature.from_json(written.to_json(), where="signature.json")

    assert read == written
    assert [feature.name for feature in read.features] == ["temp", "origin"]


@pytest.mark.parametrize("change", [{"features": ()}, {"task": "guess"}, {"run_key": "x"}])
def test_refuses_what_no_model_could_have(change: dict[str, object]) -> None:
    """A signature without features, with an unknown task or a made-up key is refused by name."""
    with pytest.raises(ValueError, match=next(iter(change))):
        signature(**change)


def test_names_the_file_that_was_edited() -> None:
    """A damaged file is a one-line error that names file and key."""
    text = signature().to_json().replace('"target"', '"goal"')

    with pytest.raises(DocumentError, match=r"^signature\.json: .*target"):
        Signature.from_json(text, where="signature.json")


def whole(number: float | None) -> int | None:
    """Return a bound as an integer has it."""
    return None if number is None else math.floor(number)


NUMBERS = st.none() | st.floats(-1e6, 1e6, allow_nan=False)


@given(type_=st.sampled_from(["number", "integer"]), ends=st.tuples(NUMBERS, NUMBERS))
def test_the_example_is_one_that_the_service_accepts(
    type_: FeatureType, ends: tuple[float | None, float | None]
) -> None:
    """Whatever a feature's bounds, what people are told to try is answered."""
    low, high = ends if type_ == "number" else (whole(ends[0]), whole(ends[1]))
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    feature = Feature(name="size", type=type_, minimum=low, maximum=high)
    asked = signature(features=(feature,))
    one, _ = request_models(asked, BaseModel)

    one.model_validate({"features": example_features(asked)})
