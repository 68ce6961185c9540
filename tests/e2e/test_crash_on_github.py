"""Whatever request to GitHub a flow dies at, running it again ends where it would have ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.flows import FLOWS
from tests.e2e.on_github import with_power_cuts
from tests.e2e.stages import Stages
from tests.github.server import GitHubServer

STRIDE = 9
"""Of the points that `make bench-forge` tries, these tests try every ninth."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubServer]:
    """Start a GitHub; that it is a faithful one is held by the other tests."""
    with GitHubServer(tmp_path_factory.mktemp("github"), held=False) as started:
        yield started


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWS)
def test_flow(server: GitHubServer, stages: Stages, tmp_path: Path, name: str) -> None:
    """What is left is one of everything, as without the cut."""
    points = list(with_power_cuts(server, stages, tmp_path, name, stride=STRIDE))

    assert points
    assert [it for it in points if it.problem or it.duplicates] == []
