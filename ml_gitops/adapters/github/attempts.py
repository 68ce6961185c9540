"""Attempts at one request: repeated until an answer holds, or made once and never again."""

from collections.abc import Callable
from typing import TypeVar

from ml_gitops.adapters.github.answers import (
    Lost,
    NotNow,
    decoded,
    judge,
    judge_graph,
    refusal,
)
from ml_gitops.adapters.github.patience import Patience
from ml_gitops.adapters.github.transport import BrokenConnection, Reply
from ml_gitops.errors import TryAgain

Result = TypeVar("Result")
_GIVEN_UP = "run it again; everything done so far counts"


class Attempts:
    """What every request of a repository goes through.

    Args:
        repository: `owner/name`.
        patience: how long to wait for GitHub.

    Attributes:
        changes: how many writes were tried; what was read before one may be old.
        where: names the repository in messages.
    """

    def __init__(self, repository: str, patience: Patience) -> None:
        self.repository = repository
        self.patience = patience
        self.where = f"GitHub {repository}"
        self.changes = 0

    def settled(self, write: Callable[[], Result], look: Callable[[], Result | None]) -> Result:
        """Write once; where the answer is lost, look whether it took effect.

        Args:
            look: reads the thing back; None if it is not there.

        Raises:
            TryAgain: it is not there, or nobody can say.
        """
        try:
            return write()
        except Lost as lost:
            found = look()
            if found is None:
                raise lost from None
            return found

    def before_write(self) -> None:
        """Count a write, and wait until GitHub wants it."""
        self.changes += 1
        self.patience.before_write()

    def full(self, path: str) -> str:
        """Return the path of the API for one below the repository; few things lie elsewhere."""
        elsewhere = path == "/graphql" or path.startswith("/users/")
        return path if elsewhere else f"/repos/{self.repository}{path}"

    def insist(
        self,
        verb: str,
        path: str,
        attempt: Callable[[], Reply],
        *,
        form: type | None = None,
        once: bool = False,
        graph: bool = False,
    ) -> Reply:
        """Make attempts until an answer holds, or one that must not be repeated is lost.

        Args:
            verb, path: of the request, for messages.
            form: dict or list, if the answer is JSON.
            once: whether a second attempt could do it twice.
            graph: whether it is GraphQL, whose errors come with good answers.

        Raises:
            Refused: GitHub said no.
            Lost: it was to be done once, and nobody knows whether it was.
            TryAgain: no answer held within the budget.
        """
        number = 0
        while True:
            began = self.patience.clock()
            try:
                reply = attempt()
                verdict = judge(reply)
                if verdict is None and form is not None and decoded(reply, form) is None:
                    verdict = NotNow("half an answer came")
                if verdict is None and graph:
                    verdict = judge_graph(decoded(reply, dict))
            except BrokenConnection as broken:
                verdict = NotNow(f"no answer came ({broken})")
                reply = Reply(0, {})
            if verdict is None:
                return reply
            if isinstance(verdict, str):
                place = self.full(path)
                raise refusal(verdict, verb=verb, path=place, reply=reply, where=self.where)
            if once and not verdict.certain:
                raise Lost(
                    f"the answer to {verb} {self.full(path)} is lost: {verdict.why}",
                    hint=_GIVEN_UP,
                    where=self.where,
                )
            self.patience.after_failure(
                number,
                began,
                verdict.wait,
                limited=verdict.certain and reply.status in (200, 403, 429),
                give_up=self.give_up(verb, path, verdict.why, verdict.wait),
            )
            number += 1

    def give_up(self, verb: str, path: str, why: str, wait: float | None = None) -> TryAgain:
        """Return the error that says what did not work, and when to try again."""
        hint = f"run it again in {wait / 60:.0f} minutes" if wait and wait > 60 else _GIVEN_UP
        return TryAgain(f"{verb} {self.full(path)}: {why}", hint=hint, where=self.where)
