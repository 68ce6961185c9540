"""What runs where a token may write never unpickles, runs the author's code or asks a shell."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ml_gitops.cli.setting import NOW
from tests.e2e.test_github import move, repository
from tests.e2e.world import DECAYED, FIRST, FIRST_LOCK, QUIET, World
from tests.github.server import GitHubServer
from tests.github.setup import TestRepository
from tests.hostile.watch import STOPPED, guarded, traces

__all__ = ["repository"]


def watched(
    world: World, *words: str, builds: bool = False, hosts: Sequence[str] = ()
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own, from its first line on under a hook that forbids.

    It may write below `.git` and `.ml-gitops` and where temporary files go, connect to the hosts
    that are named, and run Git in fixed forms; nothing else.
    """
    temporary = world.root.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    code = f"from ml_gitops.cli import main\nsys.exit(main({[*words, '-C', str(world.root)]!r}))"
    rules = {
        "writes": [*(str(world.root / it) for it in (".git", ".ml-gitops")), str(temporary)],
        "authors": [str(world.root)],
        "hosts": list(hosts),
        "builds": builds,
    }
    variables = {**os.environ, NOW: world.clock().isoformat(), "TMPDIR": str(temporary)}
    before = _seen(world)
    done = subprocess.run(
        guarded(code, **rules), env=variables, capture_output=True, text=True, check=False
    )
    assert _seen(world) == before
    return done


def _seen(world: World) -> set[str]:
    """Return what lies beside the folders that a job may write to; libraries in C write, too."""
    mine = (".git", ".ml-gitops", "temporary")
    below = traces(world.root.parent)
    return {it for it in below if not {*Path(it).parts[:2]} & {*mine}}


def test_the_hook_sees_the_author_s_code(trained: World, place: Path) -> None:
    """The hook itself can fail: a command that has to run the author's code is stopped."""
    done = watched(trained.copy(place), "data", "validate")

    assert done.returncode == STOPPED
    assert "author's code" in done.stderr


@pytest.mark.hostile
def test_a_release_runs_nothing_of_the_author_s(reviewed: World, place: Path) -> None:
    """What was reviewed becomes a Bento, tags and a promotion, and nothing of it is run."""
    world = reviewed.copy(place)
    world.merge(1)

    done = watched(world, "release", builds=True)

    assert done.returncode == 0, done.stderr
    assert set(world.tags()) >= {FIRST}


@pytest.mark.parametrize("words", [("promote", "--to", "production"), ("status",)], ids=" ".join)
@pytest.mark.hostile
def test_a_promotion_runs_nothing_of_the_author_s(
    released: World, place: Path, words: tuple[str, ...]
) -> None:
    """A promotion is read and written, never run."""
    done = watched(released.copy(place), *words)

    assert done.returncode == 0, done.stderr


@pytest.mark.hostile
def test_a_look_runs_nothing_of_the_author_s(released: World, place: Path) -> None:
    """A monitor that has nothing to retrain counts, and runs nothing of the repository."""
    world = released.copy(place)
    world.live(FIRST_LOCK, QUIET, FIRST)
    world.wait_until(QUIET)

    done = watched(world, "monitor", "--as-of", str(QUIET))

    assert done.returncode == 0, done.stderr


@pytest.mark.hostile
def test_a_look_that_finds_a_decay_runs_nothing_of_the_author_s(
    decayed: World, place: Path
) -> None:
    """Where a training follows, `--no-train` only says so; without it the process is stopped."""
    world = decayed.copy(place)
    world.wait_until(DECAYED)

    done = watched(world, "monitor", "--no-train", "--as-of", str(DECAYED), "--json")
    whole = watched(world, "monitor", "--as-of", str(DECAYED))

    assert done.returncode == 0, done.stderr
    assert [it["model"] for it in json.loads(done.stdout)["retrain"]] == ["churn"]
    assert world.open() == []
    assert whole.returncode == STOPPED
    assert "author's code" in whole.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("monitor", "--no-train", "--as-of", str(QUIET)), ("doctor",), ("status",),
     ("promote", "--to", "production")],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.hostile
def test_a_job_on_github_connects_to_its_api_alone(
    released: World,
    place: Path,
    server: GitHubServer,
    repository: TestRepository,
    words: tuple[str, ...],
) -> None:
    """With a token of GitHub's the same holds, and no byte goes anywhere but to the API."""
    world = released.copy(place)
    world.live(FIRST_LOCK, QUIET, FIRST)
    move(world, server, repository)
    world.wait_until(QUIET)
    before = len(server.calls)

    hosts = [urlsplit(it).netloc for it in (server.url, server.world.storage.url)]
    done = watched(world, *words, hosts=hosts)

    assert done.returncode in (0, 1), done.stderr
    assert "stopped" not in done.stderr
    assert len(server.calls) > before


@pytest.mark.hostile
@pytest.mark.slow
def test_a_job_with_another_api_is_stopped(
    released: World,
    place: Path,
    server: GitHubServer,
    repository: TestRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hook itself can fail: a job that connects elsewhere than where it may ends at once."""
    world = released.copy(place)
    move(world, server, repository)
    code = f"from ml_gitops.cli import main\nsys.exit(main(['status', '-C', {str(world.root)!r}]))"

    done = subprocess.run(
        guarded(code, hosts=["127.0.0.1:9"]), capture_output=True, text=True, check=False
    )

    assert done.returncode == STOPPED
    assert "stopped: a connection: " in done.stderr
