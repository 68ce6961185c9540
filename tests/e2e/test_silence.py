"""A schedule that stopped cannot say so: whoever is at work anyway does, in one line."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.builders import PARAMS
from tests.e2e.world import DECAYED, QUIET, World

SILENT = DECAYED + timedelta(days=9)
"""On this day a monitor that looked last on DECAYED is a day late."""
TOLD = f"the monitor looked at production last on {DECAYED} and was due by {SILENT.replace(day=15)}"


def texts(world: World, day: date, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what people read of `status`, `doctor` and `release` on a day."""
    world.wait_until(day)
    said = ""
    for words in (["status"], ["doctor"], ["release"]):
        capsys.readouterr()
        world.tell(*words)
        said += capsys.readouterr().out
    return " ".join(said.split())


def test_whoever_comes_by_says_that_nobody_looks(
    proposed: World, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the monitor lives nothing is said; when it is late three commands say so, with why."""
    world = proposed.copy(place)

    alive = texts(world, SILENT - timedelta(days=1), capsys)
    (before,) = world.dashboards()
    late = texts(world, SILENT, capsys)
    (after,) = world.dashboards()

    assert "was due by" not in alive
    assert late.count(TOLD) == 3
    assert late.count("run `ml-gitops monitor`, and look at the runs of its schedule") == 3
    assert "## ✗ `churn`: a retraining is due" in before.body
    assert "## ? `churn`: nobody looks any more" in after.body
    assert world.run("status")["pulse"]["looked"] == str(DECAYED)


def test_a_report_says_that_nobody_looks(proposed: World, place: Path) -> None:
    """A reviewer reads it under the report, once; when the monitor looks again it goes."""
    world = proposed.copy(place)
    world.wait_until(SILENT)
    number = world.propose("Regularise more", {"params.toml": PARAMS.replace("1.0", "0.5")})

    def posted() -> str:
        world.run("report", "--pull-request", str(number))
        (comment,) = world.forge.pull_request(number).comments
        return comment.body

    world.run("train")
    late = posted()
    again = posted()
    world.clone.switch("main")
    world.monitor(QUIET)
    world.clone.switch("regularise-more")
    world.wait_until(QUIET)
    alive = posted()

    assert f"▲ {TOLD}: run `ml-gitops monitor`" in late
    assert again == late
    assert TOLD not in alive
