"""A champion that is there and cannot be compared is never passed over in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ml_gitops.adapters.local_forge.state import Work
from ml_gitops.names import MODEL_FILE
from tests.builders import data_text
from tests.e2e.world import BLIND_PIPELINE, FIRST, FIRST_LOCK, World

Change = Callable[[World], dict[str, str]]


def config(world: World, old: str, new: str) -> str:
    """Return the config with one change."""
    text = (world.root / "ml-gitops.toml").read_text()
    assert text.count(old) == 1
    return text.replace(old, new)


def see_the_holdout(world: World) -> dict[str, str]:
    """Let the holdout begin before the champion stopped learning."""
    return {"ml-gitops.toml": config(world, "holdout_days = 10", "holdout_days = 14")}


def lose_a_column(world: World) -> dict[str, str]:
    """Let the source no longer have a column that the champion asks for."""
    changes = {
        "ml-gitops.toml": config(world, '[features.wear]\ntype = "number"\nnullable = true\n', ""),
        "model/data.py": data_text(60).replace('"wear":', '"tear":'),
        "model/pipeline.py": BLIND_PIPELINE.replace('["wear"]', '["load"]'),
    }
    for path, text in changes.items():
        (world.root / path).write_text(text)
    world.run("data", "lock", "--until", str(FIRST_LOCK))
    return {}


def lose_its_file(world: World) -> dict[str, str]:
    """Let the release page of the champion lose its model."""

    def step(work: Work) -> None:
        (path,) = (path for path in work.files if FIRST[-6:] in path and MODEL_FILE in path)
        work.message, work.changes[path] = "Lose a file", None

    world.forge._state.change(step)
    return {"params.toml": "C = 0.5\nmax_iter = 200\n"}


def told(world: World, number: int) -> str:
    """Return the report on a pull request, without what Markdown needs to show it as it is."""
    (comment,) = world.forge.pull_request(number).comments
    return comment.body.replace("\\", "").replace("\u200b", "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (see_the_holdout, "it learned from days up to 2024-01-22, so it has seen rows of the"),
        (lose_a_column, "it cannot answer these rows: column 'wear' is missing"),
        (lose_its_file, "its release has lost its model.onnx"),
    ],
)
def test_it_blocks_and_says_why_first(
    released: World, place: Path, change: Change, reason: str
) -> None:
    """The report's first line says that nothing was compared, and why."""
    world = released.copy(place)
    number = world.propose("Change something", change(world))

    world.integrate(number, expect=1)

    title, first = told(world, number).split("\n\n")[:2]
    assert "should not merge" in title
    assert f"Blocked: not compared with {FIRST}: {reason}" in first


def test_a_team_may_leave_it_to_the_reviewer(released: World, place: Path) -> None:
    """With `on_incomparable = "warn"` it warns, and the report names the change of the gate."""
    world = released.copy(place)
    text = (world.root / "ml-gitops.toml").read_text()
    loose = {"ml-gitops.toml": f'{text}\n[gate]\non_incomparable = "warn"\n'}

    number = world.propose("Change something", lose_its_file(world) | loose)
    world.integrate(number)

    body = told(world, number)
    reason = f"not compared with {FIRST}: its release has lost its model.onnx"
    assert "may merge, with a warning" in body.partition("\n")[0]
    assert f"Passes with a warning: {reason}" in body
    assert "on_incomparable block → warn" in body
