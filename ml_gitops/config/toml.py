"""TOML that people write: read it, and say what is wrong with file, line, key and remedy."""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ml_gitops.config.slips import find_slip
from ml_gitops.config.statements import TOKEN, Header, statements
from ml_gitops.errors import ConfigError

Path = tuple[str, ...]
_DEEPEST = 32
"""Dots of a key."""
KnownKeys = Callable[[Path], Sequence[str]]
"""Given the path of a table, the keys that it may have."""

_WRONG: dict[str, tuple[str, str]] = {
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
    "int_type": ("is no whole number", "write one without quotes, such as 14"),
    "int_from_float": ("is no whole number", "write one, such as 14"),
    "float_type": ("is no number", "write one without quotes, such as 0.5"),
    "finite_number": ("is no finite number", "write one, or leave the key out"),
    "string_type": ("is no text", "write it in quotes"),
    "string_too_short": ("is empty", "write something, or leave the key out"),
    "string_too_long": ("is longer than {max_length} characters", "shorten it"),
    "tuple_type": ("is no list", 'write it in brackets, such as ["a", "b"]'),
    "date_type": ("is no date", "write one without quotes, such as 2024-01-31"),
    "model_type": ("is no table", "write it as a header in brackets, with its keys below"),
    "dict_type": ("is no table", "write it as a header in brackets, with its keys below"),
    "too_short": ("is empty", "name at least one"),
    "literal_error": ("is unknown", "use {expected}"),
    "greater_than": ("is too small", "write a number above {gt:.15g}"),
    "greater_than_equal": ("is too small", "write {ge:.15g} or more"),
    "less_than": ("is too large", "write a number below {lt:.15g}"),
    "less_than_equal": ("is too large", "write {le:.15g} or less"),
}
"""What a value can be by type or bounds, in words, and what to do about it."""


def read_toml(content: bytes | str, *, where: str) -> dict[str, Any]:
    """Read TOML.

    Args:
        content: the file's bytes, or its text.
        where: its path, for the message.

    Raises:
        ConfigError: it is not UTF-8, or not TOML; the line is named where it is known.
    """
    text = ""
    try:
        text = decoded(content)
        _refuse_deep_keys(text, where)
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            "this is not UTF-8", hint="save the file as UTF-8", where=f"{where}:{line}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise _refused(text, str(error), where) from None
    except (RecursionError, ValueError):
        # Lists in lists without end, or a number of thousands of digits.
        lines = (start for start, parsed in statements(text) if parsed is None)
        raise _beyond_reason(f"{where}:{next(lines, 1)}") from None


def _refused(text: str, message: str, where: str) -> ConfigError:
    """Say in our words what the parser means, and where."""
    _, _, place = message.partition(" (at ")
    number = place.removeprefix("line ").partition(",")[0]
    # "at end of document" has no number.
    line = int(number) if number.isdigit() else text.count("\n") + 1
    slip = find_slip(text, line)
    return ConfigError(slip.problem, hint=slip.hint, where=f"{where}:{slip.line}")


def _refuse_deep_keys(text: str, where: str) -> None:
    """Refuse a key of very many parts: the parser's work grows with their square."""
    bare = TOKEN.sub(lambda found: re.sub(r"[^\n\[\]{}]", "", found.group()), text)
    for number, line in enumerate(bare.split("\n"), 1):
        if any(piece.count(".") > _DEEPEST for piece in re.split(r"[=,\[\]{}]", line)):
            raise _beyond_reason(f"{where}:{number}")


def _beyond_reason(where: str) -> ConfigError:
    return ConfigError(
        "a value is nested or long beyond reason", hint="write a simpler one", where=where
    )


def decoded(content: bytes | str) -> str:
    """Return the text of a file without the mark that some editors put first."""
    text = content.decode() if isinstance(content, bytes) else content
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def explain(error: ValidationError, text: str, where: str, known: KnownKeys) -> ConfigError:
    """Turn the problem of tables that tells most into one line with its remedy.

    Args:
        error: what the tables do not hold.
        text: the file they were read from.
        where: its path.
        known: which keys a table may have.
    """
    problem = _most_telling(error.errors(include_url=False), known)
    path = _path(problem)
    key, kind = ".".join(path), problem["type"]
    if kind == "extra_forbidden":
        close = get_close_matches(path[-1], known(path[:-1]), n=1)
        names = ", ".join(sorted(known(path[:-1])))
        other = f"use one of {names}" if names else "remove it"
        hint = f"did you mean {close[0]!r}?" if close else other
        return ConfigError(f"unknown key {key!r}", hint=hint, where=place(text, where, path))
    if kind == "missing":
        table = f"[{'.'.join(path[:-1])}]" if len(path) > 1 else "the file"
        what = f"no {path[-1]!r}" if len(path) > 1 else f"no table [{path[-1]}]"
        return ConfigError(
            f"{table} has {what}", hint="add it", where=place(text, where, path[:-1])
        )
    if kind == "value_error":
        message = str(problem["ctx"]["error"])
        # A rule between keys names the one to change first.
        first = message.partition(" ")[0]
        if first in known(path):
            path = (*path, first)
        what, _, hint = message.partition("; ")
        where = place(text, where, path)
        return ConfigError(f"{key}: {what}", hint=hint or "correct it", where=where)
    what, hint = _WRONG.get(kind, (f"is wrong: {problem['msg']}", "correct it"))
    context = problem.get("ctx", {})
    hint = _meant(problem["input"], context) or hint.format(**context)
    return ConfigError(
        f"{key} = {_shown(problem['input'])} {what.format(**context)}",
        hint=hint,
        where=place(text, where, path),
    )


def place(text: str, where: str, path: Path) -> str:
    """Return `file:line` of the longest part of a key path that the file spells out."""
    best, depth = 1, 0
    for number, spelled in _spelled(text):
        if depth < len(spelled) <= len(path) and path[: len(spelled)] == spelled:
            best, depth = number, len(spelled)
    return f"{where}:{best}"


def _most_telling(problems: list[ErrorDetails], known: KnownKeys) -> ErrorDetails:
    """Return the first problem, but a misspelt key before the key that it leaves missing."""
    first = problems[0]
    if first["type"] == "missing":
        table = _path(first)[:-1]
        for other in problems:
            path = _path(other)
            misspelt = other["type"] == "extra_forbidden" and path[:-1] == table
            if misspelt and get_close_matches(path[-1], known(table), n=1):
                return other
    return first


def _path(problem: ErrorDetails) -> Path:
    return tuple(str(part) for part in problem["loc"] if part != "[key]")


def _meant(value: object, context: dict[str, Any]) -> str | None:
    """Return the word that a misspelt one is close to."""
    if "expected" not in context or not isinstance(value, str):
        return None
    words = context["expected"].replace(" or ", ", ").split(", ")
    close = get_close_matches(value, [word.strip("'") for word in words], n=1)
    return f"did you mean {close[0]!r}?" if close else None


def _shown(value: object) -> str:
    """Return a value as TOML spells it, short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{...}" if value else "{}"
    if isinstance(value, (tuple, list)):
        return "[...]" if value else "[]"
    text = repr(value) if isinstance(value, (str, int, float)) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _spelled(text: str) -> Iterator[tuple[int, Path]]:
    """Yield the first line and the full path of every header and key."""
    table: Path = ()
    for start, parsed in statements(text):
        paths = list(_paths(parsed or {}))
        if isinstance(parsed, Header):
            table = paths[-1] if paths else ()
            yield start, table
        else:
            for path in paths:
                yield start, (*table, *path)


def _paths(parsed: dict[str, Any]) -> Iterator[Path]:
    """Yield the path of every key, those of inner tables too, outer ones first."""
    waiting: list[tuple[Path, Any]] = [((), parsed)]
    while waiting:
        path, value = waiting.pop()
        if path:
            yield path
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            waiting += [((*path, name), inner[name]) for name in reversed(inner)]
