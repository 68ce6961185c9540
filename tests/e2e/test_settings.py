"""Settings that change the shape of a loop: labels that take their time, one environment alone."""

from datetime import timedelta
from pathlib import Path

import pytest

from ml_gitops.data.lock import DataLock
from ml_gitops.names import CONFIG_FILE, LOCK_FILE
from tests.e2e.world import DECAYED, FIRST, FIRST_LOCK, LATER, QUIET, World


@pytest.mark.slow
def test_labels_that_take_a_week_are_given_a_week(decayed: World, place: Path) -> None:
    """Quality is judged, and trained on, up to the days whose labels had their time; drift is not.

    The last week has no labels at all: without the delay it could not be judged.
    """
    world = decayed.copy(place)
    delay = (LATER - DECAYED).days
    config = world.root / CONFIG_FILE
    patient = config.read_text().replace("label_delay_days = 0", f"label_delay_days = {delay}")
    config.write_text(patient)
    world.clone.commit_all("Wait a week for labels")
    world.clone.push("main")
    world.live(DECAYED, LATER, FIRST, labels=False)

    seen = world.monitor(LATER)

    (metric,) = seen["health"]["metrics"]
    assert [window["until"][:10] for window in metric["windows"]] == [
        str(DECAYED - timedelta(days=days)) for days in (14, 7, 0)
    ]
    assert all(window["usable"] for window in metric["windows"])
    assert seen["drift"][-1]["until"][:10] == str(LATER)
    assert seen["drift"][-1]["rows"] == 420
    (retraining,) = world.open()
    content = world.forge.read(LOCK_FILE, ref=retraining.branch) or b""
    assert DataLock.from_json(content, where=LOCK_FILE).window.until == DECAYED


@pytest.mark.slow
def test_one_environment_is_delivered_to_and_watched(place: Path) -> None:
    """What is merged serves at once: nothing is promoted, and the monitor finds it there."""
    world = World.make(place, delivery={"environments": ["production"]})
    world.run("data", "lock", "--until", str(FIRST_LOCK))
    number = world.propose("The first model")
    world.integrate(number)
    world.merge(number)

    done = world.deliver()
    before = world.refs()
    again = world.deliver()

    assert (done["release"]["tag"], done["promotion"]) == (FIRST, None)
    assert (again["is_new"], world.refs()) == (False, before)
    assert world.state("production").tag == FIRST
    assert {"churn@v1.0.0", "churn#production#1"} <= world.tags().keys()
    assert world.open() == []
    world.run("promote", "--to", "production", expect=2)

    world.live(FIRST_LOCK, QUIET, FIRST)
    seen = world.monitor(QUIET)

    assert (seen["release"], seen["calm"]) == (FIRST, True)
    assert [one["environment"] for one in world.run("status")["environments"]] == ["production"]
