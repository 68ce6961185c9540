"""What comes to the two ports: told apart, struck by faults, written down, held to the contract."""

import traceback
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

from tests.github import contract, descriptions, graph_contract, resources, smart_http
from tests.github.answers import Answer, Refusal
from tests.github.api import Api
from tests.github.faults import Fault, Faults
from tests.github.request import Request
from tests.github.web import Incoming
from tests.github.world import World

API = "/api/v3"
UPLOADS = "/api/uploads"
GRAPHQL = "/api/graphql"
STORAGE = "/_storage"
Respond = Callable[[Fault | None], Answer]


class Call(NamedTuple):
    """A request that came.

    Attributes:
        status: 0 where no answer left.
        writes: whether it was to change something; most questions in GraphQL are not.
    """

    method: str
    path: str
    status: int
    writes: bool = False


class Front:
    """Answers what comes to GitHub itself, and to the host of its downloads.

    Attributes:
        calls: every request of the API and of downloads, in order.
        faults: what goes wrong, and when.
        violations: what broke the contract, and bugs of the server.
    """

    def __init__(self, world: World, *, held: bool = True) -> None:
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.faults = Faults()
        self._world = world
        self._held = held
        self._api = Api(world)

    def respond(self, asked: Incoming) -> Answer:
        """Answer whatever comes to the port of GitHub itself."""
        if smart_http.serves(asked.path):
            return self._git(asked)
        for root in (API, UPLOADS, "/api"):
            if asked.path.startswith(root + "/"):
                path = asked.path.removeprefix(root)
                return self._call(asked, path, uploads=root == UPLOADS)
        return self._page(asked)

    def download(self, asked: Incoming) -> Answer:
        """Answer whatever comes to the host of the downloads."""
        call = Call(asked.method, STORAGE + asked.path, 0)
        return self._struck(call, lambda _: self._world.storage.answer(asked))

    def _call(self, asked: Incoming, path: str, *, uploads: bool) -> Answer:
        """Answer a request to the API, and hold both against the contract."""
        query = dict(parse_qsl(asked.query, keep_blank_values=True))
        request = Request(self._world, asked.method, path, query, asked.headers, asked.body)
        request.uploads = uploads

        def respond(fault: Fault | None) -> Answer:
            self._api.remembers = self.faults.looks_back
            stale = fault is not None and fault.name == "stale-read"
            answer = self._api.answer(request, stale=stale)
            self._check(request, answer)
            return answer

        return self._struck(Call(asked.method, path, 0, request.writes), respond)

    def _struck(self, call: Call, respond: Respond) -> Answer:
        """Answer a request, or let the script of faults do with it what it wants."""
        try:
            fault = self._fault(call)
            answer = fault.instead if fault else None
            if answer is None:
                answer = respond(fault)
                answer = fault.spoil(answer) if fault else answer
        except Exception:  # noqa: BLE001 - a bug of the server or of a test has to fail it
            self.violations.append(traceback.format_exc())
            answer = Refusal(500, "Server Error").answer
        self.calls.append(call._replace(status=0 if answer.ending else answer.status))
        return answer

    def _fault(self, call: Call) -> Fault | None:
        """Let the functions of the script act, and return what else it has for a request."""
        fault = None
        for it in self.faults.next(call.method, call.path):
            if it.act:
                it.act()
            else:
                fault = it
        return fault

    def _check(self, request: Request, answer: Answer) -> None:
        """Note what GitHub's descriptions do not allow; a refused request may be wrong."""
        if request.route is None or not self._held:
            return
        graph = request.route.template == "/graphql"
        file = descriptions.find(descriptions.GRAPHQL if graph else descriptions.OPENAPI)
        if file is None:
            return
        held = graph_contract.load(file) if graph else contract.load(file)
        self.violations += held.request(request) if answer.status < 400 else []
        self.violations += held.answer(request, answer)

    def _git(self, asked: Incoming) -> Answer:
        try:
            with self._world.lock:
                token = self._api.token(asked.headers.get("authorization", ""))
            return smart_http.answer(self._world, asked, token)
        except Refusal as refusal:
            text, headers = refusal.message.encode(), refusal.headers
            return Answer(refusal.status, body=text, content_type="text/plain", headers=headers)

    def _page(self, asked: Incoming) -> Answer:
        """Answer what a browser asks for: only the downloads of releases are there."""
        with self._world.lock:
            address = resources.assets.download(self._world, asked.path)
        if address is None:
            return Answer(404, body=b"Not Found", content_type="text/html; charset=utf-8")
        return Answer(302, body=b"", content_type="text/html", headers={"Location": address})
