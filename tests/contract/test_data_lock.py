"""`data lock`: a lock ends with the last day that has rows, and says so."""

import json
from pathlib import Path

import pytest

from ml_gitops.cli import main
from tests.builders import data_text, make_model_repo

ENDS = data_text().replace(
    "    days = [", '    end = min(end, date.fromisoformat("2024-03-01"))\n    days = ['
)
"""A source whose last rows are of the 29th of February."""


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """Return a repository whose source has no rows from March on."""
    return make_model_repo(tmp_path / "repo", files={"model/data.py": ENDS})


def test_days_without_rows_are_not_locked(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A day after the last row ends the lock there: empty days are no quiet ones."""
    assert main(["data", "lock", "--until", "2024-06-01", "--json", "-C", str(ended)]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["asked"] == "2024-06-01"
    assert told["lock"]["window"] == {"start": "2024-01-01", "until": "2024-03-01"}
    assert told["lock"]["rows"] == 60 * 30


def test_the_same_rows_are_the_same_lock(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However far beyond the last row people ask, the file stays as it is."""
    main(["data", "lock", "--until", "2024-03-01", "-C", str(ended)])
    before = (ended / "data.lock.json").read_bytes()
    capsys.readouterr()

    assert main(["data", "lock", "--until", "2024-06-01", "-C", str(ended)]) == 0

    assert (ended / "data.lock.json").read_bytes() == before
    assert "already locked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "mark"), [(["--until", "2024-03-02"], "▲ warn"), ([], "i note")], ids=str
)
def test_the_last_day_is_told(
    ended: Path, capsys: pytest.CaptureFixture[str], words: list[str], mark: str
) -> None:
    """Who asked for more days is warned; who asked for all of them is told where they end."""
    assert main(["data", "lock", *words, "-C", str(ended)]) == 0

    (line,) = [one for one in capsys.readouterr().out.splitlines() if "the last row" in one]
    assert line.startswith(mark)
    assert "is of 2024-02-29" in line


def test_nothing_is_said_where_nothing_is_missing(
    ended: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A window whose last day has rows is locked as it was asked for."""
    assert main(["data", "lock", "--until", "2024-03-01", "-C", str(ended)]) == 0

    assert "the last row" not in capsys.readouterr().out


def test_rows_too_short_for_a_holdout_are_refused(
    ended: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A window is as long as its rows: days without any do not make room for a holdout."""
    config = ended / "ml-gitops.toml"
    config.write_text(config.read_text().replace("start = 2024-01-01", "start = 2024-02-20"))

    assert main(["data", "lock", "--until", "2024-06-01", "-C", str(ended)]) == 2

    assert "the window 2024-02-20..2024-03-01 has no day left" in capsys.readouterr().err
    assert not (ended / "data.lock.json").exists()
