"""What a command says after it has done something, or refused to begin."""

import subprocess
from pathlib import Path

import pytest

from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.cli import main
from ml_gitops.cli.setting import BOT, now
from ml_gitops.pull_request import signed_text
from ml_gitops.workflows.reporting import report_marker
from tests.builders import make_model_repo


def git(root: Path, *words: str) -> str:
    """Run Git in a work tree, as somebody."""
    somebody = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        ["git", *somebody, *words], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose first release serves in both environments."""
    root = make_model_repo(tmp_path_factory.mktemp("released") / "repo")
    lock = ["data", "lock", "--until", "2024-03-01"]
    assert main([*lock, "-C", str(root)]) == 0
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Lock January and February")
    git(root, "push", "--quiet", "origin", "main")
    for words in (["train"], ["release", "--train"], ["pr", "merge", "1"]):
        assert main([*words, "-C", str(root)]) == 0
    return root


def test_promoting_what_serves_says_so(released: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is proposed, and the reason is the release that serves already."""
    capsys.readouterr()

    assert main(["promote", "--to", "production", "-C", str(released)]) == 0

    assert "production serves churn@v1.0.0 already" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["folder", "file/inside"])
def test_a_page_that_cannot_be_written_stops_the_monitor(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """Nothing is looked at, recorded or proposed when the page has no place to go."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    before = git(released / ".git" / "forge.git", "for-each-ref")
    capsys.readouterr()

    code = main(["monitor", "--html", str(tmp_path / place), "-C", str(released)])

    assert code == 2
    assert "cannot write it" in capsys.readouterr().err
    assert git(released / ".git" / "forge.git", "for-each-ref") == before


def test_a_merge_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The merge is on the forge, so the clone needs to pull; the command is told."""
    root = make_model_repo(tmp_path / "repo")
    git(root, "switch", "--quiet", "--create", "try")
    (root / "notes.txt").write_text("x")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Note")
    assert main(["pr", "open", "-C", str(root)]) == 0

    assert main(["pr", "merge", "1", "-C", str(root)]) == 0

    said = capsys.readouterr().out
    assert "next: `git switch main` and `git pull`" in said
    assert "no report of it was posted, so nobody judged what was merged" in said


def test_a_report_without_its_files_holds_no_merge_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read any more is told, and the merge is made."""
    root = make_model_repo(tmp_path / "repo")
    git(root, "switch", "--quiet", "--create", "try")
    (root / "notes.txt").write_text("x")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Note")
    assert main(["pr", "open", "-C", str(root)]) == 0
    forge = LocalForge(root / ".git" / "forge.git", actor=BOT, clock=now)
    gone = report_marker("churn", "sha256:" + "0" * 64, "sha256:" + "1" * 64)
    forge.comment(1, signed_text("A report.", gone))

    assert main(["pr", "merge", "1", "-C", str(root)]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "the files that it speaks of are gone or damaged" in said


def test_a_proposal_says_what_is_not_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not committed stays behind, and is named."""
    root = make_model_repo(tmp_path / "repo")
    git(root, "switch", "--quiet", "--create", "try")
    (root / "notes.txt").write_text("x")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Note")
    for name in "abcd":
        (root / f"{name}.txt").write_text("x")

    assert main(["pr", "open", "-C", str(root)]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "not in it, because not committed: a.txt, b.txt, c.txt and 1 more" in said


def test_commits_that_are_not_pushed_are_not_released(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A commit of one's own on the default branch is named, with pull and push."""
    root = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(released / ".git" / "forge.git"), str(root))
    (root / "notes.txt").write_text("x")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "Note")
    capsys.readouterr()

    assert main(["release", "-C", str(root)]) == 2

    assert "push what you committed" in capsys.readouterr().err


def test_a_recorded_assignment_says_who_does_not_follow(
    released: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that runs keeps what it started with, so the command that starts it anew is told."""
    root = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(released / ".git" / "forge.git"), str(root))
    capsys.readouterr()

    assert main(["release", "-C", str(root)]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "recorded churn#production#1" in said
    assert "stop it, then `ml-gitops serve --environment production`" in said
