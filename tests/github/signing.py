"""Who made a commit, and whether GitHub signed it, as JSON."""

from datetime import datetime
from typing import Any

from tests.github.accounts import Account
from tests.github.commits import Commit, Signature, write_commit
from tests.github.request import Request
from tests.github.world import Document, Repository, World, stamp

_WEB_FLOW = ("GitHub", "noreply@github.com")


def sign(world: World, account: Account) -> Signature:
    """Return how an account signs now."""
    return Signature(account.name or account.login, account.email, world.now())


def web_flow(world: World) -> Signature:
    """Return how GitHub itself signs now."""
    return Signature(*_WEB_FLOW, world.now())


def named(person: Any, default: Signature) -> Signature:
    """Return the signature that a request names, if it names one."""
    if not person:
        return default
    date = datetime.fromisoformat(person["date"]) if person.get("date") else default.date
    return Signature(person["name"], person["email"], date)


def commit_as(
    request: Request,
    tree: str,
    parents: list[str],
    message: str,
    author: Any = None,
    committer: Any = None,
) -> str:
    """Store a commit of who asks, or of whom they name, and return its id.

    GitHub signs what an app commits in its own name.
    """
    repository = request.repository
    by = named(author, sign(request.world, request.me))
    signed = request.token.app is not None and not author and not committer
    last = web_flow(request.world) if signed else named(committer, by)
    sha = write_commit(repository.git, tree, parents, message, by, last)
    if signed:
        repository.signed.add(sha)
    return sha


def signature(person: Signature) -> Document:
    """Return who made a commit."""
    return {"name": person.name, "email": person.email, "date": stamp(person.date)}


def verification(repository: Repository, found: Commit) -> Document:
    """Return whether GitHub signed a commit."""
    if found.sha not in repository.signed:
        nothing = dict.fromkeys(("signature", "payload", "verified_at"))
        return {"verified": False, "reason": "unsigned", **nothing}
    return {
        "verified": True,
        "reason": "valid",
        "signature": "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n",
        "payload": f"tree {found.tree}\n",
        "verified_at": stamp(found.committer.date),
    }
