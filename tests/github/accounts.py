"""Who acts: people, organizations, apps with their bots, and the tokens they hold."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
Kind = Literal["User", "Organization", "Bot"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")
LEVELS = ("", "read", "write", "admin")

ACTIONS_APP = 15368
ACTIONS_BOT = 41898282
"""The ids that github-actions[bot] has on github.com."""

EVERYTHING: dict[str, str] = dict.fromkeys(
    (
        "actions",
        "administration",
        "checks",
        "contents",
        "issues",
        "pull_requests",
        "statuses",
        "workflows",
    ),
    "write",
) | {"metadata": "read"}


@dataclass
class Account:
    """A person, an organization, or the bot of an app."""

    id: int
    login: str
    type: Kind
    created: datetime
    name: str | None = None
    emails: set[str] = field(default_factory=set)

    @property
    def email(self) -> str:
        """The address that GitHub gives to commits made on its pages."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass
class App:
    """A GitHub App, installed once on every repository of this server.

    Attributes:
        permissions: what installations may ask for at most.
    """

    id: int
    slug: str
    bot: Account
    owner: Account
    installation: int
    created: datetime
    permissions: dict[str, str]


@dataclass
class Token:
    """A token and what it may do.

    Attributes:
        account: who acts with it; None is nobody.
        app: set for installation tokens, and for JWTs (`is_app`).
        permissions: of an app or a fine-grained token; None is a classic one, which
            may what its owner may.
        repositories: ids; None is all of them.
        expires: by the clock of this machine, since clients compare with theirs.
    """

    text: str = field(repr=False)
    account: Account | None = None
    app: App | None = None
    is_app: bool = False
    permissions: dict[str, str] | None = None
    repositories: frozenset[int] | None = None
    expires: datetime | None = None
    used: int = 0
    window_ends: datetime | None = None

    def allows(self, permission: str, level: str) -> bool:
        """Whether the token's own permissions include one."""
        if self.permissions is None:
            return True
        have = "read" if permission == "metadata" else self.permissions.get(permission, "")
        return LEVELS.index(have) >= LEVELS.index(level)

    def reaches(self, repository: int) -> bool:
        """Whether the token was given for a repository."""
        return self.repositories is None or repository in self.repositories
