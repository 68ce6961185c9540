"""Issues, and the issue that every pull request is."""

from typing import Any

from tests.github import documents, pushes
from tests.github.accounts import Account
from tests.github.answers import Answer, Refusal, created, invalid, page
from tests.github.documents import integration, maybe_user, page_of, thread_url, url_of, user
from tests.github.labels import label_document, named_labels
from tests.github.request import Request, within
from tests.github.routing import route
from tests.github.world import Document, Label, Repository, Thread, World, stamp

LONGEST_TITLE = 256
LONGEST_BODY = 65_536
"""Characters."""


def issue_document(request: Request, thread: Thread, *, whole: bool = True) -> Document:
    """Return an issue; lists leave out who closed it."""
    world, repository = request.world, request.repository
    url = thread_url(world, repository, thread)
    kind = "pull" if thread.pull else "issues"
    web = f"{page_of(world, repository)}/{kind}/{thread.number}"
    people = [user(world, it) for it in thread.assignees]
    document: Document = {
        "id": thread.id,
        "node_id": documents.node("PR" if thread.pull else "I", thread.id),
        "number": thread.number,
        "url": url,
        "repository_url": url_of(world, repository),
        "labels_url": url + "/labels{/name}",
        "comments_url": url + "/comments",
        "events_url": url + "/events",
        "timeline_url": url + "/timeline",
        "html_url": web,
        "title": thread.title,
        "user": user(world, thread.author),
        "labels": [label_document(request, it) for it in thread.labels],
        "state": thread.state,
        "locked": thread.locked,
        "assignee": people[0] if people else None,
        "assignees": people,
        "milestone": None,
        "comments": len(thread.notes),
        "created_at": stamp(thread.created),
        "updated_at": stamp(thread.updated),
        "closed_at": stamp(thread.closed),
        "author_association": documents.association(repository, thread.author),
        "active_lock_reason": None,
        "body": thread.body,
        "reactions": reactions(url),
        "performed_via_github_app": integration(world, thread.app) if thread.app else None,
        "state_reason": thread.reason,
    }
    if thread.pull:
        pull = thread_url(world, repository, thread, "pulls")
        merged = stamp(thread.pull.merged)
        document["draft"] = thread.pull.draft
        document["pull_request"] = {
            "url": pull,
            "html_url": web,
            "diff_url": web + ".diff",
            "patch_url": web + ".patch",
            "merged_at": merged,
        }
    return document | ({"closed_by": maybe_user(world, thread.closed_by)} if whole else {})


def reactions(url: str) -> Document:
    """Return that nobody reacted."""
    kinds = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")
    return {"url": url + "/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def new_thread(request: Request, title: str, body: str | None) -> Thread:
    """Return an issue with the next number; it is not in the repository yet."""
    world, repository, now = request.world, request.repository, request.world.now()
    number = max(repository.threads, default=0) + 1
    thread = Thread(world.next_id(), number, title, body, request.me, now, now)
    thread.app = request.token.app
    return thread


def checked_body(request: Request, resource: str) -> str | None:
    """Return the body of a request, no longer than GitHub takes it."""
    body = request.json.get("body")
    if body is None:
        return None
    if not isinstance(body, str):
        raise invalid(resource, "body")
    return within(body, "body", resource, LONGEST_BODY)


@route("GET", "/repos/{owner}/{repo}/issues", "issues:read|pull_requests:read")
def issues(request: Request) -> Answer:
    """List issues and pull requests, the newest first; open ones unless others are asked for."""
    query = request.query
    state, wanted = (
        query.get("state", "open"),
        set(filter(None, query.get("labels", "").split(","))),
    )
    found = [
        it
        for it in request.repository.threads.values()
        if state in ("all", it.state)
        and wanted <= {label.name for label in it.labels}
        and query.get("creator", it.author.login).lower() == it.author.login.lower()
        and (stamp(it.updated) or "") >= query.get("since", "")
    ]
    return page(issue_document(request, it, whole=False) for it in ordered(found, query))


def ordered(threads: list[Thread], query: dict[str, str], default: str = "desc") -> list[Thread]:
    """Return threads in the order that a query asks for."""
    keys: dict[str, Any] = {
        "created": lambda it: it.number,
        "updated": lambda it: (it.updated, it.number),
        "comments": lambda it: (len(it.notes), it.number),
    }
    key = keys.get(query.get("sort", "created"), keys["created"])
    return sorted(threads, key=key, reverse=query.get("direction", default) == "desc")


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:read|pull_requests:read")
def issue(request: Request) -> Document:
    """Give an issue, or the issue of a pull request."""
    return issue_document(request, request.thread())


@route("POST", "/repos/{owner}/{repo}/issues", "issues:write")
def create(request: Request) -> Answer:
    """Open an issue; labels of those who may not label are dropped without a word."""
    title = request.text("title", "Issue", LONGEST_TITLE)
    thread = new_thread(request, title, checked_body(request, "Issue"))
    if may_triage(request):
        thread.labels = named_labels(request, request.json.get("labels") or [])
        thread.assignees = _assignees(request, request.json.get("assignees") or [])
    request.repository.threads[thread.number] = thread
    document = issue_document(request, thread)
    return created(document, document["url"])


@route("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:write|pull_requests:write")
def update(request: Request) -> Document:
    """Change an issue, or what a pull request has as one."""
    thread, body = request.thread(), request.json
    if thread.author.id != request.me.id and not may_triage(request):
        raise Refusal(403, "Must have admin rights to Repository.")
    if "title" in body:
        thread.title = request.text("title", "Issue", LONGEST_TITLE)
    if "body" in body:
        thread.body = checked_body(request, "Issue")
    if "labels" in body:
        thread.labels = named_labels(request, body["labels"] or [])
    if "assignees" in body:
        thread.assignees = _assignees(request, body["assignees"] or [])
    if "state" in body:
        set_state(request.world, request.repository, thread, body, request.me)
    request.world.touch(thread)
    return issue_document(request, thread)


def set_state(
    world: World, repository: Repository, thread: Thread, body: Document, by: Account
) -> None:
    """Close or open a thread again.

    Raises:
        Refusal: 422, a pull request that is merged, or whose branch is gone, stays closed.
    """
    state, resource = body["state"], "PullRequest" if thread.pull else "Issue"
    if state not in ("open", "closed"):
        raise invalid(resource, "state")
    if state == thread.state:
        return
    if state == "closed":
        reason = None if thread.pull else body.get("state_reason") or "completed"
        pushes.close(world, thread, by, reason)
        return
    _reopen(repository, thread)
    thread.state, thread.closed, thread.closed_by = "open", None, None
    thread.reason = None if thread.pull else "reopened"


def _reopen(repository: Repository, thread: Thread) -> None:
    pull = thread.pull
    if pull is None:
        return
    tip = pull.source.branch(pull.branch) if pull.source else None
    base = repository.branch(pull.base_branch)
    if pull.merged is None and tip == pull.head and base is not None:
        pull.base = base
        return
    gone = "repository was deleted" if pull.source is None else f"{pull.branch} branch"
    why = f"The {gone} was force-pushed or recreated." if tip else f"The {gone} has been deleted."
    problem = "state cannot be changed. " + ("" if pull.merged else why)
    raise invalid("PullRequest", "state", "custom", problem.strip())


def may_triage(request: Request) -> bool:
    """Whether who asks may change other people's issues."""
    return request.token.app is not None or request.repository.may(request.viewer, "triage")


def _assignees(request: Request, logins: list[str]) -> list[Account]:
    """Return who is assigned; who cannot be is left out, as GitHub does."""
    accounts = [request.world.account(it) for it in logins]
    return [it for it in accounts if it and request.repository.may(it, "triage")]


__all__ = ["Label", "issue_document"]
