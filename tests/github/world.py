"""Everything the server remembers beside Git: plain records behind one lock."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.github.accounts import ACTIONS_APP, ROLES, Account, App, Role, Token
from tests.github.git import HEADS, Git
from tests.github.storage import Storage

Document = dict[str, Any]


@dataclass
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str
    description: str | None = None


@dataclass
class Note:
    """A comment on an issue or a pull request."""

    id: int
    author: Account
    body: str
    created: datetime
    updated: datetime
    app: App | None = None


@dataclass
class Review:
    """A review of a pull request; `submitted` is None while it is pending."""

    id: int
    author: Account
    state: str
    body: str
    commit: str
    submitted: datetime | None


@dataclass
class Pull:
    """What a pull request is besides an issue.

    Attributes:
        source: the repository of the head; None if it was deleted.
        head, base: tips; they follow the branches while it is open, and stay after.
        base_shown: what the API calls the base's tip: the one of the last push to the head.
        judged: the (head, base) that mergeability was computed for, with the test merge.
    """

    id: int
    source: "Repository | None"
    source_owner: Account
    branch: str
    head: str
    base_branch: str
    base: str
    draft: bool = False
    merged: datetime | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    judged: tuple[str, str] | None = None
    test_merge: str | None = None
    base_shown: str = ""
    reviewers: list[Account] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    maintainers_may_push: bool = True


@dataclass
class Thread:
    """An issue, or the issue that every pull request is."""

    id: int
    number: int
    title: str
    body: str | None
    author: Account
    created: datetime
    updated: datetime
    app: App | None = None
    state: str = "open"
    reason: str | None = None
    closed: datetime | None = None
    closed_by: Account | None = None
    locked: bool = False
    labels: list[Label] = field(default_factory=list)
    assignees: list[Account] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    pull: Pull | None = None


@dataclass
class Repository:
    """A repository: its Git, and everything that belongs to it.

    Attributes:
        refs: where every ref points now; changed only by `pushes.moved`.
        signed: commits that GitHub signed, since an app made them over the API.
        actions_may_propose: the setting that lets `GITHUB_TOKEN` open pull requests.
    """

    id: int
    owner: Account
    name: str
    git: Git
    created: datetime
    default_branch: str = "main"
    private: bool = False
    parent: "Repository | None" = None
    refs: dict[str, str] = field(default_factory=dict)
    signed: set[str] = field(default_factory=set)
    roles: dict[str, Role] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    checks: list[Any] = field(default_factory=list)
    statuses: list[Any] = field(default_factory=list)
    releases: list[Any] = field(default_factory=list)
    workflows: dict[str, int] = field(default_factory=dict)
    runs: list[Any] = field(default_factory=list)
    artifacts: list[Any] = field(default_factory=list)
    actions_may_propose: bool = True
    protected: dict[str, Any] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    def branch(self, name: str) -> str | None:
        """Return the tip of a branch."""
        return self.refs.get(HEADS + name)

    def role(self, account: Account | None) -> Role:
        """Return what an account may do here."""
        if account is not None and account.id == self.owner.id:
            return "admin"
        given = self.roles.get(account.login.lower(), "none") if account else "none"
        return "read" if given == "none" and not self.private else given

    def may(self, account: Account | None, role: Role) -> bool:
        """Whether an account has a role, or a stronger one."""
        return ROLES.index(self.role(account)) >= ROLES.index(role)

    def pulls(self) -> Iterator[tuple[Thread, Pull]]:
        """Yield every pull request, oldest first."""
        for thread in self.threads.values():
            if thread.pull is not None:
                yield thread, thread.pull


@dataclass
class World:
    """All accounts and repositories of one server.

    Attributes:
        folder: where the bare repositories are.
        url, web_url: roots of the API and of the pages.
        clock: dates what happens; GitHub keeps whole seconds.
    """

    folder: Path
    url: str = ""
    web_url: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    accounts: dict[str, Account] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    rate_limit: int | None = None
    storage: Storage = field(default_factory=Storage)
    readers: list[Git] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def next_id(self) -> int:
        """Return an id that nothing else has."""
        return next(self._ids)

    def now(self) -> datetime:
        """Return the time, in whole seconds."""
        return self.clock().replace(microsecond=0)

    def touch(self, thread: Thread) -> datetime:
        """Note that something about a thread changed, and return when."""
        thread.updated = self.now()
        return thread.updated

    def repository(self, owner: str, name: str) -> Repository | None:
        """Return a repository by its name, whatever its case."""
        return self.repositories.get(f"{owner}/{name}".lower())

    def limit(self, token: Token) -> int:
        """Return how many requests a token has in an hour."""
        if self.rate_limit is not None:
            return self.rate_limit
        if token.app is not None and token.app.id == ACTIONS_APP:
            return 1000
        return 5000 if token.account or token.app else 60

    def account(self, login: str) -> Account | None:
        """Return an account by its login, whatever its case."""
        return self.accounts.get(login.lower())

    def account_of(self, email: str) -> Account | None:
        """Return the account that an address of a commit belongs to."""
        name, _, host = email.partition("@")
        if host == "users.noreply.github.com":
            return self.account(name.rpartition("+")[2])
        return next((it for it in self.accounts.values() if email in it.emails), None)


def stamp(moment: datetime | None) -> str | None:
    """Return a time as GitHub writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def hour_after(moment: datetime) -> datetime:
    """Return the end of the hour that begins at a moment."""
    return moment + timedelta(hours=1)
