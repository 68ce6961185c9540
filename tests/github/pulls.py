"""Pull requests: read, open, change."""

from typing import Any

from tests.github import documents, merging
from tests.github.answers import (
    Answer,
    Refusal,
    not_found,
    page,
)
from tests.github.commits import history, merge_base
from tests.github.documents import maybe_user, page_of, thread_url, url_of, user
from tests.github.history import changed_files, commit_document, text_of
from tests.github.issues import (
    ordered,
)
from tests.github.labels import label_document
from tests.github.protection import missing
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Pull, Repository, Thread, stamp

_ALL = "/repos/{owner}/{repo}/pulls"
_ONE = _ALL + "/{pull_number}"


def find(request: Request) -> tuple[Thread, Pull]:
    """Return the pull request that the path names."""
    thread = request.thread("pull_number")
    if thread.pull is None:
        raise not_found()
    return thread, thread.pull


def pull_document(request: Request, thread: Thread, *, whole: bool = True) -> Document:
    """Return a pull request; lists leave out what has to be computed."""
    world, repository, pull = request.world, request.repository, thread.pull
    assert pull is not None
    url, web = thread_url(world, repository, thread, "pulls"), page_of(world, repository)
    web += f"/pull/{thread.number}"
    issue, statuses = thread_url(world, repository, thread), url_of(world, repository)
    links = {
        "self": url,
        "html": web,
        "issue": issue,
        "comments": issue + "/comments",
        "review_comments": url + "/comments",
        "review_comment": f"{statuses}/pulls/comments{{/number}}",
        "commits": url + "/commits",
        "statuses": f"{statuses}/statuses/{pull.head}",
    }
    people = [user(world, it) for it in thread.assignees]
    document: Document = {
        "url": url,
        "id": pull.id,
        "node_id": documents.node("PR", pull.id),
        "html_url": web,
        "diff_url": web + ".diff",
        "patch_url": web + ".patch",
        **{f"{name}_url": link for name, link in links.items() if name not in {"self", "html"}},
        "number": thread.number,
        "state": thread.state,
        "locked": thread.locked,
        "title": thread.title,
        "user": user(world, thread.author),
        "body": thread.body,
        "created_at": stamp(thread.created),
        "updated_at": stamp(thread.updated),
        "closed_at": stamp(thread.closed),
        "merged_at": stamp(pull.merged),
        "merge_commit_sha": pull.merge_commit or pull.test_merge,
        "assignee": people[0] if people else None,
        "assignees": people,
        "requested_reviewers": [user(world, it) for it in pull.reviewers],
        "requested_teams": [],
        "labels": [label_document(request, it) for it in thread.labels],
        "milestone": None,
        "draft": pull.draft,
        "head": _side(request, pull.source, pull.source_owner, pull.branch, pull.head),
        "base": _side(request, repository, repository.owner, pull.base_branch, pull.base_shown),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": documents.association(repository, thread.author),
        "auto_merge": None,
        "active_lock_reason": None,
    }
    return document | (_computed(request, thread, pull) if whole else {})


def _side(request: Request, source: Repository | None, owner: Any, ref: str, sha: str) -> Document:
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(request.world, owner),
        "repo": documents.full(request.world, source) if source else None,
    }


def _computed(request: Request, thread: Thread, pull: Pull) -> Document:
    """Return what GitHub computes for one pull request.

    The first who asks after a push learns nothing about mergeability, and starts the job.
    """
    world, repository = request.world, request.repository
    known = pull.judged == (pull.head, pull.base)
    mergeable = pull.test_merge is not None if known and thread.state == "open" else None
    if thread.state == "open" and not known and request.method == "GET":
        merging.judge(world, repository, thread, pull)
    clean = "blocked" if missing(repository, pull) else "clean"
    clean = "draft" if pull.draft else clean
    words = {None: "unknown", True: clean, False: "dirty"}
    return {
        "merged": pull.merged is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": words[mergeable],
        "merged_by": maybe_user(world, pull.merged_by),
        "comments": len(thread.notes),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainers_may_push and pull.source is not repository,
        **merging.numbers(repository.git, pull.base, pull.head),
    }


@route("GET", _ALL, "pull_requests:read")
def pulls(request: Request) -> Answer:
    """List pull requests; `head` filters only with its owner, as on GitHub."""
    query, head = request.query, request.query.get("head", "")
    state = query.get("state", "open")
    found = [
        thread
        for thread, pull in request.repository.pulls()
        if state in ("all", thread.state)
        and query.get("base", pull.base_branch) == pull.base_branch
        and (":" not in head or head.lower() == f"{pull.source_owner.login}:{pull.branch}".lower())
    ]
    default = "desc" if query.get("sort", "created") == "created" else "asc"
    return page(pull_document(request, it, whole=False) for it in ordered(found, query, default))


@route("GET", _ONE, "pull_requests:read")
def pull(request: Request) -> Any:
    """Give a pull request, or its changes."""
    thread, it = find(request)
    if request.accept in {"diff", "patch"}:
        return text_of(request.repository.git, request.accept, it.base, it.head)
    return pull_document(request, thread)


@route("GET", _ONE + "/commits", "pull_requests:read")
def commits(request: Request) -> Answer:
    """List the commits, the oldest first."""
    _, it = find(request)
    found = history(request.repository.git, it.head, exclude=it.base)
    return page(commit_document(request, sha) for sha in reversed(found[-250:]))


@route("GET", _ONE + "/files", "pull_requests:read")
def files(request: Request) -> Answer:
    """List the files that differ from where the branch began."""
    _, it = find(request)
    fork = merge_base(request.repository.git, it.base, it.head)
    assert fork is not None
    return page(changed_files(request, fork, it.head)[:3000])


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read")
def of_commit(request: Request) -> Answer:
    """List the pull requests that hold a commit."""
    sha, git = request.params["commit_sha"], request.repository.git
    if not git.is_a("commit", sha):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    found = [
        thread
        for thread, it in request.repository.pulls()
        if sha == it.merge_commit or sha in history(git, it.head, exclude=it.base)
    ]
    return page(pull_document(request, it, whole=False) for it in found)
