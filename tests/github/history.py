"""Commits as people see them: one, many, and the difference between two."""

import re
from typing import Any

from tests.github import documents
from tests.github.answers import Answer, Refusal, not_found, page
from tests.github.commits import contains, history, merge_base, peel, read_commit
from tests.github.documents import maybe_user, url_of
from tests.github.git import HEADS, NOTHING, TAGS, Git
from tests.github.request import Request
from tests.github.routing import route
from tests.github.signing import signature, verification
from tests.github.world import Document, Repository

_WORDS = {"A": "added", "M": "modified", "D": "removed", "T": "changed", "R": "renamed"}
MOST_COMMITS = 250
MOST_FILES = 300


def not_empty(request: Request) -> Git:
    """Return the Git of the repository.

    Raises:
        Refusal: 409, it has no commit yet.
    """
    if not request.repository.refs:
        raise Refusal(409, "Git Repository is empty.")
    return request.repository.git


def resolve(repository: Repository, name: str) -> str | None:
    """Return the commit that a branch, a tag, a full ref or an id names."""
    for ref in (HEADS + name, TAGS + name, name, f"refs/{name}"):
        if ref in repository.refs:
            return peel(repository.git, repository.refs[ref])
    if name == "HEAD":
        return repository.branch(repository.default_branch)
    if re.fullmatch(r"[0-9a-f]{7,39}", name):
        found = repository.git.run("rev-parse", "--quiet", "--verify", name, accept=(0, 1, 128))
        name = found.decode().strip()
    return name if repository.git.is_a("commit", name) else None


def commit_document(request: Request, sha: str) -> Document:
    """Return a commit as lists have it."""
    world, repository = request.world, request.repository
    found = read_commit(repository.git, sha)
    assert found is not None
    url, web = url_of(world, repository), f"{documents.page_of(world, repository)}/commit"
    return {
        "sha": sha,
        "node_id": documents.node("C", int(sha[:8], 16)),
        "commit": {
            "author": signature(found.author),
            "committer": signature(found.committer),
            "message": found.message,
            "tree": {"sha": found.tree, "url": f"{url}/git/trees/{found.tree}"},
            "url": f"{url}/git/commits/{sha}",
            "comment_count": 0,
            "verification": verification(repository, found),
        },
        "url": f"{url}/commits/{sha}",
        "html_url": f"{web}/{sha}",
        "comments_url": f"{url}/commits/{sha}/comments",
        "author": maybe_user(world, world.account_of(found.author.email)),
        "committer": maybe_user(world, world.account_of(found.committer.email)),
        "parents": [
            {"sha": it, "url": f"{url}/commits/{it}", "html_url": f"{web}/{it}"}
            for it in found.parents
        ],
    }


def changed_files(request: Request, old: str, new: str) -> list[Document]:
    """Return the files that differ between two commits, with their patches."""
    git = request.repository.git
    names = git.run("diff-tree", "-r", "-M", "-z", "--raw", "--no-abbrev", old, new).decode()
    counts = git.run("diff-tree", "-r", "-M", "--numstat", "-z", old, new).decode()
    patches = _patches(git.run("diff-tree", "-r", "-M", "-p", old, new).decode(errors="replace"))
    fields, rows = iter(names.split("\0")), []
    numbers = [it.split("\t")[:2] for it in counts.split("\0") if it.count("\t") == 2]
    for raw, (plus, minus), patch in zip(_raw(fields), numbers, patches, strict=True):
        rows.append(_file(request, new, *raw, plus, minus, patch))
    return rows


def _raw(fields: Any) -> Any:
    """Yield status, blob, path and former path of each changed file."""
    for head in fields:
        if not head:
            continue
        _, _, old, new, status = head.split(" ")
        before = next(fields) if status[0] in "RC" else ""
        yield _WORDS[status[0]], old if new == NOTHING else new, next(fields), before


def _patches(text: str) -> list[str]:
    """Return the hunks of each file of a diff; none for a binary one."""
    files = re.split(r"^diff --git .*\n", text, flags=re.MULTILINE)[1:]
    return [
        it[found.start() :].rstrip("\n") if (found := re.search(r"^@@", it, re.MULTILINE)) else ""
        for it in files
    ]


def _file(
    request: Request,
    at: str,
    status: str,
    blob: str,
    path: str,
    before: str,
    plus: str,
    minus: str,
    patch: str,
) -> Document:
    web = documents.page_of(request.world, request.repository)
    added, removed = (int(it) if it.isdecimal() else 0 for it in (plus, minus))
    row: Document = {
        "sha": blob,
        "filename": path,
        "status": status,
        "additions": added,
        "deletions": removed,
        "changes": added + removed,
        "blob_url": f"{web}/blob/{at}/{path}",
        "raw_url": f"{web}/raw/{at}/{path}",
        "contents_url": f"{url_of(request.world, request.repository)}/contents/{path}?ref={at}",
    }
    if patch:
        row["patch"] = patch
    if before:
        row["previous_filename"] = before
    return row


def text_of(git: Git, kind: str, old: str, new: str) -> Answer:
    """Return the changes between two commits as `diff` or `patch`."""
    if kind == "patch":
        body = git.run("format-patch", "--stdout", f"{old}..{new}")
    else:
        body = git.run("diff", f"{old}...{new}")
    return Answer(body=body, content_type=f"application/vnd.github.{kind}; charset=utf-8")


@route("GET", "/repos/{owner}/{repo}/commits", "contents:read")
def commits(request: Request) -> Answer:
    """List commits from a branch down."""
    not_empty(request)
    name = request.query.get("sha") or request.repository.default_branch
    tip = resolve(request.repository, name)
    if tip is None:
        raise not_found()
    found = history(request.repository.git, tip, path=request.query.get("path", ""))
    return page(commit_document(request, it) for it in found)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}", "contents:read")
def commit(request: Request) -> Any:
    """Give a commit with its files."""
    git = not_empty(request)
    sha = resolve(request.repository, request.params["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {request.params['ref']}")
    found = read_commit(git, sha)
    assert found is not None
    old = found.parents[0] if found.parents else git.write("tree", b"")
    if request.accept in {"diff", "patch"}:
        body = git.run("diff-tree", "-p", "--no-commit-id", old, sha)
        return Answer(body=body, content_type="application/vnd.github.diff; charset=utf-8")
    files = changed_files(request, old, sha)
    return commit_document(request, sha) | {"stats": _stats(files), "files": files}


def _stats(files: list[Document]) -> Document:
    added, removed = (sum(it[key] for it in files) for key in ("additions", "deletions"))
    return {"additions": added, "deletions": removed, "total": added + removed}


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}", "contents:read")
def compare(request: Request) -> Any:
    """Give what a head has and a base has not."""
    git = not_empty(request)
    names = request.params["basehead"].split("...")
    found = [resolve(request.repository, it.rpartition(":")[2]) for it in names]
    if len(found) != 2 or None in found:
        raise not_found()
    base, head = (str(it) for it in found)
    fork = merge_base(git, base, head)
    if fork is None:
        raise Refusal(404, f"No common ancestor between {names[0]} and {names[1]}.")
    if request.accept in {"diff", "patch"}:
        return text_of(git, request.accept, base, head)
    ahead, behind = history(git, head, exclude=base), history(git, base, exclude=head)
    web = f"{documents.page_of(request.world, request.repository)}/compare"
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    return {
        "url": f"{url_of(request.world, request.repository)}/compare/{request.params['basehead']}",
        "html_url": f"{web}/{request.params['basehead']}",
        "permalink_url": f"{web}/{base[:7]}...{head[:7]}",
        "diff_url": f"{web}/{request.params['basehead']}.diff",
        "patch_url": f"{web}/{request.params['basehead']}.patch",
        "base_commit": commit_document(request, base),
        "merge_base_commit": commit_document(request, fork),
        "status": words.get((bool(ahead), bool(behind)), "identical"),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [commit_document(request, it) for it in reversed(ahead[:MOST_COMMITS])],
        "files": changed_files(request, fork, head)[:MOST_FILES],
    }


__all__ = ["commit_document", "contains", "not_empty", "resolve"]
