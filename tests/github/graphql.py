"""What only GraphQL can: drafts that become ready and the other way round, and `graph_world`."""

from functools import partial
from typing import Any

from tests.github import graph, graph_world
from tests.github.answers import Answer
from tests.github.documents import node
from tests.github.graph import Hidden, Node
from tests.github.issues import may_triage
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Pull, Thread

_DRAFT = {"markPullRequestReadyForReview": False, "convertPullRequestToDraft": True}


@route("POST", "/graphql")
def graphql(request: Request) -> Answer:
    """Answer a question, or change something."""
    text, variables = str(request.json.get("query")), request.json.get("variables") or {}
    if not any(name in text for name in _DRAFT):
        return graph_world.answer(request)
    changes = {name: partial(_set, request, name) for name in _DRAFT}
    return graph.execute(text, variables, {"mutation": {"__typename": "Mutation", **changes}})


def _set(request: Request, name: str, asked: dict[str, Any]) -> Node:
    """Make a pull request a draft, or ready."""
    wanted = asked["input"]
    thread, pull = _found(request, wanted["pullRequestId"])
    if not (
        request.token.allows("pull_requests", "write")
        and (thread.author.id == request.me.id or may_triage(request))
    ):
        raise Hidden("FORBIDDEN", "Resource not accessible by integration")
    if thread.state != "open":
        raise Hidden("UNPROCESSABLE", "Pull request is closed")
    pull.draft = _DRAFT[name]
    request.world.touch(thread)
    return {
        "__typename": name[0].upper() + name[1:] + "Payload",
        "clientMutationId": wanted.get("clientMutationId"),
        "pullRequest": {
            "__typename": "PullRequest",
            "id": wanted["pullRequestId"],
            "number": thread.number,
            "isDraft": pull.draft,
        },
    }


def _found(request: Request, number: str) -> tuple[Thread, Pull]:
    """Return the pull request with a global id, where who asks may see it."""
    for repository in request.world.repositories.values():
        for thread, pull in repository.pulls():
            inside = request.token.app or repository.role(request.viewer) != "none"
            if node("PR", pull.id) == number and inside:
                request.found = repository
                return thread, pull
    raise Hidden("NOT_FOUND", f"Could not resolve to a node with the global id of '{number}'")
