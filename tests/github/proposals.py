"""Opening pull requests, and changing what they say."""

from tests.github import pushes
from tests.github.accounts import ACTIONS_APP
from tests.github.answers import Answer, Refusal, created, custom, invalid, not_found
from tests.github.commits import history, merge_base
from tests.github.issues import (
    LONGEST_TITLE,
    checked_body,
    may_triage,
    new_thread,
    set_state,
)
from tests.github.pulls import find, pull_document
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Pull, Repository

_ALL = "/repos/{owner}/{repo}/pulls"


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


@route("PATCH", _ALL + "/{pull_number}", "pull_requests:write")
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
