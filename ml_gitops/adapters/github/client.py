"""One repository of GitHub's API: reads that insist, writes that happen once."""

import re
from collections.abc import Mapping
from typing import Any

from ml_gitops.adapters.github.answers import Refused, decoded, refusal
from ml_gitops.adapters.github.attempts import Attempts
from ml_gitops.adapters.github.patience import Patience
from ml_gitops.adapters.github.transport import Reply, Transport

Document = dict[str, Any]
_NEXT = re.compile(r'rel="?next"?')


class GitHubClient(Attempts):
    """Asks GitHub about one repository.

    Args:
        transport: how to get there.
        repository: `owner/name`.
        patience: how long to wait for it.
    """

    def __init__(
        self, transport: Transport, repository: str, patience: Patience | None = None
    ) -> None:
        super().__init__(repository, patience or Patience())
        self._transport = transport
        self._known = False

    # Reads are repeated until they hold, within the budget.

    def get(self, path: str, **parameters: Any) -> Document:
        """Return one thing.

        Args:
            path: below the repository, as `/pulls/1`; the empty path is the repository itself.

        Raises:
            Refused: GitHub said no.
            TryAgain: no whole answer came in time.
        """
        return dict(self._read(path, dict, parameters)[0])

    def get_any(self, path: str, **parameters: Any) -> Any:
        """Return what is there: an object, or a list; see `get`."""
        return self._read(path, object, parameters)[0]

    def find(self, path: str, **parameters: Any) -> Document | None:
        """Return one thing; None if it is certain that there is none.

        Raises:
            Refused: GitHub said no.
            TryAgain: no whole answer came in time.
        """
        for last in (False, True):
            try:
                return self.get(path, **parameters)
            except Refused as refused:
                if refused.status == 409 and "empty" in refused.said.lower():
                    return None
                if refused.status != 404:
                    raise
            # A replica may lag behind, and a token that sees nothing gets the same answer.
            if not last:
                self._require_sight()
                self.patience.sleep(self.patience.between_writes)
        return None

    def pages(self, path: str, key: str = "", **parameters: Any) -> list[Document]:
        """Return a list to its end.

        Args:
            key: where the list lies in each answer, if it is not the answer.

        Raises:
            Refused: GitHub said no.
            TryAgain: a page did not come in time.
        """
        found: dict[Any, Document] = {}
        asked = {"per_page": 100, **parameters}
        for page in range(1, 1000):
            form = dict if key else list
            document, reply = self._read(path, form, asked | ({"page": page} if page > 1 else {}))
            items = document.get(key) if key else document
            if not isinstance(items, list):
                raise self.give_up("GET", path, "it gave out no list")
            # Items move between pages while others write.
            for item in items:
                found[item.get("id", item.get("ref", len(found)))] = item
            if not _NEXT.search(reply.headers.get("link", "")):
                return list(found.values())
        raise self.give_up("GET", path, "the list has no end")

    def text(self, path: str, accept: str) -> str:
        """Return something in another form than JSON, as text.

        Raises:
            Refused: GitHub said no.
            TryAgain: no whole answer came in time.
        """
        return self.insist("GET", path, lambda: self._send("GET", path, accept=accept)).text

    def download(self, path: str, *, accept: str, limit: int) -> bytes:
        """Return bytes, at most one more than a limit.

        Raises:
            Refused: GitHub said no.
            TryAgain: no whole answer came in time.
        """
        reply = self.insist(
            "GET",
            path,
            lambda: self._transport.download(self.full(path), accept=accept, limit=limit),
        )
        return reply.content

    # Writes happen once; what may be repeated without harm says so.

    def write(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        repeatable: bool = False,
    ) -> Document:
        """Change something, and return what GitHub made of it; {} where it says nothing.

        Args:
            repeatable: whether doing it twice is doing it once.

        Raises:
            Refused: GitHub said no, and nothing changed.
            Lost: nobody knows whether it changed.
            TryAgain: GitHub takes no changes now.
        """

        def attempt() -> Reply:
            self.before_write()
            return self._send(verb, path, body=body)

        reply = self.insist(
            verb, path, attempt, form=None if verb == "DELETE" else dict, once=not repeatable
        )
        return decoded(reply, dict) or {}

    def replace_labels(self, number: int, labels: list[str]) -> None:
        """Set the labels of a thread: the one write that is answered with a list.

        Raises:
            Refused: GitHub said no.
            TryAgain: GitHub takes no changes now.
        """
        path = f"/issues/{number}/labels"
        body = {"labels": labels}

        def attempt() -> Reply:
            self.before_write()
            return self._send("PUT", path, body=body)

        self.insist("PUT", path, attempt, form=list)

    def upload(self, url: str, content: bytes, content_type: str) -> Document:
        """Send bytes to the address that GitHub named for them; see `write`.

        Raises:
            Refused: GitHub said no, and nothing changed.
            Lost: nobody knows whether it changed.
        """

        def attempt() -> Reply:
            self.before_write()
            return self._transport.upload(url, content, content_type)

        reply = self.insist("POST", "/releases/assets", attempt, form=dict, once=True)
        return decoded(reply, dict) or {}

    def graphql(self, text: str, variables: Mapping[str, Any], *, change: bool = False) -> Document:
        """Ask in GraphQL, and return the whole answer: `data`, and `errors` if there are any.

        Args:
            change: whether it is a change that must not be repeated.

        Raises:
            Refused: GitHub said no.
            Lost: nobody knows whether it changed.
            TryAgain: no whole answer came in time.
        """
        body = {"query": text, "variables": dict(variables)}

        def attempt() -> Reply:
            if change:
                self.before_write()
            return self._transport.send("POST", "/graphql", body=body)

        reply = self.insist("POST", "/graphql", attempt, form=dict, once=change, graph=True)
        answer = dict(decoded(reply, dict) or {})
        unknown = [it for it in answer.get("errors", []) if not it.get("type")]
        if unknown or (change and answer.get("errors")):
            said = "; ".join(str(it.get("message")) for it in answer["errors"])[:300]
            raise refusal(said, verb="POST", path="/graphql", reply=reply, where=self.where)
        return answer

    # How it is done.

    def _send(self, verb: str, path: str, **more: Any) -> Reply:
        return self._transport.send(verb, self.full(path), **more)

    def _read(self, path: str, form: type, parameters: Mapping[str, Any]) -> tuple[Any, Reply]:
        reply = self.insist(
            "GET", path, lambda: self._send("GET", path, parameters=parameters), form=form
        )
        self._known = True
        return decoded(reply, form), reply

    def _require_sight(self) -> None:
        """Make sure that this token sees the repository at all: only then is 404 an absence."""
        if not self._known:
            self.get("")
