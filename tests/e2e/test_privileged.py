"""What runs where a token may write never unpickles, runs the author's code or asks a shell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ml_gitops.cli.setting import NOW
from tests.e2e.world import DECAYED, FIRST, FIRST_LOCK, QUIET, World

WATCHED = """
import os, sys
root = {root!r}
def watch(event, arguments):
    if event in ("pickle.find_class", "os.system"):
        os.write(2, f"{{event}} {{arguments}}".encode()); os._exit(99)
    if event == "subprocess.Popen":
        executable, words = arguments[0], list(arguments[1])
        if isinstance(arguments[1], str) or str(words[0]).rpartition("/")[2] in ("sh", "bash"):
            os.write(2, f"a shell: {{words}}".encode()); os._exit(99)
    if event == "exec":
        place = getattr(arguments[0], "co_filename", "")
        if str(place).startswith(root):
            os.write(2, f"author's code: {{place}}".encode()); os._exit(99)
sys.addaudithook(watch)
from ml_gitops.cli import main
sys.exit(main({words!r}))
"""


def watched(world: World, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a process of its own, from its first line on under a hook that forbids."""
    code = WATCHED.format(root=str(world.root.resolve()), words=[*words, "-C", str(world.root)])
    variables = {**os.environ, NOW: world.clock().isoformat()}
    return subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )


def test_the_hook_sees_the_author_s_code(trained: World, place: Path) -> None:
    """The hook itself can fail: a command that has to run the author's code is stopped."""
    done = watched(trained.copy(place), "data", "validate")

    assert done.returncode == 99
    assert "author's code" in done.stderr


def test_a_release_runs_nothing_of_the_author_s(reviewed: World, place: Path) -> None:
    """What was reviewed becomes a Bento, tags and a promotion, and nothing of it is run."""
    world = reviewed.copy(place)
    world.merge(1)

    done = watched(world, "release")

    assert done.returncode == 0, done.stderr
    assert set(world.tags()) >= {FIRST}


@pytest.mark.parametrize("words", [("promote", "--to", "production"), ("status",)], ids=" ".join)
def test_a_promotion_runs_nothing_of_the_author_s(
    released: World, place: Path, words: tuple[str, ...]
) -> None:
    """A promotion is read and written, never run."""
    done = watched(released.copy(place), *words)

    assert done.returncode == 0, done.stderr


def test_a_look_runs_nothing_of_the_author_s(released: World, place: Path) -> None:
    """A monitor that has nothing to retrain counts, and runs nothing of the repository."""
    world = released.copy(place)
    world.live(FIRST_LOCK, QUIET, FIRST)
    world.wait_until(QUIET)

    done = watched(world, "monitor", "--as-of", str(QUIET))

    assert done.returncode == 0, done.stderr


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
    assert whole.returncode == 99
    assert "author's code" in whole.stderr
