"""One story through all loops: what was reviewed ships, what decays comes back, what fails goes."""

import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.cli.setting import NOW
from ml_gitops.data.lock import DataLock
from ml_gitops.delivery.release import BENTO_FILE, Release
from ml_gitops.errors import EXIT_TRY_AGAIN
from ml_gitops.model.run import Run
from ml_gitops.names import LOCK_FILE, MODEL_FILE
from ml_gitops.ports import Tag
from ml_gitops.report import TrainingRecord, artifact_name
from ml_gitops.workflows.cd import PROFILE_PATH
from ml_gitops.workflows.reporting import posted_report
from tests.builders import PARAMS
from tests.e2e.world import COUNTED_PIPELINE, DECAYED, FIRST, FIRST_LOCK, LATER, QUIET, World

GTO_VERSION = re.compile(r"[a-z][a-z0-9-/]*@v\d+\.\d+\.\d+")
GTO_ASSIGNMENT = re.compile(r"[a-z][a-z0-9-/]*#[a-z][a-z0-9-/]*#\d+")


def lock_of(world: World, branch: str) -> DataLock:
    """Return the data lock of a branch of the forge."""
    return DataLock.from_json(world.forge.read(LOCK_FILE, ref=branch) or b"", where=branch)


def changed_paths(world: World, number: int) -> list[str]:
    """Return the files that a pull request changes."""
    return re.findall(r"^diff --git a/(\S+)", world.forge.diff(number), re.MULTILINE)


def without_records(refs: dict[str, str]) -> dict[str, str]:
    """Return the refs of a forge but the record of what the monitor saw."""
    return {ref: tip for ref, tip in refs.items() if "records" not in ref}


class TestIntegrate:
    """A pull request is trained, judged and reported on."""

    def test_report_is_posted_once(self, reviewed: World, place: Path) -> None:
        """The same report is not posted twice, and nothing on the forge moves."""
        world = reviewed.copy(place)
        before = world.refs()

        again = world.run("report")

        assert (again["pull_request"], again["posted"]) == (1, False)
        assert world.refs() == before

    def test_a_training_is_recorded_once(self, reviewed: World) -> None:
        """What went in, what came out and what was said of it is kept on the record branch."""
        ((path, text),) = reviewed.records()
        record = TrainingRecord.from_json(text, where=path)

        assert path.startswith(f"training/churn/{FIRST_LOCK}-001-")
        assert (record.pull_request, record.verdict) == (1, "pass")
        assert record.run.lineage.run_key == record.run.run_key

    def test_report_follows_the_branch(self, pushed: World, place: Path) -> None:
        """A new push changes the one comment in place."""
        world = pushed.copy(place)
        (old,) = world.forge.pull_request(1).comments

        told = world.run("report")

        (new,) = world.forge.pull_request(1).comments
        assert told["posted"]
        assert new.number == old.number
        assert new.body != old.body
        assert told["run"]["run_key"].removeprefix("sha256:")[:12] in new.body

    def test_a_change_of_the_gate_is_named_first(self, released: World, place: Path) -> None:
        """A pull request that loosens the gate it is judged by says so before its metrics."""
        world = released.copy(place)
        config = (world.root / "ml-gitops.toml").read_text()
        loose = f"{config}\n[gate]\nmargin = 0.5\n"

        number = world.propose("Loosen the gate", {"ml-gitops.toml": loose})
        world.integrate(number)

        (comment,) = world.forge.pull_request(number).comments
        before_metrics = comment.body.partition("| metric |")[0]
        assert "This change alters the gate that judges it" in before_metrics
        assert "- margin none → 0.5" in before_metrics

    def test_a_broken_lock_of_the_base_stops_no_repair(self, trained: World, place: Path) -> None:
        """The pull request that repairs the default branch's lock can be trained."""
        world = trained.copy(place)
        world.forge.commit("main", {"data.lock.json": b"{"}, "Break the lock")

        report = world.run("train")

        assert report["verdict"] == "pass"

    def test_training_again_fits_nothing(self, reviewed: World, place: Path) -> None:
        """What is trained already is neither fitted nor judged again."""
        world = reviewed.copy(place)

        again = world.run("train")

        assert (again["fitted"], again["judged"]) == (False, False)
        assert world.fits() == reviewed.fits() == 1


class TestDeliver:
    """A merge ships what was reviewed."""

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    def test_what_was_reviewed_ships(self, reviewed: World, place: Path, method: str) -> None:
        """However it is merged, the reviewed files are found by key and nothing is fitted."""
        world = reviewed.copy(place)
        head = world.forge.pull_request(1).head
        kept = world.root / ".ml-gitops"
        kept.rename(world.root.parent / "gone")
        world.merge(1, method)

        done = world.deliver()

        merged, tags = world.forge.pull_request(1), world.tags()
        posted = posted_report(merged, "churn")
        assert posted is not None
        key, content = posted[1].fingerprint, posted[1].content
        artifact = world.forge.artifact(artifact_name("churn", key, content)) or {}
        assert not kept.exists()
        assert world.fits() == 1
        assert (done["is_new"], done["release"]["doubts"]) == (True, [])
        assert done["release"]["pull_request"] == 1
        assert merged.merge_commit != head
        assert tags == {FIRST: merged.merge_commit, "churn#staging#1": merged.merge_commit}
        for file in (MODEL_FILE, Run.file_name, "report.json"):
            assert world.forge.asset(FIRST, file) == artifact[file]
        assert world.state("staging").tag == FIRST
        assert world.forge.read(PROFILE_PATH, ref="main") == artifact["profile.json"]

    def test_releasing_again_changes_nothing(self, reviewed: World, place: Path) -> None:
        """A rerun of CD makes no release, no commit, no tag and no second pull request."""
        world = reviewed.copy(place)
        world.merge(1)
        done = world.deliver()
        before = world.refs()

        again = world.deliver()

        assert again["release"] == done["release"]
        assert not again["is_new"]
        assert world.refs() == before
        assert [one.number for one in world.open()] == [done["promotion"]["number"]]

    def test_a_crash_of_another_run_leaves_its_version(self, reviewed: World, place: Path) -> None:
        """A tag without a page that stands for another run is stepped over, never deleted."""
        world = reviewed.copy(place)
        world.merge(1)
        left = world.forge.create_tag(FIRST, world.clone.head(), "A release that crashed\n\nrun x")

        done = world.deliver()

        assert done["release"]["tag"] == "churn@v1.0.1"
        assert world.tags()[FIRST] == left.commit

    def test_a_faster_delivery_is_tried_again(
        self, reviewed: World, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who loses the race for a version ends with 75, and takes the next one when run again."""
        world = reviewed.copy(place)
        world.merge(1)
        create = LocalForge.create_tag

        def lose(forge: LocalForge, name: str, commit: str, message: str) -> Tag:
            create(forge, name, commit, "Somebody else's release\n\nrun x")
            return create(forge, name, commit, message)

        with monkeypatch.context() as patch:
            patch.setattr(LocalForge, "create_tag", lose)
            world.run("release", expect=EXIT_TRY_AGAIN)

        assert world.deliver()["release"]["tag"] == "churn@v1.0.1"

    def test_promotion_is_recorded(self, released: World) -> None:
        """A merged promotion is tagged, in GTO's grammar, on the commit of the version."""
        tags = released.tags()

        release = Release.from_json(
            released.forge.asset(FIRST, Release.file_name) or b"", where=FIRST
        )

        assert set(tags) == {FIRST, "churn#staging#1", "churn#production#1"}
        assert set(tags.values()) == {release.commit}
        for name in tags:
            assert GTO_VERSION.fullmatch(name) or GTO_ASSIGNMENT.fullmatch(name)
        state = released.state("production")
        assert (state.tag, state.version) == (FIRST, "v1.0.0")
        assert state.bento_digest == release.files[BENTO_FILE]
        assert released.open() == []

    @pytest.mark.parametrize(
        ("change", "version", "differs"),
        [
            ("data", "v1.0.1", {"data": f"rows of 2024-01-01..{FIRST_LOCK} → "}),
            pytest.param(
                "code", "v1.1.0", {"code": "model/pipeline.py changed"}, marks=pytest.mark.slow
            ),
            pytest.param(
                "signature",
                "v2.0.0",
                {"code": "model/pipeline.py changed", "contract": "features.wear is gone"},
                marks=pytest.mark.slow,
            ),
        ],
    )
    def test_versions_follow_the_change(
        self, released: World, place: Path, change: str, version: str, differs: dict[str, str]
    ) -> None:
        """New data are a patch, new code a minor version, another form of requests a major one."""
        world = released.copy(place)
        files: dict[str, str | None] = {}
        if change == "data":
            world.run("data", "lock", "--until", str(QUIET))
        if change == "code":
            files["model/pipeline.py"] = f"# Another way to say the same.\n{COUNTED_PIPELINE}"
        if change == "signature":
            config = (world.root / "ml-gitops.toml").read_text()
            files["ml-gitops.toml"] = re.sub(r"\[features\.wear\][^[]*", "", config)
            files["model/pipeline.py"] = COUNTED_PIPELINE.replace('"load", "wear"', '"load"')
        number = world.propose(f"Change the {change}", files)
        world.integrate(number)
        world.merge(number, "squash")

        done = world.deliver()

        assert done["release"]["version"] == version
        assert done["release"]["changed"] == [*differs]
        told = done["release"]["differences"]
        for one, (name, said) in zip(told, differs.items(), strict=True):
            assert one.startswith(f"{name}: ")
            assert said in one
        assert world.fits() == 2
        assert world.state("staging").version == version
        assert world.state("production").version == "v1.0.0"


class TestMonitor:
    """A schedule looks at production, and only evidence makes it act."""

    def test_quiet_weeks_stay_quiet(self, decayed: World, place: Path) -> None:
        """While the release keeps its promise, a look leaves its record alone."""
        world = decayed.copy(place)
        world.monitor(QUIET - timedelta(days=1))
        before = world.refs()

        seen = world.monitor(QUIET)

        assert (seen["want"], seen["calm"]) == ("nothing", True)
        assert seen["health"]["verdict"] == "healthy"
        assert set(world.refs().items()) - set(before.items()) == {
            ("refs/heads/ml-gitops-records", world.refs()["refs/heads/ml-gitops-records"])
        }
        assert world.fits() == 1

    def test_a_log_that_stopped_is_no_calm(self, released: World, place: Path) -> None:
        """Nobody who asks for nothing is harmed, and yet a person must look why nobody asks."""
        world = released.copy(place)
        world.live(FIRST_LOCK, QUIET, FIRST)

        seen = world.monitor(QUIET + timedelta(days=7))

        (dashboard,) = world.dashboards()
        assert (seen["want"], seen["calm"]) == ("nothing", False)
        assert "## ▲ `churn`: look at it" in dashboard.body
        assert f"no request since {QUIET}" in dashboard.body

    def test_decay_opens_one_retraining(self, proposed: World, decayed: World) -> None:
        """Decay opens one pull request of the lock alone, its candidate trained and judged."""
        (retraining,) = proposed.open()

        lock = lock_of(proposed, retraining.branch)

        assert changed_paths(proposed, retraining.number) == [LOCK_FILE]
        assert lock.window.until == DECAYED
        assert lock.window.start == lock_of(proposed, "main").window.start
        assert retraining.author.bot
        assert not retraining.draft
        assert "gate-pass" in retraining.labels
        assert proposed.fits() == decayed.fits() + 1
        assert len(retraining.comments) == 1
        for told in ("ROC AUC got worse in 3 of the last 3 windows", "Passes: ", "2024-02-29"):
            assert told in retraining.body

    def test_machines_read_the_outcome_without_our_words(self, proposed: World) -> None:
        """Proposal and report carry verdict, days and run key, hidden from readers."""
        (retraining,) = proposed.open()
        posted = posted_report(retraining, "churn")
        assert posted is not None
        assert retraining.marker is not None

        told, reported = retraining.marker.facts, posted[1].facts

        assert told is not None
        assert told == reported
        assert (told.verdict, told.window) == ("pass", f"2024-01-01..{DECAYED}")
        assert told.run_key == posted[1].fingerprint

    def test_a_dry_run_says_what_it_would_do(self, decayed: World, place: Path) -> None:
        """A dry run trains and writes nothing, and names the rows it would train on."""
        world = decayed.copy(place)
        before, fits = world.refs(), world.fits()

        seen = world.monitor(DECAYED, "--dry-run")

        assert (seen["dry_run"], seen["retraining"]["action"]) == (True, "train")
        assert seen["retraining"]["pull_request"] is None
        assert (world.refs(), world.fits()) == (before, fits)

    def test_watching_again_keeps_everything(self, proposed: World, place: Path) -> None:
        """The same look at the same windows fits nothing and moves no ref."""
        world = proposed.copy(place)
        before = world.refs()

        seen = world.monitor(DECAYED)

        assert seen["retraining"]["action"] == "keep"
        assert world.refs() == before
        assert world.fits() == proposed.fits()

    def test_rows_that_come_late_are_not_locked_as_none(self, decayed: World, place: Path) -> None:
        """A source that lags is locked as far as it goes, proposed once, and once merged, kept."""
        world = decayed.copy(place)
        data, until = world.root / "model/data.py", DECAYED - timedelta(days=2)
        capped = f"    end = min(end, date.fromisoformat({str(until)!r}))\n    days = ["
        data.write_text(data.read_text().replace("    days = [", capped))
        world.clone.commit_all("Let the source lag")
        world.clone.push("main")

        world.monitor(DECAYED)
        (retraining,) = world.open()
        before, fits = world.refs(), world.fits()
        again = world.monitor(DECAYED)

        assert lock_of(world, retraining.branch).window.until == until
        assert again["retraining"]["reason"] == "already proposed, nothing new"
        assert (world.refs(), world.fits()) == (before, fits)
        world.merge(retraining.number)
        merged = world.monitor(DECAYED)
        assert merged["retraining"]["reason"].startswith(f"main has locked the rows until {until}")
        assert (world.open(), world.fits()) == ([], fits)

    def test_ci_finds_what_the_monitor_trained(self, proposed: World, place: Path) -> None:
        """CI on the bot's branch finds the run by its key, and its report as it stands."""
        world = proposed.copy(place)
        (retraining,) = world.open()
        world.clone.fetch()
        world.clone.run("switch", "--quiet", retraining.branch)

        told = world.integrate(retraining.number)

        assert (told["fitted"], told["posted"]) == (False, False)
        assert world.fits() == proposed.fits()

    def test_later_evidence_updates_it(self, proposed: World, updated: World) -> None:
        """A later look advances the same pull request, and its one report with it."""
        (old,) = proposed.open()

        (new,) = updated.open()

        assert (new.number, new.branch) == (old.number, old.branch)
        assert lock_of(updated, new.branch).window.until == LATER
        assert changed_paths(updated, new.number) == [LOCK_FILE]
        assert str(LATER) in new.title
        assert len(new.comments) == 1
        assert new.comments[0].body != old.comments[0].body
        assert updated.fits() == proposed.fits() + 1

    def test_it_is_closed_when_it_is_over(self, proposed: World, place: Path) -> None:
        """When the labels turn out to be well the pull request goes, and may come back."""
        world = proposed.copy(place)
        (retraining,) = world.open()

        over = world.monitor(QUIET)
        closed = world.forge.pull_request(retraining.number)
        again = world.monitor(DECAYED)

        assert over["retraining"]["action"] == "close"
        assert (closed.state, closed.comments[-1].body[:11]) == ("closed", "It is over:")
        assert again["retraining"]["action"] == "open"
        assert world.fits() == proposed.fits()

    def test_a_refusal_is_kept(self, proposed: World, place: Path) -> None:
        """What a person closed does not come back on that evidence, nor costs a training."""
        world = proposed.copy(place)
        (retraining,) = world.open()
        world.run("pr", "close", str(retraining.number), "--reason", "We retire this model.")
        world.live(DECAYED, LATER, FIRST)

        first = world.monitor(DECAYED)
        (dashboard,) = world.dashboards()
        before = (world.forge.pull_requests(), without_records(world.refs()))
        again = world.monitor(LATER - timedelta(days=1))

        assert [it["retraining"]["action"] for it in (first, again)] == ["keep", "keep"]
        assert world.open() == []
        assert world.fits() == proposed.fits()
        assert (world.forge.pull_requests(), without_records(world.refs())) == before
        told = f"a retraining was refused in #{retraining.number}: it comes back on other evidence"
        assert told in dashboard.body
        assert "refused" in world.forge.pull_request(retraining.number).labels

    def test_a_person_on_the_branch_owns_it(self, proposed: World, place: Path) -> None:
        """A person's commit on the bot's branch is left alone, and nothing is trained for it."""
        world = proposed.copy(place)
        (retraining,) = world.open()
        world.clone.fetch()
        world.clone.run("switch", "--quiet", retraining.branch)
        (world.root / "params.toml").write_text(PARAMS.replace("1.0", "0.5"))
        head = world.clone.commit_all("Try more regularisation")
        world.clone.push(retraining.branch)
        world.clone.switch("main")
        world.live(DECAYED, LATER, FIRST)

        seen = world.monitor(LATER)

        (kept,) = world.open()
        assert seen["retraining"]["action"] == "tell"
        assert "a person" in seen["retraining"]["reason"]
        assert kept.head == head
        assert (kept.title, kept.body) == (retraining.title, retraining.body)
        assert world.fits() == proposed.fits()

    def test_merged_retraining_ships(self, proposed: World, place: Path) -> None:
        """A merged retraining is a patch release of the judged candidate, and calms the monitor."""
        world = proposed.copy(place)
        (retraining,) = world.open()
        world.merge(retraining.number, "squash")
        tag = world.release()
        world.live(DECAYED, LATER, tag)

        seen = world.monitor(LATER)

        assert tag == "churn@v1.0.1"
        assert world.fits() == proposed.fits()
        assert world.tags()["churn#production#2"] == world.tags()[tag]
        assert (seen["release"], seen["want"]) == (tag, "nothing")
        assert world.open() == []

    def test_nothing_is_proposed_twice_on_the_way(self, proposed: World, place: Path) -> None:
        """While a merged retraining is on its way to production, the monitor waits for it."""
        world = proposed.copy(place)
        (retraining,) = world.open()
        world.merge(retraining.number)
        unreleased = world.monitor(DECAYED)
        world.release(promote=False)
        world.live(DECAYED, LATER, FIRST)

        waiting = [world.monitor(day) for day in (DECAYED, LATER)]

        reasons = [seen["retraining"]["reason"] for seen in (unreleased, *waiting)]
        assert reasons[0] == reasons[1] == f"main has locked the rows until {DECAYED} already"
        assert reasons[2].startswith("churn@v1.0.1 learned from newer rows")
        assert [one.title for one in world.open()] == ["Promote churn@v1.0.1 to production"]
        assert world.fits() == proposed.fits()


class TestAnswered:
    """An issue is closed by what answers it, and by nothing else."""

    def test_a_harm_that_nobody_answers_keeps_its_issue(self, proposed: World, place: Path) -> None:
        """Where a person refused the retraining, the issue stays as long as the harm does."""
        world = proposed.copy(place)
        (retraining,) = world.open()
        world.run("pr", "close", str(retraining.number))
        live = world.root / "live" / "predictions"
        shutil.copytree(live, place.parent / "kept")
        world.forget("load")
        broken = world.monitor(DECAYED)
        shutil.copytree(place.parent / "kept", live, dirs_exist_ok=True)

        seen = world.monitor(DECAYED)

        (issue,) = world.incidents()
        assert broken["incident"]["action"] == "open"
        assert (seen["want"], seen["retraining"]["action"]) == ("retrain", "keep")
        assert (seen["incident"]["action"], issue.state) == ("keep", "open")


class TestIncident:
    """What only a person can judge becomes one issue."""

    def test_broken_data_are_told_and_not_learned(self, decayed: World, place: Path) -> None:
        """A feature that went missing opens one issue and pauses retraining, however bad it is."""
        world = decayed.copy(place)
        world.forget("load")

        first = world.monitor(DECAYED)
        before = world.refs()
        again = world.monitor(DECAYED)

        (issue,) = world.incidents()
        assert (first["want"], first["incident"]["action"]) == ("incident", "open")
        assert "load has no value in any of 420 rows" in issue.body
        assert (again["incident"]["action"], world.refs()) == ("keep", before)
        assert world.open() == []
        assert world.fits() == decayed.fits()


class TestRollBack:
    """A release that is provably worse than the one before goes, by pull request."""

    def test_monitor_proposes_to_go_back(self, rolled_back: World) -> None:
        """Labelled rows that the release before answers better open a rollback, of state alone."""
        (rollback,) = rolled_back.open()

        assert rollback.title == f"Roll production back to {FIRST}"
        assert changed_paths(rolled_back, rollback.number) == ["deployments/production.json"]
        assert f"{FIRST} is better" in rollback.body.replace("\u200b", "")

    def test_watching_again_keeps_it(self, rolled_back: World, place: Path) -> None:
        """The same evidence proposes nothing new."""
        world = rolled_back.copy(place)
        before = world.refs()

        seen = world.monitor(QUIET)

        assert seen["rollback"]["action"] == "keep"
        assert world.refs() == before

    def test_a_refusal_is_kept(self, rolled_back: World, place: Path) -> None:
        """A rollback that a person closed does not come back by itself; a person can ask."""
        world = rolled_back.copy(place)
        (rollback,) = world.open()
        world.run("pr", "close", str(rollback.number))

        seen = world.monitor(QUIET)
        kept = world.open()
        asked = world.run("rollback", "--environment", "production", "--to", FIRST)

        assert (seen["rollback"]["action"], kept) == ("keep", [])
        assert asked["action"] == "open"
        assert asked["pull_request"]["title"] == rollback.title
        (again,) = world.open()
        assert again.body.split("\n\n")[1].startswith(
            f"**`{FIRST}` was better on the same rows: ROC AUC "
        ), again.body

    def test_it_goes_when_another_release_serves(self, rolled_back: World, place: Path) -> None:
        """A proposal to leave a release that serves no more is closed, and says so."""
        world = rolled_back.copy(place)
        (rollback,) = world.open()
        asked = world.run("rollback", "--environment", "production")
        world.clone.switch("hotfix", create=True)
        state = world.forge.read("deployments/production.json", ref=rollback.branch) or b""
        (world.root / "deployments/production.json").write_bytes(state)
        world.clone.commit_all("Serve the first release again")
        by_hand = world.run("pr", "open")
        world.merge(by_hand["number"])
        world.deliver()

        seen = world.monitor(QUIET)

        assert asked["action"] == "update"
        assert seen["rollback"]["action"] == "close"
        assert "serves no more" in seen["rollback"]["reason"]
        assert world.open() == []

    def test_merged_rollback_is_recorded(self, rolled_back: World, place: Path) -> None:
        """After the merge production names the old digests, and CD does not bring back the new."""
        world = rolled_back.copy(place)
        (rollback,) = world.open()
        first = Release.from_json(world.forge.asset(FIRST, Release.file_name) or b"", where=FIRST)
        fits = world.fits()
        world.merge(rollback.number)

        done = world.deliver()

        state, tags = world.state("production"), world.tags()
        assert (state.tag, state.model_digest) == (FIRST, first.model_digest)
        assert state.bento_digest == first.files[BENTO_FILE]
        assert done["assigned"] == ["churn#production#3"]
        assert tags["churn#production#3"] == tags[FIRST]
        assert (done["is_new"], done["promotion"]) == (False, None)
        assert world.state("staging").tag == "churn@v1.1.0"
        assert world.open() == []
        assert world.fits() == fits

    def test_what_was_rolled_back_in_staging_stays_back(
        self, rolled_back: World, place: Path
    ) -> None:
        """CD stages a release once; an environment that went back from it stays where it is."""
        world = rolled_back.copy(place)
        asked = world.run("rollback", "--environment", "staging")
        world.merge(asked["pull_request"]["number"])

        done = world.deliver()
        again = world.deliver()

        assert world.state("staging").tag == FIRST
        assert done["assigned"] == ["churn#staging#3"]
        assert again["assigned"] == []

    def test_a_person_can_promote_it_again(self, rolled_back: World, place: Path) -> None:
        """What was rolled back from comes forward again when a person asks, and only then."""
        world = rolled_back.copy(place)
        (rollback,) = world.open()
        world.merge(rollback.number)
        world.deliver()
        calm = world.monitor(QUIET)

        asked = world.run("promote", "--to", "production")

        assert calm["rollback"]["wanted"] is False
        assert asked["action"] == "open"
        world.merge(asked["pull_request"]["number"])
        assert world.deliver()["assigned"] == ["churn#production#4"]
        assert world.state("production").tag == "churn@v1.1.0"


def test_service_and_monitor_understand_each_other(released: World, place: Path) -> None:
    """What the service of a release really logs is what the monitor reads."""
    world = released.copy(place)
    rows = [
        {
            "id": f"visitor-{n}",
            "time": f"2024-02-0{1 + n % 7}T10:00:00Z",
            "features": {"load": n - 4.5, "wear": None if n == 3 else 0.5, "plan": "pro"},
        }
        for n in range(10)
    ]
    told, answers = _served(world, rows)
    (log,) = (world.root / "live/predictions").glob("*.jsonl")

    seen = world.monitor(FIRST_LOCK + timedelta(days=7))

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert told == FIRST
    assert [line["score"] for line in lines] == [answer["score"] for answer in answers]
    assert {line["release"] for line in lines} == {FIRST}
    assert {line["digest"] for line in lines} == {world.state("production").model_digest}
    assert seen["drift"][-1]["rows"] == len(rows)
    assert set(seen["left_out"].values()) == {0}


def _served(world: World, rows: list[dict[str, object]]) -> tuple[str, list[dict[str, float]]]:
    """Serve production, ask for rows over HTTP, stop; return what served and its answers."""
    words = ["serve", "--environment", "production", "--replay", "--port", "0", "--json"]
    log = str(world.root / "live" / "predictions")
    command = [sys.executable, "-m", "ml_gitops", *words, "--log", log, "-C", str(world.root)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(world.root.parent), NOW: str(world.now)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as service:
        lines: list[str] = []
        for line in service.stdout or ():
            lines.append(line)
            if line.rstrip() == "}":
                break
        try:
            told = json.loads("".join(lines))
            connection = HTTPConnection(told["address"].removeprefix("http://"), timeout=30)
            kind = {"content-type": "application/json"}
            connection.request("POST", "/predict_batch", json.dumps({"requests": rows}), kind)
            answers = json.load(connection.getresponse())["answers"]
        finally:
            service.terminate()
            service.wait(timeout=60)
    return told["release"], answers
