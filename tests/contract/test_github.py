"""GitHub at its worst: every call of every flow meets every fault, and nothing happens twice."""

from pathlib import Path

import pytest

from tests.contract.flows import FLOWS, TRANSIENT, with_crashes, with_faults
from tests.github.server import GitHubServer

OFTEN = {"429-retry-after", "502-after", "cut"}
"""One that did nothing, one that did it, one that did it and says half; the others take time."""


@pytest.mark.parametrize(
    "fault",
    [it if it in OFTEN else pytest.param(it, marks=pytest.mark.slow) for it in TRANSIENT],
)
@pytest.mark.parametrize("name", FLOWS)
def test_every_call_may_fail(server: GitHubServer, tmp_path: Path, name: str, fault: str) -> None:
    """A flow that meets a fault at any call ends well, or says try again; then it ends the same."""
    points = list(with_faults(server, tmp_path, name, fault))

    assert len(points) > 1
    assert [it for it in points if it.problem or it.duplicates] == []


@pytest.mark.parametrize(
    "effect",
    [pytest.param(False, marks=pytest.mark.slow, id="before"), pytest.param(True, id="after")],
)
@pytest.mark.parametrize("name", FLOWS)
def test_every_call_may_be_the_last(
    server: GitHubServer, tmp_path: Path, name: str, *, effect: bool
) -> None:
    """A process that dies before or after any call leaves what the next run finishes."""
    points = list(with_crashes(server, tmp_path, name, effect=effect))

    assert len(points) > 1
    assert [it for it in points if it.problem] == []
