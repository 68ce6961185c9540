"""The server as tests see it: start it on a folder, and set its world up."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.github import people, repositories
from tests.github.accounts import Account
from tests.github.front import API, GRAPHQL, Front
from tests.github.git import Git
from tests.github.people import Application
from tests.github.setup import TestRepository
from tests.github.web import Port
from tests.github.world import World


class GitHubServer:
    """A GitHub on a free port of 127.0.0.1, as a context manager.

    Every request and every answer is held against GitHub's own descriptions of its API,
    where npm is there to fetch them.

    Args:
        folder: where the bare repositories go.
        held: whether to hold requests and answers against the descriptions, which takes time.

    Attributes:
        calls: every request of the API and to the host of its downloads, in order.
        faults: what goes wrong, and when.
        violations: what broke the contract; leaving the context raises if there are any.
        respond: answers a request that comes without a socket.
    """

    def __init__(self, folder: Path, *, held: bool = True) -> None:
        self.world = World(folder)
        front = Front(self.world, held=held)
        self.respond = front.respond
        self.calls, self.faults, self.violations = front.calls, front.faults, front.violations
        self._port = Port(front.respond, self._seconds)
        self._downloads = Port(front.download, self._seconds)
        self.world.web_url, self.world.url = self._port.url, self._port.url + API
        self.world.storage.url = self._downloads.url

    def _seconds(self) -> float:
        return self.world.now().timestamp()

    @property
    def url(self) -> str:
        """The root of the REST API."""
        return self.world.url

    @property
    def graphql_url(self) -> str:
        """The root of the GraphQL API."""
        return self.world.web_url + GRAPHQL

    @property
    def web_url(self) -> str:
        """The root of the pages, and of Git over HTTP."""
        return self.world.web_url

    @property
    def clock(self) -> Callable[[], datetime]:
        """What dates everything; set it to another function without arguments."""
        return self.world.clock

    @clock.setter
    def clock(self, clock: Callable[[], datetime]) -> None:
        self.world.clock = clock

    def __enter__(self) -> Self:
        """Start listening."""
        self._port.start()
        self._downloads.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and say what broke the contract."""
        self._port.stop()
        self._downloads.stop()
        while self.world.readers:
            self.world.readers[0].close()
        if kind is None and self.violations:
            raise AssertionError("\n".join(["against GitHub's OpenAPI:", *self.violations]))

    # What there is

    def create_repository(
        self, full_name: str, *, private: bool = False, default_branch: str = "main"
    ) -> TestRepository:
        """Make an empty repository; its owner is an organization, made if nobody has the name."""
        login, _, name = full_name.partition("/")
        with self.world.lock:
            owner = people.person(self.world, login, "Organization")
            git = Git.create(
                self.world.folder / login / f"{name}.git", default_branch, self.world.readers
            )
            record = repositories.add(self.world, owner, name, git)
            record.private, record.default_branch = private, default_branch
            return TestRepository(self.world, record)

    def repository(self, full_name: str) -> TestRepository:
        """Return a repository that is there."""
        return TestRepository(self.world, self.world.repositories[full_name.lower()])

    def create_fork(self, full_name: str, login: str) -> TestRepository:
        """Fork a repository to a person."""
        with self.world.lock:
            parent = self.world.repositories[full_name.lower()]
            owner = people.person(self.world, login)
            return TestRepository(self.world, repositories.fork(self.world, parent, owner))

    def user(self, login: str, *emails: str) -> Account:
        """Return an account, made if nobody has the login; the addresses become theirs too."""
        with self.world.lock:
            account = people.person(self.world, login)
            account.emails.update(emails)
            return account

    def app(self, slug: str, permissions: Mapping[str, str] | None = None) -> Application:
        """Return an app, made and installed on every repository if there is none."""
        with self.world.lock:
            return Application.of(people.application(self.world, slug, permissions))

    def token(
        self,
        login: str,
        permissions: Mapping[str, str] | None = None,
        repositories: Sequence[TestRepository] | None = None,
    ) -> str:
        """Return a new token.

        Args:
            login: `ada` is a person; `ml-gitops[bot]` is the installation of an app.
            permissions: as GitHub names them; the default is everything. What a person
                may do is limited by their role in a repository too.
            repositories: the default is all.
        """
        with self.world.lock:
            chosen = None if repositories is None else [it.record for it in repositories]
            return people.issue_token(self.world, login, permissions, chosen)
