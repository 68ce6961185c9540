"""Labels of a repository, and of its issues and pull requests."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from tests.github import documents
from tests.github.answers import Answer, Refusal, created, invalid, no_content, not_found, page
from tests.github.documents import url_of
from tests.github.request import Request, within
from tests.github.routing import route
from tests.github.world import Document, Label, Thread

LONGEST_NAME = 50
MOST_LABELS = 100


def label_document(request: Request, label: Label) -> Document:
    """Return a label."""
    return {
        "id": label.id,
        "node_id": documents.node("LA", label.id),
        "url": f"{url_of(request.world, request.repository)}/labels/{quote(label.name)}",
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": label.description,
    }


def named_labels(request: Request, wanted: Sequence[Any]) -> list[Label]:
    """Return labels by name, made in grey where the repository has none of that name."""
    names = [it["name"] if isinstance(it, dict) else it for it in wanted]
    if len(set(names)) > MOST_LABELS:
        raise invalid("Label", "labels", "custom", f"labels: maximum is {MOST_LABELS}")
    found = {}
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise invalid("Label", "name", "missing_field")
        within(name, "name", "Label", LONGEST_NAME)
        label = request.repository.labels.get(name.lower())
        if label is None:
            label = Label(request.world.next_id(), name, "ededed")
            request.repository.labels[name.lower()] = label
        found[label.id] = label
    return list(found.values())


def _label(request: Request) -> Label:
    label = request.repository.labels.get(request.params["name"].lower())
    if label is None:
        raise not_found()
    return label


@route("GET", "/repos/{owner}/{repo}/labels", "issues:read|pull_requests:read")
def labels(request: Request) -> Answer:
    """List the labels of a repository by name."""
    found = sorted(request.repository.labels.values(), key=lambda it: it.name.lower())
    return page(label_document(request, it) for it in found)


@route("GET", "/repos/{owner}/{repo}/labels/{name}", "issues:read|pull_requests:read")
def label(request: Request) -> Document:
    """Give a label by its name, whatever its case."""
    return label_document(request, _label(request))


@route("POST", "/repos/{owner}/{repo}/labels", "issues:write", "triage")
def create(request: Request) -> Answer:
    """Make a label."""
    name = request.text("name", "Label", LONGEST_NAME)
    if name.lower() in request.repository.labels:
        raise invalid("Label", "name", "already_exists")
    new = Label(request.world.next_id(), name, _color(request), request.json.get("description"))
    within(new.description or "", "description", "Label", 100)
    request.repository.labels[name.lower()] = new
    document = label_document(request, new)
    return created(document, document["url"])


def _color(request: Request) -> str:
    color = str(request.json.get("color") or "ededed").lower()
    if len(color) != 6 or not set(color) <= set("0123456789abcdef"):
        raise invalid("Label", "color")
    return color


@route("PATCH", "/repos/{owner}/{repo}/labels/{name}", "issues:write", "triage")
def update(request: Request) -> Document:
    """Change a label."""
    it, body = _label(request), request.json
    name = within(body.get("new_name") or it.name, "name", "Label", LONGEST_NAME)
    if name.lower() != it.name.lower() and name.lower() in request.repository.labels:
        raise invalid("Label", "name", "already_exists")
    del request.repository.labels[it.name.lower()]
    it.name = name
    it.color = _color(request) if "color" in body else it.color
    it.description = body.get("description", it.description)
    request.repository.labels[name.lower()] = it
    return label_document(request, it)


@route("DELETE", "/repos/{owner}/{repo}/labels/{name}", "issues:write", "triage")
def delete(request: Request) -> Answer:
    """Delete a label; issues lose it."""
    it = _label(request)
    del request.repository.labels[it.name.lower()]
    for thread in request.repository.threads.values():
        thread.labels = [one for one in thread.labels if one.id != it.id]
    return no_content()


_OF_ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/labels"
_WRITE = "issues:write|pull_requests:write"


@route("GET", _OF_ISSUE, "issues:read|pull_requests:read")
def of_issue(request: Request) -> Answer:
    """List the labels of an issue or a pull request."""
    return page(label_document(request, it) for it in request.thread().labels)


@route("POST", _OF_ISSUE, _WRITE, "triage")
def add(request: Request) -> list[Document]:
    """Add labels."""
    thread = request.thread()
    return _set(request, thread, [*thread.labels, *named_labels(request, _wanted(request))])


@route("PUT", _OF_ISSUE, _WRITE, "triage")
def replace(request: Request) -> list[Document]:
    """Set the labels."""
    return _set(request, request.thread(), named_labels(request, _wanted(request)))


@route("DELETE", _OF_ISSUE, _WRITE, "triage")
def clear(request: Request) -> Answer:
    """Take all labels off."""
    _set(request, request.thread(), [])
    return no_content()


@route("DELETE", _OF_ISSUE + "/{name}", _WRITE, "triage")
def remove(request: Request) -> list[Document]:
    """Take one label off."""
    thread, name = request.thread(), request.params["name"].lower()
    if name not in {it.name.lower() for it in thread.labels}:
        raise Refusal(404, "Label does not exist")
    return _set(request, thread, [it for it in thread.labels if it.name.lower() != name])


def _wanted(request: Request) -> list[Any]:
    """Return the names that a body holds, in either of its forms."""
    body = request.document
    names = body.get("labels", []) if isinstance(body, dict) else body
    if not isinstance(names, list):
        raise invalid("Label", "labels")
    return names


def _set(request: Request, thread: Thread, wanted: list[Label]) -> list[Document]:
    unique = {it.id: it for it in wanted}
    if set(unique) != {it.id for it in thread.labels}:
        request.world.touch(thread)
    thread.labels = list(unique.values())
    return [label_document(request, it) for it in thread.labels]
