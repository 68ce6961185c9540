"""Files by path: read, and written one commit at a time."""

import base64
from typing import Any

from tests.github import documents, pushes
from tests.github.answers import Answer, Refusal, created, malformed, not_found
from tests.github.commits import read_commit
from tests.github.documents import url_of
from tests.github.git import HEADS, Entry
from tests.github.git_data import git_commit
from tests.github.history import resolve
from tests.github.protection import refuse_push
from tests.github.refs import may_hold
from tests.github.request import Request
from tests.github.routing import route
from tests.github.signing import commit_as
from tests.github.trees import decoded
from tests.github.world import Document

LARGEST_INLINE = 2**20
"""Bytes; larger files are given raw only."""


@route("GET", "/repos/{owner}/{repo}/contents/{path}", "contents:read")
def contents(request: Request) -> Any:
    """Give a file, or list a folder."""
    repository, path = request.repository, request.params["path"].strip("/")
    if not repository.refs:
        raise Refusal(404, "This repository is empty.")
    name = request.query.get("ref") or repository.default_branch
    commit = read_commit(repository.git, resolve(repository, name) or "")
    if commit is None:
        raise Refusal(404, f"No commit found for the ref {name}")
    entry = repository.git.find(commit.tree, path)
    if entry is None:
        raise not_found()
    if entry.type == "tree":
        inside = repository.git.tree(entry.sha)
        return [_document(request, it, f"{path}/{it.name}".lstrip("/"), name) for it in inside]
    if request.accept == "raw":
        found = repository.git.read(entry.sha)
        assert found is not None
        return Answer(body=found[1], content_type="application/vnd.github.raw; charset=utf-8")
    return _document(request, entry, path, name, inline=True)


def _document(
    request: Request, entry: Entry, path: str, ref: str, *, inline: bool = False
) -> Document:
    repository = request.repository
    url, web = url_of(request.world, repository), documents.page_of(request.world, repository)
    found = repository.git.read(entry.sha) if entry.type == "blob" else None
    data = found[1] if found else b""
    mine = f"{url}/contents/{path}?ref={ref}"
    page, stored = f"{web}/{entry.type}/{ref}/{path}", f"{url}/git/{entry.type}s/{entry.sha}"
    document: Document = {
        "type": "dir" if entry.type == "tree" else "file",
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": len(data),
        "url": mine,
        "html_url": page,
        "git_url": stored,
        "download_url": f"{web}/raw/{ref}/{path}" if found else None,
        "_links": {"self": mine, "git": stored, "html": page},
    }
    if inline:
        small = len(data) <= LARGEST_INLINE
        document["encoding"] = "base64" if small else "none"
        document["content"] = base64.encodebytes(data).decode() if small else ""
    return document


@route("PUT", "/repos/{owner}/{repo}/contents/{path}", "contents:write", "write")
def put(request: Request) -> Answer:
    """Write a file with a commit; replacing one needs the id of what is there."""
    message, content = request.required("message"), request.required("content")
    branch, tip, path = _place(request)
    commit = read_commit(request.repository.git, tip or "")
    git = request.repository.git
    old = git.find(commit.tree, path) if commit else None
    _expect(request, old, path)
    entry = Entry("100644", "", git.write("blob", decoded(content, "base64")))
    tree = git.changed_tree(commit.tree if commit else None, {path: entry})
    sha = _commit(request, branch, tip, tree, message)
    new = git.find(tree, path)
    assert new is not None
    document = {
        "content": _document(request, new, path, branch),
        "commit": git_commit(request, sha),
    }
    return Answer(200, document) if old else created(document)


@route("DELETE", "/repos/{owner}/{repo}/contents/{path}", "contents:write", "write")
def delete(request: Request) -> Document:
    """Delete a file with a commit."""
    message = request.required("message")
    request.required("sha")
    branch, tip, path = _place(request)
    git = request.repository.git
    commit = read_commit(git, tip or "")
    old = git.find(commit.tree, path) if commit else None
    if commit is None or old is None:
        raise not_found()
    _expect(request, old, path)
    tree = git.changed_tree(commit.tree, {path: None})
    sha = _commit(request, branch, tip, tree, message)
    return {"content": None, "commit": git_commit(request, sha)}


def _place(request: Request) -> tuple[str, str | None, str]:
    """Return branch, tip and path to write to."""
    repository = request.repository
    branch = request.json.get("branch") or repository.default_branch
    refuse_push(request, branch)
    tip = repository.branch(branch)
    if tip is None and repository.refs:
        raise Refusal(404, f"Branch {branch} not found")
    return branch, tip, request.params["path"]


def _expect(request: Request, old: Entry | None, path: str) -> None:
    """Refuse a write that does not know what is there; where nothing is, all is well."""
    given = request.json.get("sha")
    if old is not None and given is None:
        raise malformed('"sha" wasn\'t supplied.')
    if old is not None and old.sha != given:
        raise Refusal(409, f"{path} does not match {given}")


def _commit(request: Request, branch: str, tip: str | None, tree: str, message: str) -> str:
    body, parents = request.json, [tip] if tip else []
    sha = commit_as(request, tree, parents, message, body.get("author"), body.get("committer"))
    may_hold(request, sha)
    pushes.move(request.world, request.repository, HEADS + branch, sha, request.me)
    return sha
