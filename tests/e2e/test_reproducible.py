"""The same rows, code and seed are the same model, in whichever process it is trained."""

import json
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from tests.builders import config_text
from tests.e2e.world import World

LOCKED = date(2024, 2, 1)
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


def train(world: World, hash_seed: int) -> tuple[Any, list[str]]:
    """Train in a process of its own; return its outcome, and the heavy libraries it imported."""
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
    told = json.loads((world.root / "told.json").read_text())
    return told, done.stdout.rpartition("imported:")[2].split()


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Any, World, Any]:
    """Return two equal worlds, each trained in another process with other hash seeds."""
    folder = tmp_path_factory.mktemp("twins")
    one = World.make(folder / "one", model={"seed": 7})
    (one.root / "model" / "pipeline.py").write_text(FOREST)
    (one.root / "params.toml").write_text("n_estimators = 20\nmax_depth = 4\n")
    one.run("data", "lock", "--until", str(LOCKED))
    one.clone.commit_all("Try a forest")
    other = one.copy(folder / "other")
    first, imported = train(one, hash_seed=1)
    assert imported == list(HEAVY)
    second, _ = train(other, hash_seed=4242)
    return one, first, other, second


def test_two_processes_give_one_model(twins: tuple[World, Any, World, Any]) -> None:
    """Two processes with other hash seeds give the same run key and the same bytes of ONNX."""
    _, first, _, second = twins

    assert (first["fitted"], second["fitted"]) == (True, True)
    assert first["run"]["run_key"] == second["run"]["run_key"]
    assert first["run"]["files"] == second["run"]["files"]


def test_another_seed_is_another_model(twins: tuple[World, Any, World, Any]) -> None:
    """The seed decides: with another one the key and the bytes differ, so they could differ."""
    one, first, _, _ = twins
    world = one.copy(one.root.parent / "seeded")
    config = config_text(model={"seed": 8}, data={"holdout_days": 10})
    (world.root / "ml-gitops.toml").write_text(config)

    third = world.run("train")

    assert third["run"]["run_key"] != first["run"]["run_key"]
    assert third["run"]["files"]["model.onnx"] != first["run"]["files"]["model.onnx"]


def test_training_again_imports_no_estimator(twins: tuple[World, Any, World, Any]) -> None:
    """With nothing changed nothing is fitted, nor is anything imported that could fit."""
    _, _, other, second = twins

    again, imported = train(other, hash_seed=3)

    assert (again["fitted"], again["judged"]) == (False, False)
    assert again["run"] == second["run"]
    assert imported == []
