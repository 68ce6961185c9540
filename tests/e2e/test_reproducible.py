"""The same rows, code and seed are the same model, in whichever process it is trained."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders import config_text
from tests.e2e.conftest import Stage
from tests.e2e.world import FIRST_LOCK, World

HEAVY = ("sklearn", "skl2onnx", "onnxruntime", "pandas")

TRAIN = f"""
import sys
from ml_gitops.cli import main
ended = main(["train", "--outcome", "told.json"])
print("imported:", *[name for name in {HEAVY!r} if name in sys.modules])
raise SystemExit(ended)
"""

FOREST = '''\
"""How the model learns, by lot: nothing here fixes a seed."""

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder


def build_pipeline(params):
    """Return the unfitted pipeline."""
    columns = ColumnTransformer(
        [
            ("numbers", SimpleImputer(strategy="median"), ["load", "wear"]),
            ("plan", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        ]
    )
    return Pipeline([("columns", columns), ("forest", RandomForestClassifier(**params))])
'''


SLOW = """
import time


def test_slowly():
    time.sleep(3)
"""
"""A check during which whoever was started together with us has fitted too."""


def train(world: World, hash_seed: int) -> list[str]:
    """Train in a process of its own, and return the heavy libraries that it imported."""
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        cwd=world.root,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(world.root.parent),
            "PYTHONHASHSEED": str(hash_seed),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("imported:")[2].split()


def told(world: World) -> Any:
    """Return what the last training said."""
    return json.loads((world.root / "told.json").read_text())


@pytest.fixture(scope="module")
def one(stage: Stage) -> World:
    """Return a world that trains a forest, in another process."""

    def make(root: Path) -> World:
        world = World.make(root, model={"seed": 7})
        (root / "model" / "pipeline.py").write_text(FOREST)
        (root / "params.toml").write_text("n_estimators = 20\nmax_depth = 4\n")
        world.run("data", "lock", "--until", str(FIRST_LOCK))
        world.clone.commit_all("Try a forest")
        assert train(world, hash_seed=1) == list(HEAVY)
        return world

    return stage("one", make)


@pytest.fixture(scope="module")
def other(stage: Stage, one: World) -> World:
    """Return an equal world, trained in a process of its own with other hash seeds."""

    def make(root: Path) -> World:
        world = one.copy(root)
        shutil.rmtree(root / ".ml-gitops")
        train(world, hash_seed=4242)
        return world

    return stage("other", make)


def test_two_processes_give_one_model(one: World, other: World) -> None:
    """Two processes with other hash seeds give the same run key and the same bytes of ONNX."""
    first, second = told(one), told(other)

    assert (first["fitted"], second["fitted"]) == (True, True)
    assert first["run"]["run_key"] == second["run"]["run_key"]
    assert first["run"]["files"] == second["run"]["files"]


@pytest.mark.slow
def test_another_seed_is_another_model(one: World, place: Path) -> None:
    """The seed decides: with another one the key and the bytes differ, so they could differ."""
    world = one.copy(place)
    config = config_text(model={"seed": 8}, data={"holdout_days": 10})
    (world.root / "ml-gitops.toml").write_text(config)

    seeded = world.run("train")["run"]

    assert seeded["run_key"] != told(one)["run"]["run_key"]
    assert seeded["files"]["model.onnx"] != told(one)["run"]["files"]["model.onnx"]


def test_training_again_imports_no_estimator(other: World, place: Path) -> None:
    """With nothing changed nothing is fitted, nor is anything imported that could fit."""
    world = other.copy(place)

    imported = train(world, hash_seed=3)

    assert (told(world)["fitted"], told(world)["judged"]) == (False, False)
    assert told(world)["run"] == told(other)["run"]
    assert imported == []


@pytest.mark.slow
def test_two_at_once_train_once(one: World, place: Path) -> None:
    """Who starts beside another waits for it and takes what it made; nobody is accused."""
    world = one.copy(place)
    shutil.rmtree(world.root / ".ml-gitops")
    (world.root / "checks" / "test_slow.py").write_text(SLOW)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "ml_gitops", "train", "--outcome", f"told{n}.json"],
            cwd=world.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for n in range(2)
    ]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said

    outcomes = [json.loads((world.root / f"told{n}.json").read_text()) for n in range(2)]

    assert sorted((told["fitted"], told["judged"]) for told in outcomes) == [
        (False, False),
        (True, True),
    ]
    assert outcomes[0]["run"] == outcomes[1]["run"]
