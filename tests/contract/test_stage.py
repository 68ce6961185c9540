"""The stage of the demo: real commands, their record, and what is said while they run."""

import io
from pathlib import Path

import pytest

from ml_gitops.cli.demo.stage import DemoError, Stage
from ml_gitops.render.terminal import Terminal
from tests.builders import START, make_model_repo


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model repository."""
    return make_model_repo(tmp_path_factory.mktemp("stage") / "repo")


def stage_in(root: Path, patience: float) -> tuple[Stage, io.StringIO]:
    """Return a stage, and what it says while a command runs."""
    said = io.StringIO()
    terminal = Terminal(out=io.StringIO(), err=said, width=100)
    return Stage(root, terminal, START, patience=patience), said


@pytest.mark.parametrize(("patience", "told"), [(0.0, 1), (60.0, 0)])
def test_a_command_that_takes_long_says_its_steps(root: Path, patience: float, told: int) -> None:
    """Once a command takes a while, what it says of its steps is heard; the record has none."""
    stage, said = stage_in(root, patience)

    found = stage.ml_gitops("Ada looks", "check")

    lines = said.getvalue().splitlines()
    assert lines[0] == "2024-01-01 Ada looks"
    assert lines.count("2024-01-01 Importing your code") == told
    assert found["passed"]
    assert "Importing" not in stage.steps[0].output


def test_a_command_that_ends_otherwise_ends_the_story(root: Path) -> None:
    """Its last line is the error's, and the step is on record."""
    stage, _ = stage_in(root, 60.0)

    with pytest.raises(DemoError, match=r"`ml-gitops report`, ended with 2: error: .*locked"):
        stage.ml_gitops("Too early", "report")

    assert stage.steps[0].exit_code == 2
    assert stage.steps[0].output.startswith("error: ")
