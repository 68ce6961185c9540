"""A server with one public repository of three people and a bot."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.caller import Caller
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository

FIRST = {"a.txt": "1\n2\n3\n", "b.txt": "b\n", "model/run.py": "print()\n"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    """Serve; a request or an answer that GitHub's descriptions forbid fails the test."""
    with GitHubServer(tmp_path / "github") as server:
        yield server


@pytest.fixture
def churn(server: GitHubServer) -> TestRepository:
    """Make a public repository: ada is its admin, bob may write, everybody may read."""
    repository = server.create_repository("acme/churn")
    repository.add_collaborator("ada", "admin")
    repository.add_collaborator("bob", "write")
    repository.push("main", FIRST)
    return repository


@pytest.fixture
def bot(server: GitHubServer, churn: TestRepository) -> Caller:
    """Act as an app that may do everything."""
    return Caller(server, server.token("ml-gitops[bot]"))


@pytest.fixture
def ada(server: GitHubServer, churn: TestRepository) -> Caller:
    """Act as the admin."""
    return Caller(server, server.token("ada"))


@pytest.fixture
def eve(server: GitHubServer, churn: TestRepository) -> Caller:
    """Act as a stranger."""
    return Caller(server, server.token("eve"))
