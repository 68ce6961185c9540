"""Git over JSON: blobs and trees, as real objects."""

import base64
import binascii
from typing import Any

from tests.github import documents
from tests.github.answers import Answer, Refusal, created, malformed, not_found
from tests.github.commits import read_commit
from tests.github.documents import url_of
from tests.github.git import Entry, Git
from tests.github.history import not_empty, resolve
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document


def decoded(text: str, encoding: str) -> bytes:
    """Return bytes that came as text.

    Raises:
        Refusal: 422, it is not base64.
    """
    if encoding != "base64":
        return text.encode()
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(422, "content is not valid Base64") from None


@route("POST", "/repos/{owner}/{repo}/git/blobs", "contents:write", "write")
def create_blob(request: Request) -> Answer:
    """Store bytes."""
    git = not_empty(request)
    content = request.required("content")
    if not isinstance(content, str):
        raise malformed("content is not a string.")
    sha = git.write("blob", decoded(content, request.json.get("encoding", "utf-8")))
    url = f"{url_of(request.world, request.repository)}/git/blobs/{sha}"
    return created({"url": url, "sha": sha}, url)


@route("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", "contents:read")
def blob(request: Request) -> Any:
    """Give bytes by their id."""
    sha = request.params["file_sha"]
    found = request.repository.git.read(sha)
    if found is None or found[0] != "blob":
        raise not_found()
    if request.accept == "raw":
        kind = "application/vnd.github.raw; charset=utf-8"
        return Answer(body=found[1], content_type=kind)
    return {
        "sha": sha,
        "node_id": documents.node("B", int(sha[:8], 16)),
        "size": len(found[1]),
        "url": f"{url_of(request.world, request.repository)}/git/blobs/{sha}",
        "content": base64.encodebytes(found[1]).decode(),
        "encoding": "base64",
    }


@route("POST", "/repos/{owner}/{repo}/git/trees", "contents:write", "write")
def create_tree(request: Request) -> Answer:
    """Store a tree: entries on top of a base, where null takes a path out."""
    git, base = not_empty(request), request.json.get("base_tree")
    wanted = request.required("tree")
    if base is not None:
        base = _tree_of(git, base)
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(422, "Invalid tree info")
    changes = dict(_entry(git, it) for it in wanted)
    try:
        sha = git.changed_tree(base, changes)
    except KeyError:
        # What is not there cannot be taken out; GitHub says it as its Git server does.
        raise Refusal(422, "GitRPC::BadObjectState") from None
    return created(_tree_document(request, sha, recursive=False))


def _tree_of(git: Git, sha: str) -> str:
    """Return the tree of a tree or a commit."""
    commit = read_commit(git, sha)
    if commit is not None:
        return commit.tree
    if not git.is_a("tree", sha):
        raise Refusal(422, "base_tree is not a valid tree oid")
    return sha


def _entry(git: Git, wanted: Any) -> tuple[str, Entry | None]:
    path, mode = str(wanted.get("path", "")), wanted.get("mode", "100644").lstrip("0")
    parts = path.split("/")
    if not path or {"", ".", "..", ".git"} & {it.lower() for it in parts}:
        raise Refusal(422, "tree.path contains a malformed path component")
    if mode not in {"100644", "100755", "120000", "40000", "160000"}:
        raise Refusal(422, "Must supply a valid tree.mode")
    if "content" in wanted:
        return path, Entry(mode, parts[-1], git.write("blob", wanted["content"].encode()))
    if "sha" not in wanted:
        raise Refusal(422, "Must supply either tree.sha or tree.content")
    sha = wanted["sha"]
    if sha is None:
        return path, None
    kind = Entry(mode, "", sha).type
    if kind != "commit" and not git.is_a(kind, sha):
        raise Refusal(422, f"tree.sha {sha} is not a valid {kind}")
    return path, Entry(mode, parts[-1], sha)


@route("GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "contents:read")
def tree(request: Request) -> Document:
    """Give a tree by its id, or that of a commit or a branch."""
    git, name = not_empty(request), request.params["tree_sha"]
    if git.is_a("tree", name):
        return _tree_document(request, name, recursive="recursive" in request.query)
    commit = read_commit(git, resolve(request.repository, name) or "")
    if commit is None:
        raise not_found()
    return _tree_document(request, commit.tree, recursive="recursive" in request.query)


def _tree_document(request: Request, sha: str, *, recursive: bool) -> Document:
    url = f"{url_of(request.world, request.repository)}/git"
    rows = list(_rows(request.repository.git, url, sha, "", recursive=recursive))
    return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": rows, "truncated": False}


def _rows(git: Git, url: str, sha: str, above: str, *, recursive: bool) -> list[Document]:
    rows: list[Document] = []
    for it in git.tree(sha):
        path = above + it.name
        row = {"path": path, "mode": it.mode.zfill(6), "type": it.type, "sha": it.sha}
        if it.type != "commit":
            row["url"] = f"{url}/{it.type}s/{it.sha}"
        if it.type == "blob":
            found = git.read(it.sha)
            row["size"] = len(found[1]) if found else 0  # type: ignore[assignment]
        rows.append(row)
        if recursive and it.type == "tree":
            rows += _rows(git, url, it.sha, path + "/", recursive=True)
    return rows
