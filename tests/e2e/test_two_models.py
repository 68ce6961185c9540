"""Two models in one repository: each goes its own way from the first lock to the retraining."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.cli.setting import BOT
from ml_gitops.ports import Forge
from ml_gitops.workflows.folder import in_folder
from tests.builders import PERSON, make_model_repo
from tests.e2e.test_actions_publishing import BRANCH, READS, Job
from tests.e2e.world import DECAYED, FIRST_LOCK, FITS, QUIET, World
from tests.github.caller import Caller
from tests.github.server import GitHubServer


class Model(World):
    """One of the models of a repository, with a folder of its own."""

    def __init__(self, top: Path, folder: str) -> None:
        super().__init__(top / folder, datetime.combine(FIRST_LOCK, time(8), UTC))
        self.clone = Clone(top, clock=self.clock, actor=PERSON)
        self.forge_path = top.resolve() / ".git" / "forge.git"

    @property
    def forge(self) -> Forge:  # type: ignore[override]
        """The forge as the bot sees it from the folder of the model."""
        return in_folder(self.all, f"{self.root.name}/")

    @property
    def all(self) -> LocalForge:
        """The forge as it is."""
        return LocalForge(self.forge_path, actor=BOT, clock=self.clock)


def two_models(top: Path) -> tuple[Model, Model]:
    """Make a repository with two models: the first decays, the second does not."""
    for name, decay in (("churn", QUIET), ("visits", None)):
        about = {"model": {"name": name}, "data": {"holdout_days": 10}}
        keep = {f"{FITS[:4]}/.keep": ""}
        folder = top / name
        make_model_repo(folder, rows_per_day=60, decay_from=decay, files=keep, git=False, **about)
    first, second = Model(top, "churn"), Model(top, "visits")
    clone = Clone.create(top, clock=first.clock, actor=PERSON)
    LocalForge.create(first.forge_path, actor=BOT, clock=first.clock)
    clone.commit_all("Start two models")
    clone.set_remote(str(first.forge_path))
    clone.push("main")
    clone.run("config", "user.name", PERSON.login)
    return first, second


def ship(model: Model) -> str:
    """Lock, train, report, merge, release and promote a first model."""
    model.run("data", "lock", "--until", str(FIRST_LOCK))
    number = model.propose(f"Lock {model.root.name}")
    model.integrate(number)
    model.merge(number)
    return model.release()


@pytest.mark.slow
def test_each_model_goes_its_own_way(tmp_path: Path) -> None:
    """Files, tags, proposals and records of one model never touch the other."""
    churn, visits = two_models(tmp_path / "shop")

    assert (ship(churn), ship(visits)) == ("churn@v1.0.0", "visits@v1.0.0")

    told = [model.run("status")["releases"] for model in (churn, visits)]
    assert told == [["churn@v1.0.0"], ["visits@v1.0.0"]]
    head = churn.all.head("main") or ""
    names = ("churn", "visits")
    states = [f"{name}/deployments/production.json" for name in names]
    assert all(churn.all.read(path, ref=head) for path in states)
    assert churn.all.read("deployments/production.json", ref=head) is None
    for model in (churn, visits):
        model.live(date(2024, 2, 1), DECAYED, model.state("production").tag)
    look_at_every(churn, visits)
    seen = churn.monitor(DECAYED)
    quiet = visits.monitor(DECAYED)
    assert (seen["want"], quiet["want"]) == ("retrain", "nothing")
    (proposal,) = churn.open()
    assert proposal.number == seen["retraining"]["pull_request"]
    assert churn.all.read("churn/data.lock.json", ref=proposal.branch) != churn.all.read(
        "churn/data.lock.json", ref="main"
    )
    records = [path for path, _ in churn.records()]
    assert all(any(it.startswith(f"monitoring/{name}/") for it in records) for name in names)
    # The same look again changes nothing.
    before = churn.all.head(proposal.branch)
    (dashboard,) = churn.dashboards()
    assert churn.monitor(DECAYED)["retraining"]["action"] == "keep"
    assert churn.all.head(proposal.branch) == before
    assert churn.dashboards() == [dashboard]
    assert "## ✗ `churn`: a retraining is due" in dashboard.body
    assert "## ✓ `visits`: calm" in dashboard.body


def look_at_every(churn: Model, visits: Model) -> None:
    """Hold that one look goes over all models, and that no failure of one keeps the others."""
    make_model_repo(churn.root.parent / "returns", git=False, model={"name": "returns"})
    link = visits.root / "live" / "predictions" / "elsewhere.jsonl"
    link.symlink_to("/etc/hostname")
    churn.wait_until(DECAYED)
    words = ("monitor", "--every-model", "--no-train", "--as-of", str(DECAYED))

    part = churn.run(*words, expect=2)
    link.unlink()
    whole = churn.run(*words)

    assert (list(part["models"]), list(part["failed"])) == (["churn"], ["visits"])
    assert (list(whole["models"]), whole["failed"]) == (["churn", "visits"], {})
    assert (whole["want"], whole["calm"], whole["unreleased"]) == ("retrain", False, ["returns"])
    for seen in (part, whole):
        (wanted,) = seen["retrain"]
        assert (wanted["directory"], wanted["model"]) == ("churn", "churn")
    shutil.rmtree(churn.root.parent / "returns")


@pytest.mark.slow
def test_a_release_minds_only_its_own_folder(tmp_path: Path) -> None:
    """What others merge elsewhere meanwhile is no reason to stop; in the folder itself it is."""
    churn, visits = two_models(tmp_path / "shop")
    churn.run("data", "lock", "--until", str(FIRST_LOCK))
    number = churn.propose("Lock churn")
    churn.integrate(number)
    churn.merge(number)
    visits.all.commit("main", {"visits/params.toml": b"C = 2.0\nmax_iter = 200\n"}, "Elsewhere")
    (churn.root.parent / "visits" / "notes.md").write_text("mine\n")

    assert churn.run("release")["release"]["tag"] == "churn@v1.0.0"
    (churn.root.parent / "visits" / "notes.md").unlink()
    churn.all.commit("main", {"churn/params.toml": b"C = 2.0\nmax_iter = 200\n"}, "Here")
    churn.run("release", expect=2)
    churn.clone.pull()
    shutil.rmtree(churn.root / ".ml-gitops")
    (churn.root / "params.toml").write_text("C = 3.0\n")
    churn.run("release", expect=2)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Job, Path]]:
    """Bring a pull request to GitHub that locks the rows of both models; each was trained."""
    models = two_models(tmp_path / "shop")
    clone = models[0].clone
    for model in models:
        model.run("data", "lock", "--until", str(FIRST_LOCK))
    clone.switch(BRANCH, create=True)
    clone.commit_all("Lock both")
    with GitHubServer(tmp_path / "github") as server:
        made = server.create_repository("acme/shop")
        clone.run("push", "--quiet", str(made.path), "main", BRANCH)
        clone.set_remote(made.clone_url)
        for name, value in {
            "GITHUB_API_URL": server.url,
            "GITHUB_SERVER_URL": server.web_url,
            "GITHUB_REPOSITORY": made.full_name,
            "GITHUB_TOKEN": server.token(BOT.login, READS),
        }.items():
            monkeypatch.setenv(name, value)
        left, folder = tmp_path / "left", tmp_path / "job"
        folder.mkdir()
        for model in models:
            model.run("train", "--leave", str(left / model.root.name))
        made.add_collaborator("ada")
        Caller(server, server.token("ada"), made.full_name).propose(BRANCH, "Both")
        yield Job(server, made, made, models[0], left / "churn", folder, monkeypatch), left


@pytest.mark.slow
def test_each_model_has_a_report_and_all_one_check(shop: tuple[Job, Path]) -> None:
    """A run leaves one artifact a model; each gets its comment, and the check says the worst."""
    job, left = shop
    both, one = job.run(), job.run()
    for name in ("churn", "visits"):
        job.left = left / name
        job.leave(both, model=name)

    done = job.publish(job.event(both))

    assert [(it["model"], it["code"]) for it in done["models"]] == [
        ("churn", "posted"),
        ("visits", "posted"),
    ]
    assert ["`churn`" in it.body.split("\n")[0] for it in job.notes] == [True, False]
    assert ["`visits`" in it.body.split("\n")[0] for it in job.notes] == [False, True]
    assert job.checks() == [("ml-gitops", "success")]

    job.left = left / "churn"
    job.leave(one, model="churn")
    missing = job.publish(job.event(one))
    assert [it["code"] for it in missing["models"]] == ["posted", "E06"]
    assert ("ml-gitops", "failure") in job.checks()


@pytest.mark.slow
def test_one_model_s_artifact_is_not_the_other_s(shop: tuple[Job, Path]) -> None:
    """Whatever name it comes under, a run is held to the model that its record names."""
    job, left = shop
    run = job.run()
    job.left = left / "churn"
    job.leave(run, model="churn")
    job.leave(run, model="visits")

    done = job.publish(job.event(run))

    told = [(it["model"], it["code"], it["reason"]) for it in done["models"]]
    assert told == [("churn", "posted", ""), ("visits", "E11", "the run is of another model")]
    assert len(job.notes) == 1
    assert job.checks() == [("ml-gitops", "neutral")]
