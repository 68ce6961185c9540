"""The template as it stands, on the real flights of 2013, through the first pull request."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.cli import main
from ml_gitops.names import LOCK_FILE


def run(folder: Path, *words: str) -> Any:
    """Run `ml-gitops` in a folder and return the document of its outcome."""
    outcome = folder / ".git" / "outcome.json"
    assert main([*words, "--json", "-C", str(folder), "--outcome", str(outcome)]) == 0
    return json.loads(outcome.read_text())


@pytest.fixture(scope="module")
def delays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository that `init` made."""
    folder = tmp_path_factory.mktemp("template") / "late-flights"
    assert main(["init", str(folder), "--name", "delays", "--json"]) == 0
    return folder


def test_init_makes_a_sound_repository(delays: Path) -> None:
    """What `init` leaves is committed, on a forge, named, and passes `check`."""
    found = run(delays, "check")
    status = run(delays, "status")

    dirty = subprocess.run(
        ["git", "status", "--porcelain"], cwd=delays, capture_output=True, text=True, check=True
    )
    assert found["passed"]
    assert dirty.stdout == ""
    assert (status["model"], status["releases"]) == ("delays", [])


@pytest.mark.slow
def test_first_pull_request_passes(delays: Path, tmp_path: Path) -> None:
    """A month of real flights is locked, is valid, trains, and passes its gate and its checks."""
    locked = run(delays, "data", "lock", "--until", "2013-02-01")
    valid = run(delays, "data", "validate")
    trained = run(delays, "train")
    report = run(delays, "report", "--html", str(tmp_path / "report.html"))

    assert locked["lock"]["window"] == {"start": "2013-01-01", "until": "2013-02-01"}
    assert (delays / LOCK_FILE).exists()
    assert valid["rows"] == locked["lock"]["rows"] > 20_000
    assert [one for one in valid["violations"] if one["severity"] == "error"] == []
    assert (trained["fitted"], trained["verdict"]) == (True, "pass")
    assert trained["metrics"]["roc_auc"] > 0.6
    assert report["run"] == trained["run"]
    assert "<html" in (tmp_path / "report.html").read_text()
