"""Merging pull requests, and keeping their branches up to date."""

from tests.github import merging, pushes
from tests.github.answers import Answer, Refusal, no_content, not_found
from tests.github.commits import contains, write_commit
from tests.github.documents import thread_url
from tests.github.git import HEADS
from tests.github.protection import missing
from tests.github.pulls import find
from tests.github.request import Request
from tests.github.routing import route
from tests.github.signing import sign, web_flow
from tests.github.world import Document, Pull, Thread

_MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge"


@route("GET", _MERGE, "pull_requests:read")
def is_merged(request: Request) -> Answer:
    """Answer 204 if it is merged."""
    if find(request)[1].merged is None:
        raise not_found()
    return no_content()


@route("PUT", _MERGE, "contents:write", "write")
def merge(request: Request) -> Document:
    """Merge, squash or rebase."""
    thread, pull = find(request)
    body = request.json
    how = body.get("merge_method", "merge")
    if how not in {"merge", "squash", "rebase"}:
        raise Refusal(422, "Invalid merge method")
    _mergeable(thread, pull, body.get("sha"))
    if problem := missing(request.repository, pull):
        raise Refusal(405, problem)
    commit = merging.combine(
        request.world,
        request.repository,
        thread,
        pull,
        how,
        request.me,
        body.get("commit_title") or "",
        body.get("commit_message") or "",
    )
    if commit is None:
        raise Refusal(405, "Pull Request is not mergeable")
    merging.land(request.world, request.repository, thread, pull, commit, request.me)
    return {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}


def _mergeable(thread: Thread, pull: Pull, sha: str | None) -> None:
    """Refuse what is closed, a draft, or not what its caller saw."""
    if thread.state != "open":
        raise Refusal(405, "Pull Request is not mergeable")
    if pull.draft:
        raise Refusal(405, "Pull Request is still a draft")
    if sha is not None and sha != pull.head:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")


@route(
    "PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/update-branch", "pull_requests:write", "write"
)
def update_branch(request: Request) -> Answer:
    """Merge the base into the branch."""
    thread, pull = find(request)
    expected = request.json.get("expected_head_sha")
    if expected is not None and expected != pull.head:
        raise Refusal(422, "expected_head_sha was not the current HEAD of the branch")
    git = request.repository.git
    if contains(git, pull.head, pull.base):
        raise Refusal(422, "There are no new commits on the base branch.")
    tree = merging.merged_tree(git, pull.head, pull.base)
    if tree is None or pull.source is None:
        raise Refusal(422, "merge conflict between base and head")
    world = request.world
    message = f"Merge branch '{pull.base_branch}' into {pull.branch}\n"
    commit = write_commit(
        git, tree, [pull.head, pull.base], message, sign(world, request.me), web_flow(world)
    )
    if pull.source is not request.repository:
        pull.source.git.run("fetch", "--quiet", str(git.path), commit)
    pushes.move(world, pull.source, HEADS + pull.branch, commit, request.me)
    url = thread_url(world, request.repository, thread, "pulls")
    return Answer(202, {"message": "Updating pull request branch.", "url": url})
