"""Refs over JSON."""

from tests.github import documents, pushes
from tests.github.answers import Answer, Refusal, created, no_content, not_found
from tests.github.commits import contains
from tests.github.git import HEADS
from tests.github.history import not_empty
from tests.github.protection import refuse_deletion, refuse_push
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document


def _document(request: Request, ref: str) -> Document:
    sha = request.repository.refs[ref]
    found = request.repository.git.read(sha)
    assert found is not None
    url = f"{documents.url_of(request.world, request.repository)}/git"
    return {
        "ref": ref,
        "node_id": documents.node("REF", int(sha[:8], 16)),
        "url": f"{url}/{ref}",
        "object": {"sha": sha, "type": found[0], "url": f"{url}/{found[0]}s/{sha}"},
    }


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref}", "contents:read")
def ref(request: Request) -> Document:
    """Give one ref, by its whole name after `refs/`."""
    not_empty(request)
    name = f"refs/{request.params['ref']}"
    if name not in request.repository.refs:
        raise not_found()
    return _document(request, name)


@route("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref}", "contents:read")
def matching_refs(request: Request) -> list[Document]:
    """List the refs whose names begin so; none is an empty list."""
    not_empty(request)
    start = f"refs/{request.params['ref']}"
    return [
        _document(request, it) for it in sorted(request.repository.refs) if it.startswith(start)
    ]


@route("POST", "/repos/{owner}/{repo}/git/refs", "contents:write", "write")
def create_ref(request: Request) -> Answer:
    """Make a ref that is not there."""
    git = not_empty(request)
    name, sha = str(request.required("ref")), str(request.required("sha"))
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refusal(
            422, "Reference name must start with 'refs/' and contain at least two slashes"
        )
    if not git.succeeds("check-ref-format", name):
        raise Refusal(422, "Reference name is not valid")
    if git.read(sha) is None:
        raise Refusal(422, "Object does not exist")
    if name in request.repository.refs:
        raise Refusal(422, "Reference already exists")
    if any(
        it.startswith(name + "/") or name.startswith(it + "/") for it in request.repository.refs
    ):
        raise Refusal(422, "Reference update failed")
    may_hold(request, sha)
    pushes.move(request.world, request.repository, name, sha, request.me)
    document = _document(request, name)
    return created(document, document["url"])


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", "write")
def update_ref(request: Request) -> Document:
    """Move a ref; without force only forwards."""
    git = not_empty(request)
    name, sha = f"refs/{request.params['ref']}", str(request.required("sha"))
    old = request.repository.refs.get(name)
    if old is None:
        raise Refusal(422, "Reference does not exist")
    if git.read(sha) is None:
        raise Refusal(422, "Object does not exist")
    forwards = contains(git, sha, old)
    if not request.json.get("force", False) and not forwards:
        raise Refusal(422, "Update is not a fast forward")
    refuse_push(request, name, forced=not forwards)
    may_hold(request, sha)
    pushes.move(request.world, request.repository, name, sha, request.me)
    return _document(request, name)


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", "write")
def delete_ref(request: Request) -> Answer:
    """Delete a ref."""
    name = f"refs/{request.params['ref']}"
    if name not in request.repository.refs:
        raise Refusal(422, "Reference does not exist")
    if name == HEADS + request.repository.default_branch:
        raise Refusal(422, "Cannot delete the default branch")
    refuse_deletion(request, name)
    pushes.move(request.world, request.repository, name, None, request.me)
    return no_content()


def may_hold(request: Request, sha: str) -> None:
    """Refuse an app without `workflows` that changes workflow files.

    Raises:
        Refusal: 403.
    """
    if request.token.allows("workflows", "write"):
        return
    repository = request.repository
    main = repository.branch(repository.default_branch)
    between = f"{main}...{sha}"
    # A branch that begins with nothing has no base with the default one, and no workflows.
    if main and repository.git.run(
        "diff", "--name-only", between, "--", ".github/workflows", accept=(0, 128)
    ):
        raise Refusal(403, "Resource not accessible by integration")
