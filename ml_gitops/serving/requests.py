"""What requests and answers look like: pydantic models made from a signature."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any, ClassVar, NotRequired

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
SPARE_VALUES = 10_000
"""How many values a body may have beyond those of the model: they are told by name."""
LARGEST_EXACT_INTEGER = 2**53
PROBLEMS_SHOWN, LONGEST_NAME = 20, 100
OLDEST = timedelta(days=7)
"""How old a client's time may be: a queue that stood still over a weekend is sent after it."""
AHEAD = timedelta(minutes=5)
"""How far ahead of ours a client's clock may be."""

_TO_COMMA = re.compile(
    # What never has to look back and never fails takes time in proportion, whatever is sent.
    rb'(?:[^",]++|"(?:[^"\\]++|\\.?)*+(?:"|\Z))*+(?:,|\Z)',
    re.DOTALL,
)

Identifier = Annotated[
    str,
    Strict(),
    Field(
        min_length=1,
        max_length=200,
        description="names the case; late labels are joined by it, and of several answers with "
        "one id the monitor counts the first",
    ),
]


def _moment(oldest: timedelta | None) -> Any:
    """Return the type of a client's time: with its zone, not in the future, not too old.

    Args:
        oldest: how old it may be; None for any age.
    """

    def hold(moment: datetime) -> datetime:
        now = datetime.now(UTC)
        clock = f"the service's clock ({now:%Y-%m-%dT%H:%M:%SZ})"
        if moment.year < 2:  # The calendar's first days have no form in some zones.
            raise ValueError("should be a year from 2 on")
        if moment > now + AHEAD:
            raise ValueError(f"is ahead of {clock}")
        if oldest is not None and moment < now - oldest:
            advice = "leave it out, or ask the operator to serve a replay"
            raise ValueError(f"is more than {oldest.days} days before {clock}; {advice}")
        return moment

    bound = f"at most {oldest.days} days ago" if oldest else "of any age"
    about = Field(description=f"when it was asked, {bound}; now, if left out")
    return Annotated[AwareDatetime, Strict(), AfterValidator(hold), about]


def request_models(
    signature: Signature, base: type[BaseModel], *, replay: bool = False
) -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the models of one request and of a batch of them, each with its `most_values`.

    Args:
        signature: the features a request has; a nullable one may be null or left out.
        base: the class that reads a request from the wire.
        replay: take times of any age.
    """
    config = ConfigDict(extra="forbid")
    fields = {feature.name: _field(feature) for feature in signature.features}
    features = _typed_dict("Features", fields)
    features.__pydantic_config__ = config
    content: dict[str, Any] = {
        "features": (features, ...),
        "id": (Identifier | None, None),
        "time": (_moment(None if replay else OLDEST) | None, None),
    }
    item = create_model("PredictItem", __config__=config, **content)
    items = Annotated[list[item], Field(min_length=1, max_length=MOST_REQUESTS)]
    values = len(fields) + len(content)
    content["most_values"] = (ClassVar[int], values + SPARE_VALUES)
    one = create_model("PredictRequest", __base__=base, **content)
    batch: dict[str, Any] = {
        "requests": (items, ...),
        "most_values": (ClassVar[int], values * MOST_REQUESTS + SPARE_VALUES),
    }
    return one, create_model("PredictBatchRequest", __base__=base, **batch)


def _typed_dict(name: str, fields: dict[str, Any]) -> Any:
    """Return a typed dictionary: unlike a model's fields, its keys may have any name."""
    return TypedDict(name, fields)  # type: ignore[operator]


def answer_models(signature: Signature) -> tuple[type[BaseModel], type[BaseModel]]:
    """Return the models of one answer and of a batch of them."""
    content: dict[str, Any] = dict.fromkeys(("id", "answer_id", "time", "release"), (str, ...))
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


def holds_more(content: bytes, values: int) -> bool:
    """Say whether JSON holds more values than this, without keeping any of them.

    A parser, and even more the list of what is wrong, need up to 170 times the bytes of a body.

    Args:
        content: JSON, or anything; commas in its strings do not count.
    """
    if content.count(b",") < values:
        return False
    # What comes after the last comma is found twice: the rest, and nothing.
    return any(islice(_TO_COMMA.finditer(content), values + 1, None))


def repeated_key(content: bytes) -> str | None:
    """Return a key that an object has twice; JSON leaves open which of the two counts.

    Args:
        content: JSON that fits the models.
    """
    found: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            times = Counter(name for name, _ in pairs)
            found.extend(name for name, count in times.items() if count > 1)

    json.loads(content, object_pairs_hook=look)
    return found[0] if found else None


def problem_lines(error: ValidationError) -> list[str]:
    """Return what is wrong with a request, one line per field."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [_problem_line(problem) for problem in found[:PROBLEMS_SHOWN]]
    if len(found) > PROBLEMS_SHOWN:
        lines.append(f"and {len(found) - PROBLEMS_SHOWN} more")
    return lines


def _problem_line(problem: Any) -> str:
    path = ".".join(str(part)[:LONGEST_NAME] for part in problem["loc"])
    kind = problem["type"]
    if kind == "missing":
        return f"{path}: is missing"
    if kind == "extra_forbidden":
        return f"{path}: is not part of this model's requests"
    message = problem["msg"].removeprefix("Input ").removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{path}: {message}" if path else message
