"""The release that served before, asked again: both on the same labelled rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ml_gitops.config import Config
from ml_gitops.document import Missing
from ml_gitops.errors import MlGitopsError
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.query import LogFiles, Span
from ml_gitops.monitoring.rollback import PairedLoss, answered_rows, pair
from ml_gitops.names import MODEL_FILE
from ml_gitops.ports import Forge, Warehouse
from ml_gitops.serving.signature import Signature
from ml_gitops.workflows.registry import read_release, released_file

if TYPE_CHECKING:
    from ml_gitops.serving.runtime import Runtime

BATCH_ROWS = 10_000


def paired_loss(
    config: Config,
    forge: Forge,
    warehouse: Warehouse,
    before: str | None,
    log: LogFiles,
    labels: LabelFiles,
    windows: Sequence[Span],
    releases: Sequence[str],
) -> PairedLoss | Missing:
    """Let the release before answer the labelled rows, batch by batch."""
    if before is None:
        return Missing(reason="there is none")
    if config.model.task == "multiclass":
        return Missing(reason="a multiclass log holds one probability per row")
    release = read_release(forge, before)
    signature = Signature.from_json(
        released_file(forge, release, Signature.file_name), where=before
    )
    rows = answered_rows(warehouse, log, labels, signature.features, windows, releases)
    if rows is None:
        return Missing(reason="there are no labels yet")
    runtime = _open(released_file(forge, release, MODEL_FILE), signature)
    if isinstance(runtime, Missing):
        return runtime
    total = PairedLoss()
    for batch in warehouse.batches(rows.sql, rows.parameters, BATCH_ROWS):
        total += _pair_batch(config, runtime, signature, batch)
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
