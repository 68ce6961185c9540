"""Commit statuses: one word about a commit, by context."""

from dataclasses import dataclass
from datetime import datetime

from tests.github import documents
from tests.github.accounts import Account
from tests.github.answers import Answer, Refusal, created, invalid, page
from tests.github.documents import minimal, url_of, user
from tests.github.history import resolve
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, stamp

_STATES = ("error", "failure", "pending", "success")


@dataclass
class Status:
    """A status; the newest of its context counts."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target: str | None
    author: Account
    created: datetime


def _document(request: Request, status: Status) -> Document:
    when = stamp(status.created)
    return {
        "url": f"{url_of(request.world, request.repository)}/statuses/{status.sha}",
        "avatar_url": user(request.world, status.author)["avatar_url"],
        "id": status.id,
        "node_id": documents.node("SC", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target,
        "context": status.context,
        "created_at": when,
        "updated_at": when,
    }


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses:write", "write")
def create(request: Request) -> Answer:
    """Say something about a commit."""
    sha, body = request.params["sha"], request.json
    if not request.repository.git.is_a("commit", sha):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    state = request.required("state")
    if state not in _STATES:
        raise invalid("Status", "state")
    context, text = body.get("context", "default"), body.get("description")
    if text is not None and len(text) > 140:
        problem = "description is too long (maximum is 140 characters)"
        raise invalid("Status", "description", "custom", problem)
    now, number = request.world.now(), request.world.next_id()
    status = Status(number, sha, state, context, text, body.get("target_url"), request.me, now)
    request.repository.statuses.append(status)
    creator = {"creator": user(request.world, request.me)}
    return created(_document(request, status) | creator)


def _at(request: Request) -> tuple[str, list[Status]]:
    sha = resolve(request.repository, request.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {request.params['ref']}")
    return sha, [it for it in reversed(request.repository.statuses) if it.sha == sha]


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses", "statuses:read")
def statuses(request: Request) -> Answer:
    """List every status of a commit, the newest first."""
    creators = ((it, {"creator": user(request.world, it.author)}) for it in _at(request)[1])
    return page(_document(request, it) | creator for it, creator in creators)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/status", "statuses:read")
def combined(request: Request) -> Document:
    """Give the newest status of each context, and the worst of them."""
    sha, found = _at(request)
    newest: dict[str, Status] = {}
    for it in found:
        newest.setdefault(it.context, it)
    states = {it.state for it in newest.values()}
    worst = "failure" if states & {"error", "failure"} else "pending"
    url = url_of(request.world, request.repository)
    return {
        "state": "success" if states == {"success"} else worst,
        "sha": sha,
        "total_count": len(newest),
        "statuses": [_document(request, it) for it in newest.values()],
        "repository": minimal(request.world, request.repository),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }
