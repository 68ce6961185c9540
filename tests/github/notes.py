"""Comments on issues and pull requests."""

from tests.github import documents
from tests.github.answers import Answer, Refusal, created, invalid, no_content, not_found, page
from tests.github.documents import integration, page_of, url_of, user
from tests.github.issues import LONGEST_BODY, may_triage, reactions
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Note, Thread, stamp

_ALL = "/repos/{owner}/{repo}/issues/comments"
_OF_ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
_READ = "issues:read|pull_requests:read"
_WRITE = "issues:write|pull_requests:write"


def _document(request: Request, thread: Thread, note: Note) -> Document:
    world, repository = request.world, request.repository
    url = f"{url_of(world, repository)}/issues"
    kind = "pull" if thread.pull else "issues"
    mine = f"{url}/comments/{note.id}"
    return {
        "id": note.id,
        "node_id": documents.node("IC", note.id),
        "url": mine,
        "html_url": f"{page_of(world, repository)}/{kind}/{thread.number}#issuecomment-{note.id}",
        "issue_url": f"{url}/{thread.number}",
        "user": user(world, note.author),
        "created_at": stamp(note.created),
        "updated_at": stamp(note.updated),
        "body": note.body,
        "author_association": documents.association(repository, note.author),
        "reactions": reactions(mine),
        "performed_via_github_app": integration(world, note.app) if note.app else None,
    }


def _find(request: Request) -> tuple[Thread, Note]:
    wanted = request.number("comment_id")
    for thread in request.repository.threads.values():
        for note in thread.notes:
            if note.id == wanted:
                return thread, note
    raise not_found()


def _mine(request: Request) -> tuple[Thread, Note]:
    """Return the comment that the path names, if who asks may change it."""
    thread, note = _find(request)
    if note.author.id != request.me.id and not may_triage(request):
        raise Refusal(403, "Must have admin rights to Repository.")
    return thread, note


@route("GET", _ALL, _READ)
def everywhere(request: Request) -> Answer:
    """List all comments of a repository, the oldest first."""
    since = request.query.get("since", "")
    newest = request.query.get("direction") == "desc" and "sort" in request.query
    found = [
        (thread, note)
        for thread in request.repository.threads.values()
        for note in thread.notes
        if (stamp(note.updated) or "") >= since
    ]
    found.sort(key=lambda it: it[1].id, reverse=newest)
    return page(_document(request, *it) for it in found)


@route("GET", _ALL + "/{comment_id}", _READ)
def one(request: Request) -> Document:
    """Give a comment."""
    return _document(request, *_find(request))


@route("GET", _OF_ISSUE, _READ)
def of_issue(request: Request) -> Answer:
    """List the comments of an issue or a pull request, the oldest first."""
    thread, since = request.thread(), request.query.get("since", "")
    found = [it for it in thread.notes if (stamp(it.updated) or "") >= since]
    return page(_document(request, thread, it) for it in found)


def _text(request: Request) -> str:
    body = request.json.get("body")
    if not isinstance(body, str):
        raise invalid("IssueComment", "body", "missing_field")
    if not body.strip():
        raise invalid("IssueComment", "body", "custom", "Body cannot be blank")
    if len(body) > LONGEST_BODY:
        problem = f"ody is too long (maximum is {LONGEST_BODY} characters)"
        if request.method == "PATCH":
            raise invalid("IssueComment", "body", "custom", "b" + problem)
        raise invalid("IssueComment", "data", "unprocessable", "B" + problem)
    return body


@route("POST", _OF_ISSUE, _WRITE)
def create(request: Request) -> Answer:
    """Comment."""
    thread, text = request.thread(), _text(request)
    now = request.world.touch(thread)
    note = Note(request.world.next_id(), request.me, text, now, now, request.token.app)
    thread.notes.append(note)
    document = _document(request, thread, note)
    return created(document, document["url"])


@route("PATCH", _ALL + "/{comment_id}", _WRITE)
def update(request: Request) -> Document:
    """Replace the text of a comment."""
    thread, note = _mine(request)
    note.body = _text(request)
    note.updated = request.world.touch(thread)
    return _document(request, thread, note)


@route("DELETE", _ALL + "/{comment_id}", _WRITE)
def delete(request: Request) -> Answer:
    """Delete a comment."""
    thread, note = _mine(request)
    thread.notes.remove(note)
    request.world.touch(thread)
    return no_content()
