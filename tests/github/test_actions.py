"""Workflows, runs and artifacts are listed as on GitHub; tests say what ran."""

import hashlib
import io
import zipfile
from datetime import UTC, datetime, timedelta

import requests

from tests.github.caller import Caller, said
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

CHECK = """
name: PR check
on:
  pull_request:
  workflow_dispatch:
    inputs:
      model: {required: true, type: string}
      reason: {default: drift, type: string}
"""


def test_the_workflows_are_those_of_the_default_branch(churn: TestRepository, bot: Caller) -> None:
    """A file makes a workflow, found by id or by the name of the file."""
    churn.push("main", {".github/workflows/check.yml": CHECK, ".github/workflows/x.txt": "x"})
    churn.push("other", {".github/workflows/other.yml": "on: push\n"})

    listed = bot.read("/actions/workflows")

    assert [(it["name"], it["path"]) for it in listed["workflows"]] == [
        ("PR check", ".github/workflows/check.yml")
    ]
    number = listed["workflows"][0]["id"]
    assert bot.read(f"/actions/workflows/{number}") == bot.read("/actions/workflows/check.yml")
    assert bot.get("/actions/workflows/other.yml").status_code == 404


def test_a_dispatch_makes_a_run(churn: TestRepository, bot: Caller) -> None:
    """It needs the trigger, a branch or tag, and inputs that the file declares."""
    head = churn.push("main", {".github/workflows/check.yml": CHECK})
    churn.push("main", {".github/workflows/push.yml": "on: push\n"})

    def dispatched(file: str = "check.yml", **body: object) -> requests.Response:
        return bot.post(f"/actions/workflows/{file}/dispatches", **{"ref": "main"} | body)

    assert dispatched(inputs={"model": "delay"}).status_code == 204
    details = dispatched(inputs={"model": "delay"}, return_run_details=True).json()
    run = bot.read(f"/actions/runs/{details['workflow_run_id']}")
    assert (run["event"], run["status"], run["run_number"]) == ("workflow_dispatch", "queued", 2)
    assert run["actor"]["login"] == "ml-gitops[bot]"
    assert run["head_sha"] == churn.head() != head
    assert churn.record.runs[0].inputs == {"model": "delay", "reason": "drift"}
    assert said(dispatched("push.yml")) == (
        422,
        "Workflow does not have 'workflow_dispatch' trigger",
    )
    assert said(dispatched(inputs={"model": "m", "x": "y"}))[1].startswith("Unexpected inputs")
    assert said(dispatched())[1] == "Required input 'model' not provided"
    assert said(dispatched(ref="gone")) == (422, "No ref found for: gone")
    assert dispatched("gone.yml").status_code == 404


def test_a_run_of_a_fork_names_the_fork_and_no_pull_request(
    server: GitHubServer, churn: TestRepository, bot: Caller, eve: Caller
) -> None:
    """The head's repository has its own id; GitHub leaves `pull_requests` empty."""
    churn.push("main", {".github/workflows/check.yml": CHECK})
    churn.push("f", {"a.txt": "x"})
    bot.propose("f")
    fork = server.create_fork("acme/churn", "eve")
    head = fork.push("f", {"a.txt": "y"}, by="eve")
    eve.propose("eve:f")

    ours = churn.add_run("check.yml", event="pull_request", branch="f")
    theirs = churn.add_run("check.yml", event="pull_request", branch="f", source=fork, by="eve")

    run = bot.read(f"/actions/runs/{theirs}")
    assert run["repository"]["id"] == churn.id != fork.id == run["head_repository"]["id"]
    assert (run["head_sha"], run["head_branch"], run["pull_requests"]) == (head, "f", [])
    assert run["path"] == ".github/workflows/check.yml"
    assert [it["number"] for it in bot.read(f"/actions/runs/{ours}")["pull_requests"]] == [1]
    listed = bot.read("/actions/runs", params={"head_sha": head})
    assert [it["id"] for it in listed["workflow_runs"]] == [theirs]
    assert bot.read("/actions/runs", params={"status": "failure"})["total_count"] == 0


def test_an_artifact_is_an_archive_on_another_host(
    server: GitHubServer, churn: TestRepository, bot: Caller
) -> None:
    """The list tells of the run; the archive is behind a signed address that knows no tokens."""
    run = churn.add_run("check.yml", event="pull_request")
    number = churn.add_artifact(run, "report", {"report.json": b"{}"})
    churn.add_artifact(run, "other", {})

    found = bot.read("/actions/artifacts", params={"name": "report"})
    led = bot.get(f"/actions/artifacts/{number}/zip")
    archive = requests.get(led.headers["Location"], timeout=10).content

    assert (found["total_count"], found["artifacts"][0]["id"]) == (1, number)
    assert found["artifacts"][0]["workflow_run"] == {
        "id": run,
        "repository_id": churn.id,
        "head_repository_id": churn.id,
        "head_branch": "main",
        "head_sha": churn.head(),
    }
    assert found["artifacts"][0]["digest"] == "sha256:" + hashlib.sha256(archive).hexdigest()
    assert zipfile.ZipFile(io.BytesIO(archive)).read("report.json") == b"{}"
    assert led.status_code == 302
    assert bot.session.get(led.headers["Location"], timeout=10).status_code == 400
    assert bot.read(f"/actions/runs/{run}/artifacts")["total_count"] == 2
    assert Caller(server, "").get(f"/actions/artifacts/{number}/zip").status_code == 401


def test_an_old_artifact_is_gone(server: GitHubServer, churn: TestRepository, bot: Caller) -> None:
    """After ninety days it is listed as expired, and its archive is 410."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    server.clock = lambda: now
    number = churn.add_artifact(churn.add_run("check.yml"), "report", b"PK")

    server.clock = lambda: now + timedelta(days=90)

    assert bot.read(f"/actions/artifacts/{number}")["expired"]
    assert bot.get(f"/actions/artifacts/{number}/zip").status_code == 410
    assert bot.delete(f"/actions/artifacts/{number}").status_code == 204
    assert bot.get(f"/actions/artifacts/{number}").status_code == 404
