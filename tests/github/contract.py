"""GitHub's own OpenAPI description, held against every request and every answer."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft4Validator, validators
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.github.answers import Answer
from tests.github.request import Request

_URI = "github:"
_FALSE_ALARM = re.compile(
    r"labels/\d+/description: None is not|head/repo: None is not|^: .* is valid under each of",
    re.DOTALL,
)
"""Where GitHub's schemas are stricter than GitHub: labels without a description and heads whose
fork was deleted have null, and an error may fit two forms of errors at once."""


def _unless_null(check: Any) -> Any:
    """Return a check that lets null pass where OpenAPI 3.0 says `nullable`."""

    def checked(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        if instance is None and schema.get("nullable"):
            return ()
        return check(validator, value, instance, schema)

    return checked


_KEYWORDS = ("type", "enum", "anyOf", "oneOf", "allOf")
_OpenApi = validators.extend(
    Draft4Validator, {it: _unless_null(Draft4Validator.VALIDATORS[it]) for it in _KEYWORDS}
)


class Contract:
    """Says what in a request or an answer GitHub's description does not allow."""

    def __init__(self, file: Path) -> None:
        self._document = json.loads(file.read_text())
        resource = Resource(self._document, DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._known: dict[str, Any] = {}

    def knows(self, method: str, template: str) -> bool:
        """Whether GitHub has an operation."""
        return bool(self._at("/paths", template, method.lower())[0])

    def request(self, request: Request) -> list[str]:
        """Return what is wrong with a request that has a route."""
        operation, here, name = self._operation(request)
        if not operation:
            return [f"{name}: no such operation"]
        parameters = [
            self._at(f"{here}/parameters", str(index))[0]
            for index in range(len(operation.get("parameters", [])))
        ]
        known = {it["name"] for it in parameters if it["in"] == "query"}
        problems = [f"{name}: unknown query {it}" for it in request.query if it not in known]
        schema, place = self._at(here, "requestBody", "content", "application/json", "schema")
        if not schema or not request.body:
            return problems
        body = request.document
        if _allowed(request, body):
            return problems
        problems += self._errors(place, body, name)
        fields = schema.get("properties")
        if fields and isinstance(body, dict):
            problems += [f"{name}: unknown field {it}" for it in body if it not in fields]
        return problems

    def answer(self, request: Request, answer: Answer) -> list[str]:
        """Return what is wrong with an answer to a request that has a route."""
        operation, here, name = self._operation(request)
        if not operation or answer.body is not None:
            return []
        name += f" -> {answer.status}"
        described, here = self._at(here, "responses", str(answer.status))
        if not described:
            # GitHub gives errors everywhere, and describes them at some operations.
            fine = answer.status >= 400 or answer.status == 304
            return [] if fine else [f"{name}: no such answer"]
        schema, place = self._at(here, "content", "application/json", "schema")
        if not schema or answer.document is None:
            return []
        return self._errors(place, answer.document, name)

    def _operation(self, request: Request) -> tuple[dict[str, Any], str, str]:
        """Return an operation, where it is described, and its name."""
        route = request.route
        assert route is not None
        found = self._at("/paths", route.template, route.method.lower())
        return *found, f"{route.method} {route.template}"

    def _at(self, pointer: str, *steps: str) -> tuple[dict[str, Any], str]:
        """Return a part below another, and its pointer; `{}` if there is none."""
        part = self._read(pointer)
        for step in steps:
            part = part[int(step)] if isinstance(part, list) else part.get(step, {})
            pointer += "/" + step.replace("~", "~0").replace("/", "~1")
            while "$ref" in part:
                pointer = part["$ref"].removeprefix("#")
                part = self._read(pointer)
        return part, pointer

    def _read(self, pointer: str) -> Any:
        part = self._document
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            part = part[int(name)] if isinstance(part, list) else part[name]
        return part

    def _errors(self, pointer: str, document: Any, name: str) -> list[str]:
        validator = self._known.get(pointer)
        if validator is None:
            reference = {"$ref": _URI + "#" + quote(pointer, safe="/~")}
            validator = _OpenApi(reference, registry=self._registry)
            self._known[pointer] = validator
        found = (
            f"{'/'.join(map(str, it.path))}: {it.message}" for it in validator.iter_errors(document)
        )
        return [f"{name}: {it[:300]}" for it in found if not _FALSE_ALARM.search(it)]


def _allowed(request: Request, body: Any) -> bool:
    """Whether GitHub takes a body that its description does not know."""
    # PyGithub sends labels as a bare list, the oldest form of that operation.
    return isinstance(body, list) and request.path.endswith("/labels")


@cache
def load(file: Path) -> Contract:
    """Return the contract of a description, read once in a process."""
    return Contract(file)
