"""What a test does to a repository without going over HTTP: its people, their commits."""

from collections.abc import Mapping
from pathlib import Path

from tests.github import actions, artifacts, people, pushes
from tests.github.accounts import ROLES, Account, Role
from tests.github.commits import Signature, read_commit, write_commit
from tests.github.documents import page_of
from tests.github.git import HEADS, Entry
from tests.github.protection import Protection
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
            main = repository.branch(repository.default_branch)
            tip = repository.branch(onto or branch) or onto or main
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

    def protect(self, branch: str, *checks: str, approvals: int = 0) -> None:
        """Protect a branch: what is merged needs checks of these names, and so many approvals."""
        self.record.protected[branch] = Protection(list(checks), approvals)
        (self.path / "protected").write_text(
            "".join(f"{HEADS}{it}\n" for it in self.record.protected)
        )

    def delete(self) -> None:
        """Delete the repository; pull requests from it close, and forget where they came from."""
        with self._world.lock:
            del self._world.repositories[self.record.full_name.lower()]
            self.record.git.close()
            for target in self._world.repositories.values():
                for thread, pull in target.pulls():
                    if pull.source is not self.record:
                        continue
                    pull.source = None
                    if thread.state == "open":
                        pushes.close(self._world, thread, self.record.owner)

    # Actions

    def add_run(
        self,
        workflow: str,
        *,
        event: str = "push",
        branch: str = "main",
        source: "TestRepository | None" = None,
        conclusion: str = "success",
        by: str = "ada",
    ) -> int:
        """Say that a workflow ran, and return the id of the run.

        Args:
            workflow: the name of its file in `.github/workflows`.
            source: the repository of the branch; the default is this one.
        """
        with self._world.lock:
            pushes.catch_up(self._world)
            head = source.record if source else self.record
            sha = head.branch(branch)
            assert sha is not None, branch
            actor, path = people.person(self._world, by), f"{actions.FOLDER}/{workflow}"
            run = actions.start(self._world, self.record, path, event, branch, sha, head, actor)
            run.status, run.conclusion = "completed", conclusion
            return run.id

    def add_artifact(self, run: int, name: str, files: Mapping[str, bytes] | bytes) -> int:
        """Leave an artifact of a run, and return its id; bytes are the archive as it stands."""
        with self._world.lock:
            archive = files if isinstance(files, bytes) else artifacts.zipped(files)
            found = next(it for it in self.record.runs if it.id == run)
            return artifacts.put(self._world, self.record, found, name, archive).id

    def actions_may_propose(self, *, allowed: bool) -> None:
        """Set whether `GITHUB_TOKEN` may open pull requests here."""
        self.record.actions_may_propose = allowed

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
