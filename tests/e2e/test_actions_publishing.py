"""The job that may write: it posts what another job left, and runs none of it."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ml_gitops.cli import main
from ml_gitops.cli.setting import BOT
from ml_gitops.document import canonical_json, sha256
from ml_gitops.pull_request import Marker
from ml_gitops.report import artifact_name, files_digest
from tests.builders import CHECKS, PARAMS
from tests.e2e.world import World
from tests.github.artifacts import zipped
from tests.github.caller import Caller
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository
from tests.hostile.watch import guarded

CI = ".github/workflows/ci.yml"
BRANCH = "the-first-model"
READS = {"contents": "read", "metadata": "read"}
REPORTS = {
    "actions": "read",
    "checks": "write",
    "contents": "read",
    "metadata": "read",
    "pull_requests": "write",
}
"""What the shipped workflows give to the two jobs; `test_workflows.py` holds them to it."""


@dataclass
class Job:
    """A pull request of a repository on GitHub, and a folder without a checkout."""

    server: GitHubServer
    repository: TestRepository
    source: TestRepository
    world: World
    left: Path
    folder: Path
    patch: pytest.MonkeyPatch

    def run(self) -> int:
        """Say that CI ran at the head of the branch."""
        return self.repository.add_run(
            "ci.yml", event="pull_request", branch=BRANCH, source=self.source
        )

    def leave(
        self, run: int, files: Mapping[str, bytes] | bytes | None = None, model: str = "churn"
    ) -> None:
        """Leave an artifact of the run; what was trained, if nothing else is given."""
        found = {path.name: path.read_bytes() for path in self.left.iterdir()}
        files = found if files is None else files
        key = json.loads(found["run.json"])["run_key"]
        content = files_digest(found if isinstance(files, bytes) else files)
        self.repository.add_artifact(run, artifact_name(model, key, content), files)

    def event(self, run: int, **changes: Any) -> dict[str, Any]:
        """Return the event that GitHub writes when the run has ended."""
        caller = Caller(self.server, self.server.token(BOT.login), self.repository.full_name)
        told = caller.read(f"/actions/runs/{run}") | changes
        about = {"id": self.repository.id, "full_name": self.repository.full_name}
        return {"action": "completed", "workflow_run": told, "repository": about}

    def publish(self, event: Mapping[str, Any], *, expect: int = 0) -> Any:
        """Run the job that may write, and return its outcome."""
        path = self.folder / "event.json"
        path.write_text(json.dumps(event))
        self.patch.setenv("GITHUB_EVENT_NAME", "workflow_run")
        self.patch.setenv("GITHUB_TOKEN", self.server.token(BOT.login, REPORTS))
        self.patch.setenv("ML_GITOPS_OUTBOX", str(self.folder / "outbox"))
        self.patch.chdir(self.folder)
        outcome = self.folder / "outcome.json"
        words = ["report", "--event", str(path), "--workflow", CI, "--json"]
        assert main([*words, "--outcome", str(outcome)]) == expect
        return json.loads(outcome.read_text())

    def checks(self) -> list[tuple[str, str]]:
        """Return name and conclusion of every check run at the head."""
        caller = Caller(self.server, self.server.token(BOT.login), self.repository.full_name)
        sha = self.source.head(BRANCH)
        found = caller.read(f"/commits/{sha}/check-runs")["check_runs"]
        return [(it["name"], it["conclusion"]) for it in found]

    @property
    def notes(self) -> list[Any]:
        """The comments on the pull request."""
        return self.repository.record.threads[1].notes


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the first job of these tests keeps what it trained, for the others."""
    return tmp_path_factory.mktemp("left") / "run"


@pytest.fixture
def job(
    trained: World,
    place: Path,
    tmp_path: Path,
    once: Path,
    server: GitHubServer,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Job:
    """Make a repository with an open pull request, trained with a token that may only read."""
    how = getattr(request, "param", "")
    fork = how == "fork"
    world = trained.copy(place)
    name = f"acme/churn-{len(server.world.repositories)}"
    made = server.create_repository(name, private=how == "private")
    world.clone.run("push", "--quiet", str(made.path), "main")
    source = server.create_fork(made.full_name, "eve") if fork else made
    world.clone.run("push", "--quiet", str(source.path), BRANCH)
    world.clone.set_remote(made.clone_url)
    for name, value in {
        "GITHUB_API_URL": server.url,
        "GITHUB_SERVER_URL": server.web_url,
        "GITHUB_REPOSITORY": made.full_name,
        "GITHUB_TOKEN": server.token(BOT.login, READS),
    }.items():
        monkeypatch.setenv(name, value)
    left, folder = tmp_path / "left", tmp_path / "job"
    folder.mkdir()
    if how == "private" or not once.exists():
        world.run("train", "--leave", str(left))
        shutil.copytree(left, once, dirs_exist_ok=True)
    else:
        shutil.copytree(once, left)
    who = "eve" if fork else "ada"
    made.add_collaborator("ada")
    caller = Caller(server, server.token(who), made.full_name)
    caller.propose(f"{source.record.owner.login}:{BRANCH}", "A model")
    return Job(server, made, source, world, left, folder, monkeypatch)


def test_what_a_run_left_is_posted_once(job: Job) -> None:
    """The comment stands once, the check run passes, and a merge finds the run by its name."""
    run = job.run()
    job.leave(run)

    first, again = job.publish(job.event(run)), job.publish(job.event(run))

    assert (first["code"], first["posted"], again["posted"]) == ("posted", True, False)
    assert first["trusted"]
    assert [it.author.login for it in job.notes] == [BOT.login]
    assert "`churn` may merge" in job.notes[0].body
    assert job.checks() == [("ml-gitops", "success")]
    marker = Marker.find(job.notes[0].body)
    assert marker is not None
    kept = artifact_name("churn", marker.fingerprint, marker.content)
    assert [it.name for it in job.repository.record.artifacts] == [kept]
    assert not (job.folder / "outbox").exists()


@pytest.mark.parametrize("job", ["private"], indirect=True)
def test_a_private_repository_needs_no_more_rights(job: Job) -> None:
    """Where nothing can be read without a right, both jobs still have all that they need."""
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run))

    assert (done["code"], done["trusted"]) == ("posted", True)
    assert job.checks() == [("ml-gitops", "success")]


@pytest.mark.parametrize("job", ["fork"], indirect=True)
@pytest.mark.hostile
def test_a_fork_is_reported_on_and_passes_nothing(job: Job) -> None:
    """A fork's numbers are shown as its own word: a neutral check, nothing kept for a merge."""
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run))

    assert (done["code"], done["trusted"]) == ("posted", False)
    assert job.notes[0].body.startswith("> **Reported by code from a fork, and not verified.**")
    marker = Marker.find(job.notes[0].body)
    assert marker is not None
    assert marker.fingerprint == ""
    assert job.checks() == [("ml-gitops", "neutral")]
    assert not (job.folder / "outbox").exists()


def forged(job: Job, name: str, **changes: Any) -> dict[str, bytes]:
    """Return what the run left, with keys of one document changed and the record made to fit."""
    files = {path.name: path.read_bytes() for path in job.left.iterdir()}
    document = json.loads(files[name]) | changes
    files[name] = canonical_json(document).encode()
    run = json.loads(files["run.json"])
    if name in run["files"]:
        run["files"][name] = sha256(files[name])
        files["run.json"] = canonical_json(run).encode()
    return files


@pytest.mark.hostile
def test_another_commit_s_report_is_refused(job: Job) -> None:
    """A report that was good for other parameters cannot be replayed on this commit."""
    (job.world.root / "params.toml").write_text(PARAMS.replace("1.0", "0.01"))
    job.world.clone.commit_all("Regularise more")
    job.world.clone.run("push", "--quiet", str(job.source.path), f"HEAD:{BRANCH}")
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E11", [])
    assert "other hyper-parameters than the commit has" in done["reason"]
    assert job.checks() == [("ml-gitops", "neutral")]


@pytest.mark.hostile
def test_a_forged_verdict_is_refused(job: Job) -> None:
    """A report whose verdict its numbers do not bear posts nothing."""
    report = json.loads((job.left / "report.json").read_text())
    gate = report["gate"] | {"verdict": "warn"}
    run = job.run()
    job.leave(run, forged(job, "report.json", gate=gate))

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E12", [])


@pytest.mark.hostile
def test_a_forged_basis_is_refused(job: Job) -> None:
    """A report that says it was judged by other rules than the commit has posts nothing."""
    report = json.loads((job.left / "report.json").read_text())
    basis = report["basis"]
    basis["standing"]["checks"] = sha256(b"easier ones")
    run = job.run()
    job.leave(run, forged(job, "report.json", basis=basis))

    done = job.publish(job.event(run))

    assert (done["code"], done["reason"]) == ("E12", "the report was judged by another checks")
    assert job.notes == []


@pytest.mark.hostile
def test_hidden_changes_of_the_rules_are_told_anyway(job: Job) -> None:
    """How the checks differ from the base branch is found by the job that writes, not believed."""
    checks = job.world.root / "checks" / "test_behaviour.py"
    checks.write_text(CHECKS.replace("assert handles_unseen", "assert True or handles_unseen"))
    job.world.clone.commit_all("Ask less")
    job.world.clone.run("push", "--quiet", str(job.source.path), f"HEAD:{BRANCH}")
    job.patch.setenv("GITHUB_TOKEN", job.server.token(BOT.login, READS))
    job.world.run("train", "--leave", str(job.left))
    report = json.loads((job.left / "report.json").read_text())
    assert report["basis"]["check_changes"]
    run = job.run()
    job.leave(run, forged(job, "report.json", basis=report["basis"] | {"check_changes": []}))

    done = job.publish(job.event(run))

    assert done["code"] == "posted"
    body = job.notes[0].body
    assert "**This change touches how models are judged:**" in body
    assert "test_behaviour.py" in body.split("\n")[0].replace("\\", "")


def forged_report(job: Job, place: str, value: object) -> dict[str, bytes]:
    """Return what the run left, with one value of its report changed; `a.b` names the place."""
    report = json.loads((job.left / "report.json").read_text())
    *above, last = place.split(".")
    inside = report
    for key in above:
        inside = inside[key]
    inside[last] = value
    return forged(job, "report.json", **report)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("report.json", {"schema_version": 2}),
        ("report.json", {"html": "<script>"}),
        ("report.json", {"train_rows": "many"}),
        ("report.json", {"run_key": "sha256:0"}),
        ("report.json", {"model_bytes": 1}),
        ("report.json", {"fit_seconds": 0.0}),
    ],
    ids=["version", "unknown-key", "type", "digest", "size", "cost"],
)
@pytest.mark.hostile
def test_e12_a_report_of_another_form_or_run_is_refused(
    job: Job, name: str, changes: dict[str, Any]
) -> None:
    """A report is one of ours, and says of its run what the run's files say."""
    run = job.run()
    job.leave(run, forged(job, name, **changes))

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E12", [])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("run.json", {"pickle": "x"}),
        ("run.json", {"files": {}}),
        ("run.json", {"run_key": "sha256:" + "0" * 64}),
        ("run.json", {"train_rows": None}),
    ],
    ids=["unknown-key", "files", "key", "type"],
)
@pytest.mark.hostile
def test_e10_a_record_of_another_form_is_refused(
    job: Job, name: str, changes: dict[str, Any]
) -> None:
    """A record is one of ours, and its files are those that it lists."""
    run = job.run()
    job.leave(run, forged(job, name, **changes))

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E10", [])


@pytest.mark.hostile
def test_e11_another_model_is_refused(job: Job) -> None:
    """A run of another model is not this pull request's, however whole it is."""
    config = job.world.root / "ml-gitops.toml"
    config.write_text(config.read_text().replace('name = "churn"', 'name = "chum"'))
    job.world.clone.commit_all("Call it chum")
    job.world.clone.run("push", "--quiet", str(job.source.path), f"HEAD:{BRANCH}")
    run = job.run()
    job.leave(run, model="chum")

    done = job.publish(job.event(run))

    assert (done["code"], done["reason"], job.notes) == ("E11", "the run is of another model", [])


@pytest.mark.hostile
def test_e11_a_name_that_no_merge_would_look_for_is_refused(job: Job) -> None:
    """A merge finds files by the digest in their name; under another one they were lost."""
    files = {path.name: path.read_bytes() for path in job.left.iterdir()}
    key = json.loads(files["run.json"])["run_key"]
    run = job.run()
    job.repository.add_artifact(run, artifact_name("churn", key, sha256(b"other")), files)

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E11", [])
    assert "another name" in done["reason"]


def test_e06_a_report_that_is_missing_lets_nothing_pass(job: Job) -> None:
    """Where a model changed and its training left nothing, the check that is asked for fails."""
    done = job.publish(job.event(job.run()))

    assert (done["code"], done["reason"], job.notes) == ("E06", "the run left no report", [])
    assert job.checks() == [("ml-gitops", "failure")]


@pytest.mark.parametrize("job", ["", "fork"], indirect=True)
def test_where_no_model_changed_there_is_nothing_to_report(job: Job) -> None:
    """Branch rules may ask for the check whatever changed; a fork's passes nothing all the same."""
    job.world.clone.run("checkout", "--quiet", "-B", BRANCH, "main")
    (job.world.root / "README.md").write_text("Words.\n")
    job.world.clone.commit_all("Explain")
    job.world.clone.run("push", "--quiet", "--force", str(job.source.path), f"HEAD:{BRANCH}")

    done = job.publish(job.event(job.run()))

    assert (done["code"], done["models"], job.notes) == ("unchanged", [], [])
    fork = job.source is not job.repository
    assert job.checks() == [("ml-gitops", "neutral" if fork else "success")]


def test_e11_a_model_that_a_change_takes_away_is_told(job: Job) -> None:
    """Nobody would judge it any more, and no report of another model makes up for that."""
    config = (job.world.root / "ml-gitops.toml").read_text()
    other = config.replace('name = "churn"', 'name = "other"')
    assert other != config
    job.source.push(BRANCH, {"ml-gitops.toml": other})

    done = job.publish(job.event(job.run()))

    assert [(it["model"], it["code"]) for it in done["models"]] == [
        ("other", "E06"),
        ("churn", "E11"),
    ]
    assert "takes the model away" in done["models"][1]["reason"]


@pytest.mark.parametrize("path", ["model/helper.py", "model/pipeline.py"])
@pytest.mark.hostile
def test_e11_code_that_was_not_run_is_refused(job: Job, path: str) -> None:
    """A commit with one more line of code than the run had is not what was reported on."""
    job.source.push(BRANCH, {path: "STEPS = 2\n"})
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E11", [])
    assert "other code" in done["reason"]


@pytest.mark.parametrize("secret", ["ghp_" + "a" * 36, "-----BEGIN RSA", "TOKEN"])
@pytest.mark.hostile
def test_e13_no_secret_is_told(job: Job, secret: str) -> None:
    """A report that holds what looks like a secret, or is one of this job, is not posted."""
    job.patch.setenv("MY_API_KEY", "hunter2@dead:beef$#2")
    told = "hunter2@dead:beef$#2" if secret == "TOKEN" else secret
    run = job.run()
    job.leave(run, forged_report(job, "comparison.champion", {"missing": True, "reason": told}))

    done = job.publish(job.event(run))

    assert done["code"] == "E13"
    assert job.notes == []
    assert told not in json.dumps(done)


@pytest.mark.parametrize("when", ["push", "close", "delete"])
def test_e14_what_is_out_of_date_gets_no_comment(job: Job, when: str) -> None:
    """Whatever happens between the look and the comment, nothing is said of what was."""
    run = job.run()
    job.leave(run)
    event = job.event(run)
    caller = Caller(job.server, job.server.token("ada"), job.repository.full_name)
    sha = job.source.head(BRANCH)

    def meanwhile() -> None:
        if when == "push":
            job.source.push(BRANCH, {"README.md": "More.\n"})
        elif when == "close":
            caller.patch("/pulls/1", state="closed")
        else:
            job.source.delete_branch(BRANCH)

    job.server.faults.add(meanwhile, path=r"/artifacts/\d+/zip")

    done = job.publish(event)

    assert (done["code"], done["posted"], job.notes) == ("posted", False, [])
    told = caller.read(f"/commits/{sha}/check-runs")["check_runs"]
    assert [it["conclusion"] for it in told] == ["success"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["502-after", "reset-after", "502", "truncated"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/issues/1/comments"), ("POST", "/check-runs$"), ("PATCH", r"/check-runs/\d+$")],
    ids=["comment", "check", "conclusion"],
)
def test_e15_a_lost_answer_leaves_one_of_each(job: Job, fault: str, method: str, path: str) -> None:
    """Whether a write took place or not, afterwards there is one comment and one check run."""
    run = job.run()
    job.leave(run)
    event = job.event(run)
    struck = job.server.faults.add(fault, method=method, path=path)

    with suppress(AssertionError):
        job.publish(event)
    job.publish(event)

    assert struck.struck == 1
    assert len(job.notes) == 1
    assert job.checks() == [("ml-gitops", "success")]


@pytest.mark.hostile
def test_e15_a_stranger_s_marker_is_nothing_of_ours(job: Job) -> None:
    """A comment that copies the hidden marker is left alone, and ours is written beside it."""
    run = job.run()
    job.leave(run)
    job.publish(job.event(run))
    copied = job.notes[0].body
    job.notes.clear()
    Caller(job.server, job.server.token("eve"), job.repository.full_name).post(
        "/issues/1/comments", body=copied.replace("may merge", "is perfect")
    )

    job.publish(job.event(run))

    assert [it.author.login for it in job.notes] == ["eve", BOT.login]
    assert "is perfect" in job.notes[0].body


@pytest.mark.parametrize(
    "evil",
    ["::add-mask::x\n::set-output name=a::add-mask", "##[add-path]/tmp", "@everyone add-path"],
)
@pytest.mark.hostile
def test_e16_nothing_of_the_run_is_said(
    job: Job, evil: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Outputs, summary and log hold our own words alone, whatever the run says of itself."""
    outputs, summary = job.folder / "outputs", job.folder / "summary"
    job.patch.setenv("GITHUB_ACTIONS", "true")
    job.patch.setenv("GITHUB_OUTPUT", str(outputs))
    job.patch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    run = job.run()
    job.leave(run, forged_report(job, "comparison.champion", {"missing": True, "reason": evil}))
    capfd.readouterr()

    done = job.publish(job.event(run))

    said = capfd.readouterr()
    assert set(done) == {"code", "reason", "pull_request", "verdict", "posted", "trusted", "models"}
    for text in (said.out, said.err, outputs.read_text(), summary.read_text(), json.dumps(done)):
        assert "add-mask" not in text
        assert "add-path" not in text
        assert "everyone" not in text
    for note in job.notes:
        assert "::add-mask::x\n" not in note.body
        assert "@everyone" not in note.body.replace("`@everyone", "")


def test_a_push_meanwhile_gets_no_old_comment(job: Job) -> None:
    """Whoever pushes before the report is posted finds nothing of the commit before."""
    run = job.run()
    job.leave(run)
    event = job.event(run)
    job.source.push(BRANCH, {"README.md": "More.\n"}, by="eve")

    done = job.publish(event)

    assert (done["code"], job.notes) == ("E03", [])


def test_a_pull_request_to_another_branch_is_told_that_it_is_not_judged(job: Job) -> None:
    """A stacked change gets a neutral check that says so, and no comment: nobody is served it."""
    job.source.push("below", {"README.md": "Below.\n"})
    caller = Caller(job.server, job.server.token("ada"), job.repository.full_name)
    caller.patch("/pulls/1", base="below")
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E03", [])
    assert done["reason"] == "only pull requests to the default branch are judged"
    assert job.checks() == [("ml-gitops", "neutral")]


@pytest.mark.hostile
def test_the_number_of_a_pull_request_is_never_taken_from_the_run(job: Job) -> None:
    """A file that names another pull request is one that no run leaves."""
    run = job.run()
    files = {path.name: path.read_bytes() for path in job.left.iterdir()}
    job.leave(run, {**files, "pull_request.txt": b"2"})

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E08", [])


@pytest.mark.hostile
def test_an_archive_that_climbs_writes_nothing(job: Job, tmp_path: Path) -> None:
    """An archive with a path out of the folder is refused, and leaves no file anywhere."""
    before = sorted(tmp_path.rglob("*"))
    run = job.run()
    job.leave(run, zipped({"../../evil.json": b"{}", "report.json": b"{}"}))

    done = job.publish(job.event(run))

    assert (done["code"], job.notes) == ("E08", [])
    assert {it.name for it in set(tmp_path.rglob("*")) - set(before)} == {
        "event.json",
        "outcome.json",
    }


@pytest.mark.hostile
def test_a_workflow_of_the_same_name_is_not_ours(job: Job) -> None:
    """A run of another file is refused before anything of it is read."""
    run = job.run()
    job.leave(run)

    done = job.publish(job.event(run, path=".github/workflows/evil.yml"))

    assert (done["code"], job.notes, job.checks()) == ("E01", [], [])


@pytest.mark.hostile
def test_no_author_code_is_imported(job: Job) -> None:
    """The job that may write never unpickles, starts no process and imports nothing of the commit.

    The audit hook stands in a process of its own, from its first line on.
    """
    run = job.run()
    job.leave(run)
    (job.folder / "event.json").write_text(json.dumps(job.event(run)))
    job.patch.setenv("GITHUB_EVENT_NAME", "workflow_run")
    job.patch.setenv("GITHUB_TOKEN", job.server.token(BOT.login, REPORTS))
    job.patch.setenv("ML_GITOPS_OUTBOX", str(job.folder / "outbox"))
    words = ["report", "--event", "event.json", "--workflow", CI]

    done = subprocess.run(
        guarded(WATCHED.format(words=words), **alone(job.server, job.folder)),
        cwd=job.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "report on pull request #1: posted" in done.stdout
    assert done.stderr.splitlines()[-1] == "heavy: []"


def alone(server: GitHubServer, folder: Path) -> dict[str, list[str]]:
    """Return the rules of a job that writes to its folder, and speaks to the API alone."""
    hosts = [urlsplit(it).netloc for it in (server.url, server.world.storage.url)]
    return {"writes": [str(folder)], "hosts": hosts}


WATCHED = """
import sys
def watch(event, arguments):
    if event in ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        raise SystemExit(f"{{event}} {{arguments}}")
    if event == "open" and str(arguments[0]).endswith(("model/pipeline.py", "model/data.py")):
        raise SystemExit(f"{{event}} {{arguments}}")
sys.addaudithook(watch)
from ml_gitops.cli import main
code = main({words!r})
heavy = {{"sklearn", "skl2onnx", "onnx", "onnxruntime", "joblib", "cloudpickle", "bentoml"}}
print("heavy:", sorted(heavy & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""
