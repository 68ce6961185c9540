"""Many monitors at once: whatever their order, what is left is one of everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.crowd import Baton, gather
from tests.github.server import GitHubServer

MONITORS = 32
OFTEN = (0, 1)
"""Seeds that every run of the tests tries: with the same evidence, and with different."""
STRIDE = 9
"""Of the 200 seeds of `make bench-forge`, the slow tests try every ninth: even and odd ones."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubServer]:
    """Start a GitHub; that it is a faithful one is held by the other tests."""
    with GitHubServer(tmp_path_factory.mktemp("github"), held=False) as started:
        yield started


@pytest.mark.parametrize(
    "seed",
    [*OFTEN, *(pytest.param(it, marks=pytest.mark.slow) for it in range(STRIDE, 200, STRIDE))],
)
def test_many_monitors_leave_one_of_everything(
    server: GitHubServer, tmp_path: Path, seed: int
) -> None:
    """32 monitors at once leave one pull request, report, issue and branch; the next run keeps."""
    left = gather(server, tmp_path, seed, MONITORS)

    assert left.ok, left


def test_a_seed_is_an_order() -> None:
    """The same seed hands the baton on in the same order, another one in another."""

    def order(seed: int) -> list[int]:
        baton, told = Baton(seed), []

        def job(name: int) -> None:
            for _ in range(3):
                baton.pause(name)
                told.append(name)

        baton.run([lambda name=name: job(name) for name in range(4)])  # type: ignore[misc]
        return told

    assert order(1) == order(1) != order(2)


def test_what_nobody_expects_is_heard() -> None:
    """An error in a thread ends the run, and is no monitor that gave up."""

    def job() -> None:
        raise IndexError("list index out of range")

    with pytest.raises(IndexError):
        Baton(0).run([job])
