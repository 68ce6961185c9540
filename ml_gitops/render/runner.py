"""What a runner of GitHub reads in output, and obeys, made text that it only shows.

It obeys `::add-mask::` where a line starts with it, and `##[add-path]` wherever it stands
(actions/runner, `ActionCommand.cs`).
"""

import re
from dataclasses import dataclass
from typing import IO, Literal, cast

_COMMAND = re.compile(r"^[ \t]*:(?=:)|##(?=\[)", re.MULTILINE)


@dataclass(frozen=True)
class Annotation:
    """A word that a runner shows beside a line of a file, or on the page of the job."""

    level: Literal["notice", "warning", "error"]
    message: str
    path: str = ""
    line: int = 0
    title: str = ""


def annotation_line(one: Annotation) -> str:
    """Return the one command that a runner shall obey; its texts end nothing and begin nothing."""
    given = {"file": one.path, "line": str(one.line or ""), "title": one.title}
    told = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in given.items() if value)
    return f"::{one.level}{' ' if told else ''}{told}::{_escaped(one.message)}"


def _escaped(text: str, also: str = "") -> str:
    """Return text as the runner reads it back (`ActionCommand.cs`)."""
    text = text.replace("##[", "## [")
    return "".join(f"%{ord(it):02X}" if it in "%\r\n" + also else it for it in text)


def unobeyed(output: str) -> str:
    """Return output in which a runner finds no command to obey."""
    return _COMMAND.sub(lambda found: f"{found.group()} ", output)


def unobeyed_json(text: str) -> str:
    """Return JSON that machines read as before and no runner obeys."""
    return text.replace("##[", "#\\u0023[")


def guarded(stream: IO[str]) -> IO[str]:
    """Return a stream whose lines no runner takes for commands, wherever a table broke them."""
    return cast("IO[str]", _Guarded(stream))


class _Guarded:
    """A stream that writes what is unobeyed, and is the other one in everything else."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._stream.write(unobeyed(text))
