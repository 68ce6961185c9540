"""Pull requests that get no credentials train on the sample, and everybody is told so."""

import json
from pathlib import Path

import pytest

from ml_gitops.cli import main
from ml_gitops.document import canonical_json
from ml_gitops.pull_request import Marker
from tests.e2e.test_actions_publishing import BRANCH, READS, Job, job, once
from tests.e2e.world import World

__all__ = ["job", "once"]

SECRET = """import os


def rows(start, end):
    os.environ["WAREHOUSE"]
    return load(start, end)
"""
FEW = "\n\ndef few(start, end):\n    return load(start, end).iloc[::2]\n"
NAMED = 'sample = "model/data.py:few"\n'


def guard(root: Path, *, sample: bool = True) -> None:
    """Let the real rows ask for credentials, and name a sample that does not."""
    data, config = root / "model" / "data.py", root / "ml-gitops.toml"
    data.write_text(f"{data.read_text()}\n\n{SECRET}{FEW}")
    named = '[data]\nsource = "model/data.py:rows"\n' + NAMED * sample
    config.write_text(config.read_text().replace("[data]\n", named))


def test_a_sample_is_judged_and_covers_nothing(
    trained: World, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report says in its first lines what was seen; the real rows are still to be trained."""
    world = trained.copy(place)
    guard(world.root)
    world.clone.commit_all("Name a sample")

    assert world.run("data", "validate", "--sample")["passed"]
    seen = world.run("train", "--sample")

    assert seen["run"]["sample"]
    assert seen["verdict"] == "warn"
    assert "judged on the sample of " in seen["headline"]
    assert main(["report", "-C", str(world.root)]) == 2
    assert "not trained yet" in capsys.readouterr().err
    assert main(["train", "-C", str(world.root)]) == 2
    assert "WAREHOUSE" in capsys.readouterr().err
    monkeypatch.setenv("WAREHOUSE", "open")
    real = world.run("train")
    assert (real["run"]["sample"], real["verdict"]) == (False, "pass")
    assert real["run"]["run_key"] != seen["run"]["run_key"]
    assert real["run"]["train_rows"] > 1.9 * seen["run"]["train_rows"]


def test_a_champion_is_not_judged_on_a_sample(released: World, place: Path) -> None:
    """It learned from the real rows, and is compared on those alone."""
    world = released.copy(place)
    guard(world.root)

    world.run("train", "--sample")

    reports = [json.loads(it.read_text()) for it in place.glob(".ml-gitops/runs/*/report.json")]
    (champion,) = [it["comparison"]["champion"] for it in reports if it["sample"]]
    assert champion["reason"] == WHY


WHY = "what serves is compared on the real data, and this is the sample"


def test_without_a_sample_the_real_rows_are_tried(
    trained: World, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows that anybody may see need no sample; of others it is said what was missing."""
    world = trained.copy(place)
    guard(world.root, sample=False)

    assert main(["train", "--sample", "-C", str(world.root)]) == 2

    line = capsys.readouterr().err.splitlines()[-1]
    assert "WAREHOUSE" in line
    assert "name in [data] a `sample` of rows that need none" in line
    monkeypatch.setenv("WAREHOUSE", "open")
    assert not world.run("train", "--sample")["run"]["sample"]


def on_sample(job: Job) -> None:
    """Push a commit that names a sample, and train on it without any credentials."""
    guard(job.world.root)
    job.world.clone.commit_all("Name a sample")
    job.world.clone.run("push", "--quiet", str(job.source.path), f"HEAD:{BRANCH}")
    job.world.run("train", "--sample", "--leave", str(job.left))


@pytest.mark.parametrize("job", ["fork", ""], indirect=True)
def test_a_report_on_the_sample_says_so_first(job: Job) -> None:
    """A fork's, and Dependabot's: a neutral check, and no run that a merge could ship."""
    job.patch.setenv("GITHUB_TOKEN", job.server.token("ml-gitops[bot]", READS))
    on_sample(job)
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run))

    assert (done["code"], done["verdict"]) == ("posted", "warn")
    body = job.notes[0].body.removeprefix("> **Reported")
    first = body[body.index("## ") :].split("\n")[:3]
    assert first[0] == "## ▲ `churn` was judged on the sample alone"
    assert "judged on the sample of " in first[2]
    assert "the real data is judged once a maintainer" in body
    marker = Marker.find(body)
    assert marker is not None
    assert marker.fingerprint == ""
    assert job.checks() == [("ml-gitops", "neutral")]


def test_a_sample_that_calls_itself_real_is_refused(job: Job) -> None:
    """Nobody passes a few rows off as the real ones: the lock of the commit is what counts."""
    job.patch.setenv("GITHUB_TOKEN", job.server.token("ml-gitops[bot]", READS))
    on_sample(job)
    files = {path.name: path.read_bytes() for path in job.left.iterdir()}
    for name in ("run.json", "report.json"):
        document = json.loads(files[name]) | {"sample": False}
        files[name] = canonical_json(document).encode()
    run = job.run()
    job.leave(run, files)

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E11", [])
    assert "other contract and data than the commit has" in done["reason"]


def test_a_sample_that_the_commit_does_not_name_is_refused(job: Job) -> None:
    """Where no sample is named there is none, whatever a run says of itself."""
    files = {path.name: path.read_bytes() for path in job.left.iterdir()}
    files["run.json"] = canonical_json(json.loads(files["run.json"]) | {"sample": True}).encode()
    run = job.run()
    job.leave(run, files)

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E11", [])
    assert "sample that the commit does not name" in done["reason"]


@pytest.mark.parametrize("job", ["fork"], indirect=True)
def test_a_fork_that_could_not_train_is_told_why(job: Job) -> None:
    """Its check is neutral and says what a maintainer can do about it."""
    done = job.publish(job.event(job.run()))

    assert done["code"] == "E06"
    assert done["reason"].endswith("forks have no credentials for data, and [data] names no sample")
    assert job.checks() == [("ml-gitops", "neutral")]
