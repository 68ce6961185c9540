"""A request as handlers see it."""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.github.accounts import Account, Token
from tests.github.answers import Refusal, invalid, malformed, not_found
from tests.github.world import Repository, Thread, World

if TYPE_CHECKING:
    from tests.github.routing import Route


@dataclass
class Request:
    """A request as handlers see it: who asks what of which repository.

    Attributes:
        path: below the root of the API.
        uploads: whether it came to the host that takes the bytes of assets.
    """

    world: World
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    token: Token = field(default_factory=lambda: Token(""))
    params: dict[str, str] = field(default_factory=dict)
    route: "Route | None" = None
    found: Repository | None = None
    uploads: bool = False

    @property
    def writes(self) -> bool:
        """Whether it is to change something; most questions in GraphQL are not."""
        if self.path == "/graphql":
            return re.search(rb'"query": *"[^"{]*\bmutation\b', self.body) is not None
        return self.method not in {"GET", "HEAD"}

    @property
    def viewer(self) -> Account | None:
        """Who asks; None is nobody."""
        return self.token.account

    @property
    def me(self) -> Account:
        """Who asks, where the route lets nobody in."""
        if self.token.account is None:
            raise Refusal(401, "Requires authentication")
        return self.token.account

    @property
    def repository(self) -> Repository:
        """The repository that the path names."""
        assert self.found is not None
        return self.found

    @property
    def accept(self) -> str:
        """The media type that was asked for: `raw`, `diff`, `patch`, `octet-stream` or `json`."""
        match = re.search(r"(raw|diff|patch|octet-stream)\b", self.headers.get("accept", ""))
        return match[1] if match else "json"

    def number(self, name: str) -> int:
        """Return a number from the path."""
        text = self.params[name]
        if not text.isdecimal():
            raise not_found()
        return int(text)

    def thread(self, name: str = "issue_number") -> Thread:
        """Return the issue or pull request that the path names."""
        thread = self.repository.threads.get(self.number(name))
        if thread is None:
            raise not_found()
        return thread

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; an empty body is an empty one."""
        document = self.document
        if not isinstance(document, dict):
            raise Refusal(400, "Body should be a JSON object")
        return document

    @property
    def document(self) -> Any:
        """The body, whatever JSON it is."""
        try:
            return json.loads(self.body) if self.body else {}
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None

    def required(self, name: str) -> Any:
        """Return a field of the body that has to be there."""
        value = self.json.get(name)
        if value is None:
            raise malformed(f'"{name}" wasn\'t supplied.')
        return value

    def text(self, name: str, resource: str, limit: int) -> str:
        """Return a text of the body, no longer than GitHub takes it."""
        value = self.json.get(name)
        if not isinstance(value, str) or not value.strip():
            raise invalid(resource, name, "missing_field")
        return within(value, name, resource, limit)


def within(value: str, name: str, resource: str, limit: int) -> str:
    """Return a text that is no longer than a limit.

    Raises:
        Refusal: 422, in the words of GitHub.
    """
    if len(value) > limit:
        raise invalid(
            resource, name, "custom", f"{name} is too long (maximum is {limit} characters)"
        )
    return value
