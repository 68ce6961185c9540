"""What requests and answers look like: pydantic models made from a signature."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    create_model,
)
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from ml_gitops.data.schema import Feature
from ml_gitops.serving.signature import Signature

MOST_REQUESTS = 1_000
LARGEST_EXACT_INTEGER = 2**53
PROBLEMS_SHOWN = 20

Identifier = Annotated[
    str, Strict(), Field(min_length=1, max_length=200, description="joins late labels")
]


def _with_a_day_around(moment: datetime) -> datetime:
    """Refuse the first and last days of the calendar, which have no form in every zone."""
    if not 1 < moment.year < 9999:
        raise ValueError("should be a year from 2 to 9998")
    return moment


Moment = Annotated[
    AwareDatetime,
    Strict(),
    AfterValidator(_with_a_day_around),
    Field(description="when the prediction is made; now, if left out"),
]


def request_models(
    signature: Signature, base: type[BaseModel]
) -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the models of one request and of a batch of them.

    Args:
        signature: the features a request has; a nullable one may be null or left out.
        base: the class that reads a request from the wire.
    """
    config = ConfigDict(extra="forbid")
    fields = {feature.name: _field(feature) for feature in signature.features}
    features = _typed_dict("Features", fields)
    features.__pydantic_config__ = config
    content: dict[str, Any] = {
        "features": (features, ...),
        "id": (Identifier | None, None),
        "time": (Moment | None, None),
    }
    item = create_model("PredictItem", __config__=config, **content)
    items = Annotated[list[item], Field(min_length=1, max_length=MOST_REQUESTS)]
    one = create_model("PredictRequest", __base__=base, **content)
    many = create_model("PredictBatchRequest", __base__=base, requests=(items, ...))
    return one, many


def _typed_dict(name: str, fields: dict[str, Any]) -> Any:
    """Return a typed dictionary: unlike a model's fields, its keys may have any name."""
    return TypedDict(name, fields)  # type: ignore[operator]


def answer_models(signature: Signature) -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the models of one answer and of a batch of them."""
    content: dict[str, Any] = {"id": (str, ...), "time": (str, ...), "release": (str, ...)}
    if signature.task == "regression":
        content |= {"value": (float, ...)}
    else:
        content |= {"score": (float, ...), "label": (str, ...)}
    if signature.task == "multiclass":
        content |= {"probabilities": (dict[str, float], ...)}
    answer = create_model("Prediction", **content)
    answers = create_model("Predictions", answers=(list[answer], ...))
    return answer, answers


def _field(feature: Feature) -> Any:
    """Return a feature's type with what the contract asks of its values.

    Declared `values` are documentation: an unseen string is answered, and the
    monitor counts it.
    """
    bounds = Field(ge=feature.minimum, le=feature.maximum)
    limit = LARGEST_EXACT_INTEGER
    kinds: dict[str, Any] = {
        "number": Annotated[float, Strict(), Field(allow_inf_nan=False), bounds],
        "integer": Annotated[
            int, Strict(), Field(ge=-limit, le=limit), bounds, BeforeValidator(_whole)
        ],
        "boolean": Annotated[bool, Strict()],
        "string": Annotated[str, Strict(), Field(max_length=10_000)],
    }
    examples = list(feature.values[:5]) if feature.values else None
    about = Field(description=feature.about or None, examples=examples)
    kind = kinds[feature.type]
    if feature.nullable:
        return NotRequired[Annotated[kind | None, about]]
    return Annotated[kind, about]


def _whole(value: Any) -> Any:
    """Return 3.0 as 3: JSON has one kind of number, and some clients write it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def problem_lines(error: ValidationError) -> list[str]:
    """Return what is wrong with a request, one line per field."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [_problem_line(problem) for problem in found[:PROBLEMS_SHOWN]]
    if len(found) > PROBLEMS_SHOWN:
        lines.append(f"and {len(found) - PROBLEMS_SHOWN} more")
    return lines


def _problem_line(problem: Any) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    kind = problem["type"]
    if kind == "missing":
        return f"{path}: is missing"
    if kind == "extra_forbidden":
        return f"{path}: is not part of this model's requests"
    message = problem["msg"].removeprefix("Input ")
    message = message[:1].lower() + message[1:]
    return f"{path}: {message}" if path else message
