"""Worlds at the turning points of the story, made once and copied by the tests that go on."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ml_gitops.adapters.github import client
from ml_gitops.adapters.github.patience import Patience
from tests.e2e.stages import Stages, bentos_built_once
from tests.e2e.world import World
from tests.github.server import GitHubServer

Stage = Callable[[str, Callable[[Path], World]], World]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this run of the tests share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "worlds"


@pytest.fixture(scope="session")
def stages(shelf: Path) -> Stages:
    """Return what makes a world in the first process that asks, and finds it in the others."""
    return Stages(shelf)


@pytest.fixture(scope="session")
def stage(stages: Stages) -> Stage:
    """Return the same, for worlds of a test's own."""
    return stages.find


@pytest.fixture(scope="session", autouse=True)
def remember_bentos(shelf: Path) -> Iterator[None]:
    """Build the Bento of equal files once."""
    with bentos_built_once(shelf):
        yield


@pytest.fixture(scope="session", autouse=True)
def no_pauses() -> Iterator[None]:
    """Ask the GitHub of tests again at once; what a pause costs of the patience stays."""
    with pytest.MonkeyPatch.context() as patch:
        hurried = partial(Patience, between_writes=0.0, sleep=lambda _: None)
        patch.setattr(client, "Patience", hurried)
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubServer]:
    """Start a GitHub, once; every test has a repository of its own there."""
    with GitHubServer(tmp_path_factory.mktemp("github")) as started:
        yield started


@pytest.fixture(scope="session")
def trained(stages: Stages) -> World:
    """Return a world whose first pull request is open and trained, and has no report yet."""
    return stages.trained()


@pytest.fixture(scope="session")
def reviewed(stages: Stages) -> World:
    """Return a world whose first pull request carries its report."""
    return stages.reviewed()


@pytest.fixture(scope="session")
def pushed(stages: Stages) -> World:
    """Return a world in which a reviewed pull request was pushed to, and trained again."""
    return stages.pushed()


@pytest.fixture(scope="session")
def released(stages: Stages) -> World:
    """Return a world in which production serves the first release."""
    return stages.released()


@pytest.fixture(scope="session")
def decayed(stages: Stages) -> World:
    """Return a world in which the release was of use for two weeks and of none for three."""
    return stages.decayed()


@pytest.fixture(scope="session")
def proposed(stages: Stages) -> World:
    """Return a world in which the monitor has opened its retraining pull request."""
    return stages.proposed()


@pytest.fixture(scope="session")
def updated(stages: Stages) -> World:
    """Return a world in which the monitor has looked again, a week of decay later."""
    return stages.updated()


@pytest.fixture(scope="session")
def worse(stages: Stages) -> World:
    """Return a world where a worse release was merged against the gate's advice, and serves."""
    return stages.worse()


@pytest.fixture(scope="session")
def rolled_back(stages: Stages) -> World:
    """Return a world in which the monitor has proposed to go back."""
    return stages.rolled_back()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a test may put its own copy of a world."""
    return tmp_path / "churn"
