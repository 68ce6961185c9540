"""A review covers what ships, or the release says that none does; no verdict is taken on trust."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.delivery.deployment import state_path
from ml_gitops.document import sha256
from ml_gitops.pull_request import Marker, signed_text
from ml_gitops.report import Report, artifact_name, files_digest
from ml_gitops.workflows.reporting import posted_report
from ml_gitops.workflows.review import NOBODY
from tests.builders import CHECKS, PERSON, appended
from tests.e2e.world import BLIND_PIPELINE, FIRST, World

CHECK = "checks/test_behaviour.py"
LOOSE = "\n[gate]\nmargin = 0.5\n"


def slow(*values: str) -> list[Any]:
    """Return values that only CI tries: each trains, and one of a kind is tried by everybody."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was said on stderr, without what Git says of its branches."""
    return capsys.readouterr().err


def push(world: World, changes: dict[str, str | None]) -> None:
    """Let a person change the default branch without a pull request."""
    texts = {path: text.encode() if text else None for path, text in changes.items()}
    forge = type(world.forge)(world.forge_path, actor=PERSON, clock=world.clock)
    forge.commit("main", texts, "Change the rules")


def only_run(world: World) -> Path:
    """Return the folder of the newest run of the cache."""
    runs = (world.root / ".ml-gitops" / "runs").glob("churn-*")
    return max(runs, key=lambda folder: folder.stat().st_mtime_ns)


class TestRelease:
    """What is merged is released as it was reviewed, or not as reviewed."""

    def test_what_nobody_reviewed_is_not_released(
        self, trained: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A merge without a report ships nothing; who insists is held to have insisted."""
        world = trained.copy(place)
        world.merge(1)
        before = world.refs()

        world.run("release", expect=2)
        refused, after = said(capsys), world.refs()
        done = world.run("release", "--train")

        assert "no merged pull request carries a report of run " in refused
        assert "report --pull-request N" in refused
        assert after == before
        assert done["release"]["doubts"] == [NOBODY]
        promotion = world.forge.pull_request(done["promotion"]["number"])
        assert promotion.body.startswith("**▲ No review covers this release:**\n- nobody reviewed")
        assert "unreviewed" in promotion.labels
        assert world.forge.releases()[0].notes.startswith("**▲ No review covers this release:**")

    def test_a_report_that_was_not_merged_covers_nothing(
        self, reviewed: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A reviewed change that came to the default branch by another way was not reviewed."""
        world = reviewed.copy(place)
        files = {
            path: (world.root / path).read_text() for path in ("data.lock.json", "params.toml")
        }
        push(world, files)
        world.clone.switch("main")
        world.clone.pull()

        world.run("release", expect=2)

        assert "no merged pull request carries a report of run " in said(capsys)

    def test_a_report_of_an_equal_run_elsewhere_changes_nothing(
        self, reviewed: World, place: Path
    ) -> None:
        """Who reports on another pull request with an equal key neither blocks nor replaces it."""
        world = reviewed.copy(place)
        name, files = kept_artifact(world)
        report = json.loads(files["report.json"]) | {"differences": ["nothing to see here"]}
        other = files | {"report.json": json.dumps(report).encode()}
        world.clone.switch("main")
        number = world.propose("Nothing", {"notes.txt": "Nothing.\n"})
        post(world, number, other)

        world.merge(1)
        done = world.deliver()

        assert world.forge.artifact(name) == files
        assert (done["release"]["pull_request"], done["release"]["doubts"]) == (1, [])
        assert done["release"]["files"]["report.json"] == sha256(files["report.json"])

    @pytest.mark.parametrize("what", ["checks", "gate"])
    def test_other_rules_than_those_of_the_review_are_named(
        self, reviewed: World, place: Path, what: str
    ) -> None:
        """A report that was made by another gate, or by other checks, covers nothing."""
        world = reviewed.copy(place)
        config = (world.root / "ml-gitops.toml").read_text()
        changes = {"checks": {CHECK: None}, "gate": {"ml-gitops.toml": config + LOOSE}}
        push(world, dict[str, str | None](changes[what]))
        world.merge(1)

        done = world.deliver()

        assert done["release"]["doubts"] == [
            f"it was judged by another {what} than stand now that it is merged"
        ]
        assert "unreviewed" in world.forge.pull_request(done["promotion"]["number"]).labels

    def test_another_champion_than_that_of_the_review_is_named(
        self, released: World, place: Path
    ) -> None:
        """A candidate that beat a champion of yesterday was not compared with today's."""
        world = released.copy(place)
        number = world.propose("Regularise more", {"params.toml": "C = 0.5\nmax_iter = 200\n"})
        world.integrate(number)
        push(world, {"deployments/production.json": None})
        world.merge(number)

        done = world.deliver()

        assert done["release"]["doubts"] == [
            "it was judged by another champion than stand now that it is merged"
        ]

    @pytest.mark.parametrize("what", [*slow("report", "model", "run"), "comment"])
    def test_what_was_exchanged_after_the_review_ships_nothing(
        self, reviewed: World, place: Path, capsys: pytest.CaptureFixture[str], what: str
    ) -> None:
        """The report on the pull request speaks of its files by digest; others are not released."""
        world = reviewed.copy(place)
        name, files = kept_artifact(world)
        report, run = (json.loads(files[file]) for file in ("report.json", "run.json"))
        if what == "report":
            report["checks"]["outcomes"] = []
        if what == "model":
            files["signature.json"] = files["signature.json"].replace(b'"wear"', b'"worn"')
            run["files"]["signature.json"] = sha256(files["signature.json"])
        if what == "run":
            run["files"].pop("profile.json")
        if what == "comment":
            world.run("pr", "comment", "1", world.forge.pull_request(1).comments[0].body)
            world.forge.edit_comment(1, 1, "Nothing.")
        files |= {"report.json": json.dumps(report).encode(), "run.json": json.dumps(run).encode()}
        world.forge.store_artifact(name, files)
        world.merge(1)
        before = world.refs()

        world.run("release", expect=2)
        refused, after = said(capsys), world.refs()
        insisted = world.run("release", "--train")

        assert "error: " in refused
        assert "it is not what the report on #1 speaks of" in refused or what == "comment"
        assert after == before
        assert insisted["release"]["doubts"] == [NOBODY]

    @pytest.mark.parametrize(
        ("forge", "refusal"),
        [
            (lambda it: it["gate"].update(verdict="warn"), "says 'warn', and its numbers say"),
            (lambda it: it.update(model_bytes=1), "speaks of another model"),
            (lambda it: it.update(train_rows=10**6), "speaks of another split"),
            (lambda it: it["parity"].update(rows=1), "speaks of another parity"),
            (
                lambda it: it["comparison"]["candidate"]["metrics"]["roc_auc"].update(value=0.99),
                "speaks of another evaluation",
            ),
            (
                lambda it: it["comparison"]["candidate"]["metrics"].update(
                    magic=it["comparison"]["candidate"]["metrics"]["roc_auc"]
                ),
                "is not a metric",
            ),
            (lambda it: it["comparison"].update(primary="magic"), "is not a metric"),
            (lambda it: it["gate"].update(metric="magic"), "is not a metric"),
        ],
        ids=range(8),
    )
    def test_a_report_that_does_not_follow_from_its_run_ships_nothing(
        self,
        reviewed: World,
        place: Path,
        capsys: pytest.CaptureFixture[str],
        forge: Callable[[dict[str, Any]], None],
        refusal: str,
    ) -> None:
        """Whatever a forged report says otherwise than the run's own files, nothing is released."""
        world = reviewed.copy(place)
        _, files = kept_artifact(world)
        report = json.loads(files["report.json"])
        forge(report)
        post(world, 1, {**files, "report.json": json.dumps(report).encode()})
        world.merge(1)
        before = world.refs()

        world.run("release", expect=2)

        assert refusal in said(capsys)
        assert world.refs() == before


def hide(world: World, how: str) -> str:
    """Change what decides, tell Git to overlook it, and return the file's path."""
    path = {"excluded": "model/extra.py", "check": "checks/test_extra.py"}.get(how, "params.toml")
    file = world.root / path
    if how in ("excluded", "check"):
        (world.root / ".git" / "info" / "exclude").write_text(f"{path}\n")
        file.write_text("def test_extra():\n    pass\n")
        return path
    if how == "gone":
        path = "model/pipeline.py"
        (world.root / path).unlink()
    else:
        file.write_text("C = 9.0\nmax_iter = 300\n")
    flag = "--assume-unchanged" if how == "assumed" else "--skip-worktree"
    world.clone.run("update-index", flag, path)
    return path


class TestOverlooked:
    """What Git is told to overlook is neither reported on nor released."""

    @pytest.mark.parametrize("how", ["skipped", "assumed", "excluded", "check", "gone"])
    def test_what_git_does_not_look_at_ships_nothing(
        self, reviewed: World, place: Path, capsys: pytest.CaptureFixture[str], how: str
    ) -> None:
        """A clean `git status` is no proof: every file that decides is held to its blob."""
        world = reviewed.copy(place)
        world.merge(1)
        path = hide(world, how)
        before = world.refs()

        assert world.clone.dirty_paths() == []
        world.run("release", "--train", expect=2)

        assert f"the commit has it otherwise: {path}" in said(capsys)
        assert world.refs() == before

    def test_what_git_does_not_look_at_is_not_reported_on(
        self, trained: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A pull request gets no report of files that it does not hold."""
        world = trained.copy(place)
        path = hide(world, "skipped")
        world.run("train")

        world.run("report", "--pull-request", "1", expect=2)

        assert f"the commit has it otherwise: {path}" in said(capsys)
        assert world.forge.pull_request(1).comments == ()

    def test_what_is_kept_no_longer_is_said(
        self, reviewed: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A report whose files are gone was posted all the same: the way out is another one."""
        world = reviewed.copy(place)
        report = world.forge.pull_request(1).comments[0]
        posted = posted_report(world.forge.pull_request(1), "churn")
        assert posted is not None
        gone = posted[1].model_copy(update={"content": sha256(b"gone")})
        world.forge.edit_comment(1, report.number, signed_text("Passes.", gone))
        world.merge(1)

        world.run("release", expect=2)

        assert "#1 was merged with a report, and the files it speaks of are kept no" in said(capsys)


class TestTag:
    """A tag decides only what a crash of ours left; who may push can write any."""

    @pytest.mark.parametrize("where", ["old", "branch"])
    def test_a_tag_that_was_pushed_early_is_stepped_over(
        self, reviewed: World, place: Path, where: str
    ) -> None:
        """Who knows the key of a run ahead of its release cannot choose the commit of it."""
        world = reviewed.copy(place)
        key = json.loads((only_run(world) / "run.json").read_text())["run_key"]
        head, tip = world.forge.pull_request(1).head, world.forge.head("main") or ""
        commit = {"branch": head, "old": tip}[where]
        world.forge.create_tag(FIRST, commit, f"{FIRST}\n\nPasses.\n\nrun {key}")
        world.merge(1, "squash")

        done = world.deliver()

        assert world.tags()[FIRST] == commit
        assert done["release"]["tag"] == "churn@v1.0.1"
        assert done["release"]["commit"] == world.forge.pull_request(1).merge_commit


class TestRecord:
    """What the default branch declares is recorded as it was released, or not at all."""

    def test_a_tag_that_was_moved_is_named(
        self, reviewed: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A release whose tag names another commit now is not assigned to any environment."""
        world = reviewed.copy(place)
        world.merge(1)
        done = world.deliver()
        tag, tip = done["release"]["tag"], world.clone.head()
        forge = GitRepository(world.forge_path, clock=world.clock, actor=PERSON)
        forge.run("tag", "--force", "-a", "-m", tag, tag, tip, variables=forge.signed())
        world.clone.run("tag", "--delete", tag)  # the clone's own, which Git would hold on to
        world.merge(done["promotion"]["number"])
        before = world.tags()

        world.run("release", expect=2)

        assert f"the tag {tag} was moved: it names {tip[:12]}, and " in said(capsys)
        assert world.tags() == before

    def test_a_state_with_other_digests_is_named(
        self, released: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Who changes what an environment serves by hand cannot pass it off as a release."""
        world = released.copy(place)
        state = world.state("production").model_copy(update={"bento_digest": sha256(b"mine")})
        push(world, {state_path("production"): state.to_json()})
        world.clone.pull()

        world.run("release", expect=2)

        assert "it names other files than churn@v1.0.0 was released with" in said(capsys)


def kept_artifact(world: World) -> tuple[str, dict[str, bytes]]:
    """Return name and files of the run that was reviewed."""
    posted = posted_report(world.forge.pull_request(1), "churn")
    assert posted is not None
    name = artifact_name("churn", posted[1].fingerprint, posted[1].content)
    return name, world.forge.artifact(name) or {}


def post(world: World, number: int, files: dict[str, bytes]) -> None:
    """Keep files, and let the bot's report on a pull request speak of them."""
    key, content = json.loads(files["run.json"])["run_key"], files_digest(files)
    world.forge.store_artifact(artifact_name("churn", key, content), files)
    marker = Marker(kind="report", model="churn", fingerprint=key, content=content)
    posted = posted_report(world.forge.pull_request(number), "churn")
    if posted is None:
        world.forge.comment(number, signed_text("Passes.", marker))
    else:
        world.forge.edit_comment(number, posted[0].number, signed_text("Passes.", marker))


class TestReport:
    """What lies in the cache is held to what follows from it."""

    def test_a_forged_verdict_is_neither_reported_nor_kept(
        self, released: World, place: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A blocked candidate stays blocked, whatever somebody writes into its report."""
        world = released.copy(place)
        number = world.propose("Look at wear only", {"model/pipeline.py": BLIND_PIPELINE})
        world.run("train", expect=1)
        kept = only_run(world) / Report.file_name
        forged = json.loads(kept.read_text())
        forged["gate"].update(verdict="pass")
        kept.write_text(json.dumps(forged))

        world.run("report", "--pull-request", str(number), expect=2)
        refused = said(capsys)
        again = world.run("train", expect=1)

        assert "the report says 'pass', and its numbers say 'block'" in refused
        assert world.forge.pull_request(number).comments == ()
        assert (again["fitted"], again["judged"], again["verdict"]) == (False, True, "block")

    @pytest.mark.parametrize("text", ["{}", *slow("", "[" * 100_000, "\x00")])
    def test_a_broken_report_is_made_again(
        self, trained: World, place: Path, capsys: pytest.CaptureFixture[str], text: str
    ) -> None:
        """What cannot be read is named by `report`, and cured by `train`."""
        world = trained.copy(place)
        (only_run(world) / Report.file_name).write_text(text)

        world.run("report", expect=2)
        refused = said(capsys)
        again = world.run("train")

        assert "report.json: this is not a Report" in refused
        assert (again["fitted"], again["judged"]) == (False, True)

    @pytest.mark.parametrize(
        "changes",
        [
            {CHECK: CHECKS.replace("assert ", "assert not not ")},
            {"pytest.ini": "[pytest]\naddopts = -x\n"},
        ],
    )
    def test_checks_that_changed_are_not_reported_as_passed(
        self,
        trained: World,
        place: Path,
        capsys: pytest.CaptureFixture[str],
        changes: dict[str, str],
    ) -> None:
        """Who edits a check after the training is told to run it."""
        world = trained.copy(place)
        for path, text in changes.items():
            (world.root / path).write_text(text)
        world.clone.commit_all("Check otherwise")
        world.clone.push("the-first-model")

        world.run("report", expect=2)

        assert "checks or base branch are not what this was judged by; run `ml-gitops train`" in (
            said(capsys)
        )

    def test_checks_that_a_change_weakens_are_named_before_its_metrics(
        self, released: World, place: Path
    ) -> None:
        """A test that is gone, one that changed, and one that does not run are in the report."""
        world = released.copy(place)
        more = appended(CHECKS, "def test_more(holdout):\n    assert len(holdout)\n")
        push(world, {CHECK: more, "checks/test_old.py": "def test_gone(): pass\n"})
        world.clone.pull()
        weak = more.replace("assert len(holdout)", "assert True")
        weak = appended(weak, "def test_asleep():\n    assert False\n")
        (world.root / "checks" / "test_old.py").unlink()
        hide = "def pytest_collection_modifyitems(items):\n"
        hide += "    items[:] = [item for item in items if item.name != 'test_asleep']\n"
        number = world.propose(
            "Weaken the checks",
            {
                CHECK: weak,
                "checks/conftest.py": hide,
                "params.toml": "C = 0.5\nmax_iter = 200\n",
            },
        )

        world.integrate(number)

        (comment,) = world.forge.pull_request(number).comments
        before_metrics = comment.body.partition("| metric |")[0].replace("\\", "")
        for line in (
            "checks/test_old.py::test_gone is gone",
            f"{CHECK}::test_more changed",
            "checks/conftest.py is new",
        ):
            assert line in before_metrics.replace("\u200b", "")
        assert "2 passed, 1 skipped" in comment.body
        assert "it is defined and did not run" in comment.body
