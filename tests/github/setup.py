"""What a test does to a repository without going over HTTP: its people, their commits."""

from collections.abc import Mapping
from pathlib import Path

from tests.github import people, pushes
from tests.github.accounts import ROLES, Account, Role
from tests.github.commits import Signature, read_commit, write_commit
from tests.github.documents import page_of
from tests.github.git import HEADS, Entry
from tests.github.world import Repository, World

Changes = Mapping[str, bytes | str | None]
"""Path to new content; None deletes the file."""


class TestRepository:
    """A repository of the server, as tests handle it.

    Attributes:
        path: the bare Git repository; what is pushed there, by any means, is noticed.
    """

    __test__ = False

    def __init__(self, world: World, record: Repository) -> None:
        self._world = world
        self.record = record

    @property
    def id(self) -> int:
        """The id that the API gives."""
        return self.record.id

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return self.record.full_name

    @property
    def path(self) -> Path:
        """The folder of the bare Git repository."""
        return self.record.git.path

    @property
    def clone_url(self) -> str:
        """Where to clone it from and push it to over HTTP."""
        return page_of(self._world, self.record) + ".git"

    def head(self, branch: str = "main") -> str | None:
        """Return the tip of a branch."""
        with self._world.lock:
            pushes.catch_up(self._world)
            return self.record.branch(branch)

    def add_collaborator(self, login: str, role: Role = "write") -> None:
        """Give somebody a role."""
        assert role in ROLES
        person = people.person(self._world, login)
        self.record.roles[person.login.lower()] = role

    def push(self, branch: str, *commits: Changes, onto: str = "", by: str = "ada") -> str:
        """Push commits of somebody to a branch, and return its tip.

        Args:
            onto: the branch or commit to start from; the default is the branch itself, or
                the default branch if there is none.
            by: a login; their address belongs to their account.
        """
        with self._world.lock:
            pushes.catch_up(self._world)
            author, repository = people.person(self._world, by), self.record
            start = repository.branch(onto or branch) or repository.branch(
                repository.default_branch
            )
            tip = start if repository.branch(onto or branch) or not onto else onto
            for number, changes in enumerate(commits):
                tip = self._commit(tip, changes, f"Change {branch} {number}", author)
            assert tip is not None, "an empty repository needs a commit"
            pushes.move(self._world, repository, HEADS + branch, tip, author)
            return tip

    def delete_branch(self, branch: str, by: str = "ada") -> None:
        """Delete a branch as somebody would by a push."""
        with self._world.lock:
            author = people.person(self._world, by)
            pushes.move(self._world, self.record, HEADS + branch, None, author)

    def _commit(self, tip: str | None, changes: Changes, message: str, author: Account) -> str:
        git = self.record.git
        old = read_commit(git, tip) if tip else None
        entries = {path: _entry(self.record, content) for path, content in changes.items()}
        tree = git.changed_tree(old.tree if old else None, entries)
        by = Signature(author.login, author.email, self._world.now())
        return write_commit(git, tree, [tip] if tip else [], message, by, by)


def _entry(repository: Repository, content: bytes | str | None) -> Entry | None:
    if content is None:
        return None
    data = content.encode() if isinstance(content, str) else content
    return Entry("100644", "", repository.git.write("blob", data))
