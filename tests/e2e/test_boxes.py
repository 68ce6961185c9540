"""People tell the bot what to do by ticking a box, and what they review does not change daily."""

from datetime import timedelta
from pathlib import Path

from ml_gitops.data.lock import DataLock
from ml_gitops.names import LOCK_FILE
from ml_gitops.pull_request import ticked
from tests.builders import PARAMS
from tests.e2e.world import DECAYED, FIRST, LATER, World

NEXT_DAY = DECAYED + timedelta(days=1)


def with_a_day_more(proposed: World, place: Path) -> tuple[World, int]:
    """Return a world with an open retraining and one more day of decay, and its number."""
    world = proposed.copy(place)
    (retraining,) = world.open()
    world.live(DECAYED, NEXT_DAY, FIRST)
    return world, retraining.number


def locked(world: World, number: int) -> DataLock:
    """Return the lock that a pull request proposes."""
    branch = world.forge.pull_request(number).branch
    return DataLock.from_json(world.forge.read(LOCK_FILE, ref=branch) or b"", where=LOCK_FILE)


def test_an_open_proposal_holds_still(proposed: World, place: Path) -> None:
    """A day more of the same is no reason to exchange what somebody reviews."""
    world, number = with_a_day_more(proposed, place)

    seen = world.monitor(NEXT_DAY)

    assert seen["retraining"]["action"] == "keep"
    assert locked(world, number).window.until == DECAYED
    assert world.fits() == proposed.fits()


def test_a_box_trains_on_the_newest_rows(proposed: World, place: Path) -> None:
    """Who ticks `train` gets the newest rows at the next look, and an empty box."""
    world, number = with_a_day_more(proposed, place)
    world.run("pr", "tick", str(number), "train")

    seen = world.monitor(NEXT_DAY)

    (retraining,) = world.open()
    assert seen["retraining"]["action"] == "update"
    assert locked(world, number).window.until == NEXT_DAY
    assert ticked(retraining) == set()
    assert world.fits() == proposed.fits() + 1
    assert world.monitor(NEXT_DAY)["retraining"]["action"] == "keep"


def test_a_box_renews_the_evidence(proposed: World, place: Path) -> None:
    """Who ticks `refresh` gets today's numbers beside the same rows, and nothing is fitted."""
    world, number = with_a_day_more(proposed, place)
    world.run("pr", "tick", str(number), "refresh")

    seen = world.monitor(NEXT_DAY)

    (retraining,) = world.open()
    assert seen["retraining"]["action"] == "update"
    assert locked(world, number).window.until == DECAYED
    assert ticked(retraining) == set()
    assert world.fits() == proposed.fits()


def test_a_box_makes_the_bot_silent(proposed: World, place: Path) -> None:
    """Who ticks `snooze` sees the proposal closed with the day it may come back, and no other."""
    world = proposed.copy(place)
    (retraining,) = world.open()
    world.live(DECAYED, LATER, FIRST)
    world.run("pr", "tick", str(retraining.number), "snooze")

    first = world.monitor(DECAYED)
    later = world.monitor(LATER)

    closed = world.forge.pull_request(retraining.number)
    assert (first["retraining"]["action"], closed.state) == ("close", "closed")
    assert str(DECAYED + timedelta(days=30)) in closed.comments[-1].body
    assert later["retraining"]["reason"] == f"#{closed.number} was snoozed by a person"
    assert world.open() == []


def test_the_bot_goes_on_elsewhere_when_it_is_asked_back(proposed: World, place: Path) -> None:
    """What a person committed stays on its branch; the bot says so once, and starts anew."""
    world = proposed.copy(place)
    (retraining,) = world.open()
    world.clone.fetch()
    world.clone.run("switch", "--quiet", retraining.branch)
    (world.root / "params.toml").write_text(PARAMS.replace("1.0", "0.5"))
    head = world.clone.commit_all("Try more regularisation")
    world.clone.push(retraining.branch)
    world.clone.switch("main")

    told = world.monitor(DECAYED)
    kept = world.monitor(DECAYED)
    world.run("pr", "tick", str(retraining.number), "resume")
    closed = world.monitor(DECAYED)
    opened = world.monitor(DECAYED)

    actions = [it["retraining"]["action"] for it in (told, kept, closed, opened)]
    (again,) = world.open()
    assert actions == ["tell", "keep", "close", "open"]
    assert again.branch == f"{retraining.branch}-2"
    assert world.forge.head(retraining.branch) == head


def test_the_monitor_trains_no_more_often_than_its_budget(proposed: World, place: Path) -> None:
    """A spent budget is said, and a person's box does not count against it."""
    world = proposed.copy(place)
    config = (world.root / "ml-gitops.toml").read_text()
    (world.root / "ml-gitops.toml").write_text(config.replace("[retrain]", "[retrain]\nbudget = 1"))
    world.clone.commit_all("Train once a month")
    world.clone.push("main")
    (retraining,) = world.open()
    world.live(DECAYED, LATER, FIRST)

    spent = world.monitor(LATER)
    world.run("pr", "tick", str(retraining.number), "train")
    asked = world.monitor(LATER)

    assert spent["retraining"]["action"] == "keep"
    assert "which is its budget" in spent["retraining"]["reason"]
    assert asked["retraining"]["action"] == "update"


def test_a_box_that_is_not_there_cannot_be_ticked(proposed: World, place: Path) -> None:
    """Only what the bot offers can be asked of it."""
    world = proposed.copy(place)
    (retraining,) = world.open()

    world.run("pr", "tick", str(retraining.number), "resume", expect=2)

    assert world.forge.pull_request(retraining.number) == retraining
