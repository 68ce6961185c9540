"""TOML cut into statements, for the parser tells no lines of what it has read."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)'  # a text of many lines may end with quotes of its own
    r"|'''.*?(?:'{3,5}|\Z)"
    r'|"(?:\\[^\n]|[^"\\\n])*"?'
    r"|'[^'\n]*'?|#[^\n]*|[\[\]{}\n]",
    re.DOTALL,
)
"""What tells where a statement ends; a text that nobody ended reaches to the end of line or file,
so that no character is looked at twice."""


class Header(dict[str, Any]):
    """What a header in brackets says by itself."""


def statements(text: str) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield the first line of every statement and what it says; None if that is beyond reason.

    The parser of TOML tells no lines, so it is given one statement after the other: a header or
    a key with its value is TOML by itself.
    """
    start = 1
    for statement in cut(text):
        parsed: dict[str, Any] | None = None
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            parsed = {}
        except (RecursionError, ValueError):
            pass
        is_header = parsed is not None and statement.lstrip().startswith("[")
        yield start, Header(parsed or {}) if is_header else parsed
        start += statement.count("\n")


def cut(text: str) -> Iterator[str]:
    """Yield every statement with the newline that ends it: one outside of texts and brackets."""
    start = depth = 0
    for token in TOKEN.finditer(text):
        found = token.group()
        if found in ("[", "{"):
            depth += 1
        elif found in ("]", "}"):
            depth -= 1
        elif found == "\n" and depth <= 0:
            yield text[start : token.end()]
            start, depth = token.end(), 0
    if start < len(text):
        yield text[start:]
