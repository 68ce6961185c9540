"""What a job of GitHub Actions is left with."""

import json
import re
from pathlib import Path

import pytest

from ml_gitops.cli import main
from ml_gitops.cli.job import LARGEST, leave, problem_line
from ml_gitops.render.runner import Annotation, annotation_line
from tests.builders import make_model_repo

COMMAND = re.compile(r"^::(\w+)(?: ([^\n\r]*?))?::(.*)$")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a job, with the files that its runner reads."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path


def read_outputs(path: Path) -> dict[str, str]:
    """Read outputs as the runner does."""
    found, lines = {}, iter(path.read_text().split("\n"))
    for line in lines:
        if not line:
            continue
        name, _, end = line.partition("<<")
        value = []
        while (one := next(lines)) != end:
            value.append(one)
        found[name] = "\n".join(value)
    return found


def test_outputs_are_what_the_document_says(job: Path) -> None:
    """Each output of a command stands in its document; what is missing is empty."""
    leave("train", {"verdict": "pass", "fitted": True, "artifact": "a-b", "other": "never told"})

    assert read_outputs(job / "output") == {"verdict": "pass", "fitted": "true", "artifact": "a-b"}


def test_a_number_is_no_truth(job: Path) -> None:
    """Pull request 1 is 1, and one that is not there is empty."""
    leave("promote", {"action": "open", "pull_request": {"number": 1}})
    first = read_outputs(job / "output")
    (job / "output").unlink()

    leave("promote", {"action": "keep", "pull_request": None})

    assert first == {"action": "open", "pull-request": "1"}
    assert read_outputs(job / "output") == {"action": "keep", "pull-request": ""}


def test_a_list_is_told_as_json(job: Path) -> None:
    """A matrix is made from it, on one line."""
    listed = [{"directory": "models/a b", "model": "churn"}]

    leave("models", {"models": listed})

    assert json.loads(read_outputs(job / "output")["models"]) == listed


@pytest.mark.parametrize("value", ["x\nfitted<<E\ntrue\nE", "x\n::set-output name=a::b", "<<"])
def test_no_value_ends_early(job: Path, value: str) -> None:
    """Whatever a value holds, it is one value of its own output."""
    leave("train", {"verdict": value})

    assert read_outputs(job / "output") == {"verdict": value, "fitted": "", "artifact": ""}


def test_a_summary_is_never_dropped_for_its_length(job: Path) -> None:
    """A summary that GitHub would drop is cut, at a whole character."""
    leave("train", {}, "é" * LARGEST)

    assert LARGEST - 10 < len((job / "summary").read_bytes()) <= LARGEST + 1
    assert (job / "summary").read_text().strip("é") == "\n"


def test_elsewhere_nothing_is_left(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a person's machine no file is written and no command is printed."""
    monkeypatch.delenv("GITHUB_ACTIONS")

    leave("train", {"verdict": "pass"}, "text", [Annotation("error", "no")])

    assert list(job.iterdir()) == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("message", "path", "title"),
    [
        ("one\ntwo", "a.py", "t"),
        ("50% :: ::add-mask::x", "a,line=7.py", "a::b"),
        ("\r\n##[add-path]/tmp", "a.py\n::stop-commands::x", "é,:%"),
    ],
)
def test_an_annotation_is_one_command(message: str, path: str, title: str) -> None:
    """Its texts come back as they were and neither end it nor begin another one."""
    line = annotation_line(Annotation("warning", message, path, 3, title))

    found = COMMAND.fullmatch(line)
    assert found is not None
    assert found[1] == "warning"
    told = dict(one.split("=", 1) for one in found[2].split(","))
    assert {name: _read(value) for name, value in told.items()} == {
        "file": path,
        "line": "3",
        "title": title,
    }
    assert _read(found[3]) == message.replace("##[", "## [")
    assert "##[" not in line


def _read(value: str) -> str:
    return re.sub(r"%(25|0D|0A|3A|2C)", lambda it: chr(int(it[1], 16)), value)


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("pyproject.toml:12", " file=pyproject.toml,line=12"),
        ("pyproject.toml", " file=pyproject.toml,line=1"),
        ("--until", ""),
        ("artifact churn-1", ""),
        ("gone.toml:3", ""),
        (None, ""),
    ],
)
def test_a_problem_is_shown_where_it_is(
    where: str | None, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem of a file stands beside its line; any other on the page of the job."""
    monkeypatch.chdir(Path(__file__).parents[2])

    assert problem_line("it is wrong", where) == f"::error{place}::it is wrong"


@pytest.mark.parametrize("folder", ["", "models/churn/"])
def test_a_wrong_config_is_annotated(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    """A key that nobody knows is shown beside its line of ml-gitops.toml, wherever that is."""
    root = make_model_repo(job / "repo" / folder, git=False, gate={"margins": 1})
    line = (root / "ml-gitops.toml").read_text().splitlines().index("margins = 1") + 1
    monkeypatch.chdir(job / "repo")

    code = main(["data", "validate", "-C", folder or "."])

    assert code == 2
    assert f"::error file={folder}ml-gitops.toml,line={line}::" in capsys.readouterr().err
