"""A release that is open: requests in, answers out, and both written down."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_gitops.document import sha256
from ml_gitops.errors import ServiceError
from ml_gitops.names import MODEL_FILE, SERVED_FILE
from ml_gitops.serving.prediction_log import PredictionLog, Record, utc_text
from ml_gitops.serving.runtime import Runtime, column
from ml_gitops.serving.signature import Signature

if TYPE_CHECKING:
    from numpy.typing import NDArray


class NoAnswer(Exception):
    """Say for which requests the model has no finite answer: their values are too large to add.

    Args:
        rows: their places, from 0.
    """

    def __init__(self, rows: Sequence[int]) -> None:
        super().__init__(f"no finite answer to {list(rows)}")
        self.rows = rows


def read_predictor(directory: Path) -> "Predictor":
    """Read a release's files and hold the model to its digest.

    Args:
        directory: where `model.onnx`, `signature.json` and `served.json` are.

    Raises:
        ServiceError: the model is not the one that was released.
    """
    path = directory / Signature.file_name
    signature = Signature.from_json(path.read_bytes(), where=str(path))
    release = json.loads((directory / SERVED_FILE).read_bytes())
    content = (directory / MODEL_FILE).read_bytes()
    if sha256(content) != release["digest"]:
        raise ServiceError(
            f"the model's digest is not that of {release['tag']}",
            hint="build the Bento again from the release's own files",
            where=str(directory / MODEL_FILE),
        )
    return Predictor(
        signature=signature,
        release=release["tag"],
        digest=release["digest"],
        runtime=Runtime(content, signature),
    )


@dataclass
class Predictor:
    """An open model that answers requests and writes them down.

    Callers may name the case (`id`) and say when it was asked (`time`), and neither is taken on
    trust: every answer has an `answer_id` of its own, and its record says when we `received` the
    request. Of several answers to one id the monitor counts the first that was received, and
    holds the label to that one; repeating an id moves neither counts nor quality.
    """

    signature: Signature
    release: str
    digest: str
    runtime: Runtime
    log: PredictionLog | None = field(default=None, init=False)

    def open_log(self, directory: str | None) -> None:
        """Open the prediction log; without a directory nothing is logged."""
        self.log = PredictionLog(Path(directory)) if directory else None

    def close_log(self) -> None:
        """Write what is waiting."""
        if self.log is not None:
            self.log.close()

    @property
    def ready(self) -> bool:
        """Whether answers can be written down, where they should be."""
        return self.log is None or self.log.writable

    def answer(self, requests: Sequence[Any]) -> list[dict[str, Any]]:
        """Answer requests that fit the signature, and log them.

        Args:
            requests: with `features`, `id` and `time`.

        Raises:
            NoAnswer: an answer is no finite number; nothing is logged.
        """
        rows = [request.features for request in requests]
        predicted = self.runtime.run(
            {
                feature.name: column([row.get(feature.name) for row in rows], feature)
                for feature in self.signature.features
            }
        )
        if unanswered := _not_finite(predicted):
            raise NoAnswer(unanswered)
        received = datetime.now(UTC)
        answers = [
            self._answer(request, numbers, received)
            for request, numbers in zip(requests, predicted.tolist(), strict=True)
        ]
        if self.log is not None:
            when = utc_text(received)
            self.log.append([self._record(*pair, when) for pair in zip(answers, rows, strict=True)])
        return answers

    def _answer(self, request: Any, predicted: Any, received: datetime) -> dict[str, Any]:
        own = str(uuid.uuid4())
        answer = {
            "id": request.id or own,
            "answer_id": own,
            "time": utc_text(request.time or received),
            "release": self.release,
        }
        if self.signature.task == "regression":
            return answer | {"value": predicted}
        classes = self.signature.classes
        best = max(range(len(classes)), key=predicted.__getitem__)
        if self.signature.task == "binary":
            return answer | {"score": predicted[1], "label": classes[best]}
        probabilities = dict(zip(classes, predicted, strict=True))
        said = {"score": predicted[best], "label": classes[best], "probabilities": probabilities}
        return answer | said

    def _record(self, answer: dict[str, Any], row: dict[str, Any], received: str) -> Record:
        return {
            "id": answer["id"],
            "answer_id": answer["answer_id"],
            "time": answer["time"],
            "received": received,
            "release": self.release,
            "digest": self.digest,
            "features": {
                feature.name: row.get(feature.name) for feature in self.signature.features
            },
            "score": answer["value"] if "value" in answer else answer["score"],
            "label": answer.get("label"),
        }


def _not_finite(predicted: "NDArray[Any]") -> list[int]:
    """Return the rows whose answer no JSON can hold."""
    bad = ~np.isfinite(predicted)
    return [int(row) for row in np.flatnonzero(bad.any(axis=1) if bad.ndim > 1 else bad)]
