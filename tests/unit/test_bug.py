"""What we ask people to paste in public holds our mistake, and nothing of theirs."""

import re
from pathlib import Path

import pytest

from ml_gitops.cli import main
from ml_gitops.cli.bug import redacted, told

SECRETS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 9,
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "hunter2",
]


@pytest.mark.parametrize(
    "text",
    [
        "cannot log in with {}",
        "https://ada:{}@example.org/x",
        'password="{}"',
        "Authorization: Bearer {}",
        "{{'api_key': '{}'}}",
        "TOKEN={}, and more",
    ],
)
def test_secrets_are_left_out(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their form, by the word before them, or because a variable holds them."""
    for secret in SECRETS:
        monkeypatch.setenv("MY_DATABASE_PASSWORD", f"{secret}-of-the-database")
        shown = secret if "log in" not in text else f"{secret}-of-the-database"

        assert secret not in redacted(text.format(shown))


def test_a_traceback_shows_our_lines_and_the_place_of_others() -> None:
    """Homes, addresses and rows stay at home; the chain of errors is whole."""
    home = Path.home()
    try:
        try:
            re.compile("(" + "row of a person, " * 100)
        except re.error as error:
            raise KeyError(f"{home}/churn of ada@example.org") from error
    except KeyError as error:
        text = told(error)

    assert str(home) not in text
    assert "ada@" not in text
    assert "row of a person" not in text
    assert text.index(": missing )") < text.index("and then:") < text.index("KeyError: '~/churn")
    assert "test_bug.py:" in text


def test_a_bug_is_told_without_what_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line keeps its own words; its values, the folder and the text of a row do not."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"row 7 of {tmp_path} is \x1b[31m```\n<!-- x -->" + "x" * 500)

    monkeypatch.setattr(Path, "mkdir", fail)
    monkeypatch.chdir(tmp_path)

    code = main(["init", str(tmp_path / "secret-project"), "--name", "secret-name"])

    (named,) = re.findall(r"\S+\.md", capsys.readouterr().err)
    text = Path(named).read_text()
    Path(named).unlink()
    assert code == 3
    assert "`ml-gitops init --name` ended with RuntimeError." in text
    assert "secret" not in text
    assert str(tmp_path) not in text
    assert "ml_gitops/cli/__init__.py:" in text
    assert max(map(len, text.splitlines())) < 300
    assert "\x1b" not in text
