"""The server as tests see it: start it on a folder, and set its world up."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qsl

from tests.github import (
    contract,
    descriptions,
    graph_contract,
    people,
    repositories,
    resources,
    smart_http,
)
from tests.github.accounts import Account
from tests.github.answers import Answer, Refusal
from tests.github.api import Api
from tests.github.faults import Fault, Faults
from tests.github.git import Git
from tests.github.people import Application
from tests.github.request import Request
from tests.github.setup import TestRepository
from tests.github.web import Incoming, Port
from tests.github.world import World

_API = "/api/v3"
_UPLOADS = "/api/uploads"
_GRAPHQL = "/api/graphql"


class Call(NamedTuple):
    """A request that came; the status is 0 where no answer left."""

    method: str
    path: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether the request was to change something."""
        return self.method not in {"GET", "HEAD"}


class GitHubServer:
    """A GitHub on a free port of 127.0.0.1, as a context manager.

    Every request and every answer is held against GitHub's own descriptions of its API,
    where npm is there to fetch them.

    Args:
        folder: where the bare repositories go.

    Attributes:
        calls: every request of the API and to the host of its downloads, in order.
        faults: what goes wrong, and when.
        violations: what broke the contract; leaving the context raises if there are any.
    """

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.faults = Faults()
        self._api = Api(self.world)
        self._port = Port(self._respond, self._seconds)
        self._downloads = Port(self._download, self._seconds)
        self.world.web_url, self.world.url = self._port.url, self._port.url + _API
        self.world.storage.url = self._downloads.url

    @property
    def url(self) -> str:
        """The root of the REST API."""
        return self.world.url

    @property
    def graphql_url(self) -> str:
        """The root of the GraphQL API."""
        return self.world.web_url + _GRAPHQL

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
        for repository in self.world.repositories.values():
            repository.git.close()
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
            git = Git.create(self.world.folder / login / f"{name}.git", default_branch)
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

    # What comes

    def _seconds(self) -> float:
        return self.world.now().timestamp()

    def _respond(self, asked: Incoming) -> Answer:
        """Answer whatever comes to the port of GitHub itself."""
        if smart_http.serves(asked.path):
            return self._git(asked)
        for root in (_API, _UPLOADS, "/api"):
            if asked.path.startswith(root + "/"):
                path = asked.path.removeprefix(root)
                return self._call(asked, path, uploads=root == _UPLOADS)
        return self._page(asked)

    def _git(self, asked: Incoming) -> Answer:
        try:
            with self.world.lock:
                token = self._api.token(asked.headers.get("authorization", ""))
            return smart_http.answer(self.world, asked, token)
        except Refusal as refusal:
            text = refusal.message.encode()
            return Answer(
                refusal.status, body=text, content_type="text/plain", headers=refusal.headers
            )

    def _call(self, asked: Incoming, path: str, *, uploads: bool = False) -> Answer:
        """Answer a request to the API, and hold both against the contract."""
        query = dict(parse_qsl(asked.query, keep_blank_values=True))
        request = Request(self.world, asked.method, path, query, asked.headers, asked.body)
        request.uploads = uploads

        def respond(fault: Fault | None) -> Answer:
            self._api.remembers = self.faults.looks_back
            stale = fault is not None and fault.name == "stale-read"
            answer = self._api.answer(request, stale=stale)
            self._check(request, answer)
            return answer

        return self._struck(asked.method, path, respond)

    def _download(self, asked: Incoming) -> Answer:
        """Answer whatever comes to the host of the downloads."""
        path = "/_storage" + asked.path
        return self._struck(asked.method, path, lambda _: self.world.storage.answer(asked))

    def _page(self, asked: Incoming) -> Answer:
        """Answer what a browser asks for: only the downloads of releases are there."""
        with self.world.lock:
            address = resources.assets.download(self.world, asked.path)
        if address is None:
            return Answer(404, body=b"Not Found", content_type="text/html; charset=utf-8")
        return Answer(302, body=b"", content_type="text/html", headers={"Location": address})

    def _struck(self, method: str, path: str, respond: Callable[[Fault | None], Answer]) -> Answer:
        """Answer a request, or let the script of faults do with it what it wants."""
        try:
            fault = self._fault(method, path)
            answer = fault.instead if fault else None
            if answer is None:
                answer = respond(fault)
                answer = fault.spoil(answer) if fault else answer
        except Exception:  # noqa: BLE001 - a bug of the server or of a test has to fail it
            self.violations.append(traceback.format_exc())
            answer = Refusal(500, "Server Error").answer
        self.calls.append(Call(method, path, 0 if answer.ending else answer.status))
        return answer

    def _fault(self, method: str, path: str) -> Fault | None:
        """Let the functions of the script act, and return what else it has for a request."""
        fault = None
        for it in self.faults.next(method, path):
            if it.act:
                it.act()
            else:
                fault = it
        return fault

    def _check(self, request: Request, answer: Answer) -> None:
        """Note what GitHub's descriptions do not allow; a refused request may be wrong."""
        if request.route is None:
            return
        held = self._contract(request.path == "/graphql")
        if held is not None:
            self.violations += held.request(request) if answer.status < 400 else []
            self.violations += held.answer(request, answer)

    @staticmethod
    def _contract(graph: bool) -> contract.Contract | graph_contract.GraphContract | None:  # noqa: FBT001
        file = descriptions.find(descriptions.GRAPHQL if graph else descriptions.OPENAPI)
        if file is None:
            return None
        return graph_contract.load(file) if graph else contract.load(file)
