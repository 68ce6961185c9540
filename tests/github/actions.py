"""Runs of workflows. Nothing runs here: tests say what ran, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from tests.github import documents
from tests.github.accounts import Account
from tests.github.answers import Page, not_found, page
from tests.github.checks import pulls_at
from tests.github.commits import read_commit
from tests.github.documents import minimal, page_of, url_of, user
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Repository, World, stamp

FOLDER = ".github/workflows"
_ALL = "/repos/{owner}/{repo}/actions"


@dataclass
class Run:
    """A run of a workflow.

    Attributes:
        source: the repository of the head, which may be a fork.
        path: of the workflow's file.
    """

    id: int
    number: int
    path: str
    name: str
    event: str
    branch: str
    sha: str
    source: Repository
    actor: Account
    created: datetime
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    inputs: dict[str, Any] | None = None


def file_of(repository: Repository, path: str, at: str | None = None) -> dict[Any, Any] | None:
    """Return a workflow file as a document; None if it is not at the commit."""
    tip = at or repository.branch(repository.default_branch)
    commit = read_commit(repository.git, tip) if tip else None
    entry = repository.git.find(commit.tree, path) if commit else None
    found = repository.git.read(entry.sha) if entry else None
    content = yaml.safe_load(found[1]) if found else None
    return content if isinstance(content, dict) else None


def known(world: World, repository: Repository) -> dict[str, int]:
    """Return the workflows of the default branch, by path, with their ids."""
    tip = repository.branch(repository.default_branch)
    commit = read_commit(repository.git, tip) if tip else None
    folder = repository.git.find(commit.tree, FOLDER) if commit else None
    inside = repository.git.tree(folder.sha) if folder and folder.type == "tree" else []
    paths = [f"{FOLDER}/{it.name}" for it in inside if it.name.endswith((".yml", ".yaml"))]
    for path in paths:
        if path not in repository.workflows:
            repository.workflows[path] = world.next_id()
    return {path: repository.workflows[path] for path in paths}


def workflow_id(world: World, repository: Repository, path: str) -> int:
    """Return the id of a workflow; a file that only a fork has gets one too."""
    if path not in repository.workflows:
        repository.workflows[path] = world.next_id()
    return repository.workflows[path]


def start(
    world: World,
    repository: Repository,
    path: str,
    event: str,
    branch: str,
    sha: str,
    source: Repository,
    actor: Account,
) -> Run:
    """Put a run into the list, queued."""
    number = sum(it.path == path for it in repository.runs) + 1
    name = (file_of(source, path, sha) or {}).get("name", path)
    run = Run(world.next_id(), number, path, name, event, branch, sha, source, actor, world.now())
    repository.runs.append(run)
    return run


def run_document(request: Request, run: Run) -> Document:
    """Return a run."""
    world, repository = request.world, request.repository
    url, web = f"{url_of(world, repository)}/actions/runs/{run.id}", page_of(world, repository)
    when, actor = stamp(run.created), user(world, run.actor)
    number = workflow_id(world, repository, run.path)
    paths = ("jobs", "logs", "artifacts", "cancel", "rerun")
    head = read_commit(run.source.git, run.sha)
    assert head is not None
    people = {
        name: {"name": it.name, "email": it.email}
        for name, it in (("author", head.author), ("committer", head.committer))
    }
    return {
        "id": run.id,
        "name": run.name,
        "node_id": documents.node("WFR", run.id),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": run.path,
        "display_title": head.message.partition("\n")[0],
        "run_number": run.number,
        "run_attempt": run.attempt,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": number,
        "check_suite_id": run.id + 10**6,
        "check_suite_node_id": documents.node("CS", run.id + 10**6),
        "url": url,
        "html_url": f"{web}/actions/runs/{run.id}",
        "pull_requests": pulls_at(request, run.sha) if run.source is repository else [],
        "created_at": when,
        "updated_at": when,
        "run_started_at": when,
        "actor": actor,
        "triggering_actor": actor,
        "referenced_workflows": [],
        **{f"{it}_url": f"{url}/{it}" for it in paths},
        "check_suite_url": f"{url_of(world, repository)}/check-suites/{run.id + 10**6}",
        "previous_attempt_url": None,
        "workflow_url": f"{url_of(world, repository)}/actions/workflows/{number}",
        "head_commit": {
            "id": run.sha,
            "tree_id": head.tree,
            "message": head.message,
            "timestamp": stamp(head.committer.date),
            **people,
        },
        "repository": minimal(world, repository),
        "head_repository": minimal(world, run.source),
        "head_repository_id": run.source.id,
    }


def listed(request: Request, path: str = "") -> Page:
    """Return the runs that a query chooses, the newest first."""
    query = request.query
    found = [
        it
        for it in reversed(request.repository.runs)
        if path in ("", it.path)
        and query.get("branch", it.branch) == it.branch
        and query.get("event", it.event) == it.event
        and query.get("head_sha", it.sha) == it.sha
        and query.get("status", it.status) in {it.status, it.conclusion}
        and query.get("actor", it.actor.login) == it.actor.login
    ]
    return page((run_document(request, it) for it in found), "workflow_runs")


@route("GET", _ALL + "/runs", "actions:read")
def runs(request: Request) -> Page:
    """List runs, the newest first."""
    return listed(request)


def find(request: Request) -> Run:
    """Return the run that the path names."""
    number = request.number("run_id")
    for it in request.repository.runs:
        if it.id == number:
            return it  # type: ignore[no-any-return]
    raise not_found()


@route("GET", _ALL + "/runs/{run_id}", "actions:read")
def run(request: Request) -> Document:
    """Give a run."""
    return run_document(request, find(request))
