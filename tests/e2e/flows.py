"""What the loops do, each with the world it begins in: what may be cut off anywhere."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ml_gitops.pull_request import Command
from tests.builders import PARAMS
from tests.e2e.stages import Stages
from tests.e2e.world import DECAYED, FIRST, LATER, QUIET, World

NEXT_DAY = DECAYED + timedelta(days=1)


def nothing(world: World) -> None:
    """Let the world be as it is."""


@dataclass(frozen=True)
class Flow:
    """One flow.

    Args:
        start: the stage it begins at.
        do: what a runner does, from a checkout of what is on the forge.
        changes: what it asks of a forge when nothing goes wrong.
        prepare: what happens in the world before.
        trained: a stage that has trained what the flow asks for, which saves nothing but time.
    """

    start: str
    do: Callable[[World], object]
    changes: tuple[str, ...]
    prepare: Callable[[World], object] = nothing
    trained: str = ""

    def ready(self, stages: Stages, root: Path) -> World:
        """Return a world in which the flow is due."""
        start: World = getattr(stages, self.start)()
        world = start.copy(root)
        self.prepare(world)
        if self.trained:
            trained: World = getattr(stages, self.trained)()
            cache = trained.root / ".ml-gitops"
            shutil.copytree(cache, world.root / ".ml-gitops", dirs_exist_ok=True)
        return world


def _merged(world: World) -> None:
    world.merge(1, "squash")


def _promoted(world: World) -> None:
    world.merge(1)
    world.merge(world.deliver()["promotion"]["number"])


def _refused(world: World) -> None:
    world.merge(1)
    world.run("pr", "close", str(world.deliver()["promotion"]["number"]))


def _worn_on(world: World, until: date = LATER) -> None:
    world.live(DECAYED, until, FIRST)


def _broken(world: World) -> None:
    world.forget("load")


def _mended(world: World) -> None:
    log = world.root / "live" / "predictions"
    shutil.copytree(log, world.root / "live" / "sound")
    world.forget("load")
    world.monitor(DECAYED)
    shutil.rmtree(log)
    (world.root / "live" / "sound").rename(log)


def _gone_back(world: World) -> None:
    world.monitor(QUIET)
    world.merge(world.open()[0].number)


def _ticked(box: Command, until: date = LATER) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        _worn_on(world, until)
        world.run("pr", "tick", str(world.open()[0].number), box)

    return prepare


def _taken_over(world: World) -> None:
    (retraining,) = world.open()
    world.clone.fetch()
    world.clone.run("switch", "--quiet", retraining.branch)
    (world.root / "params.toml").write_text(PARAMS.replace("1.0", "0.5"))
    world.clone.commit_all("Try more regularisation")
    world.clone.push(retraining.branch)
    world.clone.switch("main")


def _asked_back(world: World) -> None:
    _taken_over(world)
    world.monitor(DECAYED)
    world.run("pr", "tick", str(world.open()[0].number), "resume")


_OPEN = ("open_pull_request", "store_artifact", "append", "comment", "open_issue")
_TELL = ("comment", "label", "update_issue")
_CLOSE = ("append", "close", "label", "update_issue")
_UPDATE = (
    *("append", "update_pull_request", "store_artifact"),
    *("append", "edit_comment", "update_issue"),
)

FLOWS = {
    "report": Flow(
        "trained", lambda world: world.run("report"), ("store_artifact", "append", "comment")
    ),
    "report that changes": Flow(
        "pushed", lambda world: world.run("report"), ("store_artifact", "append", "edit_comment")
    ),
    "release": Flow(
        "reviewed",
        lambda world: world.deliver(),
        ("create_tag", "create_release", "commit", "create_tag", "open_pull_request"),
        _merged,
    ),
    "merged promotion": Flow(
        "reviewed", lambda world: world.deliver(), ("create_tag", "label"), _promoted
    ),
    "promotion that a person asks for": Flow(
        "reviewed",
        lambda world: world.run("promote", "--to", "production"),
        ("open_pull_request",),
        _refused,
    ),
    "retraining": Flow(
        "decayed",
        lambda world: world.monitor(DECAYED),
        ("append", *_OPEN),
        trained="proposed",
    ),
    "look that leaves the training to another job": Flow(
        "decayed", lambda world: world.monitor(DECAYED, "--no-train"), ("append", "open_issue")
    ),
    "retraining that is updated": Flow(
        "proposed", lambda world: world.monitor(LATER), _UPDATE, _worn_on, "updated"
    ),
    "retraining that is over": Flow("proposed", lambda world: world.monitor(QUIET), _CLOSE),
    "ticked box to train": Flow(
        "proposed", lambda world: world.monitor(LATER), _UPDATE, _ticked("train"), "updated"
    ),
    "ticked box to renew": Flow(
        "proposed", lambda world: world.monitor(NEXT_DAY), _UPDATE[:3], _ticked("refresh", NEXT_DAY)
    ),
    "ticked box to be silent": Flow(
        "proposed", lambda world: world.monitor(LATER), _CLOSE, _ticked("snooze")
    ),
    "person who takes over": Flow(
        "proposed", lambda world: world.monitor(DECAYED), _TELL, _taken_over
    ),
    "ticked box to go on": Flow(
        "proposed",
        lambda world: (world.monitor(DECAYED), world.monitor(DECAYED)),
        ("close", *_TELL[1:], "open_pull_request", *_OPEN[:-1], "update_issue"),
        _asked_back,
        "proposed",
    ),
    "incident": Flow(
        "decayed",
        lambda world: world.monitor(DECAYED),
        ("append", "open_issue", "open_issue"),
        _broken,
    ),
    "incident that is over": Flow(
        "decayed", lambda world: world.monitor(QUIET), ("append", "close", "update_issue"), _mended
    ),
    "monitor that proposes to go back": Flow(
        "worse", lambda world: world.monitor(QUIET), ("append", "open_pull_request", "open_issue")
    ),
    "rollback that a person asks for": Flow(
        "worse",
        lambda world: world.run("rollback", "--environment", "production"),
        ("open_pull_request",),
    ),
    "merged rollback": Flow(
        "worse", lambda world: world.deliver(), ("create_tag", "label", "update_issue"), _gone_back
    ),
}
