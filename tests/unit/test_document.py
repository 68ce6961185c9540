"""Documents: frozen, canonical, and loud about what they do not know."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from ml_gitops.document import Document, Missing, canonical_json, first_problem, sha256
from ml_gitops.errors import DocumentError


class Note(Document):
    """A small document."""

    title: str
    counts: dict[str, int] = Field(default_factory=dict)
    score: float | None = None


NOTES = st.builds(
    Note,
    title=st.text(),
    counts=st.dictionaries(st.text(), st.integers()),
    score=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(NOTES)
def test_a_document_round_trips(note: Note) -> None:
    """Text and back is the same document, and the same text and digest."""
    again = Note.from_json(note.to_json(), where="note.json")

    assert again == note
    assert again.to_json() == note.to_json()
    assert again.content_digest() == note.content_digest()


@given(VALUES)
def test_canonical_json_is_json_with_one_final_newline(value: Any) -> None:
    """It reads back as the same value, and ends with one newline."""
    text = canonical_json(value)

    assert json.loads(text) == value
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_order_does_not_count(counts: dict[str, int]) -> None:
    """Equal documents are equal bytes, however they were filled."""
    backwards = dict(reversed(counts.items()))

    one, other = Note(title="n", counts=counts), Note(title="n", counts=backwards)

    assert one.to_json() == other.to_json()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_document_holds_what_json_does_not(value: float) -> None:
    """NaN and infinity are refused in a document and by the writer."""
    with pytest.raises(ValidationError):
        Note(title="n", score=value)
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": value})


def test_a_document_is_frozen() -> None:
    """Nothing of it can be changed afterwards."""
    note = Note(title="n")

    with pytest.raises(ValidationError):
        note.title = "other"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "invalid JSON"),
        ("[]", "object"),
        ("<<<<<<< HEAD", "invalid JSON"),
        (b"\xff", "invalid JSON"),
        ("{}", "title: field required"),
        ('{"title": "n", "mine": 1}', "mine: extra inputs"),
        ('{"title": 3}', "title: input should be a valid string"),
        ('{"title": "n", "schema_version": 2}', "schema_version: input should be 1"),
        ('{"title": "n", "counts": {"a": "many"}}', "counts.a: input should be a valid integer"),
    ],
)
def test_what_is_no_document_is_refused_by_name(text: str | bytes, problem: str) -> None:
    """The message names file, key and remedy in one line."""
    with pytest.raises(DocumentError) as refused:
        Note.from_json(text, where="notes/note.json")

    assert refused.value.where == "notes/note.json"
    assert problem.lower() in refused.value.problem.lower()
    assert "Note" in refused.value.problem
    assert "\n" not in str(refused.value)


def test_the_first_problem_names_its_key() -> None:
    """A nested key is spelled with dots; a problem of the whole has no colon."""
    with pytest.raises(ValidationError) as nested:
        Note.model_validate({"title": "n", "counts": {"a": None}})
    with pytest.raises(ValidationError) as whole:
        Note.model_validate(3)

    assert first_problem(nested.value).startswith("counts.a: input")
    assert first_problem(whole.value).startswith("input should be")


def test_digests_are_those_of_sha256() -> None:
    """The empty content has the digest that everybody knows."""
    assert sha256(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_absence_says_why() -> None:
    """Missing needs a reason, and cannot be taken for something that is there."""
    assert Missing(reason="no labels yet").missing is True
    with pytest.raises(ValidationError):
        Missing.model_validate({})
    with pytest.raises(ValidationError):
        Missing.model_validate({"missing": False, "reason": "x"})
