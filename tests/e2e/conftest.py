"""Worlds at the turning points of the story, made once and copied by the tests that go on."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ml_gitops.adapters import bento
from tests.e2e.world import BLIND_PIPELINE, DECAYED, FIRST, FIRST_LOCK, QUIET, World


@pytest.fixture(scope="session", autouse=True)
def bentos_built_once() -> Iterator[None]:
    """Build the Bento of equal files once: the contract holds that its bytes are equal anyway."""
    built = functools.lru_cache(lambda files: build(dict(files)))
    build = bento.build

    def remembered(files: Mapping[str, bytes]) -> bytes:
        return built(tuple(sorted(files.items())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bento, "build", remembered)
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world whose first pull request is open and trained, and has no report yet."""
    world = World.make(tmp_path_factory.mktemp("trained") / "churn")
    world.run("data", "lock", "--until", str(FIRST_LOCK))
    world.propose("The first model")
    world.run("train")
    return world


@pytest.fixture(scope="session")
def reviewed(trained: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world whose first pull request carries its report."""
    world = trained.copy(tmp_path_factory.mktemp("reviewed") / "churn")
    world.run("report")
    return world


@pytest.fixture(scope="session")
def released(reviewed: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world in which production serves the first release."""
    world = reviewed.copy(tmp_path_factory.mktemp("released") / "churn")
    world.merge(1)
    world.release()
    return world


@pytest.fixture(scope="session")
def decayed(released: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world in which the release was of use for two weeks and of none for three."""
    world = released.copy(tmp_path_factory.mktemp("decayed") / "churn")
    world.live(FIRST_LOCK, QUIET, FIRST)
    world.live(QUIET, DECAYED, FIRST)
    world.wait_until(DECAYED)
    return world


@pytest.fixture(scope="session")
def proposed(decayed: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world in which the monitor has opened its retraining pull request."""
    world = decayed.copy(tmp_path_factory.mktemp("proposed") / "churn")
    world.monitor(DECAYED)
    return world


@pytest.fixture(scope="session")
def worse(released: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world where a worse release was merged against the gate's advice, and serves."""
    world = released.copy(tmp_path_factory.mktemp("worse") / "churn")
    number = world.propose("Look at wear only", {"model/pipeline.py": BLIND_PIPELINE})
    world.integrate(number, expect=1)
    world.merge(number)
    world.release()
    world.live(FIRST_LOCK, QUIET, "churn@v1.1.0")
    return world


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a test may put its own copy of a world."""
    return tmp_path / "churn"
