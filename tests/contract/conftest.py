"""The forges that the behaviour suites run on: each test gets one, and the people around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.forges import (
    GitHubBelow,
    GitHubHarness,
    Harness,
    LocalBelow,
    LocalHarness,
)
from tests.github.server import GitHubServer


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a local forge with one commit, once; tests work on copies."""
    return LocalHarness(tmp_path_factory.mktemp("begun")).folder


@pytest.fixture(scope="module")
def begun_below(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise, with its files in the folder of a model."""
    return LocalBelow(tmp_path_factory.mktemp("begun-below")).folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubServer]:
    """Start a GitHub, once; every test has a repository of its own there."""
    with GitHubServer(tmp_path_factory.mktemp("github")) as started:
        yield started


@pytest.fixture(
    params=["local", "github", "below", pytest.param("github-below", marks=pytest.mark.slow)]
)
def harness(
    request: pytest.FixtureRequest,
    begun: Path,
    begun_below: Path,
    server: GitHubServer,
    tmp_path: Path,
) -> Harness:
    """Give a test one forge and the people around it, of each kind, at the top or in a folder."""
    match request.param:
        case "github":
            return GitHubHarness(tmp_path, server, begun)
        case "below":
            return LocalBelow(tmp_path, begun_below)
        case "github-below":
            return GitHubBelow(tmp_path, server, begun_below)
        case _:
            return LocalHarness(tmp_path, begun)
