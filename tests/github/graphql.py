"""The things that only GraphQL can: drafts that become ready, and all of `graph_world`."""

import re
from typing import Any

from tests.github import graph_world
from tests.github.answers import Answer
from tests.github.documents import node
from tests.github.issues import may_triage
from tests.github.routing import Request, route
from tests.github.world import Document

_DRAFT = {"markPullRequestReadyForReview": False, "convertPullRequestToDraft": True}


@route("POST", "/graphql")
def graphql(request: Request) -> Answer | Document:
    """Do one mutation; its answer is a subset of what was asked for."""
    query, variables = str(request.json.get("query")), request.json.get("variables") or {}
    match = re.search(r"\b(" + "|".join(_DRAFT) + r")\s*\(", query)
    if match is None:
        return graph_world.answer(request)
    wanted: Any = variables.get("input", variables)
    number = wanted.get("pullRequestId") or wanted.get("pull_request_id")
    for repository in request.world.repositories.values():
        for thread, pull in repository.pulls():
            if node("PR", pull.id) != number or repository.role(request.viewer) == "none":
                continue
            request.found = repository
            mine = thread.author.id == request.me.id or may_triage(request)
            if not mine or not request.token.allows("pull_requests", "write"):
                return _error("FORBIDDEN", "Resource not accessible by integration")
            if thread.state != "open":
                return _error("UNPROCESSABLE", "Pull request is closed")
            pull.draft = _DRAFT[match[1]]
            request.world.touch(thread)
            document = {"id": number, "isDraft": pull.draft, "number": thread.number}
            client = {"clientMutationId": wanted.get("clientMutationId")}
            return {"data": {match[1]: {**client, "pullRequest": document}}}
    return _error("NOT_FOUND", f"Could not resolve to a node with the global id of '{number}'")


def _error(kind: str, message: str) -> Document:
    return {"data": None, "errors": [{"type": kind, "message": message, "path": []}]}
