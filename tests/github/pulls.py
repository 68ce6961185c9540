"""Pull requests: read, open, change."""

from typing import Any

from tests.github import documents, merging, pushes
from tests.github.accounts import ACTIONS_APP
from tests.github.answers import (
    Answer,
    Refusal,
    created,
    custom,
    invalid,
    malformed,
    not_found,
    page,
)
from tests.github.commits import history, merge_base
from tests.github.documents import maybe_user, page_of, thread_url, url_of, user
from tests.github.history import changed_files, commit_document, text_of
from tests.github.issues import (
    LONGEST_TITLE,
    checked_body,
    may_triage,
    new_thread,
    ordered,
    set_state,
)
from tests.github.labels import label_document
from tests.github.routing import Request, route
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
    clean = "draft" if pull.draft else "clean"
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


@route("POST", _ALL, "pull_requests:write")
def create(request: Request) -> Answer:
    """Open a pull request."""
    repository, body = request.repository, request.json
    base_name, head_name = str(request.required("base")), str(request.required("head"))
    title = request.text("title", "PullRequest", LONGEST_TITLE)
    _not_of_actions(request)
    text = checked_body(request, "PullRequest")
    source, branch = _source(request, head_name)
    head = source.branch(branch) if source else None
    base = repository.branch(base_name)
    wrong = [name for name, tip in (("head", head), ("base", base)) if tip is None]
    if wrong:
        errors = [{"resource": "PullRequest", "field": it, "code": "invalid"} for it in wrong]
        raise Refusal(422, "Validation Failed", errors)
    assert source is not None
    assert head is not None
    assert base is not None
    label = f"{source.owner.login}:{branch}"
    for thread, other in repository.pulls():
        same = (other.source is source, other.branch, other.base_branch)
        if thread.state == "open" and same == (True, branch, base_name):
            raise custom("PullRequest", f"A pull request already exists for {label}.")
    thread = new_thread(request, title, text)
    _comparable(repository, source, thread.number, base, head, (base_name, branch))
    thread.pull = Pull(request.world.next_id(), source, source.owner, branch, head, base_name, base)
    thread.pull.base_shown = base
    thread.pull.draft = bool(body.get("draft", False))
    thread.pull.maintainers_may_push = bool(body.get("maintainer_can_modify", True))
    repository.threads[thread.number] = thread
    document = pull_document(request, thread)
    return created(document, document["url"])


def _not_of_actions(request: Request) -> None:
    """Refuse `GITHUB_TOKEN` where the repository does not let it open pull requests."""
    app = request.token.app
    if app is not None and app.id == ACTIONS_APP and not request.repository.actions_may_propose:
        problem = "GitHub Actions is not permitted to create or approve pull requests."
        raise Refusal(403, problem)


def _source(request: Request, head: str) -> tuple[Repository | None, str]:
    """Return the repository and the branch that `branch` or `owner:branch` names."""
    owner, _, branch = head.rpartition(":")
    repository = request.repository
    if not owner or owner.lower() == repository.owner.login.lower():
        return repository, branch
    network = (it for it in request.world.repositories.values() if it.parent is repository)
    named = (it for it in network if it.owner.login.lower() == owner.lower())
    return next(named, None), branch


def _comparable(
    repository: Repository,
    source: Repository,
    number: int,
    base: str,
    head: str,
    names: tuple[str, str],
) -> None:
    """Refuse what has nothing to merge, or nothing in common."""
    pushes.bring(repository, source, number, head)
    problem = ""
    if merge_base(repository.git, base, head) is None:
        problem = f"The {names[1]} branch has no history in common with {names[0]}"
    elif not history(repository.git, head, exclude=base):
        problem = f"No commits between {names[0]} and {names[1]}"
    if problem:
        repository.git.move(f"refs/pull/{number}/head", None)
        del repository.refs[f"refs/pull/{number}/head"]
        raise custom("PullRequest", problem)


@route("PATCH", _ONE, "pull_requests:write")
def update(request: Request) -> Document:
    """Change title, body, state or base."""
    thread, it = find(request)
    body = request.json
    if thread.author.id != request.me.id and not may_triage(request):
        raise not_found()
    if "title" in body:
        thread.title = request.text("title", "PullRequest", LONGEST_TITLE)
    if "body" in body:
        thread.body = checked_body(request, "PullRequest")
    if "base" in body and body["base"] != it.base_branch:
        _retarget(request, it, str(body["base"]))
    if "state" in body:
        set_state(request.world, request.repository, thread, body, request.me)
    request.world.touch(thread)
    return pull_document(request, thread)


def _retarget(request: Request, it: Pull, base_name: str) -> None:
    base = request.repository.branch(base_name)
    if base is None:
        raise invalid(
            "PullRequest", "base", "invalid", f"Proposed base branch '{base_name}' was not found"
        )
    it.base_branch, it.base, it.base_shown = base_name, base, base


__all__ = ["find", "malformed", "pull_document"]
