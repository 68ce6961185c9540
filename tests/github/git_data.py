"""Git over JSON: commits and annotated tags, as real objects."""

import re
from typing import Any

from tests.github import documents
from tests.github.answers import Answer, Refusal, created, not_found
from tests.github.commits import read_commit, read_tag, write_tag
from tests.github.documents import url_of
from tests.github.git import TAGS
from tests.github.history import not_empty
from tests.github.request import Request
from tests.github.routing import route
from tests.github.signing import commit_as, named, sign, signature, verification
from tests.github.world import Document

_SHA = re.compile(r"[0-9a-f]{40}")


def _hex(value: Any, field: str) -> str:
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        problem = "must be exactly 40 characters and contain only [0-9a-f]."
        raise Refusal(422, f"The {field} parameter {problem}")
    return value


@route("POST", "/repos/{owner}/{repo}/git/commits", "contents:write", "write")
def create_commit(request: Request) -> Answer:
    """Store a commit; no ref names it yet."""
    git, body = not_empty(request), request.json
    message, tree = request.required("message"), _hex(request.required("tree"), "tree")
    if not git.is_a("tree", tree):
        raise Refusal(422, "Tree SHA does not exist")
    parents = [_hex(it, "parents") for it in body.get("parents") or []]
    if not all(git.is_a("commit", it) for it in parents):
        raise Refusal(422, "Parent SHA does not exist or is not a commit object")
    sha = commit_as(request, tree, parents, message, body.get("author"), body.get("committer"))
    return created(git_commit(request, sha))


@route("GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}", "contents:read")
def commit(request: Request) -> Document:
    """Give a commit object."""
    if not request.repository.git.is_a("commit", request.params["commit_sha"]):
        raise not_found()
    return git_commit(request, request.params["commit_sha"])


def git_commit(request: Request, sha: str) -> Document:
    """Return a commit object."""
    found = read_commit(request.repository.git, sha)
    assert found is not None
    url = f"{url_of(request.world, request.repository)}/git"
    page = f"{documents.page_of(request.world, request.repository)}/commit"
    return {
        "sha": sha,
        "node_id": documents.node("C", int(sha[:8], 16)),
        "url": f"{url}/commits/{sha}",
        "html_url": f"{page}/{sha}",
        "author": signature(found.author),
        "committer": signature(found.committer),
        "tree": {"sha": found.tree, "url": f"{url}/trees/{found.tree}"},
        "message": found.message,
        "parents": [
            {"sha": it, "url": f"{url}/commits/{it}", "html_url": f"{page}/{it}"}
            for it in found.parents
        ],
        "verification": verification(request.repository, found),
    }


@route("POST", "/repos/{owner}/{repo}/git/tags", "contents:write", "write")
def create_tag(request: Request) -> Answer:
    """Store an annotated tag; no ref names it yet."""
    git = not_empty(request)
    name, message = request.required("tag"), request.required("message")
    target, kind = _hex(request.required("object"), "object"), request.required("type")
    if not git.succeeds("check-ref-format", TAGS + name):
        raise Refusal(422, f"tag {name} is not a valid tag name")
    if not git.is_a(kind, target):
        raise Refusal(422, "Object does not exist")
    by = named(request.json.get("tagger"), sign(request.world, request.me))
    return created(_tag(request, write_tag(git, name, target, kind, message, by)))


@route("GET", "/repos/{owner}/{repo}/git/tags/{tag_sha}", "contents:read")
def tag(request: Request) -> Document:
    """Give an annotated tag object."""
    if read_tag(request.repository.git, request.params["tag_sha"]) is None:
        raise not_found()
    return _tag(request, request.params["tag_sha"])


def _tag(request: Request, sha: str) -> Document:
    found = read_tag(request.repository.git, sha)
    assert found is not None
    url = f"{url_of(request.world, request.repository)}/git"
    target = {"type": found.type, "sha": found.object}
    unsigned = dict.fromkeys(("signature", "payload", "verified_at"))
    return {
        "node_id": documents.node("TA", int(sha[:8], 16)),
        "tag": found.tag,
        "sha": sha,
        "url": f"{url}/tags/{sha}",
        "message": found.message,
        "tagger": signature(found.tagger),
        "object": {**target, "url": f"{url}/{found.type}s/{found.object}"},
        "verification": {"verified": False, "reason": "unsigned", **unsigned},
    }
