"""What came with a commit is not believed."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.cli import main
from ml_gitops.pull_request import Actor
from tests.builders import make_model_repo


def git(root: Path, *arguments: str) -> None:
    """Run Git in a repository as a person would."""
    person = ["-c", "user.name=Eve", "-c", "user.email=eve@example.org"]
    subprocess.run(["git", *person, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a small model repository."""
    return make_model_repo(tmp_path / "repo")


def test_a_cache_that_came_with_a_commit_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A judged run that somebody committed is named, not reported or released."""
    forged = root / ".ml-gitops" / "runs" / "churn-000000000000"
    forged.mkdir(parents=True)
    (forged / "report.json").write_text("{}")
    git(root, "add", "--force", ".ml-gitops")
    git(root, "commit", "-m", "Bring a verdict along")

    code = main(["train", "-C", str(root)])

    assert code == 2
    assert "the cache of runs came with a commit" in capsys.readouterr().err
    assert list(forged.iterdir()) == [forged / "report.json"]


def test_a_cache_that_is_a_link_is_refused(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written or removed through a link in place of the cache."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / ".ml-gitops").symlink_to(outside)

    code = main(["check", "-C", str(root)])

    assert code == 2
    assert "is a link" in capsys.readouterr().err
    assert list(outside.iterdir()) == []


def test_files_in_a_work_tree_make_no_repository(root: Path, tmp_path: Path) -> None:
    """Committed files that look like a bare repository are not obeyed as one."""
    ran = tmp_path / "ran"
    (root / "HEAD").write_text("ref: refs/heads/main\n")
    (root / "objects").mkdir()
    (root / "refs").mkdir()
    (root / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n"
        f"\tfsmonitor = touch {ran}\n"
    )
    clone = Clone(root, clock=lambda: datetime.now(UTC), actor=Actor(login="ada"))

    dirty = clone.dirty_paths()

    assert not clone.bare
    assert "config" in dirty
    assert not ran.exists()
