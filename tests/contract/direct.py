"""A way to the test server without a socket: the same requests and answers, many times faster.

What travels is what `Transport` would send and get; PyGithub and HTTP are held by the other tests.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from ml_gitops.adapters.github.transport import BrokenConnection, Reply, Transport
from tests.github.answers import Answer
from tests.github.front import API, GRAPHQL
from tests.github.server import GitHubServer
from tests.github.web import Incoming


def nothing() -> None:
    """Do nothing between two requests."""


@dataclass(frozen=True)
class Direct(Transport):
    """A transport that calls a server of this process.

    Args:
        server: which one.
        before: what happens before each request.
    """

    server: GitHubServer | None = None
    before: Callable[[], None] = nothing

    def send(
        self,
        verb: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: str = "application/vnd.github+json",
    ) -> Reply:
        """See `Transport`."""
        place = GRAPHQL if path == "/graphql" else API + path
        content = b"" if body is None else json.dumps(body).encode()
        query = urlencode(dict(parameters or {}))
        return self._asked(verb, place, query, content, "application/json", accept)

    def upload(self, url: str, content: bytes, content_type: str) -> Reply:
        """See `Transport`."""
        parts = urlsplit(url)
        return self._asked("POST", parts.path, parts.query, content, content_type, "*/*")

    def _asked(
        self, verb: str, path: str, query: str, content: bytes, kind: str, accept: str
    ) -> Reply:
        assert self.server is not None
        self.before()
        headers = {
            "accept": accept,
            "authorization": f"token {self.token}",
            "content-type": kind,
            "user-agent": "ml-gitops",
        }
        answer = self.server.respond(Incoming(verb, path, query, headers, content))
        if answer.ending:
            raise BrokenConnection(answer.ending)
        return _reply(answer)


def _reply(answer: Answer) -> Reply:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status, headers, answer.payload().decode(errors="replace"))
