"""What people do without a web page: review, label, and answer issues from the command line."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ml_gitops.adapters.local_forge.forge import LocalForge
from ml_gitops.adapters.records import GitRecords
from ml_gitops.cli import main
from ml_gitops.pull_request import PullRequestSpec
from tests.builders import BOT, first_day, make_model_repo


class Repo:
    """A repository with one open pull request, #1, and one open issue, #2."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = make_model_repo(root)
        self._capsys = capsys
        self.forge = LocalForge(root / ".git" / "forge.git", actor=BOT, clock=first_day)
        self._git("config", "user.name", "ada")
        self._git("config", "user.email", "ada@example.org")
        self._git("switch", "--quiet", "--create", "try")
        (root / "notes.txt").write_text("one")
        self._git("add", "--all")
        self._git("commit", "--quiet", "-m", "Note")
        self.ask("pr", "open")
        self.forge.open_issue("churn: look at the log", "Half of it is missing.", ["incident"])

    def _git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)

    def ask(self, *words: str) -> Any:
        """Return the JSON document of a command that passes."""
        self._capsys.readouterr()
        assert main([*words, "--json", "-C", str(self.root)]) == 0
        return json.loads(self._capsys.readouterr().out)

    def read(self, *words: str) -> str:
        """Return what people read of a command that passes."""
        self._capsys.readouterr()
        assert main([*words, "-C", str(self.root)]) == 0
        return self._capsys.readouterr().out

    def refused(self, *words: str) -> str:
        """Return the one line of a command that the forge refuses."""
        self._capsys.readouterr()
        assert main([*words, "-C", str(self.root)]) == 2
        return self._capsys.readouterr().err


@pytest.fixture
def repo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Repo:
    """Return a repository with a pull request and an issue."""
    return Repo(tmp_path / "repo", capsys)


@pytest.mark.parametrize("verdict", ["approve", "request-changes", "comment"])
def test_a_review_is_kept_and_shown(repo: Repo, verdict: str) -> None:
    """A review carries who, what and why, and `pr show` says it."""
    reviewed = repo.ask("pr", "review", "1", f"--{verdict}", "-m", "As I see it")

    assert [(one["author"]["login"], one["verdict"]) for one in reviewed["reviews"]] == [
        ("ada", verdict)
    ]
    assert repo.forge.pull_request(1).reviews[0].body == "As I see it"
    shown = repo.read("pr", "show", "1")
    assert "ada " in shown
    assert "As I see it" in shown


def test_whom_the_bot_asks_is_shown(repo: Repo) -> None:
    """`pr show` names who was asked for a review, as a page would; of others nobody is named."""
    spec = PullRequestSpec(
        kind="retrain",
        model="churn",
        fingerprint="f",
        branch="ml-gitops/retrain",
        base="main",
        title="Retrain",
        body="It decayed.",
        commit_message="Retrain",
        changes=(("notes.txt", b"two"),),
        reviewers=("grace", "acme/risk"),
    )
    number = repo.forge.open_pull_request(spec).number

    assert "asked for a review: grace, acme/risk\n" in repo.read("pr", "show", str(number))
    assert "asked for" not in repo.read("pr", "show", "1")


def test_a_review_needs_one_verdict(repo: Repo) -> None:
    """Without a verdict, or with two, nothing is reviewed."""
    for words in ([], ["--approve", "--request-changes"]):
        with pytest.raises(SystemExit) as ended:
            main(["pr", "review", "1", *words, "-C", str(repo.root)])
        assert ended.value.code == 2

    assert repo.forge.pull_request(1).reviews == ()


def test_labels_are_added_and_taken_away(repo: Repo) -> None:
    """Labels that are there stay, the same one is kept once, and the removed one goes."""
    repo.ask("pr", "label", "1", "urgent", "gate-block")
    labelled = repo.ask("pr", "label", "1", "urgent", "mine", "--remove", "gate-block")

    assert labelled["labels"] == ["urgent", "mine"]
    assert "urgent, mine" in repo.read("pr", "label", "1")


def test_an_issue_is_read_answered_and_closed(repo: Repo) -> None:
    """What the monitor tells can be listed, read, answered and closed."""
    assert [one["number"] for one in repo.ask("issue", "list")] == [2]
    assert "#2" in repo.read("issue", "list")
    assert "Half of it is missing." in repo.read("issue", "show", "2")

    repo.ask("issue", "comment", "2", "The disk was full.")
    closed = repo.ask("issue", "close", "2", "--reason", "It is not any more.")

    assert closed["state"] == "closed"
    said = [one.body for one in repo.forge.issues()[0].comments]
    assert said == ["The disk was full.", "It is not any more."]
    assert "ada commented:" in repo.read("issue", "show", "2")


def test_what_waits_for_people_has_its_number(repo: Repo) -> None:
    """`status` names pull requests and issues with the numbers that other commands take."""
    shown = repo.read("status")

    assert "#1 Note (by ada)" in shown
    assert "issue #2 churn: look at the log" in shown
    assert [one["number"] for one in repo.ask("status")["issues"]] == [2]


@pytest.mark.parametrize(
    ("text", "day", "said"),
    [
        ('{"as_of": "2013-05-01", "headline": "A replay"}', "2013-05-01", "A replay"),
        ('{"as_of": "soon"}', None, "cannot be read: monitoring/churn/2013-05-01-001-a.json"),
        ("[", None, "cannot be read: monitoring/churn/2013-05-01-001-a.json"),
    ],
)
def test_the_last_watch_is_the_one_that_ran_last(
    repo: Repo, text: str, day: str | None, said: str
) -> None:
    """Who looks back from an earlier day reads of that run, and not of the latest day."""
    records = GitRecords(repo.root / ".git" / "forge.git", actor=BOT, clock=first_day)
    today = '{"as_of": "2026-11-20", "headline": "Nobody asked"}'
    records.append("monitoring/churn/2026-11-20-001-b.json", today)
    records.append("monitoring/churn/2013-05-01-001-a.json", text)

    found = repo.ask("status")

    assert found["watched"] == day
    assert found["said"].endswith(said)


def test_no_issues_are_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody was told anything, the list says so."""
    quiet = make_model_repo(tmp_path / "quiet")

    assert main(["issue", "list", "-C", str(quiet)]) == 0
    assert capsys.readouterr().out == "There are no issues.\n"


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["pr", "close", "2"], "#2 is an issue; run `ml-gitops issue close 2`"),
        (["pr", "comment", "2", "x"], "#2 is an issue; run `ml-gitops issue comment 2`"),
        (["pr", "review", "2", "--approve"], "#2 is an issue; run `ml-gitops issue show 2`"),
        (["pr", "label", "2", "x"], "#2 is an issue; run `ml-gitops issue show 2`"),
        (["issue", "close", "1"], "#1 is a pull request; run `ml-gitops pr close 1`"),
        (["issue", "show", "1"], "#1 is a pull request; run `ml-gitops pr show 1`"),
        (["issue", "close", "9"], "there is no #9"),
        (["pr", "review", "9", "--approve"], "there is no #9"),
    ],
    ids=str,
)
def test_the_wrong_kind_is_named_and_left_alone(repo: Repo, words: list[str], remedy: str) -> None:
    """A command for the other kind names the right one, and changes nothing."""
    before = (repo.forge.pull_requests(), repo.forge.issues())

    said = repo.refused(*words)

    assert remedy in said
    assert (repo.forge.pull_requests(), repo.forge.issues()) == before
