"""The monitor as three jobs: one looks, one trains, one proposes."""

from datetime import timedelta
from pathlib import Path

from ml_gitops.data.lock import DataLock
from ml_gitops.model.run import RUN_FILES
from ml_gitops.monitoring.observation import Observation
from ml_gitops.names import LOCK_FILE
from ml_gitops.report import no_newer_rows
from tests.e2e.world import DECAYED, FIRST_LOCK, QUIET, World


def test_a_look_names_what_is_to_be_trained(decayed: World, place: Path) -> None:
    """It says from which commit, until which day and for which record, and opens nothing."""
    world = decayed.copy(place)

    seen = world.monitor(DECAYED, "--no-train")

    (wanted,) = seen["retrain"]
    (kept,) = [text for path, text in world.records() if path == wanted["record"]]
    observation = Observation.from_json(kept.encode(), where=wanted["record"])
    assert wanted == {
        "directory": ".",
        "model": "churn",
        "until": str(DECAYED - timedelta(days=world.config.monitor.label_delay_days)),
        "commit": world.clone.head(),
        "record": wanted["record"],
    }
    assert (observation.as_of, observation.retrain.want) == (DECAYED, "retrain")
    assert seen["incident"] == {"issue": None, "action": "keep"}
    assert (world.open(), world.fits()) == ([], decayed.fits())


def test_a_look_does_what_needs_no_training(proposed: World, worse: World, place: Path) -> None:
    """A proposal that is still right is kept, and one to go back is opened, in the first job."""
    again = proposed.copy(place / "again")
    kept = again.monitor(DECAYED, "--no-train")
    back = worse.copy(place / "back")

    opened = back.monitor(QUIET, "--no-train")

    assert (kept["retraining"]["action"], kept["retrain"]) == ("keep", [])
    assert again.refs() == proposed.refs()
    assert (opened["rollback"]["action"], opened["retrain"]) == ("open", [])
    assert [one.number for one in back.open()] == [opened["rollback"]["pull_request"]]


def test_a_training_until_a_day_leaves_what_another_job_proposes(
    decayed: World, proposed: World, place: Path
) -> None:
    """What it leaves is the very run that the monitor of one process proposes."""
    world = decayed.copy(place)
    world.wait_until(DECAYED)
    left = place / "left"

    world.run("train", "--until", str(DECAYED), "--leave", str(left))

    files = {path.name: path.read_bytes() for path in left.iterdir()}
    lock = DataLock.from_json(files[LOCK_FILE], where=LOCK_FILE)
    assert files.keys() == {*RUN_FILES, "run.json", "report.json"}
    assert lock.window.until == DECAYED
    assert files[LOCK_FILE] == proposed.forge.read(LOCK_FILE, ref=proposed.open()[0].branch)


def test_where_no_newer_rows_are_nothing_is_trained(released: World, place: Path) -> None:
    """A job that asks for rows until the day that is locked already gets the lock and no run."""
    world = released.copy(place)
    left = place / "left"

    done = world.run("train", "--until", str(FIRST_LOCK), "--leave", str(left))

    assert (done["verdict"], done["fitted"]) == (None, False)
    assert done["artifact"] == no_newer_rows("churn")
    assert [path.name for path in left.iterdir()] == [LOCK_FILE]
    assert (left / LOCK_FILE).read_bytes() == world.forge.read(LOCK_FILE, ref="main")
