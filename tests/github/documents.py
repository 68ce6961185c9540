"""Accounts, apps and repositories as GitHub's JSON; other things stand beside their routes."""

import base64
from collections.abc import Iterable
from typing import Any

from tests.github.accounts import ROLES, Account, App
from tests.github.world import Document, Repository, Thread, World, stamp

_USER_LINKS = {
    "followers": "/followers",
    "following": "/following{/other_user}",
    "gists": "/gists{/gist_id}",
    "starred": "/starred{/owner}{/repo}",
    "subscriptions": "/subscriptions",
    "organizations": "/orgs",
    "repos": "/repos",
    "events": "/events{/privacy}",
    "received_events": "/received_events",
}
_REPOSITORY_LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}


def node(kind: str, number: int) -> str:
    """Return the global id of a thing."""
    return f"{kind}_{base64.urlsafe_b64encode(f'{kind}:{number}'.encode()).decode().rstrip('=')}"


def pick(document: Document, names: Iterable[str]) -> Document:
    """Return some fields of a document."""
    return {name: document[name] for name in names if name in document}


def user(world: World, account: Account) -> Document:
    """Return an account as every document names it."""
    url = f"{world.url}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node("U", account.id),
        "avatar_url": f"{world.web_url}/avatars/u/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.web_url}/{account.login}",
        **{f"{name}_url": url + path for name, path in _USER_LINKS.items()},
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def maybe_user(world: World, account: Account | None) -> Document | None:
    """Return an account, or nothing."""
    return user(world, account) if account else None


def integration(world: World, app: App) -> Document:
    """Return an app."""
    return {
        "id": app.id,
        "client_id": f"Iv1.{app.id:016x}",
        "slug": app.slug,
        "node_id": node("A", app.id),
        "owner": user(world, app.owner),
        "name": app.slug,
        "description": "",
        "external_url": f"{world.web_url}/apps/{app.slug}",
        "html_url": f"{world.web_url}/apps/{app.slug}",
        "created_at": stamp(app.created),
        "updated_at": stamp(app.created),
        "permissions": app.permissions,
        "events": [],
    }


def url_of(world: World, repository: Repository) -> str:
    """Return where the API has a repository."""
    return f"{world.url}/repos/{repository.full_name}"


def page_of(world: World, repository: Repository) -> str:
    """Return where people see a repository."""
    return f"{world.web_url}/{repository.full_name}"


def minimal(world: World, repository: Repository) -> Document:
    """Return a repository as lists and workflow runs name it."""
    url = url_of(world, repository)
    return {
        "id": repository.id,
        "node_id": node("R", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": user(world, repository.owner),
        "html_url": page_of(world, repository),
        "description": None,
        "fork": repository.parent is not None,
        "url": url,
        **{f"{name}_url": url + path for name, path in _REPOSITORY_LINKS.items()},
    }


def full(world: World, repository: Repository) -> Document:
    """Return a repository as pull requests name it."""
    page = page_of(world, repository)
    opened = sum(it.state == "open" for it in repository.threads.values())
    since = stamp(repository.created)
    return minimal(world, repository) | {
        "created_at": since,
        "updated_at": since,
        "pushed_at": since,
        "git_url": page.replace("http", "git", 1) + ".git",
        "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
        "clone_url": page + ".git",
        "svn_url": page,
        "homepage": None,
        "size": 0,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": False,
        "has_downloads": True,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": opened,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repository.private else "public",
        "forks": 0,
        "open_issues": opened,
        "watchers": 0,
        "default_branch": repository.default_branch,
    }


def rights(repository: Repository, account: Account | None) -> dict[str, bool]:
    """Return what an account may do in a repository, as repositories say it."""
    names = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage"}
    have = ROLES.index(repository.role(account))
    table: dict[str, Any] = {key: have >= ROLES.index(it) for key, it in names.items()}  # type: ignore[arg-type]
    return table | {"pull": have > 0}


def association(repository: Repository, account: Account) -> str:
    """Return what an author is to a repository."""
    if account.id == repository.owner.id:
        return "OWNER"
    if account.login.lower() in repository.roles:
        return "COLLABORATOR"
    merged = (it.pull and it.pull.merged and it.author.id for it in repository.threads.values())
    return "CONTRIBUTOR" if account.id in merged else "NONE"


def thread_url(world: World, repository: Repository, thread: Thread, kind: str = "issues") -> str:
    """Return where the API has an issue or a pull request."""
    return f"{url_of(world, repository)}/{kind}/{thread.number}"
