"""Markdown that came from a forge as blocks, for a surface that draws them, such as a terminal.

Only what our texts use has a meaning: headings, lists, tables, code, folded sections, bold. What
people write beside it stays readable text.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from ml_gitops.render.blocks import Block, Code, Fold, Heading, Items, Paragraph, Table
from ml_gitops.render.tables import Align, visible

_HIDDEN = re.compile(r"<!--.*?-->", re.DOTALL)
_FOLD = re.compile(r"</?details(?: open)?>")
_DEEPEST = 4
"""Folds within folds; what people fold deeper stands in the deepest of these."""
_SUMMARY = re.compile(r"<summary>(.*)</summary>")
_FOLDED = "▸ "
_HEADING = re.compile(r"(#{1,6}) +(.*)")
_CELL = re.compile(r"(?<!\\)\|")
_INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])|`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*"
    r"|(?<!\w)\*(?P<light>[^\s*](?:[^*]*[^\s*])?)\*(?!\w)|&(?P<entity>lt|gt|amp);"
)
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&"}


class Span(NamedTuple):
    """A run of text."""

    text: str
    bold: bool = False


def read_blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a text; a folded section that never ends ends with the text."""
    text = _FOLD.sub(r"\n\g<0>\n", _HIDDEN.sub("", visible(markdown)))
    yield from _blocks(iter([*text.split("\n"), ""]), 0)


def _blocks(lines: Iterator[str], depth: int) -> Iterator[Block]:
    """Yield blocks up to the end of the fold they stand in, or of the text."""
    waiting: list[str] = []
    for line in lines:
        summary, heading = _SUMMARY.fullmatch(line.strip()), _HEADING.match(line)
        fence = line[: len(line) - len(line.lstrip("`"))]
        fold = bool(_FOLD.fullmatch(line))
        special = summary or heading or fold or len(fence) >= 3
        if not special and line.strip():
            waiting.append(line)
            continue
        yield from _prose(waiting)
        waiting = []
        if fold and line.startswith("</"):
            if depth:
                return
        elif fold:
            if depth < _DEEPEST:
                yield _fold(list(_blocks(lines, depth + 1)))
        elif summary:
            yield Heading(f"{_FOLDED}{summary[1]}")
        elif heading:
            yield Heading(heading[2], len(heading[1]))
        elif special:
            yield _code(lines, fence)
    yield from _prose(waiting)


def _fold(blocks: list[Block]) -> Fold:
    """Return a fold whose summary, if it has one, was read as its first heading."""
    if blocks and isinstance(blocks[0], Heading) and blocks[0].text.startswith(_FOLDED):
        return Fold(blocks[0].text.removeprefix(_FOLDED), tuple(blocks[1:]))
    return Fold("Details", tuple(blocks))


def _code(lines: Iterator[str], fence: str) -> Block:
    """Return a code block up to the line that ends it."""
    return Code("\n".join(takewhile(lambda line: not line.startswith(fence), lines)))


def _prose(lines: list[str]) -> Iterator[Block]:
    """Yield what stands between two blank lines: a paragraph, a list under its lead, a table."""
    if not lines:
        return
    if lines[0].startswith("|"):
        yield _table(lines)
        return
    first = next((n for n, line in enumerate(lines) if line.startswith("- ")), len(lines))
    lead = "\n".join(line.strip() for line in lines[:first])
    items: list[str] = []
    for line in lines[first:]:
        if line.startswith("- "):
            items.append(line[2:])
        else:
            items[-1] += f" {line.strip()}"
    yield Items(lead, tuple(items)) if items else Paragraph(lead)


def _table(lines: list[str]) -> Block:
    """Return a table, or as text what has no rules or not a cell for each column."""
    header, *rest = [
        tuple(cell.strip() for cell in _CELL.split(line.strip())[1:-1]) for line in lines
    ]
    if not rest or any(len(row) != len(header) for row in rest):
        return Paragraph("\n".join(lines))
    rules, *rows = rest
    align: tuple[Align, ...] = tuple("right" if rule.endswith(":") else "left" for rule in rules)
    return Table(header, tuple(rows), align)


def spans(text: str, *, bold: bool = False) -> Iterator[Span]:
    """Yield the runs of one line of Markdown; code keeps its marks where it has spaces."""
    end = 0
    for found in _INLINE.finditer(text):
        if found.start() > end:
            yield Span(text[end : found.start()], bold)
        end = found.end()
        kind, inner = found.lastgroup, found[found.lastgroup or 0]
        if kind in ("bold", "light"):
            yield from spans(inner, bold=bold or kind == "bold")
        elif kind == "code":
            yield Span(f"`{inner}`" if " " in inner else inner, bold)
        else:
            yield Span(_ENTITIES.get(inner, inner) if kind == "entity" else inner, bold)
    if end < len(text):
        yield Span(text[end:], bold)
