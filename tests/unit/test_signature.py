"""The signature is a document that says what a model takes and gives."""

import pytest

from ml_gitops.data.schema import Feature
from ml_gitops.errors import DocumentError
from ml_gitops.serving.signature import Signature

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
