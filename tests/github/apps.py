"""What an app asks with its JWT: who it is, where it is installed, and tokens."""

from tests.github import documents
from tests.github.accounts import LEVELS, Account, App
from tests.github.answers import Answer, Refusal, created, not_found
from tests.github.documents import integration, user
from tests.github.people import installation_token
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Repository, stamp


def _app(request: Request) -> App:
    assert request.token.app is not None
    return request.token.app


@route("GET", "/app", caller="app")
def app(request: Request) -> Document:
    """Say who the app is."""
    return integration(request.world, _app(request))


@route("GET", "/app/installations", caller="app")
def installations(request: Request) -> list[Document]:
    """List where the app is installed: once, on everything."""
    return [_installation(request, _app(request), _app(request).owner)]


@route("GET", "/app/installations/{installation_id}", caller="app")
def installation(request: Request) -> Document:
    """Give an installation of the app."""
    return _installation(request, _mine(request), _app(request).owner)


@route("GET", "/repos/{owner}/{repo}/installation", caller="app")
def installation_of(request: Request) -> Document:
    """Give the app's installation on a repository."""
    return _installation(request, _app(request), request.repository.owner)


@route("POST", "/app/installations/{installation_id}/access_tokens", caller="app")
def access_token(request: Request) -> Answer:
    """Give an installation token, with no more than the app was given."""
    it, wanted = _mine(request), request.json
    permissions = wanted.get("permissions") or it.permissions
    for name, level in permissions.items():
        if LEVELS.index(it.permissions.get(name, "")) < LEVELS.index(level):
            problem = "The permissions requested are not granted to this installation."
            raise Refusal(422, problem)
    chosen = _chosen(request)
    ids = None if chosen is None else frozenset(one.id for one in chosen)
    token = installation_token(request.world, it, dict(permissions), ids)
    document = {
        "token": token.text,
        "expires_at": stamp(token.expires),
        "permissions": token.permissions,
        "repository_selection": "all" if chosen is None else "selected",
    }
    if chosen is not None:
        document["repositories"] = [documents.full(request.world, one) for one in chosen]
    return created(document)


def _mine(request: Request) -> App:
    it = _app(request)
    if request.number("installation_id") != it.installation:
        raise not_found()
    return it


def _chosen(request: Request) -> list[Repository] | None:
    """Return the repositories that a token is asked for; None is all."""
    wanted = request.json
    names, ids = wanted.get("repositories"), wanted.get("repository_ids")
    if names is None and ids is None:
        return None
    everything = list(request.world.repositories.values())
    chosen = [one for one in everything if one.name in (names or []) or one.id in (ids or [])]
    if len(chosen) < len(set(names or ids or [])):
        problem = "There is at least one repository that does not exist or is not accessible"
        raise Refusal(422, f"{problem} to the parent installation.")
    return chosen


def _installation(request: Request, it: App, account: Account) -> Document:
    world, number = request.world, it.installation
    return {
        "id": number,
        "client_id": f"Iv1.{it.id:016x}",
        "account": user(world, account),
        "repository_selection": "all",
        "access_tokens_url": f"{world.url}/app/installations/{number}/access_tokens",
        "repositories_url": f"{world.url}/installation/repositories",
        "html_url": f"{world.web_url}/settings/installations/{number}",
        "app_id": it.id,
        "app_slug": it.slug,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": it.permissions,
        "events": [],
        "created_at": stamp(it.created),
        "updated_at": stamp(it.created),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": None,
    }
