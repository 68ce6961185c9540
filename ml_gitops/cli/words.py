"""A parser that tells mistakes in one line, with the word that was probably meant."""

import argparse
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from ml_gitops.errors import EXIT_FIXABLE
from ml_gitops.render.runner import unobeyed
from ml_gitops.render.tables import plain


class Parser(argparse.ArgumentParser):
    """A parser that tells mistakes in one line, as every other command does."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the words, and leave."""
        self._refuse(message, f"see `{self.prog} --help`")

    def _refuse(self, problem: str, hint: str) -> NoReturn:
        said = unobeyed(plain(f"{self.prog}: {problem}; {hint}"))
        self.exit(EXIT_FIXABLE, f"error: {said}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is no choice; commands are looked for one level deeper, too."""
        choices = action.choices
        if choices is None or value in choices:
            return
        if action.nargs != argparse.PARSER:
            name = "/".join(action.option_strings) or action.dest
            known = {str(one): str(one) for one in choices}
            self._refuse(f"{name}: {str(value)!r} is unknown", _meant(value, known, known))
        commands = {word: word for word in choices}
        deeper = {
            inner: f"{word} {inner}"
            for word, parser in (choices.items() if isinstance(choices, dict) else ())
            for inner in _commands(parser)
        }
        problem = f"there is no command {str(value)!r}"
        self._refuse(problem, _meant(value, {**deeper, **commands}, commands, self.prog))

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse an option that nobody knows where its neighbours are known."""
        found, rest = super().parse_known_args(args, namespace)
        strange = next((word for word in rest if word.startswith("--")), None)
        if strange is not None:
            name = strange.partition("=")[0]
            options = [it for action in self._actions for it in action.option_strings]
            known = {it: it for it in options if it.startswith("--")}
            self._refuse(f"there is no option {name!r}", _meant(name, known, known))
        return found, rest


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 (it has no other)
"""Where commands are added."""


class Instead(argparse.Action):
    """Refuse an option that a neighbour has under this name; `const` is what it is called here."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Name the option that was meant."""
        problem = f"there is no option {self.option_strings[0]!r}"
        parser.exit(
            EXIT_FIXABLE, f"error: {parser.prog}: {problem}; did you mean `{self.const}`?\n"
        )


def _commands(parser: argparse.ArgumentParser) -> Iterable[str]:
    """Return the commands below a command."""
    groups = [it.choices for it in parser._actions if it.nargs == argparse.PARSER]  # noqa: SLF001
    return [word for choices in groups for word in choices or ()]


def _meant(word: str, known: dict[str, str], shown: Iterable[str], before: str = "") -> str:
    """Return what was probably meant, as it is typed; else all that there is."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean `{before} {known[close[0]]}`?".replace("` ", "`")
    return f"use one of {', '.join(shown)}"


def add_command(
    commands: "Commands",
    name: str,
    run: str,
    about: str,
) -> Parser:
    """Add a command that every face has: `--json`, and where to run."""
    command = commands.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.")
    command.add_argument("--json", action="store_true", help="print one JSON document")
    command.add_argument(
        "--outcome", type=Path, metavar="FILE", help="also write that JSON document to this file"
    )
    command.add_argument(
        "-C",
        dest="folder",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder of the model (default: the current one); code starts where you are",
    )
    command.set_defaults(run=run)
    return command
