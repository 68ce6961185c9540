"""Accounts, apps and tokens: how they come into the world, and what apps may ask for."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from tests.github import keys
from tests.github.accounts import ACTIONS_APP, ACTIONS_BOT, EVERYTHING, Account, App, Kind, Token
from tests.github.world import Repository, World


def person(world: World, login: str, kind: Kind = "User") -> Account:
    """Return an account by its login, made if nobody has it."""
    known = world.account(login)
    if known is not None:
        return known
    kind = "Bot" if login.endswith("[bot]") else kind
    number = ACTIONS_BOT if login == "github-actions[bot]" else world.next_id()
    account = Account(number, login, kind, world.now())
    account.emails.add(f"{login}@example.com")
    world.accounts[login.lower()] = account
    return account


def application(world: World, slug: str, permissions: Mapping[str, str] | None = None) -> App:
    """Return an app by its slug, made and installed everywhere if there is none."""
    if slug not in world.apps:
        number = ACTIONS_APP if slug == "github-actions" else world.next_id()
        world.apps[slug] = App(
            number,
            slug,
            person(world, f"{slug}[bot]"),
            person(world, "github" if slug == "github-actions" else f"{slug}-maker"),
            world.next_id(),
            world.now(),
            dict(EVERYTHING),
        )
    if permissions is not None:
        world.apps[slug].permissions = {"metadata": "read", **permissions}
    return world.apps[slug]


def issue_token(
    world: World,
    login: str,
    permissions: Mapping[str, str] | None = None,
    repositories: Sequence[Repository] | None = None,
) -> str:
    """Return a new token of a person, or of an app if the login ends with `[bot]`."""
    ids = None if repositories is None else frozenset(it.id for it in repositories)
    if login.endswith("[bot]"):
        app = application(world, login.removesuffix("[bot]"))
        given = dict(app.permissions if permissions is None else permissions)
        return installation_token(world, app, given, ids).text
    kind = "ghp_" if permissions is None else "github_pat_"
    token = Token(kind + secrets.token_hex(18), person(world, login))
    token.permissions = None if permissions is None else dict(permissions)
    token.repositories = ids
    world.tokens[token.text] = token
    return token.text


def installation_token(
    world: World, app: App, permissions: dict[str, str], repositories: frozenset[int] | None
) -> Token:
    """Return a new token of an app's installation; it lives for an hour."""
    token = Token("ghs_" + secrets.token_hex(18), app.bot, app)
    token.permissions = {"metadata": "read", **permissions}
    token.repositories = repositories
    token.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    world.tokens[token.text] = token
    return token


@dataclass(frozen=True)
class Application:
    """An app, as its maker has it.

    Attributes:
        private_key: PEM.
        installation: the id to ask for tokens with.
    """

    id: int
    slug: str
    private_key: str
    installation: int

    @classmethod
    def of(cls, app: App) -> "Application":
        """Return what the maker of an app has of it."""
        return cls(app.id, app.slug, keys.pair(app.id)[0], app.installation)

    def jwt(self, seconds: int = 300) -> str:
        """Return a JWT that stands for the app for some seconds."""
        now = int(time.time())
        claims = {"iat": now - 30, "exp": now + seconds, "iss": str(self.id)}
        return jwt.encode(claims, self.private_key, algorithm="RS256")
