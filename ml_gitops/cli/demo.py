"""`demo`: a year of flights, every command real, every verdict computed."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from ml_gitops.adapters.local_forge import LocalForge
from ml_gitops.adapters.workspace import LocalWorkspace, write_whole
from ml_gitops.cli.setting import BOT, now
from ml_gitops.cli.stage import DemoError, Stage, Step, peak_memory_mb
from ml_gitops.cli.traffic import Sent, Traffic, weeks
from ml_gitops.config import PATH as CONFIG_PATH
from ml_gitops.config import Config, parse_config
from ml_gitops.document import canonical_json
from ml_gitops.errors import EXIT_PASSED, ConfigError
from ml_gitops.render.numbers import count, duration
from ml_gitops.render.story_page import Story, to_html
from ml_gitops.render.terminal import Terminal

NAME = "delay"
ADA, BEN = "Ada", "Ben"
FIRST_LOCK = date(2013, 4, 1)
LAST_WATCH = date(2013, 8, 26)
HASTE_WEEKS = 3
RECORD = "demo.json"


def tell_story(directory: Path, *, as_json: bool) -> int:
    """Tell the story into a folder, and say at the end where everything lies.

    Args:
        directory: a new folder, or one with an earlier telling, which is replaced.
        as_json: print the record instead of lines for people.
    """
    directory = directory.resolve()
    _make_room(directory)
    terminal = Terminal(machine=as_json)
    started = time.perf_counter()
    telling = Telling(directory, terminal)
    telling.tell()
    record = telling.write(round(time.perf_counter() - started, 1))
    if as_json:
        terminal.json(canonical_json(record))
    else:
        _say_where(terminal, directory, record)
    return EXIT_PASSED


def _make_room(directory: Path) -> None:
    """Remove an earlier telling; never anything else."""
    if not directory.exists():
        return
    if not directory.is_dir() or (any(directory.iterdir()) and not (directory / RECORD).exists()):
        raise ConfigError(
            "there is something else in the way",
            hint="name a new folder",
            where=str(directory),
        )
    shutil.rmtree(directory)


class Telling:
    """The story, chapter by chapter; what happens next depends on what the commands found.

    Args:
        directory: where everything is left.
        terminal: where a line per step goes.
    """

    def __init__(self, directory: Path, terminal: Terminal) -> None:
        self.directory = directory
        self.model_repo = directory / "model-repo"
        self.forge = directory / "forge.git"
        self.reports = directory / "reports"
        self._reports_made: list[tuple[str, str]] = []
        directory.mkdir(parents=True)
        write_whole(directory / RECORD, b"{}\n")
        self.stage = Stage(self.model_repo, terminal, FIRST_LOCK)
        self._terminal = terminal
        self._watched: list[Any] = []

    def tell(self) -> None:
        """Tell all chapters."""
        self.start()
        self.first_release()
        day = self.live(FIRST_LOCK, until_proposal="retraining")
        self.retrained_release()
        day = self.live(day, weeks_at_most=HASTE_WEEKS)
        self.hasty_release()
        self.live(day, until_proposal="rollback")
        self.back_again()

    def start(self) -> None:
        """Make the repository and its forge."""
        self.stage.ml_gitops(
            "A model repository from the template",
            "init",
            str(self.model_repo),
            "--name",
            NAME,
            "--forge",
            str(self.forge),
            who=ADA,
            folder=self.directory,
            why="Ada starts a model that says whether a flight out of New York will arrive more "
            "than 30 minutes late. The template brings config, pipeline, checks and a forge that "
            "is nothing but a bare Git repository.",
        )
        self._be(ADA)
        text = (self.model_repo / CONFIG_PATH).read_text()
        self.config: Config = parse_config(text)
        self.traffic = Traffic(self.config, LocalWorkspace(self.model_repo))

    def first_release(self) -> None:
        """Lock the first quarter, train, review, release, promote."""
        stage = self.stage
        stage.git("switch", "-q", "-c", "first-model")
        stage.ml_gitops(
            "Lock the first quarter of 2013",
            "data",
            "lock",
            "--until",
            str(FIRST_LOCK),
            who=ADA,
            why="The lock pins which rows the model may learn from, and the digest of what was in "
            "them. It is the only thing that a retraining changes later.",
        )
        stage.git("add", "--all")
        stage.git("commit", "-q", "-m", "Lock the first quarter of 2013")
        stage.ml_gitops("The data keeps its contract", "data", "validate")
        number = self._propose(
            "A first model of late flights",
            "Learns from January to mid-March, judged on the two weeks after.",
        )
        self._integrate(number, "The first candidate is trained and judged")
        self._merge(number, ADA, "Ada merges her first model")
        self._release_and_promote("what was reviewed is released")

    def live(
        self, day: date, *, until_proposal: str | None = None, weeks_at_most: int | None = None
    ) -> date:
        """Serve what production should serve, send the year's flights, watch every week.

        Args:
            day: the first day.
            until_proposal: stop when the monitor proposes this (`retraining` or `rollback`).
            weeks_at_most: stop after so many weeks.

        Returns:
            The first day that was not lived.

        Raises:
            DemoError: the year ended before the monitor proposed anything.
        """
        with self._served() as url:
            for lived, window in enumerate(weeks(day, LAST_WATCH), 1):
                self.stage.wait_until(window.until)
                self._note_traffic(self.traffic.send(url, window))
                watched = self._watch(window.until)
                if until_proposal and watched[until_proposal]["pull_request"]:
                    self._watch(window.until, again=True)
                    return window.until
                if lived == weeks_at_most:
                    return window.until
        raise DemoError(
            f"the monitor proposed no {until_proposal} until {LAST_WATCH}",
            hint="look into demo.json; the thresholds in ml-gitops.toml decide",
        )

    def retrained_release(self) -> None:
        """Review and merge what the bot proposes."""
        number = self._watched[-1]["retraining"]["pull_request"]
        self._integrate_bot(number)
        self._merge(number, ADA, "Ada merges the retraining")
        self._release_and_promote("the retrained model is released, not trained again")

    def hasty_release(self) -> None:
        """Merge a change against the gate's advice, to see what production says of it."""
        stage = self.stage
        self._be(BEN)
        stage.git("switch", "-q", "-c", "fewer-trees")
        path = self.model_repo / self.config.model.params
        path.write_text(_with_fewer_trees(path.read_text()))
        stage.git("commit", "-q", "--all", "-m", "Answer faster with a handful of trees")
        number = self._propose(
            "Answer faster with a handful of trees",
            "Latency matters to us; the model should hardly notice.",
        )
        self._integrate(
            number,
            "The gate advises against it",
            expect=(1,),
            why="Candidate and champion answered the same rows. Nothing here is "
            "scripted: the verdict is what the paired interval says.",
        )
        self._merge(number, BEN, "Ben merges it all the same")
        self._release_and_promote("what was merged is released; people decide, the record stays")
        self._be(ADA)

    def back_again(self) -> None:
        """Merge the rollback and look at where things stand."""
        number = self._watched[-1]["rollback"]["pull_request"]
        self._merge(number, ADA, "Ada merges the rollback")
        self._run_cd("CD records that production went back")
        self.stage.ml_gitops("Where things stand", "status", who=ADA)

    def write(self, seconds: float) -> dict[str, Any]:
        """Write demo.json and index.html, and return the record."""
        forge = LocalForge(self.forge, actor=BOT, clock=now)
        proposals = forge.pull_requests()
        story = Story(
            steps=tuple(self.stage.steps),
            pull_requests=tuple(proposals),
            diffs=tuple(forge.diff(one.number) for one in proposals),
            watched=tuple(self._watched),
            reports=tuple(self._reports_made),
            metric=self.config.gate.primary(self.config.model.task).name,
            seconds=seconds,
        )
        record = {
            "steps": [
                {**to_jsonable_python(step), "number": number}
                for number, step in enumerate(self.stage.steps, 1)
            ],
            "pull_requests": [
                {
                    "number": one.number,
                    "title": one.title,
                    "state": one.state,
                    "author": one.author.login,
                    "labels": list(one.labels),
                }
                for one in proposals
            ],
            "releases": [
                {"tag": page.tag, "assets": list(page.assets)} for page in forge.releases()
            ],
            "tags": [tag.name for tag in forge.tags()],
            "verdicts": [
                {
                    "step": number,
                    "verdict": step.outcome["verdict"],
                    "headline": step.outcome["headline"],
                    "metrics": step.outcome["metrics"],
                }
                for number, step in enumerate(self.stage.steps, 1)
                if isinstance(step.outcome, dict) and "verdict" in step.outcome
            ],
            "seconds": seconds,
            "peak_memory_mb": round(peak_memory_mb(), 1),
        }
        write_whole(self.directory / "index.html", to_html(story).encode())
        write_whole(self.directory / RECORD, canonical_json(record).encode())
        return record

    def _propose(self, title: str, body: str) -> int:
        made = self.stage.ml_gitops(
            f"Pull request: {title}",
            "pr",
            "open",
            "--title",
            title,
            "--body",
            body,
            who=self._person,
        )
        return int(made["number"])

    def _integrate(
        self, number: int, title: str, *, expect: tuple[int, ...] = (0,), why: str = ""
    ) -> None:
        """Run CI on the branch that is checked out."""
        self.stage.ml_gitops(title, "train", expect=expect, why=why)
        self._report(number, expect=expect)

    def _integrate_bot(self, number: int) -> None:
        """Run CI on the bot's branch, as any pull request's."""
        stage = self.stage
        stage.git("fetch", "-q", "origin")
        branch = LocalForge(self.forge, actor=BOT, clock=now).pull_request(number).branch
        stage.git("switch", "-q", branch)
        stage.ml_gitops(
            "CI on the bot's branch finds the run, and fits nothing",
            "train",
            why="The run key is the digest of everything that went in. The monitor "
            "trained this key already, so there is nothing to do.",
        )
        self._report(number)

    def _report(self, number: int, *, expect: tuple[int, ...] = (0,)) -> None:
        name = f"pull-request-{number}.html"
        self.stage.ml_gitops(
            f"The report on #{number}",
            "report",
            "--pull-request",
            str(number),
            "--html",
            str(self.reports / name),
            expect=expect,
        )
        self._reports_made.append((f"Report of #{number}", f"reports/{name}"))

    def _merge(self, number: int, who: str, title: str) -> None:
        stage = self.stage
        self._be(who)
        stage.ml_gitops(title, "pr", "merge", str(number), who=who)
        stage.git("switch", "-q", "main")
        stage.git("pull", "-q", "--ff-only")

    def _release_and_promote(self, title: str) -> None:
        """CD after a merge, then the promotion's merge and CD again."""
        done = self._run_cd(f"CD: {title}")
        number = done["promotion"]["number"]
        self._merge(number, ADA, f"Ada promotes {done['release']['tag']} to production")
        self._run_cd("CD records the promotion")

    def _run_cd(self, title: str) -> Any:
        done = self.stage.ml_gitops(title, "release")
        self.stage.git("pull", "-q", "--ff-only")
        return done

    def _watch(self, day: date, *, again: bool = False) -> Any:
        name = f"monitor-{day}.html"
        title = "The same run again changes nothing" if again else f"The monitor on {day}"
        found = self.stage.ml_gitops(
            title, "monitor", "--as-of", str(day), "--html", str(self.reports / name), who="monitor"
        )
        if not again:
            self._watched.append(found)
            self._reports_made.append((f"Monitor on {day}", f"reports/{name}"))
        return found

    def _note_traffic(self, sent: Sent) -> None:
        rate = sent.positives / max(sent.rows, 1)
        self.stage.note(
            Step(
                title=f"A week of flights: {sent.rows:,} predictions over HTTP",
                why="",
                who="production",
                command=f"POST /predict_batch × {sent.requests}",
                when=sent.window.until,
                seconds=sent.seconds,
                exit_code=0,
                output=f"{sent.window}: predicted {sent.mean_score:.1%} late on average, "
                f"{rate:.1%} were",
                outcome=to_jsonable_python(sent),
            )
        )

    @contextmanager
    def _served(self) -> Iterator[str]:
        """Run `ml-gitops serve` for production while live traffic flows."""
        command = [
            sys.executable,
            "-m",
            "ml_gitops",
            "serve",
            "--environment",
            "production",
            "--port",
            "0",
            "--log",
            "live/predictions",
            "--json",
        ]
        started = time.perf_counter()
        service = subprocess.Popen(
            command,
            cwd=self.model_repo,
            env=self.stage.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        try:
            told = _first_document(service)
            self.stage.note(
                Step(
                    title=f"Production serves {told['release']}",
                    why="The Bento of the release answers over HTTP from the ONNX file that was "
                    "reviewed, and logs every prediction with the release's digest.",
                    who="production",
                    command="ml-gitops serve --environment production",
                    when=self.stage.today,
                    seconds=round(time.perf_counter() - started, 2),
                    exit_code=0,
                    output=f"{told['release']} answers over HTTP",
                    outcome=told,
                )
            )
            yield told["address"]
        finally:
            service.send_signal(signal.SIGINT)
            service.communicate(timeout=60)

    def _be(self, who: str) -> None:
        self._person = who
        self.stage.git("config", "user.name", who)
        self.stage.git("config", "user.email", f"{who.lower()}@airline.example")


def _first_document(service: "subprocess.Popen[str]") -> Any:
    """Read the JSON document that `serve` prints once it answers."""
    lines: list[str] = []
    for line in service.stdout or ():
        lines.append(line)
        if line.rstrip() == "}":
            return json.loads("".join(lines))
    problem = service.stderr.read() if service.stderr else ""
    raise DemoError(f"the service did not start: {problem.strip()}", hint="run the demo again")


def _with_fewer_trees(params: str) -> str:
    """Return the hyper-parameters as a person in a hurry would change them."""
    lines = [
        "max_iter = 5           # trees; fewer answer faster"
        if line.startswith("max_iter")
        else line
        for line in params.splitlines()
    ]
    return "\n".join(lines) + "\n"


def _say_where(terminal: Terminal, directory: Path, record: dict[str, Any]) -> None:
    terminal.line()
    terminal.panel(
        f"The story took {duration(record['seconds'])}",
        [
            ("the story as a page", str(directory / "index.html")),
            ("the work tree", str(directory / "model-repo")),
            ("the forge (a bare repository)", str(directory / "forge.git")),
            ("reports", str(directory / "reports")),
            ("every step as JSON", str(directory / RECORD)),
            ("pull requests", count(len(record["pull_requests"]), "pull request")),
            ("releases", ", ".join(one["tag"] for one in record["releases"])),
            ("look around", f"cd {directory / 'model-repo'} && ml-gitops status"),
        ],
    )
