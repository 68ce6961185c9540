"""Worlds at the turning points of the story, made once and copied by the tests that go on."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from ml_gitops.adapters import bento
from ml_gitops.document import sha256
from tests.builders import PARAMS
from tests.e2e.world import BLIND_PIPELINE, DECAYED, FIRST, FIRST_LOCK, LATER, QUIET, World

Stage = Callable[[str, Callable[[Path], World]], World]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "worlds"


@pytest.fixture(scope="session")
def stage(shelf: Path) -> Stage:
    """Return what makes a world in the first process that asks, and finds it in the others."""

    def find(name: str, make: Callable[[Path], World]) -> World:
        folder = shelf / name
        folder.mkdir(parents=True, exist_ok=True)
        root, when = folder / "churn", folder / "when"
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not when.exists():
                shutil.rmtree(root, ignore_errors=True)
                when.write_text(make(root).now.isoformat())
        return World(root, datetime.fromisoformat(when.read_text()))

    return find


@pytest.fixture(scope="session", autouse=True)
def bentos_built_once(shelf: Path) -> Iterator[None]:
    """Build the Bento of equal files once: the contract holds that its bytes are equal anyway."""
    build = bento.build

    def remembered(files: Mapping[str, bytes]) -> bytes:
        digests = "".join(sha256(name.encode() + files[name]) for name in sorted(files))
        kept = shelf / "bentos" / sha256(digests.encode()).removeprefix("sha256:")
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(f".{os.getpid()}")
            draft.write_bytes(build(files))
            draft.replace(kept)
        return kept.read_bytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bento, "build", remembered)
        yield


@pytest.fixture(scope="session")
def trained(stage: Stage) -> World:
    """Return a world whose first pull request is open and trained, and has no report yet."""

    def make(root: Path) -> World:
        world = World.make(root)
        world.run("data", "lock", "--until", str(FIRST_LOCK))
        world.propose("The first model")
        world.run("train")
        return world

    return stage("trained", make)


@pytest.fixture(scope="session")
def reviewed(stage: Stage, trained: World) -> World:
    """Return a world whose first pull request carries its report."""

    def make(root: Path) -> World:
        world = trained.copy(root)
        world.run("report")
        return world

    return stage("reviewed", make)


@pytest.fixture(scope="session")
def pushed(stage: Stage, reviewed: World) -> World:
    """Return a world in which a reviewed pull request was pushed to, and trained again."""

    def make(root: Path) -> World:
        world = reviewed.copy(root)
        (root / "params.toml").write_text(PARAMS.replace("1.0", "0.5"))
        world.clone.commit_all("Regularise more")
        world.clone.push("the-first-model")
        world.run("train")
        return world

    return stage("pushed", make)


@pytest.fixture(scope="session")
def released(stage: Stage, reviewed: World) -> World:
    """Return a world in which production serves the first release."""

    def make(root: Path) -> World:
        world = reviewed.copy(root)
        world.merge(1)
        world.release()
        return world

    return stage("released", make)


@pytest.fixture(scope="session")
def decayed(stage: Stage, released: World) -> World:
    """Return a world in which the release was of use for two weeks and of none for three."""

    def make(root: Path) -> World:
        world = released.copy(root)
        world.live(FIRST_LOCK, QUIET, FIRST)
        world.live(QUIET, DECAYED, FIRST)
        return world

    return stage("decayed", make)


@pytest.fixture(scope="session")
def proposed(stage: Stage, decayed: World) -> World:
    """Return a world in which the monitor has opened its retraining pull request."""

    def make(root: Path) -> World:
        world = decayed.copy(root)
        world.monitor(DECAYED)
        return world

    return stage("proposed", make)


@pytest.fixture(scope="session")
def updated(stage: Stage, proposed: World) -> World:
    """Return a world in which the monitor has looked again, a week of decay later."""

    def make(root: Path) -> World:
        world = proposed.copy(root)
        world.live(DECAYED, LATER, FIRST)
        world.monitor(LATER)
        return world

    return stage("updated", make)


@pytest.fixture(scope="session")
def worse(stage: Stage, released: World) -> World:
    """Return a world where a worse release was merged against the gate's advice, and serves."""

    def make(root: Path) -> World:
        world = released.copy(root)
        number = world.propose("Look at wear only", {"model/pipeline.py": BLIND_PIPELINE})
        world.integrate(number, expect=1)
        world.merge(number)
        world.release()
        world.live(FIRST_LOCK, QUIET, "churn@v1.1.0")
        return world

    return stage("worse", make)


@pytest.fixture(scope="session")
def rolled_back(stage: Stage, worse: World) -> World:
    """Return a world in which the monitor has proposed to go back."""

    def make(root: Path) -> World:
        world = worse.copy(root)
        world.monitor(QUIET)
        return world

    return stage("rolled-back", make)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a test may put its own copy of a world."""
    return tmp_path / "churn"
