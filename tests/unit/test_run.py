"""A run is what its record says, byte by byte, or it is refused."""

from datetime import date

import pytest

from ml_gitops.data.lock import DataLock, split
from ml_gitops.data.schema import Window
from ml_gitops.document import sha256
from ml_gitops.errors import DocumentError
from ml_gitops.model.lineage import trace
from ml_gitops.model.run import RUN_FILES, Run, run_name, verify
from ml_gitops.names import MODEL_FILE

WINDOW = Window(start=date(2024, 1, 1), until=date(2024, 3, 1))
LINEAGE = trace(
    sources={"model/pipeline.py": b"p"},
    params=b"",
    contract={},
    lock=DataLock(
        source="model/data.py:load",
        window=WINDOW,
        rows=9,
        digest=sha256(b"rows"),
        schema_digest=sha256(b"columns"),
    ),
    environment={},
    product_version="0.1.0",
)
KEY = LINEAGE.run_key
CONTENT = {**dict.fromkeys(sorted(RUN_FILES), b"{}"), MODEL_FILE: b"onnx"}
RUN = Run(
    model="churn",
    run_key=KEY,
    lineage=LINEAGE,
    split=split(WINDOW, 14),
    train_rows=7,
    holdout_rows=2,
    holdout_digest=sha256(b"holdout"),
    files={name: sha256(content) for name, content in CONTENT.items()},
    fit_seconds=0.1,
    cpu_seconds=0.2,
)


def files(whole: Run = RUN, /, **changes: bytes | None) -> dict[str, bytes]:
    """Return a run's files with some changed (`model` for model.onnx) or gone."""
    named = {"model": MODEL_FILE, "evaluation": "evaluation.json", "run": Run.file_name}
    kept: dict[str, bytes | None] = {**CONTENT, Run.file_name: whole.to_json().encode()}
    kept |= {named.get(name, name): content for name, content in changes.items()}
    return {name: content for name, content in kept.items() if content is not None}


def test_an_untouched_run_is_accepted() -> None:
    """The record comes back as it was written."""
    run = verify(files(), KEY, where="cache")

    assert run == RUN
    assert run.model_digest == sha256(b"onnx")
    assert run.name == run_name("churn", KEY) == f"churn-{KEY[7:19]}"


def test_files_beside_the_record_are_nobodys_business() -> None:
    """A report that was added later does not belong to the run, and does not spoil it."""
    assert verify(files(**{"report.json": b"later"}), KEY, where="cache") == RUN


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"model": b"other"}, "model.onnx was changed"),
        ({"model": b""}, "model.onnx was changed"),
        ({"model": None}, "model.onnx is missing"),
        ({"evaluation": b'{"auc": 1}'}, "evaluation.json was changed"),
        ({"run": None}, "run.json is missing"),
        ({"run": b"{}"}, "not a Run"),
        ({"run": b"\xff"}, "not a Run"),
    ],
)
def test_what_was_touched_is_named(changes: dict[str, bytes | None], problem: str) -> None:
    """A file that differs from its digest is refused by name."""
    with pytest.raises(DocumentError, match=problem) as refused:
        verify(files(**changes), KEY, where="cache")

    assert str(refused.value.where).startswith("cache")


@pytest.mark.parametrize("name", sorted(RUN_FILES))
def test_a_record_that_hides_a_file_is_refused(name: str) -> None:
    """What every training leaves must be listed: what is not listed would not be held."""
    short = RUN.model_copy(update={"files": {k: v for k, v in RUN.files.items() if k != name}})

    with pytest.raises(DocumentError, match=f"does not list {name}"):
        verify(files(short), KEY, where="cache")


def test_another_run_is_refused() -> None:
    """Files of another key are whole, and are not what was asked for."""
    with pytest.raises(DocumentError, match=rf"this is run {KEY[7:19]}, not "):
        verify(files(), sha256(b"other"), where="cache")


def test_a_record_that_claims_a_key_is_not_believed() -> None:
    """The key must follow from the lineage; writing it into the record is not enough."""
    wanted = sha256(b"reviewed")
    forged = RUN.model_copy(update={"run_key": wanted})

    with pytest.raises(DocumentError, match="this is run"):
        verify(files(forged), wanted, where="cache")
