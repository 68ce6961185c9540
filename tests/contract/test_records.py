"""Records are written once, never changed, and none is lost."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_gitops.adapters.git.repository import GitRepository
from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.records import GitRecords
from ml_gitops.errors import GitError
from ml_gitops.names import RECORDS_BRANCH
from ml_gitops.ports import Records
from ml_gitops.pull_request import Actor, PullRequestSpec

BOT = Actor(login="ml-gitops", bot=True)

WRITE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ml_gitops.adapters.records import GitRecords
from ml_gitops.pull_request import Actor

records = GitRecords(
    Path(sys.argv[1]), actor=Actor(login="ml-gitops", bot=True),
    clock=lambda: datetime(2013, 4, 1, tzinfo=UTC),
)
for number in range(5):
    records.append(f"runs/{sys.argv[2]}-{number}.json", sys.argv[2])
    records.append("runs/shared.json", "shared")
"""


def clock() -> datetime:
    """Return the same second always."""
    return datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a test an empty bare repository."""
    return GitRepository.create_bare(tmp_path / "forge.git", clock=clock, actor=BOT).path


@pytest.fixture
def records(path: Path) -> Records:
    """Give a test the records in it."""
    return GitRecords(path, actor=BOT, clock=clock)


def test_records_come_back_sorted_by_path(records: Records) -> None:
    """What is under a prefix is read whole, in order, with every character."""
    records.append("monitoring/2013-05.json", "{}\n")
    records.append("training/b ü.json", "ü\n")
    records.append("training/a.json", "")

    assert records.read_all("training/") == [("training/a.json", ""), ("training/b ü.json", "ü\n")]
    assert [name for name, _ in records.read_all("")] == [
        "monitoring/2013-05.json",
        "training/a.json",
        "training/b ü.json",
    ]
    assert records.read_all("none/") == []


def test_before_the_first_record_there_is_none(records: Records) -> None:
    """A repository without the branch has no records, and that is no error."""
    assert records.read_all("") == []
    assert records.newest("") is None


def test_the_newest_record_is_the_one_that_was_written_last(records: Records) -> None:
    """Whatever the order of the paths, and whatever was written elsewhere meanwhile."""
    records.append("monitoring/m/2026-11.json", "today")
    records.append("monitoring/m/2013 ü.json", "a replay")
    records.append("training/m/2026.json", "trained")
    records.append("monitoring/m/2026-11.json", "today")

    assert records.newest("monitoring/m/") == ("monitoring/m/2013 ü.json", "a replay")
    assert records.newest("") == ("training/m/2026.json", "trained")
    assert records.newest("training/m/") == ("training/m/2026.json", "trained")
    assert records.newest("monitoring/other/") is None


def test_a_record_never_changes(records: Records, path: Path) -> None:
    """The same text again makes no commit; another text is refused and the first stays."""
    records.append("a.json", "first")
    tip = GitRepository(path, clock=clock, actor=BOT).resolve(RECORDS_BRANCH)

    records.append("a.json", "first")
    with pytest.raises(GitError, match=r"another record at a\.json; records never change"):
        records.append("a.json", "second")

    assert records.read_all("") == [("a.json", "first")]
    assert GitRepository(path, clock=clock, actor=BOT).resolve(RECORDS_BRANCH) == tip


@pytest.mark.parametrize("odd", ["../x.json", "/x.json", ".git/x", "a.json/b.json"])
def test_a_path_that_git_cannot_hold_is_refused(records: Records, odd: str) -> None:
    """A refused record leaves the others as they were."""
    records.append("a.json", "first")

    with pytest.raises(GitError):
        records.append(odd, "x")

    assert records.read_all("") == [("a.json", "first")]


@pytest.mark.parametrize("blocking", ["monitoring", "monitoring/churn"])
def test_a_file_in_the_way_is_named(records: Records, path: Path, blocking: str) -> None:
    """Who pushes a file where records have their folder is told where it lies."""
    records.append(blocking, "mine")

    said = rf"forge\.git \(ml-gitops-records\): '{blocking}' is a file, .* a folder; remove"
    with pytest.raises(GitError, match=said):
        records.append("monitoring/churn/2024-02-02-001.json", "x")
    assert records.newest("monitoring/churn/") is None


def test_writers_at_once_lose_nothing(records: Records, path: Path) -> None:
    """Three processes append fifteen records and one that they share."""
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(path), name], stderr=subprocess.PIPE)
        for name in "abc"
    ]
    errors = [process.communicate(timeout=100)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert len(records.read_all("runs/")) == 16


def test_records_live_beside_code_and_proposals(path: Path, records: Records) -> None:
    """The branch shares nothing with the code, and the bot's branches fit beside it."""
    forge = LocalForge(path, actor=BOT, clock=clock)
    forge.commit("main", {"a.txt": b"1"}, "Begin")
    records.append("a.json", "first")

    forge.open_pull_request(
        PullRequestSpec(
            kind="retrain",
            model="m",
            fingerprint="x",
            branch="ml-gitops/retrain-m",
            base="main",
            title="Retrain",
            body="",
            commit_message="Retrain",
            changes=(("a.txt", b"2"),),
        )
    )
    records.append("b.json", "second")

    assert len(records.read_all("")) == 2
    assert forge.read("a.json", ref="main") is None
