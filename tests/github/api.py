"""The life of one API request: its token, the limits, the handler, the page."""

import base64
import binascii
import copy
import hashlib
from datetime import UTC, datetime
from urllib.parse import urlencode

from tests.github import keys, pushes, routing
from tests.github.accounts import Token
from tests.github.answers import Answer, Page, Refusal
from tests.github.faults import PRIMARY
from tests.github.request import Request
from tests.github.world import Repository, World, hour_after

FREE = {"/rate_limit"}
"""Paths that cost nothing of the rate limit."""


class Api:
    """Answers requests to the API, one at a time.

    Attributes:
        remembers: whether to keep what was true before each write, for stale reads.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._past: dict[str, Repository] | None = None
        self.remembers = False

    def answer(self, request: Request, *, stale: bool = False) -> Answer:
        """Answer a request; a stale read sees nothing of the last write."""
        with self._world.lock:
            pushes.catch_up(self._world)
            try:
                request.token = self.token(request.headers.get("authorization", ""))
                self._count(request)
                answer = self._handled(request, stale=stale)
            except Refusal as refusal:
                answer = refusal.answer
            return self.dressed(request, answer)

    def _handled(self, request: Request, *, stale: bool) -> Answer:
        now = self._world.repositories
        if request.writes:
            self._past = _copied(now, request) if self.remembers else None
        elif stale and self._past is not None:
            self._world.repositories = self._past
        try:
            return routing.handle(request)
        finally:
            self._world.repositories = now

    def token(self, header: str) -> Token:
        """Return the token of an Authorization header.

        Raises:
            Refusal: 401, nobody has this token, or no more.
        """
        if not header:
            return self._world.tokens.setdefault("", Token(""))
        text = header.partition(" ")[2].strip()
        if header.lower().startswith("basic "):
            text = _password(text)
        if text.count(".") == 2:
            app = keys.claimed(text, list(self._world.apps.values()))
            return Token(text, app=app, is_app=True)
        token = self._world.tokens.get(text) if text else None
        if token is None or (token.expires and token.expires < datetime.now(UTC)):
            raise Refusal(401, "Bad credentials")
        return token

    def _count(self, request: Request) -> None:
        """Count a request against the limit of its token.

        Raises:
            Refusal: 403, the limit is used up.
        """
        token, now = request.token, self._world.now()
        if token.window_ends is None or token.window_ends <= now:
            token.used, token.window_ends = 0, hour_after(now)
        if request.path in FREE:
            return
        if token.used >= self._world.limit(token):
            raise Refusal(403, PRIMARY)
        token.used += 1

    def dressed(self, request: Request, answer: Answer) -> Answer:
        """Return an answer cut to its page, with the headers that GitHub sends."""
        if isinstance(answer, Page):
            answer = _cut(request, answer)
        if request.route is not None:
            accepted = request.route.permission.replace(":", "=").replace("|", "; ")
            answer.headers.setdefault("X-Accepted-GitHub-Permissions", accepted)
        if request.method == "GET" and answer.status == 200:
            digest = hashlib.sha256(answer.payload()).hexdigest()
            etag = answer.headers.setdefault("ETag", f'W/"{digest}"')
            if etag in request.headers.get("if-none-match", ""):
                request.token.used -= 1
                answer = Answer(304, headers=answer.headers)
        answer.headers |= rate(self._world, request.token)
        return answer


def _copied(now: dict[str, Repository], request: Request) -> dict[str, Repository]:
    """Return the repositories as they are, to look back at: the named one, or all."""
    name = "/".join(request.path.split("/")[2:4]).lower()
    return now | {name: copy.deepcopy(now[name])} if name in now else copy.deepcopy(now)


def rate(world: World, token: Token) -> dict[str, str]:
    """Return the headers that tell of the rate limit."""
    limit, ends = world.limit(token), token.window_ends or world.now()
    return {
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(0, limit - token.used)),
        "X-RateLimit-Used": str(token.used),
        "X-RateLimit-Reset": str(int(ends.timestamp())),
        "X-RateLimit-Resource": "core",
    }


def _cut(request: Request, answer: Page) -> Answer:
    """Return the page of a list that was asked for, with links to its neighbours."""
    size = min(100, _positive(request.query.get("per_page"), 30))
    number = _positive(request.query.get("page"), 1)
    items = list(answer.items[(number - 1) * size : number * size])
    last = max(1, -(-len(answer.items) // size))
    near = {"prev": number - 1, "first": 1} if number > 1 else {}
    near |= {"next": number + 1, "last": last} if number < last else {}
    url = request.world.url + request.path
    links = [
        f'<{url}?{urlencode(request.query | {"page": str(it)})}>; rel="{relation}"'
        for relation, it in near.items()
    ]
    document = {"total_count": len(answer.items), answer.key: items} if answer.key else items
    headers = {"Link": ", ".join(links)} if links else {}
    return Answer(answer.status, document, headers=answer.headers | headers)


def _positive(text: str | None, default: int) -> int:
    return max(1, int(text)) if text and text.isdecimal() else default


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
