"""The clone that a person or a runner works in: a work tree and its remote."""

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Self

from ml_gitops.adapters.git.history import folder_tree
from ml_gitops.adapters.git.repository import GitRepository, Identity
from ml_gitops.errors import GitError
from ml_gitops.ports import Clock
from ml_gitops.pull_request import Actor


class Clone(GitRepository):
    """A repository with a work tree, seen from its top or from a folder in it.

    Commits of a person carry the name and address of their Git settings, if
    there are any; commits of a bot never do.
    """

    def __init__(self, path: Path, *, clock: Clock, actor: Actor) -> None:
        super().__init__(path, clock=clock, actor=actor, may_be_bare=False)

    @cached_property
    def folder(self) -> str:
        """Where in the repository this is: empty at its top, else with a slash at the end."""
        return os.fsdecode(self.run("rev-parse", "--show-prefix").stdout).removesuffix("\n")

    @cached_property
    def top(self) -> Path:
        """The top of the work tree."""
        return Path(os.fsdecode(self.run("rev-parse", "--show-toplevel").stdout).removesuffix("\n"))

    def paths(self) -> list[str]:
        """Return the files of the whole work tree that are in Git, or would be by `git add`."""
        words = ("ls-files", "-z", "--full-name", "--cached", "--others", "--exclude-standard")
        listed = os.fsdecode(self.run(*words, "--", ":/").stdout).split("\0")
        return sorted({path for path in listed if path and (self.top / path).is_file()})

    def content_id(self) -> str:
        """Return what stands for all files of this folder in the commit that is checked out."""
        return folder_tree(self, "HEAD", self.folder)

    def tracked(self, path: str) -> bool:
        """Say whether Git tracks anything at or below a path."""
        return bool(self.run("ls-files", "-z", "--", path).stdout)

    @classmethod
    def create(
        cls, path: Path, *, clock: Clock, actor: Actor, default_branch: str = "main"
    ) -> Self:
        """Make an empty repository with a work tree."""
        path.mkdir(parents=True, exist_ok=True)
        clone = cls(path, clock=clock, actor=actor)
        clone.run("init", "--quiet", f"--initial-branch={default_branch}")
        return clone

    @classmethod
    def of(cls, source: str, path: Path, *, clock: Clock, actor: Actor) -> Self:
        """Clone a repository, given by path or URL, into a new folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        above = cls(path.parent, clock=clock, actor=actor)
        above.run("clone", "--quiet", "--", source, str(path.absolute()))
        return cls(path, clock=clock, actor=actor)

    def identity(self) -> Identity:
        """Return who commits here, now: a person as their settings say."""
        identity = super().identity()
        if self.actor.bot:
            return identity
        name, email = self._setting("user.name"), self._setting("user.email")
        return Identity(name or identity.name, email or identity.email, identity.date)

    def dirty_paths(self) -> list[str]:
        """Return the paths of this folder that differ from the commit, sorted, new ones too."""
        words = ("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
        listed = os.fsdecode(self.run(*words, "--", ".").stdout)
        paths = (entry[3:] for entry in listed.split("\0") if entry)
        return sorted(path.removeprefix(self.folder) for path in paths)

    def overlooked(self, read: Iterable[str]) -> list[str]:
        """Return which files are not as the commit has them, even where Git is told not to look.

        `git status` is silent on what is ignored, excluded, or marked to be skipped or assumed
        unchanged. Here the bytes are compared.

        Args:
            read: the files to compare; Python files that only the commit has are named too.
        """
        start = len(self.folder)
        found = self.files("HEAD", self.folder)
        committed = {path[start:]: id_ for path, id_ in found.items()}
        tracked = [path for path in read if path in committed and "\n" not in path]
        # Git reads these from the top, wherever it was called.
        asked = "".join(f"{self.folder}{path}\n" for path in tracked)
        ids = self.text("hash-object", "--stdin-paths", stdin=asked).split() if tracked else []
        same = {path for path, id_ in zip(tracked, ids, strict=True) if committed[path] == id_}
        gone = {
            path
            for path in committed
            if path.endswith(".py") and not os.path.lexists(self.path / path)
        }
        return sorted(gone.union(read) - same)

    def commit_all(self, message: str) -> str:
        """Commit everything that differs; return the commit (the old one, if nothing does)."""
        self.run("add", "--all", "--", ":/")
        staged = self.run("diff", "--cached", "--quiet", accept=(0, 1)).returncode
        if staged:
            self.run(
                "commit",
                "--quiet",
                "--no-gpg-sign",
                "--cleanup=verbatim",
                "-F",
                "-",
                stdin=message.rstrip() + "\n",
                variables=self.signed(),
            )
        return self.head()

    def switch(self, branch: str, *, create: bool = False) -> None:
        """Check out a branch.

        Args:
            branch: its name.
            create: make it first, from what is checked out.
        """
        self._refuse_odd(branch)
        self.run("switch", "--quiet", *(["--create"] if create else []), branch)

    def set_remote(self, url: str) -> None:
        """Name the repository that this one pushes to and pulls from."""
        self.run("config", "remote.origin.url", url)
        self.run("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")

    def remote_url(self) -> str | None:
        """Return the address that this one pushes to; None if there is none."""
        done = self.run("config", "--get", "remote.origin.url", accept=(0, 1))
        return done.stdout.decode(errors="replace").strip() or None

    def push(self, branch: str) -> None:
        """Push a branch under its own name, and let it follow the remote one."""
        self._refuse_odd(branch)
        ref = f"refs/heads/{branch}"
        self.run("push", "--quiet", "--set-upstream", "--", "origin", f"{ref}:{ref}")

    def unpushed(self) -> int:
        """Return how many commits of what is checked out no remote is known to have."""
        done = self.run("rev-list", "--count", "HEAD", "--not", "--remotes", accept=(0, 128))
        return int(done.stdout or 0)

    def fetch(self) -> None:
        """Fetch branches and tags, and forget remote branches that are gone."""
        self.run("fetch", "--quiet", "--prune", "--tags", "--", "origin")

    def pull(self) -> None:
        """Fetch, and bring the branch that is checked out forward; never make a merge.

        Raises:
            GitError: the branch has commits of its own, or none is checked out.
        """
        self.fetch()
        branch = self.branch()
        if branch is None:
            raise GitError(
                "no branch is checked out", hint="switch to one first", where=str(self.path)
            )
        tip = self.commit_id(f"refs/remotes/origin/{branch}")
        self.run("merge", "--quiet", "--ff-only", tip)

    def _setting(self, name: str) -> str | None:
        done = self.run("config", "--get", name, accept=(0, 1))
        return done.stdout.decode(errors="replace").strip() or None

    def _refuse_odd(self, branch: str) -> None:
        if branch.startswith("-"):
            raise GitError(
                f"{branch!r} looks like an option",
                hint="name the branch with a letter first",
                where=str(self.path),
            )
