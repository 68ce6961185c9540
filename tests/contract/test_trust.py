"""What came with a commit is not believed."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_gitops.adapters.git.clone import Clone
from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.cli import main
from ml_gitops.cli.setting import now
from ml_gitops.names import RECORDS_BRANCH
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


@pytest.mark.hostile
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


@pytest.mark.hostile
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


@pytest.mark.parametrize(
    "record",
    ["", "{", "[]", '{"as_of": 1, "headline": "x"}', '{"as_of": "soon"}', "[" * 100_000, "\ud800"],
    ids=range(7),
)
@pytest.mark.hostile
def test_a_record_that_somebody_broke_does_not_hide_the_rest(
    root: Path, capsys: pytest.CaptureFixture[str], record: str
) -> None:
    """Who writes to the branch of records spoils what they say, and not the status."""
    forge = GitRepository(root / ".git" / "forge.git", clock=now, actor=Actor(login="eve"))
    path = "monitoring/churn/9999-12-31-001.json"
    content = record.encode(errors="surrogatepass")
    forge.commit_files(RECORDS_BRANCH, {path: content}, "Break it", expected_old=None)

    code = main(["status", "-C", str(root), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["watched"], told["said"]) == (None, f"the newest record cannot be read: {path}")


@pytest.mark.hostile
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
