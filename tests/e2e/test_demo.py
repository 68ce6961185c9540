"""The demo tells its story from nothing, and leaves behind what it says."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tell the story once, as `make demo` does."""
    folder = tmp_path_factory.mktemp("demo") / "told"
    words = ["demo", folder.name, "-C", str(folder.parent), "--outcome", f"{folder}.json"]
    command = [sys.executable, "-m", "ml_gitops", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return folder


@pytest.fixture(scope="module")
def record(told: Path) -> Any:
    """Read what the demo wrote about itself."""
    return json.loads((told / "demo.json").read_text())


def test_the_outcome_is_the_record(told: Path, record: Any) -> None:
    """What machines are given is what lies in the folder."""
    assert json.loads(Path(f"{told}.json").read_text()) == record


def test_the_story_has_its_turns(record: Any) -> None:
    """A retraining and a rollback by the bot are merged, and a change is blocked by the gate."""
    bot = [one for one in record["pull_requests"] if one["author"]["bot"]]
    titles = " ".join(one["title"] for one in bot if one["state"] == "merged")

    assert "Retrain delay on data until 2013-" in titles
    assert "Roll production back to delay@v1.0.1" in titles
    assert "block" in {one["verdict"] for one in record["verdicts"]}
    assert [one["tag"] for one in record["releases"]] == [
        "delay@v1.0.0",
        "delay@v1.0.1",
        "delay@v1.1.0",
    ]


def test_quiet_weeks_stay_quiet(record: Any) -> None:
    """Before the retraining, the monitor looked at many weeks and wanted nothing."""
    looks = [
        one["outcome"]
        for one in record["steps"]
        if one["command"].startswith("ml-gitops monitor") and one["outcome"]
    ]
    first = next(index for index, look in enumerate(looks) if look["want"] == "retrain")

    assert first >= 8
    assert all(look["calm"] for look in looks[:first])


def test_the_same_run_again_changed_nothing(record: Any) -> None:
    """Each rerun of the monitor kept the pull request that the run before had opened."""
    steps = [one for one in record["steps"] if one["title"].startswith("The same run again")]

    actions = [
        step["outcome"][kind]["action"]
        for step, kind in zip(steps, ("retraining", "rollback"), strict=True)
    ]

    assert actions == ["keep", "keep"]


def test_nothing_is_fitted_twice(record: Any) -> None:
    """CI fitted what people proposed, and found what the bot had trained already."""
    fitted = [
        one["outcome"]["fitted"]
        for one in record["steps"]
        if one["command"] == "ml-gitops train" and one["outcome"]
    ]

    assert fitted == [True, False, True]


def test_git_alone_tells_the_story(told: Path) -> None:
    """Log, tags and the desired state of production read as what happened, in 2013."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=told / "model-repo",
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    log = git("log", "--format=%as %an: %s")
    tags = git("ls-remote", "--tags", "origin")
    trail = git("log", "--format=%s", "--", "deployments/production.json")

    assert {line[:4] for line in log.splitlines()} == {"2013"}
    assert "refs/tags/delay#production#4" in tags
    assert trail.splitlines()[0] == "Roll production back to delay@v1.0.1"


class References(HTMLParser):
    """Collect what a page would load or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses and anchors."""
        known = dict(attrs)
        if tag == "a" and known.get("href"):
            self.links.append(str(known["href"]))
        elif known.get("src"):
            self.loaded.append(str(known["src"]))
        if known.get("id"):
            self.ids.append(str(known["id"]))


def test_the_page_needs_nothing_and_leads_somewhere(told: Path) -> None:
    """index.html loads nothing from anywhere; its anchors exist once and its reports are there."""
    page = References()
    page.feed((told / "index.html").read_text())

    assert all(address.startswith("data:") for address in page.loaded)
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        else:
            assert (told / link).is_file(), link
