"""Users, repositories, branches, collaborators, forks."""

from tests.github import documents, protection
from tests.github.accounts import Account
from tests.github.answers import Answer, Refusal, created, malformed, no_content, not_found, page
from tests.github.commits import peel
from tests.github.documents import user
from tests.github.git import HEADS, TAGS, Git
from tests.github.history import commit_document
from tests.github.request import Request
from tests.github.routing import route
from tests.github.world import Document, Label, Repository, World, stamp

DEFAULT_LABELS = {
    "bug": ("d73a4a", "Something isn't working"),
    "documentation": ("0075ca", "Improvements or additions to documentation"),
    "duplicate": ("cfd3d7", "This issue or pull request already exists"),
    "enhancement": ("a2eeef", "New feature or request"),
    "good first issue": ("7057ff", "Good for newcomers"),
    "help wanted": ("008672", "Extra attention is needed"),
    "invalid": ("e4e669", "This doesn't seem right"),
    "question": ("d876e3", "Further information is requested"),
    "wontfix": ("ffffff", "This will not be worked on"),
}


def add(world: World, owner: Account, name: str, git: Git) -> Repository:
    """Put a repository into the world, with the labels that every new one has."""
    repository = Repository(world.next_id(), owner, name, git, world.now())
    for label, (color, description) in DEFAULT_LABELS.items():
        repository.labels[label] = Label(world.next_id(), label, color, description)
    world.repositories[repository.full_name.lower()] = repository
    return repository


def fork(world: World, parent: Repository, owner: Account, name: str = "") -> Repository:
    """Copy a repository to another owner; its branches and tags come along."""
    name = name or parent.name
    path = parent.git.path.parent.parent / owner.login / f"{name}.git"
    forked = add(world, owner, name, Git.create(path, parent.default_branch, world.readers))
    forked.parent, forked.private = parent, parent.private
    forked.default_branch = parent.default_branch
    forked.git.run(
        "fetch", "--quiet", str(parent.git.path), f"+{HEADS}*:{HEADS}*", f"+{TAGS}*:{TAGS}*"
    )
    forked.git.new_moves()
    forked.refs = {ref: sha for ref, sha in parent.refs.items() if ref.startswith((HEADS, TAGS))}
    return forked


@route("GET", "/user")
def me(request: Request) -> Document:
    """Say who the token is; installations are nobody in particular."""
    if request.token.app is not None:
        raise Refusal(403, "Resource not accessible by integration")
    return _public(request.world, request.me)


@route("GET", "/users/{username}")
def somebody(request: Request) -> Document:
    """Give an account by its login."""
    account = request.world.account(request.params["username"])
    if account is None:
        raise not_found()
    return _public(request.world, account)


def _public(world: World, account: Account) -> Document:
    nothing = dict.fromkeys(("company", "location", "email", "hireable", "bio"))
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    since = stamp(account.created)
    times = {"created_at": since, "updated_at": since}
    return user(world, account) | {"name": account.name, "blog": ""} | nothing | counts | times


@route("GET", "/repos/{owner}/{repo}")
def repository(request: Request) -> Document:
    """Give a repository."""
    return _shown(request, request.repository)


def _shown(request: Request, found: Repository) -> Document:
    world = request.world
    document = documents.full(world, found)
    document |= {"network_count": 0, "subscribers_count": 0}
    if request.token.app is None and request.viewer is not None:
        document["permissions"] = documents.rights(found, request.viewer)
    if found.parent is not None:
        parent = documents.full(world, found.parent)
        document |= {"parent": parent, "source": parent}
    return document


@route("GET", "/repos/{owner}/{repo}/branches", "contents:read")
def branches(request: Request) -> Answer:
    """List branches by name."""
    names = [it.removeprefix(HEADS) for it in sorted(request.repository.refs) if HEADS in it]
    return page(_branch(request, name) for name in names)


def _branch(request: Request, name: str) -> Document:
    tip, protected = request.repository.branch(name), name in request.repository.protected
    url = f"{documents.url_of(request.world, request.repository)}/commits/{tip}"
    return {"name": name, "commit": {"sha": tip, "url": url}, "protected": protected}


@route("GET", "/repos/{owner}/{repo}/branches/{branch}", "contents:read")
def branch(request: Request) -> Document:
    """Give a branch with the commit at its tip."""
    name = request.params["branch"]
    tip = request.repository.branch(name)
    if tip is None:
        raise Refusal(404, "Branch not found")
    url = f"{documents.url_of(request.world, request.repository)}/branches/{name}"
    return {
        "name": name,
        "commit": commit_document(request, tip),
        "_links": {"self": url, "html": url},
        "protected": name in request.repository.protected,
        "protection": protection.summary(request.repository, name),
        "protection_url": url + "/protection",
    }


@route("GET", "/repos/{owner}/{repo}/tags", "contents:read")
def tags(request: Request) -> Answer:
    """List tags, the last name first, with the commits they lead to."""
    url = documents.url_of(request.world, request.repository)
    listed = []
    for ref in sorted(request.repository.refs, reverse=True):
        if not ref.startswith(TAGS):
            continue
        sha = peel(request.repository.git, request.repository.refs[ref])
        name = ref.removeprefix(TAGS)
        listed.append(
            {
                "name": name,
                "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
                "zipball_url": f"{url}/zipball/{ref}",
                "tarball_url": f"{url}/tarball/{ref}",
                "node_id": documents.node("REF", abs(hash(ref))),
            }
        )
    return page(listed)


@route("GET", "/repos/{owner}/{repo}/collaborators", "metadata:read", "write")
def collaborators(request: Request) -> Answer:
    """List who may do more than everybody."""
    accounts = [request.world.account(login) for login in request.repository.roles]
    return page(_collaborator(request, it) for it in accounts if it)


def _collaborator(request: Request, account: Account) -> Document:
    role = request.repository.role(account)
    may = documents.rights(request.repository, account)
    return user(request.world, account) | {"permissions": may, "role_name": role}


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}")
def is_collaborator(request: Request) -> Answer:
    """Answer 204 for a collaborator."""
    account = request.world.account(request.params["username"])
    if account is None or account.login.lower() not in request.repository.roles:
        raise not_found()
    return no_content()


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission")
def permission(request: Request) -> Document:
    """Say what somebody may do; the old word has no triage and no maintain."""
    account = request.world.account(request.params["username"])
    if account is None:
        raise not_found()
    role = request.repository.role(account)
    old = {"triage": "read", "maintain": "write"}.get(role, role)
    return {
        "permission": old,
        "role_name": role,
        "user": _collaborator(request, account),
    }


@route("POST", "/repos/{owner}/{repo}/forks", "contents:read")
def create_fork(request: Request) -> Answer:
    """Fork a repository to who asks; a fork that is there already is given again."""
    name = request.json.get("name") or request.repository.name
    if not isinstance(name, str):
        raise malformed("name is not a string.")
    world = request.world
    there = world.repository(request.me.login, name)
    return Answer(202, _shown(request, there or fork(world, request.repository, request.me, name)))


@route("GET", "/repos/{owner}/{repo}/forks")
def forks(request: Request) -> Answer:
    """List the forks of a repository, the newest first."""
    world = request.world
    found = [it for it in world.repositories.values() if it.parent is request.repository]
    return page(documents.full(world, it) for it in reversed(found))


@route("GET", "/rate_limit")
def rate_limit(request: Request) -> Document:
    """Say what is left of the limits; asking costs nothing."""
    token, limit = request.token, request.world.limit(request.token)
    ends = token.window_ends or request.world.now()
    core = {"limit": limit, "used": token.used, "remaining": max(0, limit - token.used)}
    core["reset"] = int(ends.timestamp())
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
    return {"resources": {"core": core, "search": search}, "rate": core}


@route("GET", "/meta")
def meta(request: Request) -> Document:
    """Say what kind of server this is."""
    return {"verifiable_password_authentication": False, "installed_version": "3.19.0"}


__all__ = ["DEFAULT_LABELS", "add", "created", "fork"]
