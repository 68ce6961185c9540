"""Whatever change a flow dies at, running it again ends where it would have ended at once."""

import inspect
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.ports import Forge, Records
from tests.e2e.crashes import CHANGES, Fuse, PowerCutError, wired
from tests.e2e.world import DECAYED, FIRST, LATER, QUIET, World


def test_every_change_is_watched() -> None:
    """What the ports call a change is behind the fuse, and nothing that only reads is."""
    reads = {
        *(
            "default_branch",
            "address",
            "head",
            "landed",
            "read",
            "files",
            "account",
            "rules",
            "remarks",
        ),
        *("content_id", "pull_requests", "pull_request", "diff"),
        *("issues", "tags", "releases", "asset", "artifact", "read_all", "newest"),
    }

    methods = {
        name
        for port in (Forge, Records)
        for name, _ in inspect.getmembers(port)
        if not name.startswith("_")
    }

    assert methods == CHANGES | reads


def shape(world: World) -> dict[str, Any]:
    """Return all that people see of a forge, but when it happened."""
    forge = world.forge
    return {
        "pull requests": [
            (
                *(one.number, one.title, one.state, one.branch, one.labels, one.draft),
                re.findall(r"^\+\+\+ .*", forge.diff(one.number), re.MULTILINE),
                one.body,
                [comment.body for comment in one.comments],
            )
            for one in forge.pull_requests()
        ],
        "issues": [
            (one.number, one.title, one.state, one.body, len(one.comments))
            for one in forge.issues()
        ],
        "tags": sorted(tag.name for tag in forge.tags()),
        "releases": [(page.tag, page.title, page.assets) for page in forge.releases()],
        "branches": sorted(ref for ref in world.refs() if ref.startswith("refs/heads/")),
        "main": {
            path: forge.read(path, ref="main")
            for path in (
                "data.lock.json",
                "deployments/staging.json",
                "deployments/production.json",
            )
        },
        "records": len(world.records()),
    }


def crash_everywhere(
    start: World,
    folder: Path,
    flow: Callable[[World], object],
    *,
    prepare: Callable[[World], object] = lambda _: None,
    trained: World | None = None,
) -> list[str]:
    """Cut the power before and after every change of a flow, run it again, compare the ends.

    Args:
        start: the world in which the flow begins; every run gets a copy.
        folder: for the copies.
        flow: what a runner does, from a checkout of what is on the forge.
        prepare: what happens in the world before.
        trained: a world that has trained what the flow asks for, which saves nothing but time.

    Returns:
        The names of the changes that the flow makes when nothing goes wrong.
    """
    ready = start.copy(folder / "ready" / "churn")
    prepare(ready)
    if trained is not None:
        shutil.copytree(trained.root / ".ml-gitops", ready.root / ".ml-gitops", dirs_exist_ok=True)
    smooth = ready.copy(folder / "smooth" / "churn")
    with wired(Fuse()) as fuse:
        flow(smooth)
    changes, wanted, settled = list(fuse.made), shape(smooth), smooth.refs()
    flow(smooth)
    assert smooth.refs() == settled, "a second run changes something"
    points = [(at, after) for at in range(1, len(changes) + 1) for after in (False, True)]
    for at, after in points:
        world = ready.copy(folder / f"{at}{'after' if after else 'before'}" / "churn")
        with wired(Fuse(at, after)) as cut, pytest.raises(PowerCutError):
            flow(world)
        world.clone.pull()

        flow(world)

        assert shape(world) == wanted, f"{'after' if after else 'before'} {cut.made[-1]} ({at})"
        assert len(world.dashboards()) <= 1
        assert world.fits() == ready.fits()
        shutil.rmtree(world.root)
    print(f"the power was cut at {len(points)} points of {', '.join(changes)}")
    return changes


def test_report(trained: World, tmp_path: Path) -> None:
    """A report is posted once, with its artifact, whenever CI dies."""
    changes = crash_everywhere(trained, tmp_path, lambda world: world.run("report"))

    assert changes == ["store_artifact", "append", "comment"]


def test_report_that_changes(pushed: World, tmp_path: Path) -> None:
    """A report that follows a push stays one comment, whenever CI dies."""
    changes = crash_everywhere(pushed, tmp_path, lambda world: world.run("report"))

    assert changes == ["store_artifact", "append", "edit_comment"]


def test_release(reviewed: World, tmp_path: Path) -> None:
    """A merge becomes one tag, one release, one staging and one promotion, whenever CD dies."""
    changes = crash_everywhere(
        reviewed,
        tmp_path,
        lambda world: world.deliver(),
        prepare=lambda world: world.merge(1, "squash"),
    )

    assert changes == ["create_tag", "create_release", "commit", "create_tag", "open_pull_request"]


def test_merged_promotion(reviewed: World, tmp_path: Path) -> None:
    """A merged promotion is recorded by one tag, whenever CD dies."""

    def promote(world: World) -> None:
        world.merge(1)
        world.merge(world.deliver()["promotion"]["number"])

    changes = crash_everywhere(reviewed, tmp_path, lambda world: world.deliver(), prepare=promote)

    assert changes == ["create_tag", "label"]


def test_promotion_that_a_person_asks_for(reviewed: World, tmp_path: Path) -> None:
    """`promote` opens one pull request, whenever it dies."""

    def refuse(world: World) -> None:
        world.merge(1)
        world.run("pr", "close", str(world.deliver()["promotion"]["number"]))

    changes = crash_everywhere(
        reviewed,
        tmp_path,
        lambda world: world.run("promote", "--to", "production"),
        prepare=refuse,
    )

    assert changes == ["open_pull_request"]


def test_retraining(decayed: World, proposed: World, tmp_path: Path) -> None:
    """Decay becomes one pull request with one report, whenever the monitor dies."""
    changes = crash_everywhere(
        decayed, tmp_path, lambda world: world.monitor(DECAYED), trained=proposed
    )

    assert changes == [
        "append",
        "open_pull_request",
        "store_artifact",
        "append",
        "comment",
        "open_issue",
    ]


def test_look_that_leaves_the_training_to_another_job(decayed: World, tmp_path: Path) -> None:
    """A look that does not train writes record and dashboard once, whenever it dies."""
    changes = crash_everywhere(
        decayed, tmp_path, lambda world: world.monitor(DECAYED, "--no-train")
    )

    assert changes == ["append", "open_issue"]


@pytest.mark.slow
def test_retraining_that_is_updated(proposed: World, updated: World, tmp_path: Path) -> None:
    """Later evidence is one update with its report, whenever the monitor dies."""
    changes = crash_everywhere(
        proposed,
        tmp_path,
        lambda world: world.monitor(LATER),
        prepare=lambda world: world.live(DECAYED, LATER, FIRST),
        trained=updated,
    )

    assert changes == [
        "append",
        "update_pull_request",
        "store_artifact",
        "append",
        "edit_comment",
        "update_issue",
    ]


def test_retraining_that_is_over(proposed: World, tmp_path: Path) -> None:
    """A retraining that nothing asks for any more is closed once, whenever the monitor dies."""
    changes = crash_everywhere(proposed, tmp_path, lambda world: world.monitor(QUIET))

    assert changes == ["append", "close", "label", "update_issue"]


def test_incident(decayed: World, tmp_path: Path) -> None:
    """Broken data become one issue, whenever the monitor dies."""
    changes = crash_everywhere(
        decayed,
        tmp_path,
        lambda world: world.monitor(DECAYED),
        prepare=lambda world: world.forget("load"),
    )

    assert changes == ["append", "open_issue", "open_issue"]


def test_incident_that_is_over(decayed: World, tmp_path: Path) -> None:
    """An issue that nothing asks for any more is closed once, whenever the monitor dies."""

    def tell(world: World) -> None:
        log = world.root / "live" / "predictions"
        shutil.copytree(log, world.root / "live" / "sound")
        world.forget("load")
        world.monitor(DECAYED)
        shutil.rmtree(log)
        (world.root / "live" / "sound").rename(log)

    changes = crash_everywhere(decayed, tmp_path, lambda world: world.monitor(QUIET), prepare=tell)

    assert changes == ["append", "close", "update_issue"]


def test_monitor_that_proposes_to_go_back(worse: World, tmp_path: Path) -> None:
    """A provably worse release becomes one rollback, whenever the monitor dies."""
    changes = crash_everywhere(worse, tmp_path, lambda world: world.monitor(QUIET))

    assert changes == ["append", "open_pull_request", "open_issue"]


def test_rollback_that_a_person_asks_for(worse: World, tmp_path: Path) -> None:
    """`rollback` opens one pull request, whenever it dies."""
    changes = crash_everywhere(
        worse, tmp_path, lambda world: world.run("rollback", "--environment", "production")
    )

    assert changes == ["open_pull_request"]


def test_merged_rollback(worse: World, tmp_path: Path) -> None:
    """A merged rollback is recorded by one tag and nothing is promoted, whenever CD dies."""

    def go_back(world: World) -> None:
        world.monitor(QUIET)
        world.merge(world.open()[0].number)

    changes = crash_everywhere(worse, tmp_path, lambda world: world.deliver(), prepare=go_back)

    assert changes == ["create_tag", "label", "update_issue"]
