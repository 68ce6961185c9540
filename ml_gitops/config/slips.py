"""Slips of the pen that make a file no TOML, in words for people who never read its grammar."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from ml_gitops.config.statements import TOKEN, cut, statements

_CLOSED = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\[^\n]|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL
)
_CURLY = re.compile("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]")
_WORDS = {"True": "true", "False": "false", "yes": "true", "no": "false"}
_NOTHING = ("None", "null", "nil", "NaN")
_NUMBER = re.compile(r"[+-]?[\d.,_]+%?")
_LONGEST = 40


class Slip(NamedTuple):
    """What is wrong with a line, and what to do about it."""

    line: int
    problem: str
    hint: str


def find_slip(text: str, line: int) -> Slip:
    """Return what is wrong with a text that is no TOML.

    Args:
        text: the whole file.
        line: where the parser stopped; shown where we know no better.
    """
    for (start, parsed), statement in zip(statements(text), cut(text), strict=True):
        if parsed == {} and re.sub(r"#.*", "", statement).strip():
            begun = start + _blank_lines(statement)
            odd = _odd(statement.strip(" \t\n"), begun)
            return next(chain(_open(statement, start), odd), _no_value(line))
    return Slip(line, "this key or table is there already", "keep one of the two")


def _blank_lines(statement: str) -> int:
    return statement[: len(statement) - len(statement.lstrip())].count("\n")


def _no_value(line: int) -> Slip:
    hint = 'write a number, true or false, a date, "a text", or ["a", "list"]'
    return Slip(line, "what stands here is no value of TOML", hint)


def _open(statement: str, start: int) -> Iterator[Slip]:
    """Yield the first text or bracket that nobody closed."""
    waiting: list[tuple[str, int]] = []
    for piece, line, before in _pieces(statement, start):
        if piece[0] in "\"'" and before in "=[,{" and not _CLOSED.fullmatch(piece):
            quote = piece[:3] if piece[:3] in ('"""', "'''") else piece[0]
            place = "" if len(quote) == 3 else ", on the same line"
            yield Slip(line, "a text is not closed", f"end it with {quote}{place}")
        if piece in ("[", "{"):
            waiting.append((piece, line))
        elif piece in ("]", "}") and waiting:
            waiting.pop()
    for bracket, line in waiting:
        closing = "]" if bracket == "[" else "}"
        yield Slip(line, "a bracket is not closed", f"end it with {closing}")


def _pieces(statement: str, start: int) -> Iterator[tuple[str, int, str]]:
    """Yield every text and bracket with its line and the last sign before it that is no blank."""
    # A key may be a text, too: in front of it, as of a value, nothing is open.
    end, line, before = 0, start, "="
    for found in TOKEN.finditer(statement):
        between, piece = statement[end : found.start()].strip(), found.group()
        before = between[-1:] or before
        if piece[0] not in "\n#":
            yield piece, line, before
            before = piece[-1]
        line, end = line + piece.count("\n"), found.end()


def _odd(spelled: str, line: int) -> Iterator[Slip]:
    """Yield what is odd about a header, or about a key with its value."""
    hidden = next((sign for sign in spelled if sign < " " and sign not in "\t\n"), None)
    if hidden is not None:
        yield Slip(line, f"this line holds the invisible sign U+{ord(hidden):04X}", "remove it")
    if _CURLY.search(spelled):
        yield Slip(line, "these are typographic quotes", 'write straight ones: "')
    if re.match(r"<{7}|={7}|>{7}", spelled):
        yield Slip(line, "this is what a merge left behind", "settle the conflict")
    if spelled.startswith("["):
        yield Slip(line, "this is no header of a table", "write it alone on its line, like [data]")
    key, equals, value = map(str.strip, spelled.partition("="))
    value = re.sub(r"\s#.*", "", value)
    if not equals:
        yield Slip(line, "there is no = between key and value", "write it like key = value")
    if not key:
        yield Slip(line, "there is no key in front of =", "write it like key = value")
    if not re.fullmatch(r"[\w.\"'-]*", key, re.ASCII) and not set(key) & {'"', "'"}:
        yield Slip(line, f"the key {_short(key)} needs quotes", f'write "{_short(key)}"')
    if not value:
        yield Slip(line, f"{_short(key)} has no value", "write one behind =, or remove the line")
    yield from _odd_value(value, line)


def _odd_value(value: str, line: int) -> Iterator[Slip]:
    """Yield what is odd about a value, on the line of its key."""
    if value in _WORDS:
        yield Slip(line, f"{value} is not how TOML says it", f"write {_WORDS[value]}")
    if value in _NOTHING:
        yield Slip(line, f"TOML has no {value}", "leave the key out")
    if re.match(r'"(?!"")', value) and re.search(r"\\[^btnfruU\"\\]", value):
        hint = "write it twice, or put the text in 'single quotes'"
        yield Slip(line, "a backslash starts what is no escape", hint)
    if _NUMBER.fullmatch(value):
        hint = "write digits with a point, such as 0.5, without a zero in front of others"
        yield Slip(line, f"{_short(value)} is no number as TOML writes it", hint)
    if re.match(r"\d+-\d+", value):
        yield Slip(line, f"{_short(value)} is no date", "write one such as 2024-01-31")
    if re.match(r"[^\W\d]", value) and not value.startswith(("true", "false", "nan", "inf")):
        yield Slip(line, f"{_short(value)} is a text without quotes", "put it in quotes")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
