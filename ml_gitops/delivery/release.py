"""A release: what was reviewed, under a version, with the digest of every file."""

from typing import ClassVar, Literal

from pydantic import Field

from ml_gitops.data.schema import Window
from ml_gitops.document import Digest, Document
from ml_gitops.model.lineage import Lineage
from ml_gitops.model.metrics import MetricName
from ml_gitops.names import MODEL_FILE, SERVED_FILE

BENTO_FILE = "bento.zip"


class Release(Document):
    """The immutable record of one version.

    Attributes:
        model, version, tag: what it is called.
        commit: the commit whose files it was made from.
        run_key: digest of everything that went into the training.
        lineage: those inputs.
        trained, holdout: the days it learned from and was judged on.
        files: name to digest of every file that is shipped.
        metrics: the candidate's metrics on the holdout.
        verdict: the report's sentence, as reviewed.
        gate: its verdict in one word; people may merge what it blocked.
        changed: which inputs differ from the release before, by name.
        differences: the same, each with what exactly differs.
        pull_request: where it was reviewed, if it was.
        doubts: why no review covers what is released, one clause each; empty if one does.
    """

    file_name: ClassVar[str] = "release.json"

    model: str
    version: str
    tag: str
    commit: str
    run_key: Digest
    lineage: Lineage
    trained: Window
    holdout: Window
    files: dict[str, Digest]
    metrics: dict[MetricName, float]
    verdict: str
    gate: Literal["pass", "warn", "block"] = "pass"
    changed: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    pull_request: int | None = None
    doubts: tuple[str, ...] = ()

    @property
    def model_digest(self) -> str:
        """The digest of the ONNX file."""
        return self.files[MODEL_FILE]


class ServedRelease(Document):
    """What a running service must know of its release; a file inside the Bento."""

    file_name: ClassVar[str] = SERVED_FILE

    tag: str = Field(min_length=1)
    digest: Digest
    """Digest of the ONNX file; every record of the prediction log carries it."""
