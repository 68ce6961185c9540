"""What can be asked of the world in GraphQL, and the change that REST does not have."""

from datetime import UTC
from typing import Any

from tests.github import documents, graph, pushes
from tests.github.accounts import Account
from tests.github.answers import Answer
from tests.github.commits import Signature, contains, history, read_commit, read_tag
from tests.github.git import HEADS, NOTHING
from tests.github.graph import Hidden, Node, connection
from tests.github.routing import Request
from tests.github.world import Note, Pull, Repository, Review, Thread, stamp

Arguments = dict[str, Any]


def answer(request: Request) -> Answer:
    """Answer a question, or move refs."""
    me = request.me
    viewer = {"__typename": "User", "login": me.login, "databaseId": me.id}
    roots: dict[str, Node] = {
        "query": {
            "__typename": "Query",
            "viewer": viewer,
            "repository": lambda asked: _Graph(request, _found(request, asked)).node(),
        },
        "mutation": {
            "__typename": "Mutation",
            "updateRefs": lambda asked: _update_refs(request, asked["input"]),
        },
    }
    body = request.json
    return graph.execute(str(body.get("query")), body.get("variables") or {}, roots)


def _found(request: Request, asked: Arguments) -> Repository:
    repository = request.world.repository(asked["owner"], asked["name"])
    inside = repository is not None and (
        request.token.app is not None or repository.may(request.me, "read")
    )
    if repository is None or (repository.private and not inside):
        name = f"{asked['owner']}/{asked['name']}"
        raise Hidden("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    return repository


class _Graph:
    """The nodes of one repository, for one request."""

    def __init__(self, request: Request, repository: Repository) -> None:
        self._request = request
        self._repository = repository
        self._git = repository.git

    def node(self) -> Node:
        repository = self._repository
        name = repository.default_branch
        return {
            "__typename": "Repository",
            "id": documents.node("R", repository.id),
            "url": documents.page_of(self._request.world, repository),
            "defaultBranchRef": {"__typename": "Ref", "name": name}
            if repository.branch(name)
            else None,
            "pullRequests": self._pulls,
            "issues": self._issues,
            "issueOrPullRequest": self._thread,
            "refs": self._refs,
            "ref": lambda asked: self._ref(asked["qualifiedName"]),
            "object": self._object,
        }

    def _may_read(self, permission: str) -> None:
        token = self._request.token
        if self._repository.private and not token.allows(permission, "read"):
            raise Hidden("FORBIDDEN", "Resource not accessible by integration")

    # Threads

    def _pulls(self, asked: Arguments) -> Node:
        self._may_read("pull_requests")
        found = [it for it in self._repository.threads.values() if it.pull]
        return connection(_newest(found), asked, self._any, "PullRequestConnection")

    def _issues(self, asked: Arguments) -> Node:
        self._may_read("issues")
        found = [it for it in self._repository.threads.values() if not it.pull]
        return connection(_newest(found), asked, self._any, "IssueConnection")

    def _thread(self, asked: Arguments) -> Node:
        number = asked["number"]
        thread = self._repository.threads.get(number)
        if thread is None:
            raise Hidden(
                "NOT_FOUND",
                f"Could not resolve to an issue or pull request with the number of {number}.",
            )
        self._may_read("pull_requests" if thread.pull else "issues")
        return self._any(thread)

    def _any(self, it: Thread) -> Node:
        shared = {
            "number": it.number,
            "title": it.title,
            "body": it.body or "",
            "createdAt": stamp(it.created),
            "updatedAt": stamp(it.updated),
            "author": _actor(it.author),
            "labels": lambda asked: connection(
                it.labels,
                asked,
                lambda label: {"__typename": "Label", "name": label.name},
                "LabelConnection",
            ),
            "comments": lambda asked: connection(it.notes, asked, _note, "IssueCommentConnection"),
            "timelineItems": lambda asked: connection(
                [it] if it.closed_by and it.state == "closed" else [],
                asked,
                lambda one: {"__typename": "ClosedEvent", "actor": _actor(one.closed_by)},
                "TimelineItemsConnection",
            ),
        }
        if it.pull:
            return {**shared, **self._pull(it, it.pull)}
        return {
            **shared,
            "__typename": "Issue",
            "id": documents.node("I", it.id),
            "state": it.state.upper(),
        }

    def _pull(self, it: Thread, pull: Pull) -> Node:
        submitted = [one for one in pull.reviews if one.submitted]
        commits = history(self._git, pull.head, exclude=pull.base)[::-1]
        return {
            "__typename": "PullRequest",
            "id": documents.node("PR", pull.id),
            "state": "MERGED" if pull.merged else it.state.upper(),
            "isDraft": pull.draft,
            "headRefName": pull.branch,
            "headRefOid": pull.head,
            "baseRefName": pull.base_branch,
            "isCrossRepository": pull.source is not self._repository,
            "headRepositoryOwner": {"__typename": "User", "login": pull.source_owner.login},
            "mergeCommit": {"__typename": "Commit", "oid": pull.merge_commit}
            if pull.merge_commit
            else None,
            "mergedBy": _actor(pull.merged_by) if pull.merged_by else None,
            "reviews": lambda asked: connection(
                submitted, asked, _review, "PullRequestReviewConnection"
            ),
            "commits": lambda asked: connection(
                commits, asked, self._commit, "PullRequestCommitConnection"
            ),
        }

    def _commit(self, sha: str) -> Node:
        commit = read_commit(self._git, sha)
        assert commit is not None
        return {
            "__typename": "PullRequestCommit",
            "commit": {
                "__typename": "Commit",
                "oid": sha,
                "author": self._signature(commit.author),
                "committer": self._signature(commit.committer),
                "signature": {
                    "__typename": "GpgSignature",
                    "isValid": True,
                    "wasSignedByGitHub": True,
                }
                if sha in self._repository.signed
                else None,
            },
        }

    def _signature(self, by: Signature) -> Node:
        account = self._request.world.account_of(by.email)
        # The field is a User; whether GitHub fills it for bots is said nowhere.
        known = account is not None and account.type == "User"
        return {
            "__typename": "GitActor",
            "email": by.email,
            "user": _actor(account) if known else None,
        }

    # Git

    def _refs(self, asked: Arguments) -> Node:
        self._may_read("contents")
        prefix = asked["refPrefix"]
        names = sorted(it for it in self._repository.refs if it.startswith(prefix))

        def make(name: str) -> Node:
            node = self._ref(name)
            assert node is not None
            return {**node, "name": name.removeprefix(prefix)}

        return connection(names, asked, make, "RefConnection")

    def _ref(self, name: str) -> Node | None:
        self._may_read("contents")
        sha = self._repository.refs.get(name)
        if sha is None:
            return None
        return {"__typename": "Ref", "name": name, "target": lambda _: self._git_object(sha)}

    def _object(self, asked: Arguments) -> Node | None:
        self._may_read("contents")
        if "oid" in asked:
            return self._git_object(asked["oid"])
        name, _, path = asked["expression"].partition(":")
        branch = self._repository.default_branch if name == "HEAD" else name
        commit = read_commit(self._git, self._repository.branch(branch) or "")
        entry = self._git.find(commit.tree, path) if commit else None
        return self._git_object(entry.sha) if entry else None

    def _git_object(self, sha: str) -> Node | None:
        found = self._git.read(sha)
        if found is None:
            return None
        kind, content = found
        if kind == "blob":
            return _blob(sha, content)
        if kind == "tag":
            tag = read_tag(self._git, sha)
            assert tag is not None
            date = tag.tagger.date.astimezone(UTC).isoformat().replace("+00:00", "Z")
            return {
                "__typename": "Tag",
                "oid": sha,
                "message": tag.message,
                "tagger": {"__typename": "GitActor", "date": date},
                "target": lambda _: self._git_object(tag.object),
            }
        if kind == "commit":
            commit = read_commit(self._git, sha)
            assert commit is not None
            return {
                "__typename": "Commit",
                "oid": sha,
                "tree": lambda _: self._git_object(commit.tree),
            }
        return {"__typename": "Tree", "oid": sha, "entries": lambda _: self._entries(sha)}

    def _entries(self, sha: str) -> list[Node]:
        return [
            {
                "__typename": "TreeEntry",
                "name": it.name,
                "type": it.type,
                "oid": it.sha,
                "object": lambda _, it=it: self._git_object(it.sha),
            }
            for it in self._git.tree(sha)
        ]


def _blob(sha: str, content: bytes) -> Node:
    binary = b"\0" in content
    try:
        text = None if binary else content.decode()
    except UnicodeDecodeError:
        text = content.decode(errors="replace")
    return {
        "__typename": "Blob",
        "oid": sha,
        "byteSize": len(content),
        "isBinary": binary,
        "isTruncated": len(content) > 512_000,
        "text": text[:512_000] if text is not None else None,
    }


def _newest(threads: list[Thread]) -> list[Thread]:
    return sorted(threads, key=lambda it: (it.updated, it.number), reverse=True)


def _actor(account: Account | None) -> Node | None:
    if account is None:
        return None
    # GraphQL names bots without their brackets.
    login = account.login.removesuffix("[bot]") if account.type == "Bot" else account.login
    return {"__typename": account.type, "login": login, "databaseId": account.id}


def _note(it: Note) -> Node:
    return {
        "__typename": "IssueComment",
        "fullDatabaseId": str(it.id),
        "body": it.body,
        "createdAt": stamp(it.created),
        "updatedAt": stamp(it.updated),
        "author": _actor(it.author),
    }


def _review(it: Review) -> Node:
    return {
        "__typename": "PullRequestReview",
        "state": it.state,
        "body": it.body or "",
        "submittedAt": stamp(it.submitted),
        "author": _actor(it.author),
    }


# Changes


def _writable(request: Request, repository: Repository, permission: str) -> None:
    token = request.token
    allowed = token.allows(permission, "write") and (
        token.app is not None or repository.may(request.me, "write")
    )
    if not allowed:
        raise Hidden("FORBIDDEN", "Resource not accessible by integration")


def _update_refs(request: Request, asked: Arguments) -> Node:
    """Move refs that are where the caller saw them, forced or not."""
    repositories = request.world.repositories.values()
    repository = next(
        it for it in repositories if documents.node("R", it.id) == asked["repositoryId"]
    )
    _writable(request, repository, "contents")
    for update in asked["refUpdates"]:
        name, new = update["name"], update["afterOid"]
        old = repository.refs.get(name, NOTHING)
        if update.get("beforeOid") not in (None, old):
            raise Hidden("UNPROCESSABLE", f"Reference {name} is not at {update['beforeOid']}")
        if new != NOTHING and not repository.git.is_a("commit", new):
            raise Hidden("UNPROCESSABLE", f"Object does not exist: {new}")
        forward = old == NOTHING or contains(repository.git, new, old)
        if not (update.get("force") or forward):
            raise Hidden("UNPROCESSABLE", f"Update of {name} is not a fast forward")
    for update in asked["refUpdates"]:
        new = None if update["afterOid"] == NOTHING else update["afterOid"]
        assert update["name"].startswith(HEADS)
        pushes.move(request.world, repository, update["name"], new, request.me)
    return {"__typename": "UpdateRefsPayload", "clientMutationId": None}
