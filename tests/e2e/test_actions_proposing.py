"""The job that proposes what another job trained for the monitor, and runs none of it."""

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.cli import main
from ml_gitops.cli.setting import BOT, NOW
from ml_gitops.data.lock import split
from ml_gitops.data.schema import Window
from ml_gitops.document import canonical_json, sha256
from ml_gitops.names import LOCK_FILE
from ml_gitops.report import artifact_name, files_digest, no_newer_rows
from tests.e2e.crashes import Fuse, PowerCutError, wired
from tests.e2e.test_actions_publishing import READS, WATCHED, alone
from tests.e2e.test_github import move
from tests.e2e.world import DECAYED, World
from tests.github.artifacts import zipped
from tests.github.caller import Caller
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository
from tests.hostile.watch import guarded

WRITES = {
    "actions": "read",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""What the shipped workflow gives to who looks and to who proposes; a test holds them to it."""
Files = dict[str, bytes]


def fitting_name(files: Mapping[str, bytes] | bytes) -> str:
    """Return the name that files ought to go by, as far as they tell."""
    key = sha256(b"none")
    if not isinstance(files, bytes) and "run.json" in files:
        key = json.loads(files["run.json"])["run_key"]
    return artifact_name("churn", key, files_digest({} if isinstance(files, bytes) else files))


@dataclass
class Night:
    """A run of the monitor on GitHub, in three jobs; a folder without a checkout for the last."""

    server: GitHubServer
    repository: TestRepository
    world: World
    once: Path
    folder: Path
    patch: pytest.MonkeyPatch
    wanted: dict[str, str] = field(default_factory=dict)
    run: int = 0

    def look(self) -> list[dict[str, str]]:
        """Run the job that looks, and return what it wants trained."""
        self.run = self.repository.add_run("cm.yml", event="schedule")
        self.patch.setenv("GITHUB_REPOSITORY", self.repository.full_name)
        self.patch.setenv("GITHUB_RUN_ID", str(self.run))
        self.patch.setenv("GITHUB_TOKEN", self.server.token(BOT.login, WRITES))
        seen = self.world.monitor(DECAYED, "--no-train")
        self.wanted = next(iter(seen["retrain"]), {})
        found: list[dict[str, str]] = seen["retrain"]
        return found

    def trained(self) -> Files:
        """Return what the job that trains leaves; it is trained once for all tests."""
        if not self.once.exists():
            world = self.world.copy(self.folder.parent / "runner")
            world.clone.set_remote(self.repository.clone_url)
            self.patch.setenv("GITHUB_TOKEN", self.server.token(BOT.login, READS))
            until = self.wanted["until"]
            world.run("train", "--until", until, "--leave", str(self.once.with_suffix(".part")))
            self.once.with_suffix(".part").rename(self.once)
        return {path.name: path.read_bytes() for path in self.once.iterdir()}

    def leave(self, files: Mapping[str, bytes] | bytes, name: str = "") -> None:
        """Leave an artifact of the run, instead of what it left before."""
        left = self.repository.record.artifacts
        left[:] = [it for it in left if it.run.id != self.run]
        self.repository.add_artifact(self.run, name or fitting_name(files), files)

    def words(self, **changes: str) -> list[str]:
        """Return the command line of the job that proposes."""
        wanted = {**self.wanted, **changes}
        words = ["monitor", "--propose", wanted["record"], "--until", wanted["until"]]
        return [*words, "--commit", wanted["commit"]]

    def start(self, rights: Mapping[str, str] = WRITES) -> None:
        """Let this process be the job that proposes."""
        self.patch.setenv("GITHUB_REPOSITORY", self.repository.full_name)
        self.patch.setenv("GITHUB_RUN_ID", str(self.run))
        self.patch.setenv("GITHUB_TOKEN", self.server.token(BOT.login, rights))
        self.patch.setenv("ML_GITOPS_OUTBOX", str(self.outbox))
        self.patch.setenv(NOW, self.world.clock().isoformat())
        self.patch.chdir(self.folder)

    def propose(self, *, expect: int = 0, **changes: str) -> Any:
        """Run the job that proposes, and return its outcome."""
        self.start()
        outcome = self.folder / "outcome.json"
        words = [*self.words(**changes), "--json", "--outcome", str(outcome)]
        assert main(words) == expect
        return json.loads(outcome.read_text())

    @property
    def outbox(self) -> Path:
        """What the job keeps is left here to be uploaded."""
        return self.folder / "outbox"

    @property
    def caller(self) -> Caller:
        """Somebody who asks."""
        return Caller(self.server, self.server.token("ada"), self.repository.full_name)

    @property
    def threads(self) -> list[Any]:
        """Return every thread but the dashboard, which looks open and renew."""
        threads = self.repository.record.threads.values()
        return [it for it in threads if "dashboard" not in {label.name for label in it.labels}]

    @property
    def told(self) -> list[tuple[str, str, int]]:
        """Return title, state and number of comments of each."""
        return [(it.title, it.state, len(it.notes)) for it in self.threads]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the first night of these tests keeps what it trained, for the others."""
    return tmp_path_factory.mktemp("left") / "run"


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Let this process be one job after another."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def make_night(
    decayed: World,
    tmp_path_factory: pytest.TempPathFactory,
    once: Path,
    server: GitHubServer,
    patch: pytest.MonkeyPatch,
) -> Callable[[], Night]:
    """Return what brings the decayed world to a repository of its own on GitHub."""

    def make() -> Night:
        place = tmp_path_factory.mktemp("night")
        world = decayed.copy(place / "churn")
        called = f"acme/churn-{len(server.world.repositories)}"
        made = server.create_repository(called, private=True)
        made.add_collaborator("ada")
        patch.setenv("GITHUB_API_URL", server.url)
        patch.setenv("GITHUB_SERVER_URL", server.web_url)
        move(world, server, made)
        folder = place / "job"
        folder.mkdir()
        night = Night(server, made, world, once, folder, patch)
        assert len(night.look()) == 1
        return night

    return make


@pytest.fixture
def night(make_night: Callable[[], Night]) -> Night:
    """Return a night in which a training is wanted."""
    return make_night()


@pytest.fixture(scope="module")
def sleepless(make_night: Callable[[], Night]) -> Night:
    """Return a night for tests that change nothing: what it leaves is theirs to replace."""
    return make_night()


def test_what_was_trained_is_proposed_once(night: Night) -> None:
    """One pull request that moves the lock alone, with its report; the same again changes none."""
    before = night.repository.head()
    night.leave(night.trained())

    first = night.propose()
    told, kept = night.told, sorted(path.name for path in night.outbox.iterdir())
    again = night.propose()

    (thread,) = night.threads
    pull = night.caller.read(f"/pulls/{thread.number}")
    files = night.caller.read(f"/pulls/{thread.number}/files")
    assert (first["code"], first["retraining"]["action"]) == ("held", "open")
    assert again["retraining"]["action"] == "keep"
    assert [it["filename"] for it in files] == [LOCK_FILE]
    assert (pull["base"]["ref"], pull["base"]["sha"]) == ("main", before)
    assert thread.author.login == BOT.login
    assert "`churn` may merge" in thread.notes[0].body
    assert (night.told, len(told), told[0][2]) == (told, 1, 1)
    assert sorted(path.name for path in night.outbox.iterdir()) == kept
    assert len(kept) == 1
    assert night.look() == [], "what is proposed is not trained again"


def test_the_proposal_is_the_one_of_a_monitor_in_one_process(night: Night, proposed: World) -> None:
    """Three jobs say and change what the monitor of one process says and changes."""
    night.leave(night.trained())
    night.propose()

    whole = proposed.open()[0]
    (thread,) = night.threads
    pull = night.caller.read(f"/pulls/{thread.number}")
    assert (thread.title, sorted(it.name for it in thread.labels)) == (
        whole.title,
        sorted(whole.labels),
    )
    assert pull["head"]["ref"] == whole.branch
    cost = "It took "
    ours, theirs = (
        [line for line in body.splitlines() if cost not in line and "<!--" not in line]
        for body in (thread.body or "", whole.body)
    )
    assert ours == theirs


def forged(files: Files, name: str, **changes: Any) -> Files:
    """Return what was left, with keys of one document changed and the record made to fit."""
    document = json.loads(files[name]) | changes
    return fitted(files, name, canonical_json(document).encode())


def fitted(files: Files, name: str, content: bytes) -> Files:
    """Return what was left, with another file and a record that lists it."""
    changed = {**files, name: content}
    run = json.loads(changed["run.json"])
    if name in run["files"]:
        run["files"][name] = sha256(content)
        changed["run.json"] = canonical_json(run).encode()
    return changed


def of_lock(files: Files, **changes: Any) -> Files:
    """Return what was left with another lock, in the report and the key too."""
    lock = json.loads(files[LOCK_FILE]) | changes
    report = json.loads(files["report.json"]) | {"lock": lock}
    rows = {"window": lock["window"], "digest": lock["digest"]}
    run = json.loads(files["run.json"])
    run["lineage"]["data_lock"] = sha256(canonical_json(rows).encode())
    run["run_key"] = report["run_key"] = sha256(canonical_json(run["lineage"]).encode())
    made = {**files, "run.json": canonical_json(run).encode()}
    made["report.json"] = canonical_json(report).encode()
    return fitted(made, LOCK_FILE, canonical_json(lock).encode())


def of_days(files: Files, until: str) -> Files:
    """Return what was left with rows until another day, and cut as those would be."""
    made = of_lock(files, window=window(files, until=until))
    cut = split(Window.model_validate_json(canonical_json(window(made))), 10)
    return forged(made, "run.json", split=json.loads(cut.to_json()))


def of_lineage(files: Files, **changes: Any) -> Files:
    """Return what was left of other inputs, with a key that follows from them."""
    run = json.loads(files["run.json"])
    run["lineage"] |= changes
    run["run_key"] = sha256(canonical_json(run["lineage"]).encode())
    return {**files, "run.json": canonical_json(run).encode()}


def of_basis(files: Files, key: str, value: object) -> Files:
    """Return what was left, judged by others."""
    basis = json.loads(files["report.json"])["basis"]
    basis["standing"][key] = value
    return forged(files, "report.json", basis=basis)


def window(files: Files, **changes: str) -> dict[str, str]:
    """Return the window of the lock with another end or start."""
    found: dict[str, str] = json.loads(files[LOCK_FILE])["window"]
    return found | changes


def linked(files: Files) -> bytes:
    """Return an archive in which the lock is a link."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o120777 if name == LOCK_FILE else 0o100644) << 16
            archive.writestr(entry, b"/etc/passwd" if name == LOCK_FILE else content)
    return target.getvalue()


def without(files: Files, name: str) -> Files:
    """Return what was left but one file."""
    return {it: content for it, content in files.items() if it != name}


OTHER = sha256(b"another")
TAMPERED: dict[str, tuple[str, Callable[[Files], Files | bytes]]] = {
    "no archive": ("E08", lambda _: b"PK no zip"),
    "an archive that climbs": ("E08", lambda it: zipped({**it, "../../evil.json": b"{}"})),
    "an archive with a folder": ("E08", lambda it: zipped({**it, ".github/workflows/a.yml": b"a"})),
    "an archive with a link": ("E08", linked),
    "one file more": ("E08", lambda it: {**it, "model/pipeline.py": b"import os"}),
    "a pickle": ("E08", lambda it: {**it, "model.pkl": b"\x80\x04cos\nsystem\n."}),
    "no report": ("E08", lambda it: without(it, "report.json")),
    "no lock": ("E08", lambda it: without(it, LOCK_FILE)),
    "no model": ("E08", lambda it: {**it, "model.onnx": b""}),
    "a lock alone that is new": ("E08", lambda it: {LOCK_FILE: it[LOCK_FILE]}),
    "a lock alone that is none": ("E08", lambda _: {LOCK_FILE: b"{}"}),
    "a lock that says it twice": (
        "E09",
        lambda it: fitted(it, LOCK_FILE, it[LOCK_FILE].replace(b'"rows":', b'"rows":1,"rows":', 1)),
    ),
    "a lock that is no JSON": ("E09", lambda it: fitted(it, LOCK_FILE, b"<script>")),
    "a lock in other letters": ("E09", lambda it: fitted(it, LOCK_FILE, b"\xff" + it[LOCK_FILE])),
    "a document without end": (
        "E09",
        lambda it: fitted(it, "evaluation.json", b"[" * 99 + b"]" * 99),
    ),
    "a lock with a key more": ("E10", lambda it: forged(it, LOCK_FILE, run="curl evil")),
    "a lock with spaces": (
        "E10",
        lambda it: fitted(it, LOCK_FILE, json.dumps(json.loads(it[LOCK_FILE]), indent=7).encode()),
    ),
    "another model file": ("E10", lambda it: {**it, "model.onnx": it["model.onnx"] + b"x"}),
    "a record of another form": ("E10", lambda it: forged(it, "run.json", script="evil")),
    "a record of another key": ("E10", lambda it: forged(it, "run.json", run_key=OTHER)),
    "a long text": ("E10", lambda it: forged(it, "run.json", model="x" * 5_000)),
    "another model": ("E11", lambda it: forged(it, "run.json", model="chum")),
    "a model that climbs": ("E11", lambda it: forged(it, "run.json", model="../../main")),
    "another source": ("E11", lambda it: of_lock(it, source="model/evil.py:load")),
    "a later window": ("E11", lambda it: of_lock(it, window=window(it, until="2024-05-01"))),
    "later days, rightly cut": ("E11", lambda it: of_days(it, "2024-03-08")),
    "fewer days than are locked": ("E11", lambda it: of_days(it, "2024-01-30")),
    "an earlier window": ("E11", lambda it: of_lock(it, window=window(it, until="2024-02-20"))),
    "an older start": ("E11", lambda it: of_lock(it, window=window(it, start="2020-01-01"))),
    "a short window": ("E11", lambda it: of_lock(it, window=window(it, until="2024-01-03"))),
    "more rows": ("E11", lambda it: of_lock(it, rows=10**9)),
    "rows that another lock has": ("E11", lambda it: forged(it, LOCK_FILE, digest=OTHER)),
    "another split": (
        "E11",
        lambda it: forged(
            it,
            "run.json",
            split=json.loads(it["run.json"])["split"]
            | {"holdout": {"start": "2024-03-05", "until": "2024-03-07"}},
        ),
    ),
    "a sample": ("E11", lambda it: forged(it, "run.json", sample=True)),
    "fewer rows to judge on": ("E11", lambda it: forged(it, "run.json", holdout_rows=1)),
    "other code": ("E11", lambda it: of_lineage(it, sources={"model/pipeline.py": OTHER})),
    "other parameters": ("E11", lambda it: of_lineage(it, params=OTHER)),
    "another contract": ("E11", lambda it: of_lineage(it, contract=OTHER)),
    "another product": ("E11", lambda it: of_lineage(it, product="99")),
    "another model in the report": (
        "E12",
        lambda it: fitted(it, "model.onnx", it["model.onnx"] + b"x"),
    ),
    "a report of another form": ("E12", lambda it: forged(it, "report.json", html="<script>")),
    "a better verdict": (
        "E12",
        lambda it: forged(
            it, "report.json", gate=json.loads(it["report.json"])["gate"] | {"verdict": "warn"}
        ),
    ),
    "another gate": ("E12", lambda it: of_basis(it, "gate", OTHER)),
    "another champion": ("E12", lambda it: of_basis(it, "champion", OTHER)),
    "other checks": ("E12", lambda it: of_basis(it, "checks", OTHER)),
    "a secret": (
        "E13",
        lambda it: forged(it, "report.json", differences=["ghp_" + "a" * 36], changed=["code"]),
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
@pytest.mark.hostile
def test_what_was_tampered_with_is_refused(
    sleepless: Night, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the job that trained made of what it leaves: one line, a code, nothing posted."""
    night = sleepless
    code, tamper = TAMPERED[how]
    night.leave(tamper(night.trained()))
    refs = dict(night.repository.record.refs)
    capfd.readouterr()

    done = night.propose(expect=1)

    assert done["code"] == code, done
    assert (night.told, dict(night.repository.record.refs)) == ([], refs)
    assert not night.outbox.exists()
    assert set(done) == {"code", "reason"}
    assert len(done["reason"].splitlines()) == 1


@pytest.mark.hostile
def test_a_name_that_a_merge_would_not_look_for_is_refused(sleepless: Night) -> None:
    """What is proposed lies where the merge looks for it, and nothing else takes its place."""
    night = sleepless
    night.leave(night.trained(), artifact_name("churn", OTHER, OTHER))

    assert night.propose(expect=1)["code"] == "E11"
    assert night.told == []


def test_what_has_expired_is_refused(sleepless: Night) -> None:
    """An artifact that GitHub keeps no longer is not what the run leaves."""
    night = sleepless
    night.leave(night.trained())
    night.repository.record.artifacts[0].created -= timedelta(days=400)

    assert night.propose(expect=1)["code"] == "E06"


@pytest.mark.hostile
def test_another_archive_than_is_listed_is_refused(sleepless: Night) -> None:
    """What comes is what GitHub lists, by its digest."""
    night = sleepless
    night.leave(night.trained())
    kept = night.repository.record.artifacts[0]
    good = kept.archive

    def exchange() -> None:
        kept.archive = good + b"\0" if kept.archive == good else good

    night.server.faults.add(exchange, path=r"/artifacts/\d+/zip")

    assert night.propose(expect=1)["code"] == "E07"
    assert night.told == []


@pytest.mark.parametrize(
    "changes",
    [
        {"record": "monitoring/churn/2024-03-07-009-00000000.json"},
        {"record": "monitoring/chum/2024-03-07-001-00000000.json"},
        {"record": "training/churn/"},
        {"record": "../main"},
        {"until": "2024-03-08"},
    ],
    ids=lambda it: " ".join(it.values()),
)
@pytest.mark.hostile
def test_a_look_that_never_was_is_refused(sleepless: Night, changes: dict[str, str]) -> None:
    """What is proposed is proposed for a look that is on record, and the rows it asked for."""
    night = sleepless
    night.leave(night.trained())

    done = night.propose(expect=1, **changes)

    assert (done["code"], night.told) == ("E01", [])


@pytest.mark.parametrize(
    ("path", "code"),
    [("README.md", "held"), ("model/pipeline.py", "E14"), ("ml-gitops.toml", "E14")],
)
def test_a_merge_meanwhile(night: Night, path: str, code: str) -> None:
    """Other code on the default branch asks for another training; another README does not."""
    night.leave(night.trained())
    old = (night.world.root / path).read_text() if path != "README.md" else ""
    changed = old.replace("churn", "chum") if path.endswith(".toml") else f"{old}\n# More.\n"
    tip = night.repository.push("main", {path: changed})

    done = night.propose(expect=0 if code == "held" else 1)

    assert done["code"] == code
    assert len(night.told) == (code == "held")
    if code == "held":
        pull = f"/pulls/{night.threads[0].number}"
        assert night.caller.read(pull)["base"]["sha"] == tip
        assert [it["filename"] for it in night.caller.read(f"{pull}/files")] == [LOCK_FILE]


def test_where_nothing_is_newer_nothing_is_proposed(night: Night) -> None:
    """That there was nothing new to train on is told, and is no failure."""
    lock = (night.world.root / LOCK_FILE).read_bytes()
    night.leave({LOCK_FILE: lock}, no_newer_rows("churn"))

    done = night.propose()

    assert "has locked every row that there is" in done["retraining"]["reason"]
    assert night.told == []


def test_a_training_that_fails_every_night_is_one_issue(night: Night) -> None:
    """What never comes is told once, with the run to look at; what comes at last ends it."""
    failed = night.propose()
    first = night.told
    body = night.threads[0].body or ""
    for _ in range(2):
        assert len(night.look()) == 1
        night.propose()
    again = night.told
    night.look()
    night.leave(night.trained())
    done = night.propose()

    assert failed["incident"] == {"issue": night.threads[0].number, "action": "open"}
    assert first == again == [("The retraining of churn fails", "open", 0)]
    assert f"/{night.repository.full_name}/actions/runs/" in body
    assert "the training that should answer it failed" in body
    assert done["retraining"]["action"] == "open"
    assert [(title, state) for title, state, _ in night.told] == [
        ("The retraining of churn fails", "closed"),
        ("Retrain churn on data until 2024-03-07", "open"),
    ]


def test_a_failure_that_a_person_closed_stays_closed(night: Night) -> None:
    """Who closes the issue knows of it: the same failure opens no second one."""
    night.propose()
    night.caller.patch(f"/issues/{night.threads[0].number}", state="closed")
    night.look()

    night.propose()

    assert night.told == [("The retraining of churn fails", "closed", 0)]


def test_a_failure_is_told_on_the_proposal_it_would_renew(night: Night) -> None:
    """Where a proposal is open, one comment there says that it could not be renewed."""
    night.leave(night.trained())
    night.propose()
    (title, state, notes) = night.told[0]
    body = night.threads[0].body or ""
    night.caller.patch(
        f"/issues/{night.threads[0].number}",
        body=body.replace("- [ ] Train again", "- [x] Train again"),
    )

    for _ in range(2):
        assert len(night.look()) == 1
        night.propose()

    assert night.told == [(title, state, notes + 1)]
    assert "failed" in night.threads[0].notes[-1].body


@pytest.mark.hostile
def test_nothing_of_it_is_run(night: Night) -> None:
    """The job that proposes never unpickles, starts no process and opens no code of the commit."""
    night.leave(night.trained())
    night.start()

    done = subprocess.run(
        guarded(WATCHED.format(words=night.words()), **alone(night.server, night.folder)),
        cwd=night.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"opened #{night.threads[0].number} Retrain churn" in done.stdout
    assert done.stderr.splitlines()[-1] == "heavy: []"


@pytest.mark.slow
@pytest.mark.parametrize("right", [it for it in WRITES if it != "metadata"])
def test_every_right_is_needed(night: Night, right: str) -> None:
    """Without one of its rights the job that proposes fails, and leaves nothing half told."""
    if right != "issues":
        night.leave(night.trained())
    night.start({name: value for name, value in WRITES.items() if name != right})

    assert main([*night.words(), "--json"]) == 2
    assert night.told == []


def shape(night: Night) -> dict[str, Any]:
    """Return all that people see of a repository, but its name and the run."""
    record = night.repository.record

    def same(text: str | None) -> str:
        # A link names both, the run of the first night even; so the digest of its text differs.
        told = re.sub(r'"content":"sha256:\w+"', "", text or "")
        return re.sub(r"/runs/\d+", "/runs/N", told.replace(night.repository.full_name, "R"))

    return {
        "threads": [
            (number, it.title, it.state, same(it.body), [same(note.body) for note in it.notes])
            for number, it in record.threads.items()
            if it in night.threads
        ],
        "branches": sorted(it for it in record.refs if it.startswith("refs/heads/")),
        "kept": sorted(path.name for path in night.outbox.glob("*")),
    }


@pytest.mark.slow
@pytest.mark.parametrize("end", ["trained", "failed"])
@pytest.mark.parametrize("rerun", ["the job", "the night"])
def test_whatever_change_it_dies_at(make_night: Callable[[], Night], rerun: str, end: str) -> None:
    """After a crash at any change the job, or the next night, ends with the one pull request."""

    def prepared() -> Night:
        night = make_night()
        if end == "trained":
            night.leave(night.trained())
        return night

    smooth = prepared()
    with wired(Fuse()) as fuse:
        smooth.propose()
    changes, wanted = list(fuse.made), shape(smooth)
    expected = ["open_pull_request", "store_artifact", "append", "comment"]
    assert changes == [*(expected if end == "trained" else ["open_issue"]), "update_issue"]
    for at in range(1, len(changes) + 1):
        for after in (False, True):
            night = prepared()
            with wired(Fuse(at, after)), pytest.raises(PowerCutError):
                night.propose()
            if rerun == "the night":
                shutil.rmtree(night.outbox, ignore_errors=True)
                if night.look() and end == "trained":
                    night.leave(night.trained())
            if night.wanted:
                night.propose()
            again = shape(night)
            if rerun == "the night" and not night.wanted:
                again["kept"] = wanted["kept"]  # The night before had kept and uploaded it.
            assert again == wanted, f"{'after' if after else 'before'} {changes[at - 1]}"
