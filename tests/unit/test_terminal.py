"""The terminal: results on stdout, progress and errors on stderr, outside text never obeyed."""

import io
import json
import re
import subprocess
import sys
import time

import pytest

from ml_gitops.cli import main
from ml_gitops.errors import ConfigError
from ml_gitops.render.terminal import Terminal


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say that somebody is looking."""
        return True


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds it was set to."""
        return self.seconds


@pytest.fixture
def out() -> io.StringIO:
    """Return where results go."""
    return io.StringIO()


@pytest.fixture
def err() -> io.StringIO:
    """Return where progress and errors go, a pipe."""
    return io.StringIO()


def test_a_table_fits_eighty_columns(out: io.StringIO) -> None:
    """Where there is no terminal a table is at most 80 wide, and no cell loses its text."""
    long = "a-name-without-a-single-place-to-break-it-" * 3

    Terminal(out=out).table(["metric", "candidate", "note"], [["AUC", "0.802", long]], title="Gate")

    lines = out.getvalue().splitlines()
    assert lines[0] == "Gate"
    assert max(map(len, lines)) <= 80
    assert "".join("".join(lines[3:]).split()).replace("AUC0.802", "") == long


def test_numbers_of_a_table_stand_right(out: io.StringIO) -> None:
    """The first column is left, the others right."""
    Terminal(out=out).table(["metric", "value"], [["AUC", "0.8"], ["loss", "12.5"]])

    assert [line.rstrip() for line in out.getvalue().splitlines()] == [
        "metric  value",
        "─" * 13,
        "AUC       0.8",
        "loss     12.5",
    ]


def test_a_status_is_symbol_and_word(out: io.StringIO) -> None:
    """A state can be read without its colour."""
    terminal = Terminal(out=out)

    terminal.status("pass", "data contract")
    terminal.status("unknown", "recall on origin = JFK")

    assert out.getvalue() == "✓ pass     data contract\n? cannot tell  recall on origin = JFK\n"


def test_a_panel_lists_names_and_values(out: io.StringIO) -> None:
    """Pairs stand below each other under their title."""
    Terminal(out=out).panel("release", [("tag", "delay@v1.0.0"), ("rows", "80,789")])

    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines == ["release", "  tag   delay@v1.0.0", "  rows  80,789"]


def test_outside_text_is_shown_and_never_obeyed(out: io.StringIO) -> None:
    """Markup, emoji codes and terminal escapes of outside text are only characters."""
    nasty = "[red]x[/red] :smile: \x1b]0;title\x07\x1b[2J [link=https://example.com]y[/link]"
    terminal = Terminal(out=out, err=out)

    terminal.line(nasty)
    terminal.status("pass", nasty)
    terminal.table([nasty], [[nasty]], title=nasty)
    terminal.panel(nasty, [(nasty, nasty)])
    terminal.error(nasty)

    shown = out.getvalue()
    assert shown.count("[red]x[/red] :smile: ]0;title[2J") >= 5
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_an_error_is_one_line_of_stderr(out: io.StringIO, err: io.StringIO) -> None:
    """However long, an error is one line, so that tools and people find the whole of it."""
    problem = ConfigError("unknown key " + "x" * 90, hint="remove it", where="ml-gitops.toml:3")

    Terminal(out=out, err=err).error(problem)

    assert err.getvalue() == f"error: {problem}\n"
    assert out.getvalue() == ""


def test_machines_read_nothing_but_json(out: io.StringIO, err: io.StringIO) -> None:
    """With JSON asked for, stdout is the document and progress is silent."""
    screen = Screen()

    with Terminal(machine=True, out=out, err=screen) as terminal:
        terminal.step("training")
        terminal.status("pass", "gate")
        terminal.table(["a"], [["1"]])
        terminal.panel("a", [("b", "c")])
        terminal.line("done")
        terminal.json('{"a": "[red]"}')

    assert out.getvalue() == '{"a": "[red]"}\n'
    assert screen.getvalue() == ""


def test_a_log_gets_each_step_once(out: io.StringIO, err: io.StringIO) -> None:
    """In a pipe or a log, a step is one line of stderr, however often its share changes."""
    long = "judging " + "x" * 100

    with Terminal(out=out, err=err) as terminal:
        for text, done in [("training", None), (long, 0.2), (long, 0.7), ("training", None)]:
            terminal.step(text, done)

    assert (out.getvalue(), err.getvalue()) == ("", f"training\n{long}\ntraining\n")


def test_short_work_needs_no_words() -> None:
    """Below two seconds a terminal shows no text of progress at all."""
    screen, watch = Screen(), Watch()

    with Terminal(out=screen, err=screen, now=watch) as terminal:
        terminal.step("training")
        watch.seconds = 1.9
        time.sleep(0.3)

    assert "training" not in screen.getvalue()


def test_long_work_says_how_far_it_is() -> None:
    """After two seconds the work, its share and its time appear, and go when it ends."""
    screen, watch = Screen(), Watch()

    with Terminal(out=io.StringIO(), err=screen, width=80, now=watch) as terminal:
        terminal.step("training [x]", 0.25)
        watch.seconds = 3.0
        time.sleep(0.4)
        shown = screen.getvalue()

    assert "training [x]" in shown
    assert "25%" in shown
    assert "3 s" in shown
    assert screen.getvalue().endswith("\x1b[2K")


def test_results_do_not_mix_with_progress() -> None:
    """Before a result is written the progress line is taken away."""
    screen, watch = Screen(), Watch()

    with Terminal(out=screen, err=screen, width=80, now=watch) as terminal:
        terminal.step("training")
        watch.seconds = 3.0
        time.sleep(0.3)
        terminal.line("result")

        assert screen.getvalue().rstrip().endswith("result")
        assert terminal._live is None


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set, a terminal gets no colour; without, it does."""
    plain, coloured = Screen(), Screen()
    monkeypatch.setenv("TERM", "xterm-256color")

    Terminal(out=plain).status("pass", "gate")
    monkeypatch.delenv("NO_COLOR")
    Terminal(out=coloured).status("pass", "gate")

    assert "\x1b[3" not in plain.getvalue()
    assert "\x1b[32m" in coloured.getvalue()


def test_a_narrow_encoding_loses_symbols_not_words() -> None:
    """Where the stream cannot carry a symbol, a question mark stands for it."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", write_through=True)

    terminal = Terminal(out=stream, err=stream)
    terminal.status("pass", "größe")
    terminal.table(["a"], [["✓"]])
    terminal.error("größe")

    assert raw.getvalue().startswith(b"? pass     gr??e\n")


def test_importing_the_terminal_does_not_import_rich() -> None:
    """The library that draws is loaded when something is drawn, so that `--help` is instant."""
    code = "import sys, ml_gitops.render.terminal; print('rich' in sys.modules)"

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout == "False\n"


# Runners of GitHub read what is printed, and obey it


COMMANDS = [
    "::set-output name=x::y",
    "  ::add-mask::secret",
    "::stop-commands::x",
    "::error file=a.py::x",
    "##[add-path]/tmp",
    "words ##[set-env name=X]y",
    "\r::set-env name=X::y",
    "\x1b[2K::set-env name=X::y",
    "one\n::set-env name=X::y",
    "\u200b::debug::x",
    "long " * 15 + "::warning::x",
    "x" * 79 + " ::warning::x",
]


def obeyed(output: str) -> list[str]:
    """Return the lines that a runner takes for commands (actions/runner, ActionCommand.cs)."""
    lines = re.split(r"\r\n|\r|\n", output)
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("text", COMMANDS, ids=range(len(COMMANDS)))
def test_no_text_is_a_command_to_a_runner(
    out: io.StringIO, err: io.StringIO, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However it is shown and wherever its line breaks, a runner obeys none of it."""
    for width in (13, 80, 300):
        terminal = Terminal(out=out, err=err, width=width)
        terminal.line(text)
        terminal.line(f"  {text}")
        terminal.status("pass", text)
        terminal.table([text, "b"], [[text, text], ["a", text]], title=text)
        terminal.panel(text, [(text, text)])
        terminal.error(text)
    Terminal(machine=True, out=out).json(json.dumps({text: [text]}, indent=2))
    code = main(["status", "-C", text])

    said = capsys.readouterr()
    assert code == 2
    assert obeyed(out.getvalue() + err.getvalue() + said.out + said.err) == []


def test_machines_read_what_was_written(out: io.StringIO) -> None:
    """What keeps a runner from obeying does not change what a parser reads."""
    told = {"title": "##[add-path]x", "more": "###[[ ##"}

    Terminal(machine=True, out=out).json(json.dumps(told))

    assert json.loads(out.getvalue()) == told
