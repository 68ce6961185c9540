"""One execution of training, with its record."""

from collections.abc import Mapping
from typing import ClassVar

from ml_gitops.data.lock import Split
from ml_gitops.document import Digest, Document, sha256
from ml_gitops.errors import DocumentError
from ml_gitops.model.lineage import Lineage, short
from ml_gitops.names import LOCK_FILE, MODEL_FILE, PROFILE_FILE, SIGNATURE_FILE

RUN_FILES = frozenset(
    {
        MODEL_FILE,
        LOCK_FILE,
        "evaluation.json",
        "parity.json",
        PROFILE_FILE,
        SIGNATURE_FILE,
        "validation.json",
    }
)
"""What every training leaves beside its record."""


class Run(Document):
    """The record of one training: what went in, what came out, what it cost.

    Attributes:
        model: name of the model.
        run_key: digest of everything that went in.
        lineage: those inputs, one by one.
        split: the days it learned from and the days it was judged on.
        train_rows, holdout_rows: how many rows each had.
        holdout_digest: digest of the holdout rows.
        sample: whether its rows are the sample and not the real ones.
        files: name to digest of every file the run produced.
        fit_seconds, cpu_seconds: time of the fit, and processor time of the whole run.
    """

    file_name: ClassVar[str] = "run.json"

    model: str
    run_key: Digest
    lineage: Lineage
    split: Split
    train_rows: int
    holdout_rows: int
    holdout_digest: Digest
    files: dict[str, Digest]
    fit_seconds: float
    cpu_seconds: float
    sample: bool = False

    @property
    def name(self) -> str:
        """The name the run is found by on the machine that trained it, whatever the commit."""
        return run_name(self.model, self.run_key)

    @property
    def model_digest(self) -> str:
        """The digest of the ONNX file."""
        return self.files[MODEL_FILE]


def run_name(model: str, run_key: str) -> str:
    """Return the name of a run, for people and for folders."""
    return f"{model}-{short(run_key)}"


def verify(files: Mapping[str, bytes], run_key: str, *, where: str) -> Run:
    """Read a run from its files and hold every file to its digest.

    Args:
        files: name to content, as kept in a cache or on a forge.
        run_key: the key the caller asked for.
        where: where they come from, for the message.

    Raises:
        DocumentError: a file is missing, was changed, or belongs to another run.
    """
    hint = "train again; nothing is shipped that differs from what was reviewed"
    record = files.get(Run.file_name)
    if record is None:
        raise DocumentError(f"{Run.file_name} is missing", hint=hint, where=where)
    run = Run.from_json(record, where=f"{where}/{Run.file_name}")
    if run.run_key != run_key or run.lineage.run_key != run_key:
        raise DocumentError(
            f"this is run {short(run.run_key)}, not {short(run_key)}", hint=hint, where=where
        )
    for name in sorted(RUN_FILES - run.files.keys()):
        raise DocumentError(f"its record does not list {name}", hint=hint, where=where)
    for name, digest in run.files.items():
        content = files.get(name)
        if content is None or sha256(content) != digest:
            state = "is missing" if content is None else "was changed"
            raise DocumentError(f"{name} {state}", hint=hint, where=where)
    return run
