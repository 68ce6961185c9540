"""Who is who: the bot is known by the id of its account, never by what a text claims."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ml_gitops.pull_request import Actor

GHOST = "ghost"
"""Whom GitHub names where the account is gone."""
GITHUB_SIGNS = "noreply@github.com"
"""Commits in this name were made by GitHub itself, for their author."""

Node = Mapping[str, Any]


@dataclass(frozen=True)
class People:
    """The account that acts here, and the bots that are believed.

    Args:
        login, id: of the account that the token stands for.
        acts_as_bot: whether it is our bot.
        bots: logins of other bots that are believed; each ends in `[bot]`, which no person's can.
        signed: whether GitHub signs what bots commit over its API. Then nothing else is believed
            to be a bot's: anybody can write a bot's address into a commit.
    """

    login: str
    id: int
    acts_as_bot: bool
    bots: frozenset[str] = frozenset()
    signed: bool = False

    def actor(self, node: Node | None) -> Actor:
        """Return who a node of GraphQL is."""
        if node is None:
            return Actor(login=GHOST)
        login = str(node.get("login"))
        if node.get("__typename") == "Bot" and not login.endswith("[bot]"):
            login += "[bot]"
        ours = self.acts_as_bot and node.get("databaseId") == self.id
        known = node.get("__typename") == "Bot" and login in self.bots
        return Actor(login=login, bot=ours or known)

    @property
    def myself(self) -> Actor:
        """The account that acts here."""
        return Actor(login=self.login, bot=self.acts_as_bot)

    def any_person(self, commits: Iterable[Node]) -> bool:
        """Say whether anyone but a believed bot had a hand in one of some commits.

        Args:
            commits: each with `author`, `committer` and `signature`, as GraphQL gives them.
        """
        return not all(self._is_bots(commit) for commit in commits)

    def _is_bots(self, commit: Node) -> bool:
        committer = commit.get("committer")
        named = self._by_bot(commit.get("author")) and (
            self._by_bot(committer) or _by_github(committer)
        )
        signature = commit.get("signature") or {}
        sealed = bool(signature.get("isValid") and signature.get("wasSignedByGitHub"))
        return named and (sealed or not self.signed)

    def _by_bot(self, signature: Node | None) -> bool:
        if signature is None:
            return False
        user, email = signature.get("user") or {}, str(signature.get("email"))
        if self.acts_as_bot and self.id in (user.get("databaseId"), _id_in(email, self.login)):
            return True
        return any(_id_in(email, bot) is not None for bot in self.bots)


def _by_github(signature: Node | None) -> bool:
    return signature is not None and signature.get("email") == GITHUB_SIGNS


def _id_in(email: str, login: str) -> int | None:
    """Return the id in an address that GitHub gives to an account of a login: `1+x@users...`."""
    name, _, host = email.partition("@")
    number, _, owner = name.partition("+")
    if owner.lower() != login.lower() or not host.startswith("users.noreply."):
        return None
    return int(number) if number.isdecimal() else None
