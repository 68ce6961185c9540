"""The forges there are, each with people around it: what the behaviour suite runs on.

A `Harness` is what a test needs besides the port: other people, and their pushes.
"""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.github.client import GitHubClient
from ml_gitops.adapters.github.forge import GitHubForge
from ml_gitops.adapters.github.patience import Patience
from ml_gitops.adapters.github.survey import FRESH, Survey
from ml_gitops.adapters.github.transport import Transport
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.ports import Forge
from ml_gitops.pull_request import Actor
from ml_gitops.workflows.folder import in_folder
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

FIRST = {"a.txt": b"1\n2\n3\n", "b.txt": b"b\n", "run.sh": b"#!/bin/sh\n"}
BOT = "ml-gitops[bot]"


class Harness(Protocol):
    """A forge with one commit on its default branch, and people around it."""

    def forge(self, login: str = BOT, *, bot: bool = True) -> Forge:
        """Return the forge as somebody sees it."""
        ...

    def push(
        self, branch: str, *commits: Mapping[str, bytes | None], onto: str = "main", by: str = "ada"
    ) -> str:
        """Push commits of a person to a branch, starting from another; return the tip."""
        ...

    def merge_by_hand(self, branch: str) -> str:
        """Merge a branch into the default branch without the forge, and push."""
        ...

    def delete_branch(self, branch: str) -> None:
        """Delete a branch without the forge."""
        ...


class People:
    """People with a clone of a bare repository, which they push to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = 0
        self.clone = Clone(folder / "clone", clock=self.clock, actor=Actor(login="ada"))

    def begin(self, bare: Path) -> None:
        """Make the first commit and push it."""
        Clone.create(self.clone.path, clock=self.clock, actor=self.clone.actor)
        self.clone.set_remote(str(bare))
        self._write(FIRST)
        self.clone.commit_all("Begin")
        self.clone.push("main")

    def clock(self) -> datetime:
        """Return a time that never stands still."""
        self.seconds += 1
        return datetime(2013, 4, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def push(
        self, branch: str, *commits: Mapping[str, bytes | None], onto: str = "main", by: str = "ada"
    ) -> str:
        """See `Harness`."""
        self.clone.actor = Actor(login=by)
        self.clone.fetch()
        self.clone.run("checkout", "--quiet", "-B", branch, f"refs/remotes/origin/{onto}")
        for number, changes in enumerate(commits):
            self._write(changes)
            self.clone.commit_all(f"Change {branch} {number}")
        self.clone.push(branch)
        return self.clone.head()

    def merge_by_hand(self, branch: str) -> str:
        """See `Harness`."""
        self.clone.fetch()
        self.clone.run("checkout", "--quiet", "-B", "main", "refs/remotes/origin/main")
        self.clone.run(
            "merge",
            "--quiet",
            "--no-edit",
            f"refs/remotes/origin/{branch}",
            variables=self.clone.signed(),
        )
        self.clone.push("main")
        return self.clone.head()

    def delete_branch(self, branch: str) -> None:
        """See `Harness`."""
        self.clone.run("push", "--quiet", "origin", f":refs/heads/{branch}")

    def _write(self, changes: Mapping[str, bytes | None]) -> None:
        for path, content in changes.items():
            file = self.clone.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content)


class LocalHarness(People):
    """People with clones of a local forge."""

    def __init__(self, folder: Path, begun: Path | None = None) -> None:
        super().__init__(folder)
        bare = folder / "forge.git"
        if begun is None:
            LocalForge.create(bare, actor=Actor(login=BOT, bot=True), clock=self.clock)
            self.begin(bare)
        else:
            shutil.copytree(begun, folder, dirs_exist_ok=True)
            self.clone.set_remote(str(bare))

    def forge(self, login: str = BOT, *, bot: bool = True) -> Forge:
        """See `Harness`."""
        return LocalForge(
            self.folder / "forge.git", actor=Actor(login=login, bot=bot), clock=self.clock
        )


class GitHubHarness(People):
    """People around a repository of the test server, on a clock that nobody waits for."""

    def __init__(
        self,
        folder: Path,
        server: GitHubServer,
        begun: Path | None = None,
        *,
        transport: Callable[[str, str, float], Transport] = Transport,
    ) -> None:
        """Make a repository; without anything begun nobody has a clone of it.

        Args:
            transport: makes what travels, of an address, a token and a timeout.
        """
        super().__init__(folder)
        self.server = server
        self.transport = transport
        self.passed = 0.0
        self.slept: list[float] = []
        server.clock = self.clock
        number = len(server.world.repositories)
        self.repository: TestRepository = server.create_repository(f"acme/churn-{number}")
        if begun is None:
            self.repository.push("main", FIRST)
            return
        shutil.copytree(begun / "clone", folder / "clone")
        self.clone.set_remote(str(self.repository.path))
        self.clone.push("main")

    def client(
        self, login: str = BOT, *, budget: float = 300.0, timeout: float = 5.0
    ) -> GitHubClient:
        """Return what speaks for somebody, and sleeps without losing time."""
        if not login.endswith("[bot]"):
            self.repository.add_collaborator(login)
        token = self.server.token(login)
        patience = Patience(
            budget,
            between_writes=0.0,
            clock=lambda: self.passed,
            sleep=self._sleep,
            jitter=lambda: 0,
        )
        transport = self.transport(self.server.url, token, timeout)
        return GitHubClient(transport, self.repository.full_name, patience)

    def forge(self, login: str = BOT, *, bot: bool = True) -> GitHubForge:
        """See `Harness`."""
        self.wait()
        return self.forge_on(self.client(login), bot=bot)

    def forge_on(self, client: GitHubClient, *, bot: bool = True) -> GitHubForge:
        """Return the forge of a client."""
        survey = Survey(client, acts_as_bot=bot, bots=(BOT,), signed=True)
        return GitHubForge(client, survey, clock=self.clock, outbox=self.folder / "outbox")

    def wait(self) -> None:
        """Let so much time pass that no list is believed any more."""
        self.passed += FRESH + 1

    def push(
        self, branch: str, *commits: Mapping[str, bytes | None], onto: str = "main", by: str = "ada"
    ) -> str:
        """See `Harness`."""
        self.wait()
        return super().push(branch, *commits, onto=onto, by=by)

    def merge_by_hand(self, branch: str) -> str:
        """See `Harness`."""
        self.wait()
        return super().merge_by_hand(branch)

    def delete_branch(self, branch: str) -> None:
        """See `Harness`."""
        self.wait()
        super().delete_branch(branch)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


class Below:
    """A harness whose people and bots work on one model, in a folder of the repository."""

    below = "models/churn/"

    def forge(self, login: str = BOT, *, bot: bool = True) -> Forge:
        """See `Harness`."""
        return in_folder(super().forge(login, bot=bot), self.below)  # type: ignore[misc]

    def _write(self, changes: Mapping[str, bytes | None]) -> None:
        placed = {self.below + path: content for path, content in changes.items()}
        super()._write(placed)  # type: ignore[misc]


class LocalBelow(Below, LocalHarness):  # type: ignore[misc]
    """A local forge, as a model in a folder sees it."""


class GitHubBelow(Below, GitHubHarness):  # type: ignore[misc]
    """GitHub, as a model in a folder sees it."""
