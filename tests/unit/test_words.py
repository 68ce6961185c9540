"""Words that the command line does not know are told in one line, with the one that was meant."""

import pytest

from ml_gitops.cli.parser import make_parser

MISTAKES: list[tuple[list[str], str]] = [
    (["reprot"], "ml-gitops: there is no command 'reprot'; did you mean `ml-gitops report`?"),
    (["lock"], "ml-gitops: there is no command 'lock'; did you mean `ml-gitops data lock`?"),
    (
        ["data", "validte"],
        "ml-gitops data: there is no command 'validte'; did you mean `ml-gitops data validate`?",
    ),
    (["data", "xyz"], "ml-gitops data: there is no command 'xyz'; use one of lock, validate"),
    (["train", "--jsn"], "ml-gitops train: there is no option '--jsn'; did you mean `--json`?"),
    (
        ["data", "lock", "--untl=2024-01-01"],
        "ml-gitops data lock: there is no option '--untl'; did you mean `--until`?",
    ),
    (
        ["pr", "merge", "1", "--method", "sqash"],
        "ml-gitops pr merge: --method: 'sqash' is unknown; did you mean `squash`?",
    ),
    (
        ["pr", "merge", "one"],
        (
            "ml-gitops pr merge: argument N: invalid int value: 'one'; "
            "see `ml-gitops pr merge --help`"
        ),
    ),
    (
        ["promote", "--environment", "production"],
        "ml-gitops promote: there is no option '--environment'; did you mean `--to`?",
    ),
    (["train", "now"], "ml-gitops: unrecognized arguments: now; see `ml-gitops --help`"),
]


@pytest.mark.parametrize(("words", "line"), MISTAKES, ids=lambda it: " ".join(it)[:20])
def test_a_mistake_is_one_line(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where, what, and the nearest word or all that there are; the exit code is 2."""
    with pytest.raises(SystemExit) as left:
        make_parser().parse_args(words)

    assert left.value.code == 2
    assert capsys.readouterr().err == f"error: {line}\n"


def test_escapes_in_a_word_stay_text(capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody else put into a script moves no cursor and starts no line."""
    with pytest.raises(SystemExit):
        make_parser().parse_args(["train", "--\x1b[2J\nerror: all is well"])

    (line,) = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line


def test_short_forms_of_an_option_are_taken() -> None:
    """What can only mean one option is that option."""
    assert make_parser().parse_args(["train", "--js"]).json
