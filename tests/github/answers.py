"""What a handler gives back, and the refusals of GitHub with its own words."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Ending = Literal["", "hang", "reset", "cut"]

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass
class Answer:
    """A response before it is written: a JSON document, or bytes of some other type.

    Attributes:
        ending: how the connection breaks, if it does: nothing is sent (`hang`, `reset`),
            or half of what was announced (`cut`).
    """

    status: int = 200
    document: Any = None
    body: bytes | None = None
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    ending: Ending = ""

    def payload(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is not None:
            return self.body
        return b"" if self.document is None else json.dumps(self.document).encode()


@dataclass
class Page(Answer):
    """A list that GitHub gives out in pages.

    Attributes:
        items: all of them; the router cuts the page that was asked for.
        key: the name of the list, where GitHub wraps it into an object with `total_count`.
    """

    items: Sequence[Any] = ()
    key: str = ""


def page(items: Iterable[Any], key: str = "") -> Page:
    """Return all items as a list that is paged."""
    return Page(items=list(items), key=key)


def created(document: Any, url: str = "") -> Answer:
    """Return 201 with the new thing."""
    return Answer(201, document, headers={"Location": url} if url else {})


def no_content() -> Answer:
    """Return 204."""
    return Answer(204)


class Refusal(Exception):
    """An answer that is an error.

    Args:
        status: of HTTP.
        message: GitHub's words.
        errors: the details that GitHub adds to 422.
        headers: besides the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}

    @property
    def answer(self) -> Answer:
        """The response that says so."""
        document: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            document["errors"] = list(self.errors)
        document |= {"documentation_url": DOCUMENTATION, "status": str(self.status)}
        return Answer(self.status, document, headers=self.headers)


def not_found() -> Refusal:
    """Return GitHub's answer for what is not there, or is hidden from who asks."""
    return Refusal(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str = "") -> Refusal:
    """Return GitHub's 422 about one field of a resource."""
    error = {"resource": resource, "field": field, "code": code}
    if message:
        error["message"] = message
    return Refusal(422, "Validation Failed", [error])


def custom(resource: str, message: str) -> Refusal:
    """Return GitHub's 422 about a whole resource."""
    error = {"resource": resource, "code": "custom", "message": message}
    return Refusal(422, "Validation Failed", [error])


def malformed(problem: str) -> Refusal:
    """Return GitHub's 422 about a request that breaks the schema of its operation."""
    return Refusal(422, f"Invalid request.\n\n{problem}")
