"""What stands in the terminal of a person: the verdict first, nothing cut, no line too long."""

import os
import re
from pathlib import Path

import pytest

from ml_gitops.cli import main
from ml_gitops.cli.setting import NOW
from tests.builders import CHECKS, PARAMS, appended
from tests.e2e.world import BLIND_PIPELINE, DECAYED, World

SURE = '''
    def test_nobody_leaves_for_sure(candidate, holdout):
        """No customer is told to leave for sure."""
        assert candidate.predict(holdout).scores.max() - 0.5 < 0.01
'''


def read(world: World, capsys: pytest.CaptureFixture[str], *words: str, expect: int = 0) -> str:
    """Return what a person reads of a command, in a terminal of eighty columns."""
    capsys.readouterr()
    os.environ[NOW] = world.clock().isoformat()
    try:
        assert main([*words, "-C", str(world.root)]) == expect
    finally:
        os.environ.pop(NOW)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80, text
    return text


def flat(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def test_training_says_what_blocks_and_why(
    released: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict, what differs, the table, each failed check with its reason, and what to push."""
    world = released.copy(tmp_path / "churn")
    world.clone.switch("blind", create=True)
    (world.root / "model/pipeline.py").write_text(BLIND_PIPELINE)
    (world.root / "params.toml").write_text(PARAMS.replace("1.0", "0.5"))
    (world.root / "checks/test_behaviour.py").write_text(appended(CHECKS, SURE))
    world.clone.commit_all("Look away")

    text = read(world, capsys, "train", expect=1)

    said = flat(text)
    assert said.index("✗ block ROC AUC") < said.index("What differs from churn@v1.0.0")
    assert "- code: model/pipeline.py changed" in said
    assert "- hyper-parameters: C 1.0 → 0.5" in said
    assert "The ROC AUC decides, on 600 rows" in said
    assert "1 check fails" in said
    assert "✗ No customer is told to leave for sure: (0." in said
    assert "np.float64" not in said
    assert "1 commit of this branch is not pushed: run `git push`" in said


def test_a_pull_request_is_shown_without_marks(
    proposed: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The retraining with its report: no tag, no table in pipes, every folded part a section."""
    (retraining,) = proposed.open()

    text = read(proposed, capsys, "pr", "show", str(retraining.number), "--full")
    short = read(proposed, capsys, "pr", "show", str(retraining.number))

    for mark in ("<details>", "**", "| :--", "<!--", "&lt;"):
        assert mark not in text
    for section in ("Why now", "What changes", "What it would bring", "What happens next"):
        assert f"\n{section}\n" in text
    assert "\n▸ Every rule of the gate\n" in text
    assert re.search(r"\n▸ Every rule of the gate \(\d+ lines\)\n", short)
    assert "\n▸ is folded; --full shows it.\n" in short
    assert "\nrun key " in text
    assert "\nrun key " not in short
    assert "- data.lock.json alone: " in flat(text)


def test_a_merge_says_what_was_judged(
    reviewed: World, pushed: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict of the report stands beside the merge, and whether it is of that head."""
    world, later = reviewed.copy(tmp_path / "churn"), pushed.copy(tmp_path / "later")

    judged = flat(read(world, capsys, "pr", "merge", "1"))
    stale = flat(read(later, capsys, "pr", "merge", "1"))

    assert "✓ pass" in judged
    assert "older than its head" not in judged
    assert "its report is older than its head, and said: " in stale


def test_a_box_is_offered_with_the_command_that_ticks_it(
    proposed: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads the thread reads how to tick, and who ticked reads when the bot obeys."""
    world = proposed.copy(tmp_path / "churn")
    number = str(world.open()[0].number)

    before = read(world, capsys, "pr", "show", number)
    ticked = read(world, capsys, "pr", "tick", number, "train")
    after = read(world, capsys, "pr", "show", number)

    lines = {box: f"\n  ml-gitops pr tick {number} {box}\n" for box in ("train", "snooze")}
    assert lines["train"] in before
    assert lines["snooze"] in before
    assert "ticked; the next `ml-gitops monitor` obeys" in ticked
    assert lines["train"] not in after
    assert lines["snooze"] in after


def test_a_dry_run_says_what_it_would_do(
    decayed: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing moves on the forge, and the plan stands at the end."""
    world = decayed.copy(tmp_path / "churn")
    world.wait_until(DECAYED)
    before = world.refs()

    text = read(world, capsys, "monitor", "--as-of", str(DECAYED), "--dry-run")

    assert world.refs() == before
    assert f"- train on rows until {DECAYED}, judge the candidate, and open a" in flat(text)
    assert "would stop" not in text
    (world.root / "notes.txt").write_text("x")
    warned = flat(read(world, capsys, "monitor", "--as-of", str(DECAYED), "--dry-run"))
    assert "would stop at once: the work tree differs from its commit: notes.txt; commit" in warned


def test_a_monitor_that_retrains_says_so_while_it_does(
    decayed: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step of the training names what it is for, for whoever waits and for the log."""
    world = decayed.copy(tmp_path / "churn")
    world.wait_until(DECAYED)
    os.environ[NOW] = world.clock().isoformat()
    try:
        capsys.readouterr()
        assert main(["monitor", "--as-of", str(DECAYED), "-C", str(world.root)]) == 0
    finally:
        os.environ.pop(NOW)

    steps = capsys.readouterr().err.splitlines()
    trained = next(place for place, step in enumerate(steps) if "fitting on" in step)
    assert steps[trained].startswith(f"Retraining to {DECAYED}: fitting on ")
    assert steps[0] == "Reading the prediction log and the labels"


def test_weeks_that_nobody_can_judge_are_no_pass(
    released: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a prediction the monitor cannot tell, and calls no feature steady."""
    text = read(released, capsys, "monitor", "--dry-run")

    assert "✓" not in text
    assert "? cannot tell" in text
    assert "too few rows to say" in text
    assert "steady" not in text
