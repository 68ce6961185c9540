"""How Git is run: without a shell, without hooks, without inherited variables."""

import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

from ml_gitops.errors import GitError, TryAgain

Result = TypeVar("Result")

_SETTINGS = {
    "safe.bareRepository": "explicit",  # a repository committed inside a work tree is not obeyed
    "core.hooksPath": os.devnull,  # what a machine does runs nobody's hooks
    "core.quotePath": "false",
    "core.filesRefLockTimeout": "1000",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "log.showSignature": "false",
}
# Git sets variables such as GIT_DIR for hooks and aliases; inherited, they would
# point our commands at another repository. These few only say how to connect.
_KEPT = {
    "GIT_ALLOW_PROTOCOL",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_NO_VERIFY",
}
_HINTS = {
    "not a git repository": "run `git init`, or name the folder of a repository",
    "cannot change to": "name a folder that exists",
    "does not exist": "name a repository that exists",
    "dubious ownership": "run `git config --global --add safe.directory` with this folder",
    "unknown option": "install Git 2.38 or newer",
    "unknown switch": "install Git 2.38 or newer",
    "No space left": "free some disk space and run it again",
    "ermission denied": "ask for write access to the repository",
    "non-fast-forward": "pull first, then run it again",
    "fetch first": "pull first, then run it again",
    "Not possible to fast-forward": "merge or rebase your own commits first",
    "would be overwritten": "commit or stash your changes first",
    "already exists": "choose another name",
    "cannot create": "choose another name",
    "invalid ref format": "name it with letters, digits, `-`, `_`, `.` and `/`",
    "not a valid tag name": "name it with letters, digits, `-`, `_`, `.` and `/`",
    "nvalid path": "name a path inside the repository",
    "mpty ident name": "give the actor a login",
}
_MOVED = re.compile(
    "but expected|reference already exists|unable to resolve reference|reference is missing"
    r"|\.lock': File exists"
)


class RefMoved(GitError):
    """Another process moved a ref, or holds its lock: look again and repeat."""


class Git:
    """The `git` program, at work in one repository.

    Args:
        path: the folder of the repository.
        may_be_bare: whether it may be a bare repository. A work tree never is, whatever files
            somebody committed to it: it would be obeyed as a repository of theirs.
    """

    def __init__(self, path: Path, *, may_be_bare: bool = True) -> None:
        self.path = path.absolute()
        looks_bare = (self.path / "HEAD").is_file() and (self.path / "objects").is_dir()
        # A bare repository is named outright: Git would otherwise go looking for one above.
        self.bare = may_be_bare and looks_bare and not (self.path / ".git").exists()

    def run(
        self,
        *arguments: str,
        stdin: str | bytes = b"",
        variables: Mapping[str, str] | None = None,
        accept: Collection[int] = (0,),
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run one Git command to its end.

        Args:
            arguments: the command and its own arguments.
            stdin: what it reads.
            variables: environment variables on top of the scrubbed ones.
            accept: exit codes that are answers, not refusals.

        Raises:
            RefMoved: another process was faster.
            GitError: Git refused, or is not there.
        """
        place = [f"--git-dir={self.path}"] if self.bare else ["-C", str(self.path)]
        settings = [part for item in _SETTINGS.items() for part in ("-c", "=".join(item))]
        try:
            done = subprocess.run(
                ["git", *settings, *place, *arguments],
                input=os.fsencode(stdin) if isinstance(stdin, str) else stdin,
                env=_scrubbed() | dict(variables or {}),
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise GitError("git is not installed", hint="install Git 2.38 or newer") from None
        if done.returncode not in accept:
            raise _refusal(arguments, done.stderr.decode(errors="replace"), str(self.path))
        return done

    def text(
        self,
        *arguments: str,
        stdin: str | bytes = b"",
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run one Git command here and return what it prints, without the last newlines."""
        done = self.run(*arguments, stdin=stdin, variables=variables)
        return done.stdout.decode(errors="replace").rstrip("\n")


def _scrubbed() -> dict[str, str]:
    """Return our environment without what would point Git at another repository."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT
    }
    return kept | {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",  # a pushed replacement is not what was reviewed
    }


def _refusal(arguments: tuple[str, ...], stderr: str, where: str) -> GitError:
    """Turn what Git wrote into one line with a remedy."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"fatal:|error:|! \[", line)] or lines[-1:]
    problem = re.sub(r"^(fatal|error): ", "", told[0]) if told else "it failed without a word"
    command = next((word for word in arguments if not word.startswith("-")), "git")
    hint = next(
        (hint for symptom, hint in _HINTS.items() if symptom in stderr),
        "run the same command by hand to see more",
    )
    kind = RefMoved if _MOVED.search(stderr) else GitError
    return kind(f"git {command}: {problem}", hint=hint, where=where)


def compare_and_swap(attempt: Callable[[], Result], *, patience: float, where: str) -> Result:
    """Repeat an attempt until no other process moves its refs meanwhile.

    Args:
        attempt: reads, decides and moves refs; it starts afresh each time.
        patience: how long to go on, in seconds.
        where: the repository, for the message.

    Raises:
        TryAgain: others were faster for all that time, or left a lock behind.
    """
    deadline = time.monotonic() + patience
    pause = 0.01
    while True:
        try:
            return attempt()
        except RefMoved as moved:
            if time.monotonic() > deadline:
                raise TryAgain(
                    f"others kept changing the repository for {patience:g} s ({moved.problem})",
                    hint="run it again; if no Git is running, delete the lock file it names",
                    where=where,
                ) from None
        # Jitter spreads the writers out, so that one of them always gets through.
        time.sleep(random.uniform(0, pause))  # noqa: S311
        pause = min(pause * 2, 0.25)
