"""What the team of the demo does, and what CI, CD and the monitor do for it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.cli.demo.stage import DemoError, Stage, Step
from ml_gitops.cli.demo.traffic import Traffic
from ml_gitops.cli.setting import BOT, now
from ml_gitops.data.schema import Window

STOP_SECONDS = 60


class Team:
    """The verbs of the story; each is one or more commands on the stage.

    Args:
        stage: where commands are run and recorded.
        forge: the bare repository.
        reports: folder of the full reports.
    """

    def __init__(self, stage: Stage, forge: Path, reports: Path) -> None:
        self.stage = stage
        self.forge = forge
        self.reports = reports
        self.made: list[tuple[str, str]] = []
        self.watched: list[Any] = []
        self._person = ""

    def be(self, who: str) -> None:
        """Let a person act from now on."""
        self._person = who
        self.stage.git("config", "user.name", who)
        self.stage.git("config", "user.email", f"{who.lower()}@airline.example")

    def propose(self, title: str, body: str, *, why: str = "") -> int:
        """Push the branch, open a pull request, and return its number."""
        made = self.stage.ml_gitops(
            f"{self._person} proposes: {title}",
            *("pr", "open", "--title", title, "--body", body),
            who=self._person,
            why=why,
        )
        return int(made["number"])

    def integrate(
        self, number: int, title: str, *, expect: tuple[int, ...] = (0,), why: str = ""
    ) -> None:
        """Run CI on the branch that is checked out: train, judge, report."""
        self.stage.ml_gitops(title, "train", expect=expect, why=why)
        self._report(number, expect)

    def integrate_bot(self, number: int) -> None:
        """Run CI on the bot's branch, as on any pull request's."""
        self.stage.git("fetch", "-q", "origin")
        branch = LocalForge(self.forge, actor=BOT, clock=now).pull_request(number).branch
        self.stage.git("switch", "-q", branch)
        self.stage.ml_gitops(
            "CI on the bot's branch has nothing to fit",
            "train",
            why="The run key is the digest of everything that goes into a model. The monitor "
            "trained this key already, so CI finds the run and its verdict as they are.",
        )
        self._report(number, (0,))

    def _report(self, number: int, expect: tuple[int, ...]) -> None:
        name = f"pull-request-{number}.html"
        self.stage.ml_gitops(
            f"The report on #{number}",
            *("report", "--pull-request", str(number), "--html", f"../reports/{name}"),
            expect=expect,
            report=f"reports/{name}",
        )
        self.made.append((f"Report of #{number}", f"reports/{name}"))

    def merge(self, number: int, title: str, *, why: str = "") -> None:
        """Merge a pull request and bring the clone to the default branch."""
        self.stage.ml_gitops(title, "pr", "merge", str(number), who=self._person, why=why)
        self.stage.git("switch", "-q", "main")
        self.stage.git("pull", "-q", "--ff-only")

    def release_and_promote(self, title: str, *, why: str = "") -> None:
        """Run CD after a merge, merge the promotion, and run CD again."""
        done = self.deliver(f"CD: {title}", why=why)
        tag, number = done["release"]["tag"], done["promotion"]["number"]
        self.merge(number, f"{self._person} promotes {tag} to production")
        self.deliver("CD records the promotion")

    def deliver(self, title: str, *, why: str = "") -> Any:
        """Run CD on the default branch."""
        done = self.stage.ml_gitops(title, "release", why=why)
        self.stage.git("pull", "-q", "--ff-only")
        return done

    def watch(self, day: date, *, again: bool = False) -> Any:
        """Run the monitor as of a day; again, to see that nothing changes."""
        name = f"monitor-{day}.html"
        found = self.stage.ml_gitops(
            "The same run again changes nothing" if again else f"The monitor looks back from {day}",
            *("monitor", "--as-of", str(day), "--html", f"../reports/{name}"),
            who="monitor",
            why="Equal evidence is the same proposal: one pull request, not two." if again else "",
            report=f"reports/{name}",
        )
        if not again:
            self.watched.append(found)
            self.made.append((f"Monitor on {day}", f"reports/{name}"))
        return found

    def live_a_week(self, url: str, traffic: Traffic, week: Window) -> None:
        """Send a week of flights to production, and let their labels arrive."""
        self.stage.wait_until(week.until)
        title = f"The flights of {week} ask for predictions"
        self.stage.say(title)
        sent = traffic.send(url, week, lambda share: self.stage.say(title, share))
        late = sent.positives / max(sent.rows, 1)
        self.stage.note(
            Step(
                chapter=self.stage.chapter,
                title=f"A week of flights: {sent.rows:,} predictions over HTTP",
                why="",
                who="production",
                verb="traffic",
                command=f"POST /predict_batch × {sent.requests}",
                when=week.until,
                seconds=sent.seconds,
                exit_code=0,
                output=f"{week}: {sent.mean_score:.1%} late were predicted, {late:.1%} were late",
                outcome=to_jsonable_python(sent),
            )
        )

    @contextmanager
    def production(self) -> Iterator[str]:
        """Serve what production should serve while live traffic flows; yield the address."""
        command = [sys.executable, "-P", "-m", "ml_gitops", "serve", "--environment", "production"]
        self.stage.say("Production starts to serve")
        started = time.perf_counter()
        service = subprocess.Popen(
            [*command, "--replay", "--port", "0", "--log", "live/predictions", "--json"],
            cwd=self.stage.folder,
            env=self.stage.environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            told = _first_document(service)
            self.stage.note(
                Step(
                    chapter=self.stage.chapter,
                    title=f"Production serves {told['release']}",
                    why="The Bento of the release answers over HTTP from the ONNX file that was "
                    "reviewed, and logs every prediction with the release's digest.",
                    who="production",
                    verb="serve",
                    command="ml-gitops serve --environment production --replay",
                    when=self.stage.today,
                    seconds=round(time.perf_counter() - started, 2),
                    exit_code=0,
                    output=f"{told['release']} answers over HTTP",
                    outcome=told,
                )
            )
            yield told["address"]
        finally:
            # Not an interrupt: who starts us in the background may have it ignored.
            service.terminate()
            service.communicate(timeout=STOP_SECONDS)


def _first_document(service: "subprocess.Popen[str]") -> Any:
    """Read the JSON document that `serve` prints once it answers."""
    lines: list[str] = []
    for line in service.stdout or ():
        lines.append(line)
        if line.rstrip() == "}":
            return json.loads("".join(lines))
    problem = service.stderr.read() if service.stderr else ""
    raise DemoError(f"the service did not start: {problem.strip()}", hint="run the demo again")
