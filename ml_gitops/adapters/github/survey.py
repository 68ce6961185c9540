"""One look at everything: what the lists of the port are read from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from ml_gitops.adapters.github import questions
from ml_gitops.adapters.github.asking import Asking
from ml_gitops.adapters.github.client import Document, GitHubClient
from ml_gitops.adapters.github.people import People
from ml_gitops.errors import TryAgain

FRESH = 60.0
"""Seconds for which a list is believed, if we change nothing ourselves meanwhile."""
NEWEST = 200
"""Pull requests, and issues, that are listed whoever wrote them; ours are listed all."""
ACTIONS_BOT = "github-actions[bot]"
_BATCH = 20

Known = TypeVar("Known")


class Survey(Asking):
    """Reads pull requests, issues, tags and records in one question, and remembers it briefly.

    Every change of ours ends what is remembered, and whoever writes looks again first; so what
    is old can cost a refusal, but never a second pull request or somebody's commit.

    Args:
        client: of the repository.
        acts_as_bot: whether the token stands for our bot.
        bots: logins of other bots that are believed.
        files: paths of the default branch that will be asked for.
        fresh: seconds for which a list is believed.
        signed: whether GitHub signs what apps commit over the API; github.com does.
    """

    def __init__(
        self,
        client: GitHubClient,
        *,
        acts_as_bot: bool,
        bots: Sequence[str] = (ACTIONS_BOT,),
        files: Sequence[str] = (),
        fresh: float = FRESH,
        signed: bool = False,
    ) -> None:
        super().__init__(client)
        self._acts_as_bot = acts_as_bot
        self._bots = frozenset(bots)
        self._files = tuple(files)
        self._fresh = fresh
        self._signed = signed
        self._known: dict[str, tuple[float, int, Any]] = {}
        self._viewer: Document | None = None
        self._about: Document | None = None

    # Who we are, and where

    @property
    def people(self) -> People:
        """The account that the token stands for, and the bots that are believed."""
        if self._viewer is None:
            self._look()
        viewer = self._viewer or {}
        login = viewer.get("login")
        if login and not viewer.get("databaseId"):
            viewer["databaseId"] = self.client.get(f"/users/{quote(login)}").get("id")
        id_ = viewer.get("databaseId")
        if not login or not id_:
            raise TryAgain(
                "GitHub did not say whose the token is",
                hint="run it again; if it stays so, use the token of an app or of a job",
                where=self.client.where,
            )
        is_app = login.endswith("[bot]")
        # What a person's token commits is signed by nobody, and their bot has no other token.
        signed = self._signed and (is_app or not self._acts_as_bot)
        return People(login, id_, self._acts_as_bot or is_app, self._bots, signed)

    @property
    def hosted(self) -> bool:
        """Whether this is github.com itself."""
        return self._signed

    @property
    def about(self) -> Document:
        """The repository: its node id, page and default branch."""
        if self._about is None:
            answer = self._look()
            self._about = {key: self.part(answer, key) for key in _ABOUT}
        return self._about

    # Lists

    def nodes(self, section: str, page: str) -> list[Document]:
        """Return all nodes of a section: `pullRequests`, `issues` or `refs`.

        Args:
            page: the question after one more page.

        Raises:
            Refused: the token may not read it.
            TryAgain: no whole answer came in time.
        """
        answer = self._look()
        return self.remembered(section, lambda: list(self._nodes(answer, section, page)))

    def threads(self, section: str, page: str) -> list[Document]:
        """Return the newest threads, and all that our bots wrote, with whole conversations.

        Raises:
            Refused: the token may not read them.
            TryAgain: no whole answer came in time.
        """
        nodes = self.nodes(section, page)
        if len(nodes) >= NEWEST:
            known = {node["number"] for node in nodes}
            nodes = nodes + self.remembered(
                f"{section} of bots", lambda: self._rest(section, known)
            )
        for node in nodes:
            self.complete(node)
        return sorted(nodes, key=lambda node: int(node["number"]))

    def thread(self, number: int) -> Document | None:
        """Return a pull request or an issue as it is now; None if there is none.

        Raises:
            Refused: the token may not read it.
            TryAgain: no whole answer came in time.
        """
        answer = self.ask(questions.THREAD, number=number)
        self._remember(answer)
        node = answer["data"]["repository"].get("issueOrPullRequest")
        if node is None:
            kinds = {error.get("type") for error in answer.get("errors", [])}
            if kinds - {"NOT_FOUND"}:
                raise self.refusal(answer, "issueOrPullRequest")
            return None
        return self.complete(dict(node))

    def file(self, path: str) -> bytes | None:
        """Return a file of the default branch that was asked for ahead; None if it is not known."""
        if path not in self._files:
            return None
        node = self._look()["data"]["repository"].get(f"file{self._files.index(path)}") or {}
        if node.get("__typename") != "Blob" or node.get("isBinary") or node.get("isTruncated"):
            return None
        content = str(node.get("text") or "").encode()
        return content if len(content) == node.get("byteSize") else None

    def records(self) -> Document | None:
        """Return the commit of the record branch with its listing; None without a branch."""
        found = self.part(self._look(), "records")
        return dict(found["target"]) if found else None

    def remembered(self, key: str, read: Callable[[], Known]) -> Known:
        """Return what was read under a name, as long as lists are believed."""
        if not self._is_fresh(key):
            # The time before it was asked for counts: what came may be as old as that.
            at, changes = self.client.patience.clock(), self.client.changes
            self._known[key] = (at, changes, read())
        known: Known = self._known[key][2]
        return known

    def forget(self, key: str = "survey") -> None:
        """Believe nothing that was read under a name."""
        self._known.pop(key, None)

    def complete(self, node: Document) -> Document:
        """Read the rest of a long conversation into a thread."""
        for section, text in (
            ("comments", questions.NOTES_PAGE),
            ("reviews", questions.REVIEWS_PAGE),
        ):
            while node.get(section, {}).get("pageInfo", {}).get("hasNextPage"):
                after = node[section]["pageInfo"]["endCursor"]
                answer = self.ask(text, number=node["number"], after=after)
                more = answer["data"]["repository"]["issueOrPullRequest"][section]
                node[section] = {**more, "nodes": node[section]["nodes"] + more["nodes"]}
        return node

    # How it is done

    def _look(self) -> Document:
        paths = {f"file{n}": f"HEAD:{path}" for n, path in enumerate(self._files)}
        return self.remembered(
            "survey", lambda: self._remember(self.ask(questions.survey(len(paths)), **paths))
        )

    def _is_fresh(self, key: str) -> bool:
        at, changes, _ = self._known.get(key, (0.0, -1, None))
        age = self.client.patience.clock() - at
        return changes == self.client.changes and age <= self._fresh

    def _remember(self, answer: Document) -> Document:
        data = answer["data"]
        if data.get("viewer"):
            self._viewer = data["viewer"]
        return answer

    def _nodes(self, answer: Document, section: str, page: str) -> Iterator[Document]:
        seen = 0
        while True:
            part = self.part(answer, section)
            if part is None:
                raise self.refusal(answer, section)
            yield from (dict(node) for node in part["nodes"] if node)
            seen += len(part["nodes"])
            if not part["pageInfo"]["hasNextPage"] or (section != "refs" and seen >= NEWEST):
                return
            answer = self.ask(page, after=part["pageInfo"]["endCursor"])

    def _rest(self, section: str, known: set[int]) -> list[Document]:
        """Return the threads that our bots wrote, besides those that are known."""
        missing = [number for number in self._by_bots(section) if number not in known]
        return [node for node in self._numbered(missing) if node]

    def _by_bots(self, section: str) -> list[int]:
        """Return the numbers of everything that our bots wrote, from the one list by author."""
        people = self.people
        authors = {people.login} if people.acts_as_bot else set(self._bots)
        found = [
            item
            for author in sorted(authors)
            for item in self.client.pages("/issues", creator=author, state="all")
        ]
        wanted = section == "pullRequests"
        return sorted({it["number"] for it in found if ("pull_request" in it) == wanted})

    def _numbered(self, numbers: Sequence[int]) -> Iterator[Document | None]:
        for start in range(0, len(numbers), _BATCH):
            batch = list(numbers[start : start + _BATCH])
            answer = self.ask(questions.some_threads(batch))["data"]["repository"]
            yield from (answer.get(f"t{number}") for number in batch)


_ABOUT = ("id", "url", "defaultBranchRef")
