"""The BentoML service of a release: typed requests in, answers and a prediction log out.

It travels inside the Bento together with the few modules it imports, and reads
the model, its signature and the release from the directory it is given.
"""

import json
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
from pydantic import ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from ml_gitops.document import sha256
from ml_gitops.errors import ServiceError
from ml_gitops.serving.prediction_log import PredictionLog, Record, utc_text
from ml_gitops.serving.requests import answer_models, problem_lines, request_models
from ml_gitops.serving.runtime import Runtime, column
from ml_gitops.serving.signature import Signature

MODEL_FILE = "model.onnx"
RELEASE_FILE = "release.json"
LOG_VARIABLE = "ML_GITOPS_LOG"
LARGEST_BODY = 16 * 2**20

SETTINGS: dict[str, Any] = {
    "workers": 1,  # replicas scale better, and each has a log of its own
    "logging": {"access": {"enabled": False}},  # it costs half of a request's time
    "monitoring": {"enabled": False},  # the prediction log replaces it
    "traffic": {"timeout": 30},
}


def service_class(directory: Path) -> type:
    """Return the class that BentoML serves.

    Args:
        directory: where `model.onnx`, `signature.json` and `release.json` are.

    Raises:
        ServiceError: the model is not the one that was released.
    """
    predictor = read_predictor(directory)
    one, many = request_models(predictor.signature, JsonRequest)
    answer, answers = answer_models(predictor.signature)

    class Service:
        """Predictions of one released model."""

        def __init__(self) -> None:
            predictor.start_log(os.environ.get(LOG_VARIABLE))

        @endpoint(one, answer)
        async def predict(self, request: Any, /) -> Any:
            """Answer one request."""
            if isinstance(request, Refused):
                return request.response()
            return predictor.response(predictor.predict([request])[0])

        @endpoint(many, answers)
        def predict_batch(self, request: Any, /) -> Any:
            """Answer up to 1,000 requests at once."""
            if isinstance(request, Refused):
                return request.response()
            return predictor.response({"answers": predictor.predict(request.requests)})

        @bentoml.on_shutdown  # type: ignore[untyped-decorator]
        def close(self) -> None:
            """Write what the log still holds."""
            predictor.close_log()

    return Service


def endpoint(takes: type, gives: type) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that makes a method an endpoint with models known only at run time."""

    def decorate(method: Callable[..., Any]) -> Any:
        method.__annotations__ = {"request": takes, "return": gives}
        return bentoml.api(batchable=False)(method)

    return decorate


def read_predictor(directory: Path) -> "Predictor":
    """Read a release's files and hold the model to its digest.

    Raises:
        ServiceError: the model is not the one that was released.
    """
    path = directory / Signature.file_name
    signature = Signature.from_json(path.read_bytes(), where=str(path))
    release = json.loads((directory / RELEASE_FILE).read_bytes())
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
    """An open model that answers requests and writes them down."""

    signature: Signature
    release: str
    digest: str
    runtime: Runtime
    log: PredictionLog | None = field(default=None, init=False)

    def start_log(self, directory: str | None) -> None:
        """Open the prediction log; without a directory nothing is logged."""
        self.log = PredictionLog(Path(directory)) if directory else None

    def close_log(self) -> None:
        """Write what is waiting."""
        if self.log is not None:
            self.log.close()

    def predict(self, requests: Sequence[Any]) -> list[dict[str, Any]]:
        """Answer requests that fit the signature, and log them.

        Args:
            requests: with `features`, `id` and `time`.

        Raises:
            ValueError: an answer is no finite number.
        """
        rows = [request.features for request in requests]
        columns = {
            feature.name: column([row.get(feature.name) for row in rows], feature)
            for feature in self.signature.features
        }
        predicted = self.runtime.run(columns)
        if not np.isfinite(predicted).all():
            raise ValueError("the model answered with something that is not a finite number")
        now = datetime.now(UTC)
        answers = [
            {
                "id": request.id or str(uuid.uuid4()),
                "time": utc_text(request.time or now),
                "release": self.release,
                **self._answer(numbers),
            }
            for request, numbers in zip(requests, predicted.tolist(), strict=True)
        ]
        if self.log is not None:
            self.log.append([self._record(*pair) for pair in zip(answers, rows, strict=True)])
        return answers

    def _answer(self, predicted: Any) -> dict[str, Any]:
        if self.signature.task == "regression":
            return {"value": predicted}
        classes = self.signature.classes
        best = max(range(len(classes)), key=predicted.__getitem__)
        if self.signature.task == "binary":
            return {"score": predicted[1], "label": classes[best]}
        probabilities = dict(zip(classes, predicted, strict=True))
        return {"score": predicted[best], "label": classes[best], "probabilities": probabilities}

    def _record(self, answer: dict[str, Any], row: dict[str, Any]) -> Record:
        return {
            "id": answer["id"],
            "time": answer["time"],
            "release": self.release,
            "digest": self.digest,
            "features": {
                feature.name: row.get(feature.name) for feature in self.signature.features
            },
            "score": answer["value"] if "value" in answer else answer["score"],
            "label": answer.get("label"),
        }

    def response(self, content: dict[str, Any]) -> JSONResponse:
        """Return JSON that says which release it comes from."""
        return JSONResponse(content, headers={"x-ml-gitops-release": self.release})


@dataclass(frozen=True)
class Refused:
    """A request that does not fit: an HTTP status and one line per problem."""

    status: int
    problems: list[str]

    def response(self) -> JSONResponse:
        """Return the problems as JSON."""
        content = {"error": "the request does not fit the model", "problems": self.problems}
        return JSONResponse(content, status_code=self.status)


class JsonRequest(bentoml.IODescriptor):  # type: ignore[misc]
    """Reads a request; what does not fit becomes `Refused`, without a traceback in the log."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Any:  # noqa: ARG003
        """Read JSON of a bounded size."""
        kind = request.headers.get("content-type", "application/json").split(";")[0].strip()
        if kind != "application/json":
            return Refused(415, [f"the content type is {kind[:100]}; send application/json"])
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                return Refused(413, [f"the body is over {LARGEST_BODY // 2**20} MiB; split it"])
        try:
            return cls.model_validate_json(bytes(body))
        except ValidationError as error:
            return Refused(400, problem_lines(error))
