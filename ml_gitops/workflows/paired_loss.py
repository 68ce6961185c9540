"""The release that served before, asked again: both on the same labelled rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_gitops.config import Config
from ml_gitops.delivery.release import Release
from ml_gitops.document import Missing
from ml_gitops.errors import MlGitopsError
from ml_gitops.monitoring.look import Look
from ml_gitops.monitoring.query import Span
from ml_gitops.monitoring.rollback import PairedLoss, answered_rows, pair
from ml_gitops.names import MODEL_FILE
from ml_gitops.ports import Forge, Warehouse
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.registry import read_release, released_file

if TYPE_CHECKING:
    from ml_gitops.serving.runtime import Runtime

BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Predecessor:
    """The release that served before, and what it wants to see."""

    release: Release
    signature: Signature


def find_predecessor(config: Config, forge: Forge, tag: str | None) -> Predecessor | Missing:
    """Return the release of a tag where it can be asked again, or say why it cannot."""
    if tag is None:
        return Missing(reason="there is none")
    if config.model.task == "multiclass":
        return Missing(reason="a multiclass log holds one probability per row")
    release = read_release(forge, tag)
    content = released_file(forge, release, Signature.file_name)
    return Predecessor(release, Signature.from_json(content, where=tag))


def paired_loss(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    look: Look,
    before: Predecessor | Missing,
    windows: Sequence[Span],
) -> PairedLoss | Missing:
    """Let the release before answer the labelled rows, batch by batch."""
    if isinstance(before, Missing):
        return before
    if not look.label_rows:
        return Missing(reason="there are no labels yet")
    runtime = _open(released_file(forge, before.release, MODEL_FILE), before.signature)
    if isinstance(runtime, Missing):
        return runtime
    total = PairedLoss()
    rows = answered_rows(look, before.signature.features, windows)
    for batch in warehouse.batches(rows, (), BATCH_ROWS):
        total += _pair_batch(config, runtime, before.signature, batch)
    return total.settled()


def _open(model: bytes, signature: Signature) -> "Runtime | Missing":
    """Open a model where onnxruntime is installed; a monitor without it cannot compare."""
    try:
        from ml_gitops.serving.runtime import Runtime

        return Runtime(model, signature)
    except ImportError as error:
        return Missing(reason=f"{error.name} is not installed (ml-gitops[serve] brings it)")
    except MlGitopsError as error:
        return Missing(reason=f"its ONNX file does not open: {error.problem}")


def _pair_batch(
    config: Config, runtime: "Runtime", signature: Signature, batch: Sequence[tuple[Any, ...]]
) -> PairedLoss:
    from ml_gitops.serving.runtime import column

    columns: Mapping[str, Any] = {
        feature.name: column([row[3 + place] for row in batch], feature)
        for place, feature in enumerate(signature.features)
    }
    answers = runtime.run(columns)
    scores = answers[:, 1] if config.model.task == "binary" else answers
    return pair(
        config.model.task,
        [row[0] for row in batch],
        [str(row[1]) for row in batch],
        [row[2] for row in batch],
        scores.tolist(),
    )
