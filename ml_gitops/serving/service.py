"""The BentoML service of a release: typed requests in over HTTP, answers out.

It travels inside the Bento together with the few modules it imports, and reads
the model, its signature and the release from the directory it is given. What
does not fit is a 4xx with one line per problem; nothing a caller sends is a 500.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import bentoml
from pydantic import ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from ml_gitops.names import LOG_VARIABLE, REPLAY_VARIABLE
from ml_gitops.serving.predictor import NoAnswer, Predictor, read_predictor
from ml_gitops.serving.requests import (
    LONGEST_NAME,
    answer_models,
    holds_more,
    problem_lines,
    repeated_key,
    request_models,
)

LARGEST_BODY = 4 * 2**20
"""Bytes: of a full batch 4 kB a row."""

SETTINGS: dict[str, Any] = {
    "workers": 1,  # replicas scale better, and each has a log of its own
    "logging": {"access": {"enabled": False}},  # it costs half of a request's time
    "monitoring": {"enabled": False},  # the prediction log replaces it
    "traffic": {"timeout": 30},
}


def service_class(directory: Path) -> type:
    """Return the class that BentoML serves.

    Args:
        directory: where `model.onnx`, `signature.json` and `served.json` are.

    Raises:
        ServiceError: the model is not the one that was released.
    """
    predictor = read_predictor(directory)
    replay = bool(os.environ.get(REPLAY_VARIABLE))
    one, many = request_models(predictor.signature, JsonRequest, replay=replay)
    answer, answers = answer_models(predictor.signature)

    class Service:
        """Predictions of one released model."""

        def __init__(self) -> None:
            predictor.open_log(os.environ.get(LOG_VARIABLE))

        async def __is_ready__(self) -> bool:
            """Ask for no traffic while answers cannot be written down."""
            return predictor.ready

        @endpoint(one, answer)
        async def predict(self, request: Any, /) -> Any:
            """Answer one request."""
            return respond(predictor, request)

        @endpoint(many, answers)
        def predict_batch(self, request: Any, /) -> Any:
            """Answer up to 1,000 requests at once."""
            return respond(predictor, request)

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


def respond(predictor: Predictor, request: Any) -> JSONResponse:
    """Answer a request over HTTP, and say which release the answer comes from.

    Args:
        predictor: the open release.
        request: one request, or an object with several `requests`, or what was `Refused`.
    """
    if isinstance(request, Refused):
        return request.response()
    batch = getattr(request, "requests", None)
    try:
        answers = predictor.answer([request] if batch is None else batch)
    except NoAnswer as none:
        places = ["features" if batch is None else f"requests.{row}" for row in none.rows]
        problems = [f"{place}: the model has no finite answer to them" for place in places]
        return Refused(422, problems).response()
    content = answers[0] if batch is None else {"answers": answers}
    return JSONResponse(content, headers={"x-ml-gitops-release": predictor.release})


@dataclass(frozen=True)
class Refused:
    """A request that cannot be answered: an HTTP status and one line per problem."""

    status: int
    problems: list[str]

    def response(self) -> JSONResponse:
        """Return the problems as JSON."""
        content = {"error": "the request does not fit the model", "problems": self.problems}
        return JSONResponse(content, status_code=self.status)


class JsonRequest(bentoml.IODescriptor):  # type: ignore[misc]
    """Reads a request; what does not fit becomes `Refused`, without a traceback in the log."""

    model_config = ConfigDict(extra="forbid")
    most_values: ClassVar[int]

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Any:  # noqa: ARG003
        """Read JSON of a bounded size."""
        kind = request.headers.get("content-type", "application/json").split(";")[0].strip()
        if kind.lower() != "application/json":
            return Refused(415, [f"the content type is {kind[:100]}; send application/json"])
        body = await bounded_body(request)
        if isinstance(body, Refused):
            return body
        if holds_more(body, cls.most_values):
            return Refused(413, [f"the body holds more than {cls.most_values:,} values; split it"])
        try:
            fits = cls.model_validate_json(body)
        except ValidationError as error:
            return Refused(400, problem_lines(error))
        if twice := repeated_key(body):
            return Refused(400, [f"{twice[:LONGEST_NAME]}: is there twice"])
        return fits


async def bounded_body(request: Request) -> bytes | Refused:
    """Return the body of a request, if it is of a sane size and arrives whole."""
    received = bytearray()
    try:
        async for chunk in request.stream():
            received += chunk
            if len(received) > LARGEST_BODY:
                return Refused(413, [f"the body is over {LARGEST_BODY // 2**20} MiB; split it"])
    except ClientDisconnect:
        return Refused(400, ["the caller left before the body was whole"])
    return bytes(received)
