"""Markdown of ours as blocks, for a surface that draws them itself, such as a terminal.

Only what our texts use has a meaning: headings, lists, tables, code, folded sections, bold. What
people write beside it stays readable text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ml_gitops.render.tables import Align, visible

Kind = Literal["heading", "section", "item", "text", "code", "table", "gap"]

_HIDDEN = re.compile(r"<!--.*?-->|</?details(?: open)?>", re.DOTALL)
_SUMMARY = re.compile(r"<summary>(.*)</summary>")
_CELL = re.compile(r"(?<!\\)\|")
_INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])|`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*"
    r"|(?<!\w)\*(?P<light>[^\s*](?:[^*]*[^\s*])?)\*(?!\w)|&(?P<entity>lt|gt|amp);"
)
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&"}


_WORD = 20
"""The longest word that a table keeps whole."""
_SENTENCE = 10
"""Columns that a sentence in a table needs at least."""


class Span(NamedTuple):
    """A run of text."""

    text: str
    bold: bool = False


class Block(NamedTuple):
    """A block: its text, or the cells of a table whose first row is the header."""

    kind: Kind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    align: tuple[Align, ...] = ()


def blocks(markdown: str) -> Iterator[Block]:
    """Yield the blocks of a text; a folded section is a heading of its own.

    A gap stands where blank lines were, but neither first nor last nor twice.
    """
    before, gap = None, False
    for block in _blocks(markdown):
        if block.kind == "gap":
            gap = before is not None
            continue
        if gap:
            yield Block("gap")
        before, gap = block, False
        yield block


def _blocks(markdown: str) -> Iterator[Block]:
    lines = iter(_HIDDEN.sub("", visible(markdown)).split("\n"))
    waiting: list[str] = []
    for line in lines:
        summary = _SUMMARY.fullmatch(line.strip())
        if line.startswith("|"):
            waiting.append(line)
            continue
        yield from _table(waiting)
        waiting = []
        if line.startswith("```"):
            code = []
            for inner in lines:
                if inner.startswith(line[: len(line) - len(line.lstrip("`"))]):
                    break
                code.append(inner)
            yield Block("code", "\n".join(code))
        elif summary:
            yield Block("section", summary.group(1))
        elif re.match(r"#{1,6} ", line):
            yield Block("heading", line.lstrip("# "))
        elif line.startswith("- "):
            yield Block("item", line[2:])
        else:
            yield Block("text", line.strip()) if line.strip() else Block("gap")
    yield from _table(waiting)


def _table(lines: list[str]) -> Iterator[Block]:
    if len(lines) < 2:
        yield from (Block("text", line) for line in lines)
        return
    header, rules, *rows = [
        tuple(cell.strip() for cell in _CELL.split(line.strip())[1:-1]) for line in lines
    ]
    align: tuple[Align, ...] = tuple("right" if rule.endswith(":") else "left" for rule in rules)
    fitting = [row for row in rows if len(row) == len(header)]
    if len(fitting) < len(rows) or len(align) != len(header):
        yield from (Block("text", line) for line in lines)
        return
    yield Block("table", rows=(header, *fitting), align=align)


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


def whole_widths(lines: Sequence[Sequence[str]], room: int) -> list[int | None]:
    """Return the widths of columns of numbers and dates, which no line should break.

    Args:
        lines: the header and the rows of a table.
        room: characters of a line; where all fits, or sentences would get too few, None for all.
    """
    widths: list[int | None] = []
    gaps = 2 * (len(lines[0]) - 1)
    if gaps + sum(max(map(len, column)) for column in zip(*lines, strict=True)) <= room:
        return [None] * len(lines[0])
    for name, *cells in zip(*lines, strict=True):
        whole = all(" " not in cell and len(cell) <= _WORD for cell in cells)
        words = [*name.split(), *cells]
        widths.append(max(map(len, words), default=0) if whole else None)
    kept = [width for width in widths if width is not None]
    left = room - sum(kept) - gaps - _SENTENCE * (len(widths) - len(kept))
    return widths if left >= 0 else [None] * len(widths)
