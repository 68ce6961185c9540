"""The language of GraphQL, as far as clients of GitHub speak it: from a text to selections."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(r'\s*(?:#[^\n]*\s*)*(\.\.\.|[!$():=@\[\]{|}]|-?\d+|"(?:[^"\\]|\\.)*"|\w+|$)|,')


class Misspelled(Exception):
    """The text is no GraphQL that we know."""


@dataclass(frozen=True)
class Variable:
    """The place of a variable in an argument."""

    name: str


@dataclass(frozen=True)
class Word:
    """A value of an enumeration."""

    name: str


@dataclass
class Selection:
    """A field, or a fragment of fields on a type.

    Attributes:
        name: of the field; empty for a fragment.
        kind: the type of an inline fragment, or the name of a spread one.
    """

    name: str = ""
    alias: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    inside: list["Selection"] = field(default_factory=list)
    kind: str = ""
    spread: str = ""


@dataclass
class Text:
    """A parsed text: one operation and its fragments by name."""

    operation: str
    selections: list[Selection]
    fragments: dict[str, Selection]


@lru_cache(64)
def parse(text: str) -> Text:
    """Parse a text.

    Raises:
        Misspelled: it is no GraphQL that we know.
    """
    return _Parser(text).text()


def value(given: Any, variables: Mapping[str, Any]) -> Any:
    """Return an argument with its variables filled in."""
    if isinstance(given, Variable):
        return variables.get(given.name)
    if isinstance(given, Word):
        return given.name
    if isinstance(given, list):
        return [value(it, variables) for it in given]
    if isinstance(given, dict):
        return {name: value(it, variables) for name, it in given.items()}
    return given


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def text(self) -> Text:
        operation, selections, fragments = "query", [], {}
        while self._next():
            word = self._take()
            if word == "fragment":
                name = self._take()
                self._expect("on")
                kind = self._take()
                fragments[name] = Selection(kind=kind, inside=self._block())
                continue
            if word == "{":
                self._at -= 1
            else:
                operation = word
                if self._next() not in "({":
                    self._take()
                if self._next() == "(":
                    while self._take() != ")":
                        pass
            selections = self._block()
        return Text(operation, selections, fragments)

    def _block(self) -> list[Selection]:
        self._expect("{")
        found = []
        while self._next() != "}":
            found.append(self._selection())
        self._take()
        return found

    def _selection(self) -> Selection:
        word = self._take()
        if word == "...":
            if self._next() == "on":
                self._take()
                return Selection(kind=self._take(), inside=self._block())
            return Selection(spread=self._take())
        made = Selection(name=word, alias=word)
        if self._next() == ":":
            self._take()
            made.name = self._take()
        if self._next() == "(":
            self._take()
            while self._next() != ")":
                name = self._take()
                self._expect(":")
                made.arguments[name] = self._value()
            self._take()
        if self._next() == "{":
            made.inside = self._block()
        return made

    def _value(self) -> Any:
        token = self._take()
        if token == "$":
            return Variable(self._take())
        if token == "[":
            items = []
            while self._next() != "]":
                items.append(self._value())
            self._take()
            return items
        if token == "{":
            document = {}
            while self._next() != "}":
                name = self._take()
                self._expect(":")
                document[name] = self._value()
            self._take()
            return document
        if token.startswith('"'):
            return token[1:-1].encode().decode("unicode_escape")
        if token.lstrip("-").isdecimal():
            return int(token)
        return {"true": True, "false": False, "null": None}.get(token, Word(token))

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        if not token:
            raise Misspelled("it ends too early")
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if (found := self._take()) != token:
            raise Misspelled(f"expected {token}, found {found}")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Misspelled(f"cannot read {text[at : at + 20]!r}")
        if match[1]:
            yield match[1]
        elif match.end() == at:
            return
        at = match.end()
