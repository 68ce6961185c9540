"""Whatever change a flow dies at, running it again ends where it would have ended at once."""

import inspect
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.ports import Forge, Records
from tests.e2e.crashes import CHANGES, Fuse, PowerCutError, wired
from tests.e2e.flows import FLOWS
from tests.e2e.stages import Stages
from tests.e2e.world import World

SLOW = {
    "retraining that is updated",
    "ticked box to train",
    "ticked box to renew",
    "ticked box to be silent",
    "ticked box to go on",
    "person who takes over",
}
"""These take longer than others, and go the way of others for most of it."""


def test_every_change_is_watched() -> None:
    """What the ports call a change is behind the fuse, and nothing that only reads is."""
    reads = {
        *("default_branch", "address", "head", "landed", "read", "files", "content_id"),
        *("account", "rules", "remarks", "pull_requests", "pull_request", "diff"),
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


@pytest.mark.parametrize(
    "name", [pytest.param(it, marks=pytest.mark.slow) if it in SLOW else it for it in FLOWS]
)
def test_flow(stages: Stages, tmp_path: Path, name: str) -> None:
    """Cut the power before and after every change of a flow, run it again, compare the ends."""
    flow = FLOWS[name]
    ready = flow.ready(stages, tmp_path / "ready" / "churn")
    smooth = ready.copy(tmp_path / "smooth" / "churn")
    with wired(Fuse()) as fuse:
        flow.do(smooth)
    wanted, settled = shape(smooth), smooth.refs()
    flow.do(smooth)
    assert tuple(fuse.made) == flow.changes
    assert smooth.refs() == settled, "a second run changes something"
    points = [(at, after) for at in range(1, len(fuse.made) + 1) for after in (False, True)]
    for at, after in points:
        world = ready.copy(tmp_path / f"{at}{'after' if after else 'before'}" / "churn")
        with wired(Fuse(at, after)) as cut, pytest.raises(PowerCutError):
            flow.do(world)
        world.clone.pull()

        flow.do(world)

        assert shape(world) == wanted, f"{'after' if after else 'before'} {cut.made[-1]} ({at})"
        assert world.fits() == ready.fits()
        assert len(world.dashboards()) <= 1
        shutil.rmtree(world.root)
