"""From a request to its handler: routes, permissions, and what handlers are given."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import unquote

from tests.github.accounts import Role
from tests.github.answers import Answer, Refusal, not_found
from tests.github.request import Request

LONG = {"ref", "path", "basehead", "branch", "tag"}
"""Parameters that hold slashes, although OpenAPI cannot say so."""


Handler = Callable[[Request], Any]
Caller = Literal["anybody", "installation", "app"]


@dataclass(frozen=True)
class Route:
    """An operation of the API.

    Attributes:
        template: as GitHub's OpenAPI names it.
        permission: what an app's token needs, as `contents:write`; `|` separates choices.
        role: what a person's token needs on the repository.
        caller: whether it is for everybody, for installations, or for an app with its JWT.
    """

    method: str
    template: str
    handler: Handler
    permission: str
    role: Role
    caller: Caller
    pattern: re.Pattern[str]


_ROUTES: list[Route] = []


def route(
    method: str,
    template: str,
    permission: str = "metadata:read",
    role: Role = "read",
    *,
    caller: Caller = "anybody",
) -> Callable[[Handler], Handler]:
    """Serve an operation with a function; see `Route`."""

    def register(handler: Handler) -> Handler:
        pattern = re.compile(_expression(template) + "$")
        _ROUTES.append(Route(method, template, handler, permission, role, caller, pattern))
        return handler

    return register


def _expression(template: str) -> str:
    parts = re.split(r"\{([^}]+)\}", template)
    for index in range(1, len(parts), 2):
        parts[index] = f"(?P<{parts[index]}>{'.*' if parts[index] in LONG else '[^/]+'})"
    return "".join(re.escape(it) if i % 2 == 0 else it for i, it in enumerate(parts))


@cache
def routes() -> list[Route]:
    """Return every operation, those with the fewest parameters first."""
    return sorted(_ROUTES, key=lambda it: (it.template.count("{"), -len(it.template)))


def find(request: Request) -> Route:
    """Return the operation of a request, and take its parameters from the path."""
    method = "GET" if request.method == "HEAD" else request.method
    for it in routes():
        match = it.pattern.match(request.path) if it.method == method else None
        if match:
            request.route = it
            request.params = {name: unquote(value) for name, value in match.groupdict().items()}
            return it
    raise not_found()


def handle(request: Request) -> Answer:
    """Answer a request whose token is known: find its operation, check, and do it."""
    if "user-agent" not in request.headers:
        raise Refusal(403, "Request forbidden by administrative rules. Name a User-Agent.")
    it = find(request)
    if request.token.is_app != (it.caller == "app"):
        wrong = "A JSON web token could not be decoded" if it.caller == "app" else "Bad credentials"
        raise Refusal(401, wrong)
    if it.method != "GET" and request.token.account is None and not request.token.is_app:
        raise Refusal(401, "Requires authentication")
    if "{owner}/{repo}" in it.template:
        _enter(request, it)
    answer = it.handler(request)
    return answer if isinstance(answer, Answer) else Answer(document=answer)


def _enter(request: Request, it: Route) -> None:
    """Find the repository, and refuse as GitHub does who may not do this there."""
    token = request.token
    repository = request.world.repository(request.params["owner"], request.params["repo"])
    if repository is None:
        raise not_found()
    request.found = repository
    inside = token.reaches(repository.id) and (token.app or repository.may(token.account, "read"))
    reading = it.permission.endswith(":read")
    if repository.private and not inside:
        raise not_found()
    if token.is_app:
        return
    if token.app is not None:
        settings = it.permission.startswith("administration")
        public = reading and not repository.private and not settings
        if not public and not (inside and _permitted(request, it)):
            raise Refusal(403, "Resource not accessible by integration")
        return
    if it.caller == "installation":
        raise Refusal(403, "You must authenticate via a GitHub App.")
    if not reading and not (token.reaches(repository.id) and _permitted(request, it)):
        raise Refusal(403, "Resource not accessible by personal access token")
    if not repository.may(token.account, it.role):
        # Git data is hidden from who may not write it, the rest is refused openly.
        if it.permission.startswith("contents"):
            raise not_found()
        raise Refusal(403, "Must have admin rights to Repository.")


def _permitted(request: Request, it: Route) -> bool:
    """Whether a token has one of the permissions that an operation takes."""
    return any(
        request.token.allows(*choice.split(":"))
        for choice in it.permission.split("|")
        if choice != "pull_requests:write" or "issues" not in it.permission or _is_pull(request)
    )


def _is_pull(request: Request) -> bool:
    """Whether the issue of a request is a pull request."""
    number = request.params.get("issue_number", "")
    thread = request.repository.threads.get(int(number)) if number.isdecimal() else None
    note = request.params.get("comment_id", "")
    if note.isdecimal():
        threads = request.repository.threads.values()
        thread = next((it for it in threads for n in it.notes if n.id == int(note)), None)
    return thread is not None and thread.pull is not None
