"""The stage of the demo: commands that are really run, on a clock of 2013, and their record."""

import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ml_gitops.cli.setting import NOW
from ml_gitops.document import Part
from ml_gitops.errors import MlGitopsError
from ml_gitops.render.terminal import Terminal


class DemoError(MlGitopsError):
    """A step of the demo did not end as a story can go on from."""


class Step(Part):
    """One step of the story, as it happened.

    Attributes:
        chapter: the part of the story it belongs to.
        title: what it is about.
        why: a sentence or two for a stranger.
        who: the person or the bot who acts.
        verb: what was done, in a word: that of the command, or `traffic`.
        command: what was typed.
        when: the day of 2013.
        seconds: how long it took.
        exit_code: how it ended.
        output: what it printed.
        outcome: its JSON document, if it has one.
        report: address of the page that it wrote, beside the story; empty if it wrote none.
    """

    chapter: str
    title: str
    why: str
    who: str
    verb: str
    command: str
    when: date
    seconds: float
    exit_code: int
    output: str
    outcome: Any = None
    report: str = ""


class Stage:
    """Run the commands of a story one after the other.

    Args:
        folder: the model repository, the working directory of every command.
        terminal: where a line per step goes.
        today: the first day.
        patience: seconds after which a command's own steps are said, too.
    """

    def __init__(
        self, folder: Path, terminal: Terminal, today: date, patience: float = 5.0
    ) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self.chapters: list[tuple[str, str]] = []
        self._terminal = terminal
        self._patience = patience
        self._now = datetime(today.year, today.month, today.day, 8, tzinfo=UTC)

    @property
    def chapter(self) -> str:
        """The heading of the part that is told."""
        return self.chapters[-1][0] if self.chapters else ""

    @property
    def today(self) -> date:
        """The day it is in the story."""
        return self._now.date()

    def open_chapter(self, title: str, text: str) -> None:
        """Begin a new part of the story.

        Args:
            title: its heading.
            text: what a stranger should know before it.
        """
        self.chapters.append((title, text))

    def wait_until(self, day: date) -> None:
        """Let the story's time pass."""
        self._now = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)

    def ml_gitops(
        self,
        title: str,
        *arguments: str,
        why: str = "",
        who: str = "ci",
        expect: Sequence[int] = (0,),
        folder: Path | None = None,
        report: str = "",
    ) -> Any:
        """Run `ml-gitops` and return the JSON document of its outcome.

        Args:
            title, why, who: for the record.
            arguments: the words after `ml-gitops`.
            expect: exit codes that the story goes on from; whatever it is, it is recorded.
            folder: where to run, instead of the model repository.
            report: address of the page that it writes, beside the story.

        Raises:
            DemoError: it ended with another exit code.
        """
        with tempfile.TemporaryDirectory() as scratch:
            told = Path(scratch) / "outcome.json"
            command = [sys.executable, "-P", "-m", "ml_gitops", *arguments, "--outcome", str(told)]
            self.say(title)
            done, seconds = self._run(command, folder or self.folder)
            outcome = json.loads(told.read_text()) if told.exists() else None
        self._record(
            Step(
                chapter=self.chapter,
                title=title,
                why=why,
                who=who,
                verb=arguments[0],
                command=shlex.join(["ml-gitops", *arguments]),
                when=self.today,
                seconds=round(seconds, 2),
                exit_code=done.returncode,
                output=done.stdout + _errors(done.stderr),
                outcome=outcome,
                report=report,
            ),
            expect,
        )
        return outcome

    def git(self, *arguments: str) -> None:
        """Run a Git command that a person would type; it is part of the next step's record."""
        done, _ = self._run(["git", *arguments], self.folder)
        if done.returncode:
            raise DemoError(
                f"git {arguments[0]} failed: {done.stderr.strip()}", hint="run the demo again"
            )

    def say(self, title: str, done: float | None = None) -> None:
        """Say what is going on, and which share of it is done, while it takes its time."""
        self._terminal.step(f"{self.today}  {title}", done)

    def note(self, step: Step) -> None:
        """Record a step that was no command, such as live traffic."""
        self._record(step, (0,))

    def environment(self) -> dict[str, str]:
        """Return the variables that every command of the story gets: its time, one thread."""
        stamp = self._now.isoformat()
        self._now += timedelta(minutes=1)
        return {
            **os.environ,
            NOW: stamp,
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "COLUMNS": "100",
        }

    def _run(
        self, command: list[str], folder: Path
    ) -> tuple[subprocess.CompletedProcess[str], float]:
        started, said = time.perf_counter(), list[str]()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=self.environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        listener = threading.Thread(target=self._listen, args=(process, said), daemon=True)
        try:
            listener.start()
            output = process.stdout.read() if process.stdout else ""
            code = process.wait()
        finally:
            process.kill()  # Only an interrupt finds it alive.
            listener.join()
        done = subprocess.CompletedProcess(command, code, output, "".join(said))
        return done, time.perf_counter() - started

    def _listen(self, process: "subprocess.Popen[str]", said: list[str]) -> None:
        """Keep what a command says of its steps; say it too, once the command takes a while."""
        started = time.monotonic()
        for line in process.stderr or ():
            said.append(line)
            if time.monotonic() - started > self._patience and line.strip():
                self.say(line.strip())

    def _record(self, step: Step, expect: Sequence[int]) -> None:
        self.steps.append(step)
        state = {0: "pass", 1: "block"}.get(step.exit_code, "error")
        if step.exit_code not in expect:
            raise DemoError(
                f"step {len(self.steps)}, `{step.command}`, ended with {step.exit_code}: "
                f"{step.output.strip().splitlines()[-1] if step.output.strip() else 'no output'}",
                hint="the folder is left as it was, to look into",
                where=str(self.folder),
            )
        self._terminal.status(state, f"{step.when}  {step.title}  ({step.seconds:.1f} s)")


def _errors(said: str) -> str:
    """Return what went wrong, without the steps that led there."""
    return "".join(line for line in said.splitlines(True) if line.startswith("error:"))


def peak_memory_mb() -> float:
    """Return the most memory that this process or any it waited for has held, in MB."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1000
