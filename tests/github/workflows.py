"""Workflows: the files of the default branch, and starting one by hand."""

from typing import Any

from tests.github import documents
from tests.github.actions import file_of, known, listed, start
from tests.github.answers import Answer, Page, Refusal, no_content, not_found, page
from tests.github.documents import page_of, url_of
from tests.github.git import HEADS, TAGS
from tests.github.history import resolve
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, stamp

_ALL = "/repos/{owner}/{repo}/actions"


def _workflow(request: Request, path: str, number: int) -> Document:
    world, repository = request.world, request.repository
    content, since = file_of(repository, path) or {}, stamp(repository.created)
    web = page_of(world, repository)
    return {
        "id": number,
        "node_id": documents.node("W", number),
        "name": content.get("name", path),
        "path": path,
        "state": "active",
        "created_at": since,
        "updated_at": since,
        "url": f"{url_of(world, repository)}/actions/workflows/{number}",
        "html_url": f"{web}/blob/{repository.default_branch}/{path}",
        "badge_url": f"{web}/workflows/{number}/badge.svg",
    }


@route("GET", _ALL + "/permissions/workflow", "administration:read", "admin")
def permissions(request: Request) -> Document:
    """Say what `GITHUB_TOKEN` may do where a workflow does not say it."""
    return {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": request.repository.actions_may_propose,
    }


@route("GET", _ALL + "/workflows", "actions:read")
def workflows(request: Request) -> Page:
    """List the workflows of the default branch."""
    found = known(request.world, request.repository)
    return page((_workflow(request, *it) for it in found.items()), "workflows")


def _named(request: Request) -> tuple[str, int]:
    """Return the workflow that the path names, by id or by the name of its file."""
    wanted = request.params["workflow_id"]
    for path, number in known(request.world, request.repository).items():
        if wanted in {str(number), path.rpartition("/")[2], path}:
            return path, number
    raise not_found()


@route("GET", _ALL + "/workflows/{workflow_id}", "actions:read")
def workflow(request: Request) -> Document:
    """Give a workflow."""
    return _workflow(request, *_named(request))


@route("POST", _ALL + "/workflows/{workflow_id}/dispatches", "actions:write", "write")
def dispatch(request: Request) -> Answer | Document:
    """Start a workflow by hand, if its file says that one may."""
    world, repository = request.world, request.repository
    path, _ = _named(request)
    ref = str(request.required("ref"))
    sha = resolve(repository, ref)
    named = any(root + ref in repository.refs for root in (HEADS, TAGS)) or ref in repository.refs
    if sha is None or not named:
        raise Refusal(422, f"No ref found for: {ref}")
    content = file_of(repository, path, sha) or {}
    # YAML 1.1 reads the key `on` as true.
    events = content.get("on", content.get(True)) or {}
    if "workflow_dispatch" not in events:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    taken = (events["workflow_dispatch"] or {}) if isinstance(events, dict) else {}
    inputs = _inputs(taken.get("inputs") or {}, request.json.get("inputs") or {})
    branch = ref.removeprefix(HEADS).removeprefix(TAGS)
    run = start(world, repository, path, "workflow_dispatch", branch, sha, repository, request.me)
    run.inputs = inputs
    if not request.json.get("return_run_details"):
        return no_content()
    url = f"{url_of(world, repository)}/actions/runs/{run.id}"
    web = f"{page_of(world, repository)}/actions/runs/{run.id}"
    return {"workflow_run_id": run.id, "run_url": url, "html_url": web}


def _inputs(declared: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of a run, with the defaults of the file."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise Refusal(422, f"Unexpected inputs provided: {unknown}".replace("'", '"'))
    for name, it in declared.items():
        if (it or {}).get("required") and name not in given and "default" not in it:
            raise Refusal(422, f"Required input '{name}' not provided")
    defaults = {name: it["default"] for name, it in declared.items() if it and "default" in it}
    return defaults | given


@route("GET", _ALL + "/workflows/{workflow_id}/runs", "actions:read")
def runs_of(request: Request) -> Page:
    """List the runs of a workflow, the newest first."""
    return listed(request, _named(request)[0])
