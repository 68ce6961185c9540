"""The shipped workflows, run for real: act runs them, our GitHub answers, the product does it."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from ml_gitops.cli.setting import BOT
from ml_gitops.workflows.publishing.package import is_named
from tests.act.runner import COMMIT, INSTALL, PRODUCT, ROOT, Done, Runner, copy_product, find_act
from tests.builders import config_text
from tests.e2e.test_github import move
from tests.e2e.test_two_models import two_models
from tests.e2e.world import BLIND_PIPELINE, DECAYED, FIRST, FIRST_LOCK, World
from tests.github.caller import Caller
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

pytestmark = pytest.mark.slow
BRANCH = "the-first-model"

PLACES = {path.name: path for path in sorted(ROOT.glob("actions/callers/*.yml"))}
FILES = {
    f".github/workflows/{name}": path.read_text()
    .replace("OWNER/ml-gitops", PRODUCT)
    .replace("COMMIT", COMMIT)
    for name, path in PLACES.items()
}
RIGHTS = {
    name: {
        key.replace("-", "_"): value
        for key, value in yaml.safe_load(path.read_text())["jobs"]["model"]["permissions"].items()
    }
    for name, path in PLACES.items()
}
"""What a repository gives to each; the token of its jobs has them all, and no more."""
FILES["live/.keep"] = ""  # The pipeline of these tests notes each fit in this folder.


@pytest.fixture(scope="session")
def act() -> str:
    """Return the program, or say how to get it."""
    found = find_act()
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"act is not installed: {INSTALL}")
        pytest.skip(f"act is not installed: {INSTALL}")
    return found


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the product as it stands here."""
    return copy_product(tmp_path_factory.mktemp("product"))


@dataclass
class Town:
    """A repository on GitHub with the shipped workflows, and a machine that runs them."""

    world: World
    server: GitHubServer
    repository: TestRepository
    runner: Runner

    def caller(self, login: str = BOT.login) -> Caller:
        """Return somebody who asks."""
        return Caller(self.server, self.server.token(login), self.repository.full_name)

    def run(
        self, workflow: str, event: str, document: dict[str, Any], run: int, sha: str,
        rights: dict[str, str] | None = None, **variables: str,
    ) -> Done:  # fmt: skip
        """Run a workflow with a token of its rights, and show what it said if the test fails."""
        rights = rights or RIGHTS[workflow]
        token = self.server.token(BOT.login, {**rights, "metadata": "read"})
        about = {**document, "repository": self.caller().read("")}
        done = self.runner.run(event, workflow, about, token=token, run=run, sha=sha, **variables)
        print(done.log)
        return done

    def pull_request(self, branch: str, source: TestRepository | None = None) -> tuple[int, Done]:
        """Run CI on a pull request, as GitHub does when it is opened; a fork's token only reads."""
        head = source or self.repository
        run = self.repository.add_run("ci.yml", event="pull_request", branch=branch, source=head)
        pull = next(it for it in self.caller().read("/pulls") if it["head"]["ref"] == branch)
        event = {"action": "opened", "number": pull["number"], "pull_request": pull}
        rights = dict.fromkeys(RIGHTS["ci.yml"], "read") if source else None
        return run, self.run("ci.yml", "pull_request", event, run, pull["head"]["sha"], rights)

    def push(self) -> Done:
        """Run CD on the default branch."""
        run, sha = self.repository.add_run("cd.yml"), self.repository.head()
        assert sha is not None
        return self.run("cd.yml", "push", {"ref": "refs/heads/main", "after": sha}, run, sha)

    def schedule(self, as_of: date) -> Done:
        """Run the monitor on the morning of a day."""
        run, sha = self.repository.add_run("cm.yml", event="schedule"), self.repository.head()
        assert sha is not None
        now = f"{as_of}T08:00:00+00:00"
        event = {"schedule": "7 6 * * *"}
        return self.run("cm.yml", "schedule", event, run, sha, ML_GITOPS_NOW=now)

    def propose(self, branch: str, files: dict[str, str], onto: str = "main") -> int:
        """Let a person push a branch with the workflows, and open a pull request."""
        self.repository.push(branch, {**FILES, **files}, onto=onto)
        return int(self.caller("ada").propose(branch, "A change")["number"])

    def notes(self, number: int) -> list[str]:
        """Return the comments of a pull request."""
        return [it.body for it in self.repository.record.threads[number].notes]

    def checks(self, sha: str | None) -> list[tuple[str, str]]:
        """Return name and conclusion of every check run on a commit."""
        found = self.caller().read(f"/commits/{sha}/check-runs")["check_runs"]
        return [(it["name"], it["conclusion"]) for it in found]


@pytest.fixture
def town(
    request: pytest.FixtureRequest, place: Path, tmp_path: Path, act: str, product: Path,
    server: GitHubServer,
) -> Town:  # fmt: skip
    """Bring a world to GitHub, with a workflow of ten lines for each loop."""
    stage = getattr(request, "param", "trained")
    world = request.getfixturevalue(stage).copy(place)
    made = server.create_repository(f"acme/churn-{len(server.world.repositories)}")
    made.add_collaborator("ada", "admin")
    if stage == "trained":
        world.clone.run("push", "--quiet", str(made.path), "main", BRANCH)
        made.push(BRANCH, FILES)
    else:
        move(world, server, made)
    live = world.root / "live"
    config = config_text(
        data={"holdout_days": 10},
        monitor={"log": f"{live}/predictions/*.jsonl", "labels": f"{live}/labels/*.csv"},
    )
    made.push("main", {**FILES, **({"ml-gitops.toml": config} if stage == "decayed" else {})})
    return Town(world, server, made, Runner(act, product, server, made, tmp_path / "machine"))


def test_a_pull_request_becomes_a_release(town: Town) -> None:
    """One job trains, another reports; the merge ships that very run and proposes to promote it."""
    number = int(town.caller("ada").propose(BRANCH, "The first model")["number"])
    head = town.repository.head(BRANCH)

    _, integrated = town.pull_request(BRANCH)
    _, again = town.pull_request(BRANCH)
    town.caller("ada").put(f"/pulls/{number}/merge")
    delivered = town.push()

    assert integrated.jobs == {FIND: "success", TRAIN: "success", REPORT: "success"}
    assert again.jobs == integrated.jobs
    assert ["## ✓ `churn` may merge" in note for note in town.notes(number)] == [True]
    assert set(town.checks(head)) == {("ml-gitops", "success")}
    assert delivered.jobs == {"find models": "success", "release churn": "success"}
    assert [it.tag for it in town.repository.record.releases] == [FIRST]
    assert "nobody reviewed" not in (town.repository.record.releases[0].notes or "")
    promotion = town.repository.record.threads[number + 1]
    assert (promotion.author.login, promotion.state) == (BOT.login, "open")
    assert f"release={FIRST}" in delivered.log


FIND, TRAIN, REPORT = "find what changed", "train and judge churn", "report"


def test_two_models_of_one_pull_request(
    act: str, product: Path, server: GitHubServer, tmp_path: Path
) -> None:
    """Each is trained by a job of its own; one job posts both reports and one check for both."""
    churn, visits = two_models(tmp_path / "shop")
    made = server.create_repository("acme/shop")
    made.add_collaborator("ada", "admin")
    for model in (churn, visits):
        model.run("data", "lock", "--until", str(FIRST_LOCK))
    churn.clone.run("push", "--quiet", str(made.path), "main")
    churn.clone.switch("both", create=True)
    churn.clone.commit_all("Lock both")
    churn.clone.run("push", "--quiet", str(made.path), "both")
    made.push("main", FILES)
    town = Town(churn, server, made, Runner(act, product, server, made, tmp_path / "machine"))
    number = town.propose("both", {}, onto="both")

    _, done = town.pull_request("both")

    # act counts the jobs of a matrix in their names.
    assert done.jobs == dict.fromkeys(
        (FIND, "train and judge churn-1", "train and judge visits-2", REPORT), "success"
    )
    # The branch brings the workflows too, which is told above each verdict.
    lines = [line for note in town.notes(number) for line in note.split("\n")]
    verdicts = sorted(line for line in lines if line.startswith("## "))
    assert verdicts == ["## ✓ `churn` may merge", "## ✓ `visits` may merge"]
    assert town.checks(made.head("both")) == [("ml-gitops", "success")]


@pytest.mark.parametrize("town", ["released"], indirect=True)
def test_a_gate_that_blocks(town: Town) -> None:
    """A worse candidate fails the job that trained it, and is reported on all the more."""
    number = town.propose("blind", {"model/pipeline.py": BLIND_PIPELINE})

    _, done = town.pull_request("blind")

    assert done.code != 0
    assert done.jobs == {FIND: "success", TRAIN: "failure", REPORT: "success"}
    assert "::error title=Gate::Blocked" in done.log
    assert len(town.notes(number)) == 1
    assert "## ✗ `churn`" in town.notes(number)[0]
    assert town.checks(town.repository.head("blind")) == [("ml-gitops", "failure")]


def test_a_fork(town: Town) -> None:
    """A fork trains without any right to write; the run that follows it shows its word as such."""
    fork = town.server.create_fork(town.repository.full_name, "eve")
    town.world.clone.run("push", "--quiet", str(fork.path), f"{BRANCH}:from-outside")
    fork.push("from-outside", FILES, by="eve")
    town.caller("eve").propose("eve:from-outside", "A model")

    run, trained = town.pull_request("from-outside", fork)
    told = town.caller().read(f"/actions/runs/{run}")
    event = {"action": "completed", "workflow_run": told}
    follows = town.repository.add_run("report.yml", event="workflow_run")
    sha = town.repository.head()
    assert sha is not None
    reported = town.run("report.yml", "workflow_run", event, follows, sha)

    assert trained.jobs == {FIND: "success", TRAIN: "success"}
    assert reported.jobs == {REPORT: "success"}
    (note,) = town.notes(1)
    assert note.startswith("> **Reported by code from a fork, and not verified.**")
    assert town.checks(fork.head("from-outside")) == [("ml-gitops", "neutral")]
    assert [is_named(it.name, "churn") for it in town.repository.record.artifacts] == [True]


@pytest.mark.parametrize("town", ["decayed"], indirect=True)
def test_a_monitor(town: Town) -> None:
    """One job looks, one trains, one proposes; the same run again only looks; a merge ships it."""
    first = town.schedule(DECAYED)
    threads = town.repository.record.threads
    told = [(it.title, it.body, len(it.notes)) for it in threads.values()]
    kept = {it.name for it in town.repository.record.artifacts}
    before = len(town.server.calls)

    again = town.schedule(DECAYED)

    assert first.jobs == {"look": "success", "train churn": "success", "propose churn": "success"}
    assert {job for job, result in again.jobs.items() if result != "skipped"} == {"look"}
    assert {it.author.login for it in threads.values()} == {BOT.login}
    (number,) = [it["number"] for it in town.caller().read("/pulls")]
    assert f"retraining={number}" in first.log
    assert f"`{FIRST}` in production, as of {DECAYED}" in first.log
    assert len(kept) == 1
    assert [(it.title, it.body, len(it.notes)) for it in threads.values()] == told
    assert {it.name for it in town.repository.record.artifacts} == kept
    assert [it for it in town.server.calls[before:] if it.writes] == []

    assert town.caller("ada").put(f"/pulls/{number}/merge").status_code == 200
    delivered = town.push()

    assert delivered.jobs == {"find models": "success", "release churn": "success"}
    released = town.repository.record.releases[-1]
    assert released.tag == "churn@v1.0.1"
    assert "nobody reviewed" not in (released.notes or "")


@pytest.mark.parametrize("town", ["decayed"], indirect=True)
def test_a_monitor_whose_training_fails(town: Town) -> None:
    """The job that trains fails, and the one after it says so in one issue, night after night."""
    town.repository.push("main", {"model/pipeline.py": "def build_pipeline(params):\n    1 / 0\n"})

    first = town.schedule(DECAYED)
    again = town.schedule(DECAYED)

    expected = {"look": "success", "train churn": "failure", "propose churn": "success"}
    assert first.jobs == again.jobs == expected
    threads = town.repository.record.threads.values()
    told = [(it.title, len(it.notes)) for it in threads if "fails" in it.title]
    assert told == [("The retraining of churn fails", 0)]
    assert len(threads) == 2, "the dashboard, and nothing else"
