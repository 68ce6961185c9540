"""Somebody's own repository, with a script and no idea of us, through to its first release."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.cli import main
from tests.builders import PIPELINE, data_text

FILLED = {
    "model/pipeline.py": "train.py",
    "model/data.py": "train.py",
    "CHANGE_id": "customer",
    "CHANGE_time": "asked",
    "CHANGE_target": "left",
    "forbidden = []": 'forbidden = ["refund"]',
}
"""What a person fills in."""
HOLE = 'CHANGE_feature = { type = "number" }\n'


def git(root: Path, *words: str) -> None:
    """Run Git in a work tree."""
    subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)


def run(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command that must pass, and return its document."""
    capsys.readouterr()
    assert main([*words, "--json", "-C", str(root)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_script_becomes_a_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Adopted, filled in as `check` says, locked, reviewed and merged, the script's model ships."""
    root, forge = tmp_path / "churn", tmp_path / "forge.git"
    root.mkdir()
    (root / "train.py").write_text(data_text() + PIPELINE)
    git(root, "init", "--quiet", "--initial-branch=trunk")
    git(root, "config", "user.name", "eve")
    git(root, "config", "user.email", "eve@example.org")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "A script")

    assert main(["init", str(root), "--adopt", "--forge", str(forge)]) == 0
    config = root / "ml-gitops.toml"
    text = config.read_text()
    for old, new in FILLED.items():
        text = text.replace(old, new)
    config.write_text(text)
    capsys.readouterr()
    assert main(["check", "-C", str(root)]) == 1
    named = [one for one in capsys.readouterr().out.splitlines() if ' = { type = "' in one]
    config.write_text(text.replace(HOLE, "\n".join(named) + "\n"))
    run(root, capsys, "check")
    run(root, capsys, "data", "lock", "--until", "2024-03-01")
    git(root, "switch", "--quiet", "--create", "first-model")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Lock two months")
    run(root, capsys, "train")
    number = str(run(root, capsys, "pr", "open")["number"])
    run(root, capsys, "report")
    run(root, capsys, "pr", "review", number, "--approve")
    run(root, capsys, "pr", "merge", number)
    git(root, "switch", "--quiet", "trunk")
    git(root, "pull", "--quiet")
    done = run(root, capsys, "release")

    assert done["release"]["tag"] == "churn@v1.0.0"
    assert done["release"]["pull_request"] == int(number)
    assert run(root, capsys, "status")["environments"][0]["tag"] == "churn@v1.0.0"
