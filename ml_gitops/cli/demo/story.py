"""The story, chapter by chapter. People's decisions are written here; findings are not."""

import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any, Literal

from ml_gitops.adapters.workspace import LocalWorkspace
from ml_gitops.cli.demo.record import RECORD, begin_record, is_record, leave_record
from ml_gitops.cli.demo.stage import DemoError, Stage
from ml_gitops.cli.demo.team import Team
from ml_gitops.cli.demo.traffic import Traffic, weeks
from ml_gitops.config import parse_config
from ml_gitops.errors import ConfigError
from ml_gitops.names import CONFIG_FILE
from ml_gitops.render.terminal import Terminal

NAME = "delay"
ADA, BEN = "Ada", "Ben"
FIRST_LOCK = date(2013, 4, 1)
YEAR_END = date(2013, 12, 30)
CALM_WEEKS = 2

BORN = (
    "Ada starts a repository, proposes a first model, and merges it. From then on nothing changes "
    "in production without a commit."
)
LIVES = (
    "The Bento serves. Every flight of the following weeks is sent to it over HTTP, its label "
    "arrives when it has landed, and the monitor looks back over three weeks, every week. One "
    "bad week is no decay; days, not flights, count as independent."
)
PROPOSES = (
    "The evidence holds, so the bot advances the data lock, trains and judges a candidate, and "
    "opens one pull request. It passes through CI like any other."
)
HASTE = (
    "Ben wants answers faster. The gate compares his model with the one in production on the same "
    "flights, and advises against it. He merges it all the same: people decide."
)
BACK = (
    "The release before would have answered the same labelled flights better, so the bot proposes "
    "to go back. A merge is all it takes: nothing is built and nothing is trained."
)

Proposal = Literal["retraining", "rollback"]


def tell_story(directory: Path, terminal: Terminal) -> dict[str, Any]:
    """Tell the story into a folder, and return the record that is left there.

    Args:
        directory: a new folder, or one with an earlier telling, which is replaced.
        terminal: where a line per step goes.
    """
    directory = directory.resolve()
    _make_room(directory)
    started = time.perf_counter()
    telling = Telling(directory, terminal)
    telling.tell()
    seconds = round(time.perf_counter() - started, 1)
    return leave_record(directory, telling.stage, telling.team, seconds)


def _make_room(directory: Path) -> None:
    """Remove an earlier telling; never anything else."""
    if not directory.exists():
        return
    if not directory.is_dir() or (any(directory.iterdir()) and not is_record(directory / RECORD)):
        raise ConfigError(
            "there is something else in the way", hint="name a new folder", where=str(directory)
        )
    shutil.rmtree(directory)


class Telling:
    """The story; what happens next depends on what the commands found.

    Args:
        directory: where everything is left.
        terminal: where a line per step goes.
    """

    def __init__(self, directory: Path, terminal: Terminal) -> None:
        self.directory = directory
        self.model_repo = directory / "model-repo"
        directory.mkdir(parents=True)
        begin_record(directory)
        self.stage = Stage(self.model_repo, terminal, FIRST_LOCK)
        self.team = Team(self.stage, directory / "forge.git", directory / "reports")

    def tell(self) -> None:
        """Tell all chapters."""
        open_chapter = self.stage.open_chapter
        open_chapter("A model is born", BORN)
        self.a_model_is_born()
        open_chapter("The weeks go by", LIVES)
        day = self.live(FIRST_LOCK, until="retraining")
        open_chapter("The bot proposes, people decide", PROPOSES)
        self.answer("retraining")
        day = self.live(day, weeks_at_most=CALM_WEEKS)
        open_chapter("A change in haste", HASTE)
        self.a_change_in_haste()
        self.live(day, until="rollback")
        open_chapter("And back again", BACK)
        self.answer("rollback")
        self.stage.ml_gitops("Where things stand", "status", who=ADA)

    def a_model_is_born(self) -> None:
        """Make the repository; lock, train, review, release and promote a first model."""
        stage, team = self.stage, self.team
        stage.ml_gitops(
            "A model repository from the template",
            *("init", "model-repo", "--name", NAME, "--forge", "forge.git"),
            who=ADA,
            folder=self.directory,
            why="Ada starts a model that says how likely a flight out of New York is to arrive "
            "more than 30 minutes late. The template brings config, pipeline, checks, and a forge "
            "that is nothing but a bare Git repository.",
        )
        self.config = parse_config((self.model_repo / CONFIG_FILE).read_text())
        self.traffic = Traffic(self.config, LocalWorkspace(self.model_repo))
        team.be(ADA)
        stage.git("switch", "-q", "-c", "first-model")
        stage.ml_gitops(
            "Lock the first quarter of 2013",
            *("data", "lock", "--until", str(FIRST_LOCK)),
            who=ADA,
            why="The lock pins which rows the model may learn from, with a digest of what was in "
            "them. It is the only file that a retraining changes later.",
        )
        stage.git("add", "--all")
        stage.git("commit", "-q", "-m", "Lock the first quarter of 2013")
        stage.ml_gitops("The data keeps its contract", "data", "validate")
        number = team.propose(
            "A first model of late flights",
            "It learns from January to mid-March and is judged on the two weeks after.",
        )
        team.integrate(
            number,
            "CI trains and judges the first candidate",
            why="Fit, convert to ONNX, hold both to the same answers, then forget the first: what "
            "is tested from here on is the file that will ship.",
        )
        team.merge(number, "Ada merges her first model")
        team.release_and_promote(
            "what was reviewed is released",
            why="The reviewed file is found by its run key; nothing is trained again. It gets a "
            "version, a Bento, a tag and a release; staging serves it, and a pull request "
            "proposes it to production.",
        )

    def live(
        self, day: date, *, until: Proposal | None = None, weeks_at_most: int | None = None
    ) -> date:
        """Serve, send the flights of each week, watch every week, and answer what is proposed.

        Args:
            day: the first day.
            until: stop when the monitor proposes this; other proposals are answered on the way.
            weeks_at_most: stop after so many weeks.

        Returns:
            The first day that was not lived.

        Raises:
            DemoError: the year ended before the monitor proposed it.
        """
        lived = 0
        while day < YEAR_END and lived != weeks_at_most:
            proposal = None
            with self.team.production() as url:
                for week in weeks(day, YEAR_END):
                    self.team.live_a_week(url, self.traffic, week)
                    proposal = _proposal(self.team.watch(week.until))
                    day, lived = week.until, lived + 1
                    if proposal or lived == weeks_at_most:
                        break
            if proposal and proposal == until:
                self.team.watch(day, again=True)
                return day
            if proposal:
                self.answer(proposal)
        if until:
            raise DemoError(
                f"the monitor proposed no {until} in all of 2013",
                hint=f"look into {RECORD}; the thresholds in ml-gitops.toml decide",
                where=str(self.directory),
            )
        return day

    def answer(self, proposal: Proposal) -> None:
        """Review and merge what the bot proposed last."""
        team = self.team
        team.be(ADA)
        number = team.watched[-1][proposal]["pull_request"]
        if proposal == "rollback":
            team.merge(number, f"Ada merges the rollback #{number}")
            team.deliver("CD records that production went back")
            return
        team.integrate_bot(number)
        team.merge(number, f"Ada merges the retraining #{number}")
        team.release_and_promote("the retrained model is released as it was reviewed")

    def a_change_in_haste(self) -> None:
        """Merge a change against the gate's advice, to see what production says of it."""
        stage, team = self.stage, self.team
        team.be(BEN)
        stage.git("switch", "-q", "-c", "fewer-trees")
        path = self.model_repo / self.config.model.params
        path.write_text(_with_fewer_trees(path.read_text()))
        stage.git("commit", "-q", "--all", "-m", "Answer faster with a handful of trees")
        number = team.propose(
            "Answer faster with a handful of trees",
            "Latency matters to us, and the model should hardly notice.",
        )
        team.integrate(
            number,
            "CI trains it, and the gate advises against it",
            expect=(1,),
            why="Candidate and champion answered the same rows. The verdict is what the paired "
            "interval says; a human may still decide otherwise.",
        )
        team.merge(number, "Ben merges it all the same")
        team.release_and_promote("what was merged is released")


def _proposal(found: Any) -> Proposal | None:
    """Return what the monitor proposes and a person could merge now."""
    if found["rollback"]["pull_request"]:
        return "rollback"
    retraining = found["retraining"]
    return "retraining" if retraining["pull_request"] and not retraining["draft"] else None


def _with_fewer_trees(params: str) -> str:
    """Return the hyper-parameters as a person in a hurry would change them."""
    return "".join(
        "max_iter = 5             # trees; fewer answer faster\n"
        if line.startswith("max_iter")
        else line
        for line in params.splitlines(keepends=True)
    )
