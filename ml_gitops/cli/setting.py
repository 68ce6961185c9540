"""The one place where real adapters are made; everything below takes them as arguments."""

import argparse
import io
import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.github.connect import GitHub, find_place
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.records import GitRecords
from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.adapters.workspace import LocalWorkspace, find_root, write_whole
from ml_gitops.cli.job import leave, on_actions
from ml_gitops.cli.places import in_git, refuse_foreign_cache, refuse_unwritable
from ml_gitops.config import Config, parse_config
from ml_gitops.delivery.deployment import state_path
from ml_gitops.errors import ConfigError, DataError, ForgeError
from ml_gitops.names import BOT_LOGIN, CONFIG_FILE, LOCK_FILE
from ml_gitops.pull_request import Actor
from ml_gitops.render.runner import Annotation
from ml_gitops.render.tables import fence
from ml_gitops.render.terminal import Terminal
from ml_gitops.workflows.folder import in_folder

if TYPE_CHECKING:
    from ml_gitops.ports import Forge, Records

BOT = Actor(login=BOT_LOGIN, bot=True)
NOW = "ML_GITOPS_NOW"
"""The time that commands believe, for replays of history: an ISO time with its zone."""


def now() -> datetime:
    """Return the time in UTC: the machine's, or the one a replay sets.

    Raises:
        ConfigError: the variable holds no time with a zone.
    """
    told = os.environ.get(NOW)
    if not told:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(told)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ConfigError(
            f"{NOW}={told!r} is no time with a zone",
            hint="write it like 2013-04-01T08:00:00Z, or unset it",
        )
    return time.astimezone(UTC)


class Setting:
    """What a command works with, each part made when it is first used.

    Args:
        parsed: the command line; `folder`, `json` and the files to write are read here.

    Raises:
        DataError: a file to write cannot be written.
    """

    def __init__(self, parsed: argparse.Namespace) -> None:
        self.as_json: bool = parsed.json
        words = (getattr(parsed, "command", None), getattr(parsed, "step", None))
        self._words = " ".join(word for word in words if word)
        self._folder: Path = parsed.folder
        self._outcome: Path | None = getattr(parsed, "outcome", None)
        for path in (self._outcome, getattr(parsed, "html", None)):
            if path is not None:
                refuse_unwritable(path)
        self.terminal = Terminal(machine=parsed.json)
        self._forges: list[Forge] = []

    @cached_property
    def workspace(self) -> LocalWorkspace:
        """The work tree that the command runs in."""
        root = find_root(self._folder, CONFIG_FILE)
        refuse_foreign_cache(Clone(root, clock=now, actor=BOT))
        return LocalWorkspace(root)

    @cached_property
    def config(self) -> Config:
        """The config of the work tree."""
        return parse_config(self.workspace.read(CONFIG_FILE) or b"")

    @cached_property
    def person(self) -> Actor:
        """Who types: the name that Git knows."""
        settings = Clone(self._home, clock=now, actor=Actor(login="you"))
        return Actor(login=settings.identity().name)

    @cached_property
    def _home(self) -> Path:
        """The folder of the model, or any one of a repository where no single model is meant."""
        try:
            find_root(self._folder, CONFIG_FILE)
        except ConfigError:
            if not in_git(self._folder.resolve()):
                raise
            return self._folder.resolve()
        return self.workspace.root

    @cached_property
    def repository(self) -> Clone:
        """The clone that the person works in, seen from the folder of the model."""
        return Clone(self._home, clock=now, actor=self.person)

    @cached_property
    def forge_path(self) -> Path | None:
        """The bare repository of the local forge; None without a remote on this machine."""
        address = self.repository.remote_url()
        if address is None:
            return None
        path = Path(address.removeprefix("file://"))
        path = path if path.is_absolute() else self.repository.top / path
        return path if path.is_dir() else None

    def forge(self, actor: Actor = BOT) -> "Forge":
        """Return the forge of this repository, as seen by an actor from the model's folder.

        Raises:
            ForgeError: there is none.
        """
        found: Forge
        if self._github is not None:
            found = self._github.forge(bot=actor.bot)
        else:
            found = LocalForge(self._forge_folder(), actor=actor, clock=now)
        self._forges.append(found)
        return in_folder(found, self._below)

    @cached_property
    def _below(self) -> str:
        """Where in its repository the model is, for paths to start with.

        Raises:
            ForgeError: it is below the model of a whole repository.
        """
        below = self.repository.folder if in_git(self._home) else ""
        if below and (self.repository.top / CONFIG_FILE).is_file():
            raise ForgeError(
                "the repository has a model at its top, which is its only one",
                hint="give each model a folder of its own, and none the top",
                where=str(self._home),
            )
        return below

    @cached_property
    def _github(self) -> GitHub | None:
        """The repository on GitHub; None if it is on none, or has a forge on this machine."""
        if self.forge_path is not None:
            return None
        place = find_place(self.repository.remote_url(), os.environ)
        if place is None:
            return None
        return GitHub(place, os.environ, now, self._files())

    def _files(self) -> list[str]:
        """Return where desired states and lock lie; nothing, where no single model is meant."""
        if not (self._home / CONFIG_FILE).is_file():
            return []
        states = [state_path(it) for it in self.config.delivery.environments]
        return [self._below + path for path in (*states, LOCK_FILE)]

    def _forge_folder(self) -> Path:
        if self.forge_path is None:
            address = self.repository.remote_url()
            beside = self.repository.top.parent / "forge.git"  # Within, it would be committed.
            here, there = map(os.path.relpath, (self._home, beside))
            if address is not None and ":" not in address.removeprefix("file://"):
                raise ForgeError(
                    f"the forge of this repository is gone: there is no folder {address}",
                    hint="restore it, or name where it is now: `git remote set-url origin PATH`",
                    where=str(self._home),
                )
            found = f"the remote 'origin' is {address}" if address else "no remote 'origin'"
            first = "`git remote rename origin upstream` and " if address else ""
            raise ForgeError(
                f"this repository has no forge: {found}",
                where=str(self._home),
                hint=f"run {first}`ml-gitops init {here} --adopt --forge {there}`",
            )
        return self.forge_path

    def forge_if_any(self) -> "Forge | None":
        """Return the forge, or None where there is none."""
        there = self.forge_path is not None or self._github is not None
        return self.forge() if there else None

    def records(self) -> "Records":
        """Return the record of runs, on the forge."""
        if self._github is not None:
            return self._github.records()
        return GitRecords(self._forge_folder(), actor=BOT, clock=now)

    @cached_property
    def warehouse(self) -> DuckDBWarehouse:
        """The embedded engine."""
        return DuckDBWarehouse()

    def today(self) -> date:
        """Return the day it is, in UTC."""
        return now().date()

    def write(self, path: Path, content: str | bytes) -> None:
        """Write a file that the user asked for.

        Raises:
            DataError: it cannot be written there.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise DataError(
                f"cannot write it: {error.strerror}", hint="name another file", where=str(path)
            ) from None

    def show(
        self,
        outcome: Any,
        tell: Callable[[Terminal], None],
        *,
        summary: str = "",
        annotations: Iterable[Annotation] = (),
    ) -> None:
        """Print an outcome: as JSON for machines, or told to people, and left to a job.

        Args:
            summary: Markdown for the page of the job; else it gets what people are told.
            annotations: what is to be said beside lines of files.
        """
        document = to_jsonable_python(outcome)
        undone = [remark for forge in self._forges for remark in forge.remarks]
        text = json.dumps(document, indent=2, sort_keys=True)
        if self._outcome is not None:
            self.write(self._outcome, text + "\n")
        if self.as_json:
            self.terminal.json(text)
        else:
            tell(self.terminal)
            for remark in undone:
                self.terminal.status("warn", remark)
        if on_actions():
            notes = [*annotations, *(Annotation("warning", it) for it in undone)]
            leave(self._words, document, summary or _told(tell), notes, self._folder)


def _told(tell: Callable[[Terminal], None]) -> str:
    """Return what people are told as a block of Markdown."""
    page = io.StringIO()
    tell(Terminal(out=page, width=100))
    return fence(page.getvalue())
