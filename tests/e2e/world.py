"""A small world: one model repository on a forge, its people, its bots and its customers.

Everything goes through the command line, in this process, on a clock of its own.
"""

import csv
import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.records import GitRecords
from ml_gitops.adapters.workspace import LocalWorkspace
from ml_gitops.cli import main
from ml_gitops.cli.setting import BOT, NOW
from ml_gitops.config import Config, parse_config
from ml_gitops.delivery.deployment import DeploymentState, state_path
from ml_gitops.names import CONFIG_FILE, MODEL_FILE
from ml_gitops.pull_request import Issue, PullRequest
from ml_gitops.serving.onnx_model import OnnxModel
from ml_gitops.serving.signature import Signature
from tests.builders import PERSON, PIPELINE, make_model_repo

FIRST_LOCK = date(2024, 2, 1)
"""The days before it are the first release's: ten of them are the holdout."""
QUIET = date(2024, 2, 15)
"""Until this day everything stays as it was; from it on the model is of no use."""
DECAYED = date(2024, 3, 7)
"""As of this day three weeks of decay are labelled."""

LATER = DECAYED + timedelta(days=7)
"""As of this day there is one week more."""
FIRST = "churn@v1.0.0"
"""The first release."""

FITS = "live/fits.txt"
COUNTED_PIPELINE = (
    PIPELINE.replace("    return Pipeline(", "    made = Pipeline(").replace(
        "from sklearn.compose", "import pathlib\n\nfrom sklearn.compose", 1
    )
    + f"""    fit = made.fit

    def counted(*rows):
        with (pathlib.Path(__file__).parents[1] / "{FITS}").open("a") as fits:
            fits.write("fit\\n")
        return fit(*rows)

    made.fit = counted
    return made
"""
)
"""The usual pipeline, which also leaves a line when it is fitted; its copies leave none."""

BLIND_PIPELINE = COUNTED_PIPELINE.replace('["load", "wear"]', '["wear"]')
"""A model that may not look at what decides."""


class World:
    """One repository with everything around it.

    Args:
        root: the work tree; the forge lies in `.git/forge.git`.
        now: the time that everybody believes.
    """

    def __init__(self, root: Path, now: datetime) -> None:
        self.root = root
        self.now = now
        self.clone = Clone(root, clock=self.clock, actor=PERSON)
        self.forge_path = root.resolve() / ".git" / "forge.git"

    @classmethod
    def make(cls, root: Path, **keys: Any) -> Self:
        """Make a world with nothing trained, whose data decays from QUIET on."""
        tables = {"data": {"holdout_days": 10}, **keys}
        files = {"model/pipeline.py": COUNTED_PIPELINE, f"{FITS[:4]}/.keep": ""}
        make_model_repo(root, rows_per_day=60, decay_from=QUIET, files=files, **tables)
        world = cls(root, datetime.combine(FIRST_LOCK, time(8), UTC))
        world.clone.run("config", "user.name", PERSON.login)
        return world

    def copy(self, root: Path) -> Self:
        """Return an equal world elsewhere, with a forge of its own."""
        shutil.copytree(self.root, root, symlinks=True)
        copied = type(self)(root, self.now)
        copied.clone.set_remote(str(copied.forge_path))
        return copied

    # What time it is, and what is where.

    def clock(self) -> datetime:
        """Return the time, and let a second pass."""
        self.now += timedelta(seconds=1)
        return self.now

    def wait_until(self, day: date) -> None:
        """Let time pass until the morning of a day."""
        self.now = datetime.combine(day, time(8), UTC)

    @property
    def forge(self) -> LocalForge:
        """The forge, as the bot sees it."""
        return LocalForge(self.forge_path, actor=BOT, clock=self.clock)

    @property
    def config(self) -> Config:
        """The config of the work tree."""
        return parse_config((self.root / CONFIG_FILE).read_text())

    def refs(self) -> dict[str, str]:
        """Return every ref of the forge: the whole of its state."""
        return GitRepository(self.forge_path, clock=self.clock, actor=BOT).refs("refs")

    def records(self) -> list[tuple[str, str]]:
        """Return path and text of everything that the monitor wrote down."""
        return GitRecords(self.forge_path, actor=BOT, clock=self.clock).read_all("")

    def tags(self) -> dict[str, str]:
        """Return the tags and the commits they name."""
        return {tag.name: tag.commit for tag in self.forge.tags()}

    def open(self) -> list[PullRequest]:
        """Return the open pull requests, oldest first."""
        return [one for one in self.forge.pull_requests() if one.state == "open"]

    def incidents(self) -> list[Issue]:
        """Return the issues, the dashboard aside."""
        return [one for one in self.forge.issues() if "dashboard" not in one.labels]

    def dashboards(self) -> list[Issue]:
        """Return the dashboards, of which there should be one."""
        return [one for one in self.forge.issues() if "dashboard" in one.labels]

    def state(self, environment: str) -> DeploymentState:
        """Return what an environment should serve."""
        path = state_path(environment)
        return DeploymentState.from_json(self.forge.read(path, ref="main") or b"", where=path)

    def fits(self) -> int:
        """Return how often a model was fitted here."""
        path = self.root / FITS
        return len(path.read_text().splitlines()) if path.exists() else 0

    # What people and bots do.

    def run(self, *words: str, expect: int = 0) -> Any:
        """Run `ml-gitops` here and now, and return the document of its outcome.

        Args:
            words: the command line.
            expect: how it must end.
        """
        outcome = self.forge_path.parent / "outcome.json"
        outcome.unlink(missing_ok=True)
        before = os.environ.get(NOW)
        os.environ[NOW] = self.clock().isoformat()
        try:
            ended = main([*words, "--json", "-C", str(self.root), "--outcome", str(outcome)])
        finally:
            os.environ.pop(NOW)
            if before is not None:
                os.environ[NOW] = before
        assert ended == expect, f"{words} ended with {ended}"
        return json.loads(outcome.read_text()) if outcome.exists() else None

    def tell(self, *words: str) -> None:
        """Let a person run `ml-gitops` here and now, and read what it says."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(NOW, self.clock().isoformat())
            assert main([*words, "-C", str(self.root)]) == 0

    def propose(self, title: str, changes: Mapping[str, str | None] | None = None) -> int:
        """Let a person change files on a branch of their own and open a pull request.

        Args:
            title: of the commit and the pull request.
            changes: path to text; without any, what is in the work tree is committed.
        """
        self.clone.switch(title.lower().replace(" ", "-"), create=True)
        for path, text in (changes or {}).items():
            (self.root / path).write_text(text or "")
        self.clone.commit_all(title)
        return int(self.run("pr", "open")["number"])

    def integrate(self, number: int, *, expect: int = 0) -> Any:
        """Run CI on the branch that is checked out, and return the outcome of the report."""
        self.run("train", expect=expect)
        return self.run("report", "--pull-request", str(number), expect=expect)

    def merge(self, number: int, method: str = "merge") -> None:
        """Let a person merge a pull request, and bring the work tree to the default branch."""
        self.run("pr", "merge", str(number), "--method", method)
        self.clone.switch("main")
        self.clone.pull()

    def deliver(self) -> Any:
        """Run CD on the default branch."""
        done = self.run("release")
        self.clone.pull()
        return done

    def release(self, *, promote: bool = True) -> str:
        """Run CD, merge the promotion, run CD again; return the release's tag."""
        done = self.deliver()
        if promote:
            self.merge(done["promotion"]["number"])
            self.deliver()
        return str(done["release"]["tag"])

    def monitor(self, as_of: date, *words: str) -> Any:
        """Run the monitor on the morning of a day."""
        self.wait_until(as_of)
        return self.run("monitor", "--as-of", str(as_of), *words)

    # What customers do.

    def live(self, since: date, until: date, tag: str, *, labels: bool = True) -> None:
        """Let a release answer everybody who asks in these days; their outcomes arrive.

        The log is what `serving.prediction_log` writes, the answers are those of the file
        that was released.
        """
        workspace, config = LocalWorkspace(self.root), self.config
        frame = workspace.call(config.data.source, since, until)
        content = {
            name: self.forge.asset(tag, name) or b"" for name in (MODEL_FILE, Signature.file_name)
        }
        signature = Signature.from_json(content[Signature.file_name], where=tag)
        names = [feature.name for feature in signature.features]
        scores = OnnxModel(content[MODEL_FILE], signature).predict(frame).probabilities[:, 1]
        shown = frame[names].astype(object).where(frame[names].notna(), None)
        digest = self.state("production").model_digest
        lines = [
            json.dumps(
                {
                    "id": id_,
                    "time": f"{when.isoformat()}Z",
                    "release": tag,
                    "digest": digest,
                    "features": features,
                    "score": score,
                    "label": str(score >= 0.5).lower(),
                }
            )
            for id_, when, features, score in zip(
                frame[config.data.id],
                frame[config.data.time],
                shown.to_dict("records"),
                scores.tolist(),
                strict=True,
            )
        ]
        self._write(f"predictions/{since}.jsonl", "\n".join(lines) + "\n")
        if labels:
            folder = self.root / "live" / "labels"
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / f"{since}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([config.data.id, config.data.target])
                writer.writerows(
                    zip(frame[config.data.id], frame[config.data.target].astype(int), strict=True)
                )

    def forget(self, feature: str) -> None:
        """Let a feature be missing in everything that was asked."""
        for log in (self.root / "live" / "predictions").glob("*.jsonl"):
            records = [json.loads(line) for line in log.read_text().splitlines()]
            for record in records:
                record["features"][feature] = None
            log.write_text("".join(f"{json.dumps(record)}\n" for record in records))

    def _write(self, path: str, text: str) -> None:
        target = self.root / "live" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
