"""Check runs of apps, with their annotations, and commit statuses of anybody."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.github import documents
from tests.github.accounts import App
from tests.github.answers import Answer, Page, Refusal, created, malformed, not_found, page
from tests.github.documents import integration, page_of, url_of
from tests.github.history import not_empty, resolve
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Repository, stamp

MOST_ANNOTATIONS = 50
LONGEST_TEXT = 65_535
_CONCLUSIONS = {
    "success",
    "failure",
    "neutral",
    "cancelled",
    "skipped",
    "timed_out",
    "action_required",
}
_STATUSES = {"queued", "in_progress", "completed", "waiting", "requested", "pending"}
_LEVELS = {"notice", "warning", "failure"}
_ALL = "/repos/{owner}/{repo}/check-runs"
_ONE = _ALL + "/{check_run_id}"


@dataclass
class CheckRun:
    """A check run; annotations only ever grow."""

    id: int
    app: App
    name: str
    sha: str
    started: datetime
    status: str = "queued"
    conclusion: str | None = None
    completed: datetime | None = None
    details_url: str | None = None
    external_id: str = ""
    output: dict[str, Any] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)


def _document(request: Request, run: CheckRun) -> Document:
    world, repository = request.world, request.repository
    url, web = f"{url_of(world, repository)}/check-runs/{run.id}", page_of(world, repository)
    output = {name: run.output.get(name) for name in ("title", "summary", "text")}
    output |= {"annotations_count": len(run.annotations), "annotations_url": url + "/annotations"}
    return {
        "id": run.id,
        "node_id": documents.node("CR", run.id),
        "name": run.name,
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": f"{web}/runs/{run.id}",
        "details_url": run.details_url or (run.app.slug and f"{world.web_url}/apps/{run.app.slug}"),
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started),
        "completed_at": stamp(run.completed),
        "output": output,
        "check_suite": {"id": _suite(repository, run)},
        "app": integration(world, run.app),
        "pull_requests": pulls_at(request, run.sha),
    }


def _suite(repository: Repository, run: CheckRun) -> int:
    """Return the id of the suite: all runs of an app on a commit are one."""
    same = (it for it in repository.checks if (it.app.id, it.sha) == (run.app.id, run.sha))
    return next(same, run).id + 10**6


def pulls_at(request: Request, sha: str) -> list[Document]:
    """Return the open pull requests of a commit; those of forks are never among them."""
    world, repository = request.world, request.repository
    url = url_of(world, repository)
    home = {"id": repository.id, "url": url, "name": repository.name}
    return [
        {
            "url": f"{url}/pulls/{thread.number}",
            "id": pull.id,
            "number": thread.number,
            "head": {"ref": pull.branch, "sha": pull.head, "repo": home},
            "base": {"ref": pull.base_branch, "sha": pull.base, "repo": home},
        }
        for thread, pull in repository.pulls()
        if thread.state == "open" and pull.head == sha and pull.source is repository
    ]


@route("POST", _ALL, "checks:write", caller="installation")
def create(request: Request) -> Answer:
    """Start a check run on a commit."""
    name, sha = str(request.required("name")), str(request.required("head_sha"))
    if not not_empty(request).is_a("commit", sha):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    assert request.token.app is not None
    run = CheckRun(request.world.next_id(), request.token.app, name, sha, request.world.now())
    _change(request, run)
    request.repository.checks.append(run)
    document = _document(request, run)
    return created(document, document["url"])


@route("PATCH", _ONE, "checks:write", caller="installation")
def update(request: Request) -> Document:
    """Change a check run of the same app."""
    run = _find(request)
    assert request.token.app is not None
    if run.app.id != request.token.app.id:
        problem = "check run can only be modified by the GitHub App that created it."
        raise Refusal(403, f"Invalid app_id `{request.token.app.id}` - {problem}")
    run.name = str(request.json.get("name") or run.name)
    _change(request, run)
    return _document(request, run)


def _change(request: Request, run: CheckRun) -> None:
    body = request.json
    output = _output(body)
    status, conclusion = body.get("status"), body.get("conclusion")
    if status is not None and status not in _STATUSES:
        raise malformed(f"{status} is not a member of {sorted(_STATUSES)}.")
    if conclusion is not None and conclusion not in _CONCLUSIONS:
        raise malformed(f"{conclusion} is not a member of {sorted(_CONCLUSIONS)}.")
    if status == "completed" and conclusion is None:
        raise malformed('"conclusion" wasn\'t supplied.')
    run.details_url = body.get("details_url", run.details_url)
    run.external_id = body.get("external_id", run.external_id)
    if output is not None:
        run.output |= {key: it for key, it in output.items() if key in {"title", "summary", "text"}}
        run.annotations += output.get("annotations") or []
    if conclusion is not None:
        run.status, run.conclusion = "completed", conclusion
        run.completed = _time(body.get("completed_at")) or request.world.now()
    elif status is not None:
        run.status, run.conclusion, run.completed = status, None, None
    run.started = _time(body.get("started_at")) or run.started


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _output(body: Document) -> Document | None:
    """Return the output of a request, if GitHub would take it."""
    output: Document | None = body.get("output")
    if output is None:
        return None
    for name in ("title", "summary"):
        if not isinstance(output.get(name), str):
            raise malformed(f'"{name}" wasn\'t supplied.')
    for name in ("summary", "text"):
        size = len(output.get(name) or "")
        if size > LONGEST_TEXT:
            raise malformed(f"Only {LONGEST_TEXT} characters are allowed; {size} were supplied.")
    annotations = output.get("annotations") or []
    if len(annotations) > MOST_ANNOTATIONS:
        count = f"{len(annotations)} were supplied."
        raise malformed(f"No more than {MOST_ANNOTATIONS} items are allowed; {count}")
    for it in annotations:
        _checked(it)
    return output


def _checked(annotation: Document) -> None:
    for name in ("path", "start_line", "end_line", "annotation_level", "message"):
        if annotation.get(name) is None:
            raise malformed(f'"{name}" wasn\'t supplied.')
    if annotation["annotation_level"] not in _LEVELS:
        raise malformed(f"{annotation['annotation_level']} is not a member of {sorted(_LEVELS)}.")
    if len(annotation["message"].encode()) > 64 * 1024:
        raise malformed("message is too long.")


def _find(request: Request) -> CheckRun:
    number = request.number("check_run_id")
    found = next((it for it in request.repository.checks if it.id == number), None)
    if found is None:
        raise not_found()
    return found  # type: ignore[no-any-return]


@route("GET", _ONE, "checks:read")
def check_run(request: Request) -> Document:
    """Give a check run."""
    return _document(request, _find(request))


@route("GET", _ONE + "/annotations", "checks:read")
def annotations(request: Request) -> Answer:
    """List the annotations of a check run."""
    run = _find(request)
    web = f"{page_of(request.world, request.repository)}/blob/{run.sha}"
    blank = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))
    return page(blank | it | {"blob_href": f"{web}/{it['path']}"} for it in run.annotations)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read")
def of_commit(request: Request) -> Page:
    """List the check runs of a commit, the newest first: the last of each name, or all."""
    sha = resolve(request.repository, request.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {request.params['ref']}")
    query, latest = request.query, {}
    runs: list[CheckRun] = [it for it in request.repository.checks if it.sha == sha]
    for it in runs:
        latest[it.app.id, it.name] = it
    if query.get("filter", "latest") == "latest":
        runs = sorted(latest.values(), key=lambda it: it.id)
    found = [
        it
        for it in reversed(runs)
        if query.get("check_name", it.name) == it.name
        and query.get("app_id", str(it.app.id)) == str(it.app.id)
        and query.get("status", it.status) == it.status
    ]
    return page((_document(request, it) for it in found), "check_runs")
