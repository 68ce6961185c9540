"""Lineage: the run key means what went in, all of it and nothing else."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops.data.lock import DataLock
from ml_gitops.data.schema import Window
from ml_gitops.document import sha256
from ml_gitops.model.lineage import Lineage, short, trace

LOCK = DataLock(
    source="model/data.py:load",
    window=Window(start=date(2024, 1, 1), until=date(2024, 3, 1)),
    rows=1800,
    digest=sha256(b"rows"),
    schema_digest=sha256(b"columns"),
)
LATER = Window(start=date(2024, 1, 1), until=date(2024, 3, 2))
INPUTS: dict[str, Any] = {
    "sources": {"model/pipeline.py": b"p", "model/data.py": b"d"},
    "params": b"C = 1",
    "contract": {"seed": 0, "task": "binary"},
    "lock": LOCK,
    "environment": {"python": "3.11", "scikit-learn": "1.9"},
    "product_version": "1.4.2",
}


def lineage(**changes: Any) -> Lineage:
    """Return the lineage of the inputs with some changed."""
    return trace(**{**INPUTS, **changes})


def test_equal_inputs_have_an_equal_key() -> None:
    """Neither the order of files nor of keys counts."""
    other = lineage(
        sources=dict(reversed(INPUTS["sources"].items())),
        contract=dict(reversed(INPUTS["contract"].items())),
        environment=dict(reversed(INPUTS["environment"].items())),
    )

    assert other.run_key == lineage().run_key
    assert other.changes_from(lineage()) == []


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    ("another content", {"sources": {**INPUTS["sources"], "model/data.py": b"e"}}, "code"),
    ("another file", {"sources": {**INPUTS["sources"], "model/more.py": b""}}, "code"),
    ("a file moved", {"sources": {"model/p.py": b"p", "model/data.py": b"d"}}, "code"),
    ("a parameter", {"params": b"C = 2"}, "hyper-parameters"),
    ("a rule", {"contract": {"seed": 1, "task": "binary"}}, "contract"),
    ("other rows", {"lock": LOCK.model_copy(update={"digest": sha256(b"x")})}, "data"),
    (
        "another window",
        {"lock": LOCK.model_copy(update={"window": LATER})},
        "data",
    ),
    ("a library", {"environment": {"python": "3.11", "scikit-learn": "1.10"}}, "environment"),
    ("the product's major version", {"product_version": "2.0.0"}, "environment"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "named"), [pytest.param(*case[1:], id=case[0]) for case in CHANGES]
)
def test_every_input_counts_and_is_named(change: dict[str, Any], named: str) -> None:
    """Whatever decides the bytes of a model changes the key, and has a word."""
    changed = lineage(**change)

    assert changed.run_key != lineage().run_key
    assert changed.changes_from(lineage()) == lineage().changes_from(changed) == [named]


@pytest.mark.parametrize(
    "change",
    [
        {"product_version": "1.5.0"},
        {"lock": LOCK.model_copy(update={"source": "other.py:load"})},
        {"lock": LOCK.model_copy(update={"rows": 1})},
    ],
    ids=["a minor version of the product", "the name of the source", "the count of equal rows"],
)
def test_what_changes_no_byte_does_not_count(change: dict[str, Any]) -> None:
    """The same rows by another name, or a product that trains the same, are the same run."""
    assert lineage(**change).run_key == lineage().run_key


def test_all_changes_are_named_in_one_order() -> None:
    """A release note lists them from the code outwards."""
    everything = {key: value for _, change, _ in CHANGES for key, value in change.items()}

    assert lineage(**everything).changes_from(lineage()) == [
        "code", "hyper-parameters", "contract", "data", "environment",
    ]  # fmt: skip


@given(st.binary())
def test_a_short_digest_starts_the_long_one(content: bytes) -> None:
    """Twelve digits, the first of the digest."""
    digest = sha256(content)

    assert len(short(digest)) == 12
    assert digest.startswith(f"sha256:{short(digest)}")
