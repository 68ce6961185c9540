"""How bytes travel to GitHub and back: one attempt each, and never a retry of their own."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ml_gitops import __version__
from ml_gitops.errors import ForgeError

if TYPE_CHECKING:
    from github.Requester import Requester

API_VERSION = "2022-11-28"
_CHUNK = 1 << 16


class BrokenConnection(Exception):
    """No answer came, or half of one; whether the request took effect is not known."""


@dataclass(frozen=True)
class Reply:
    """What came back: status, headers by lower-case name, and the text or bytes of the body."""

    status: int
    headers: Mapping[str, str]
    text: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Transport:
    """Sends requests with a token to one API.

    Args:
        api_url: `https://api.github.com`, or `https://HOST/api/v3`.
        token: never shown.
        timeout: seconds to wait for the next byte.
    """

    api_url: str
    token: str = field(repr=False)
    timeout: float = 30.0

    @cached_property
    def _requester(self) -> "Requester":
        from github import Auth
        from github.Requester import Requester

        # PyGithub repeats POSTs blindly and sleeps without bound; all of that is off.
        return Requester(
            auth=Auth.Token(self.token),
            base_url=self.api_url,
            timeout=self.timeout,  # type: ignore[arg-type]
            user_agent=f"ml-gitops/{__version__}",
            per_page=100,
            verify=True,
            retry=None,
            pool_size=None,
            api_version=API_VERSION,
        )

    def send(
        self,
        verb: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: str = "application/vnd.github+json",
    ) -> Reply:
        """Make one request of the API; `/graphql` is its GraphQL endpoint.

        Raises:
            BrokenConnection: no whole answer came.
            ForgeError: the address leads elsewhere.
        """
        from requests import RequestException

        url = self._requester.graphql_url if path == "/graphql" else path
        try:
            status, headers, text = self._requester.requestJson(
                verb, url, dict(parameters or {}), {"Accept": accept}, body
            )
        except (RequestException, http.client.HTTPException, OSError) as error:
            raise BrokenConnection(type(error).__name__) from None
        except RuntimeError:
            raise ForgeError(
                "GitHub sent us to another host",
                hint="set GITHUB_API_URL to the address it has now",
                where=self.api_url,
            ) from None
        return Reply(status, headers, text)

    def download(self, path: str, *, accept: str, limit: int) -> Reply:
        """Get bytes of the API; where it points to a storage host, that one never sees the token.

        Args:
            limit: of the bytes; one more is read to know that there are more.

        Raises:
            BrokenConnection: no whole answer came.
        """
        headers = {"Accept": accept, **self._signed}
        reply = self._fetch("GET", self.api_url.rstrip("/") + path, headers, limit=limit)
        location = reply.headers.get("location")
        if reply.status not in (301, 302, 303, 307, 308) or not location:
            return reply
        if urlsplit(location).scheme != urlsplit(self.api_url).scheme:
            raise BrokenConnection("a redirect to another kind of address")
        return self._fetch("GET", location, {}, limit=limit)

    def upload(self, url: str, content: bytes, content_type: str) -> Reply:
        """Send bytes to the address that GitHub named for them.

        Raises:
            BrokenConnection: no whole answer came.
            ForgeError: the address is not GitHub's.
        """
        ours, theirs = urlsplit(self.api_url), urlsplit(url)
        # The token goes only where the API lives, or to github.com's host for uploads.
        known = {ours.netloc, ours.netloc.replace("api.", "uploads.", 1)}
        if theirs.scheme != ours.scheme or theirs.netloc not in known:
            raise ForgeError(
                "GitHub named another host for uploads",
                hint="check GITHUB_API_URL",
                where=self.api_url,
            )
        headers = {"Content-Type": content_type, **self._signed}
        return self._fetch("POST", url, headers, body=content, limit=1 << 20)

    @property
    def _signed(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "X-GitHub-Api-Version": API_VERSION,
        }

    def _fetch(
        self,
        verb: str,
        url: str,
        headers: Mapping[str, str],
        *,
        limit: int,
        body: bytes | None = None,
    ) -> Reply:
        agent = {"User-Agent": f"ml-gitops/{__version__}"}
        request = urllib.request.Request(  # noqa: S310
            url, data=body, method=verb, headers={**agent, **headers}
        )
        opener = urllib.request.build_opener(_Stay)
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                return _whole(answer, limit)
        except urllib.error.HTTPError as error:
            with error:
                return _whole(error, limit)
        except (OSError, http.client.HTTPException) as error:
            raise BrokenConnection(type(error).__name__) from None


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: where a token goes is our decision."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _whole(answer: Any, limit: int) -> Reply:
    """Read an answer up to one byte over a limit."""
    parts, size = [], 0
    while size <= limit and (part := answer.read(min(_CHUNK, limit + 1 - size))):
        parts.append(part)
        size += len(part)
    content = b"".join(parts)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    announced = headers.get("content-length", "")
    if size <= limit and announced.isdecimal() and size != int(announced):
        raise BrokenConnection("half of an answer")
    text = content.decode(errors="replace") if answer.status >= 300 or limit <= 1 << 20 else ""
    return Reply(answer.status, headers, text, content)
