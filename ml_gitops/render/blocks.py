"""What there is to say, in blocks, before a surface draws it: the same words on all of them.

Lines and cells are Markdown in which outside text is escaped. `write_blocks` writes blocks for a
forge, from where `page.markdown_to_html` sets them on a page; `Terminal.show` draws them.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from ml_gitops.render import tables
from ml_gitops.render.tables import Align


class Heading(NamedTuple):
    """A heading of one line."""

    text: str
    level: int = 2


class Paragraph(NamedTuple):
    """A paragraph."""

    text: str


class Items(NamedTuple):
    """A list under the line that leads to it; the line may be empty."""

    lead: str
    lines: tuple[str, ...]


class Table(NamedTuple):
    """A table; every row has as many cells as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]


class Code(NamedTuple):
    """Lines that are shown as they are."""

    text: str


class Fold(NamedTuple):
    """What only some readers open."""

    summary: str
    blocks: "tuple[Block, ...]"


_NUMBER = re.compile(r"^(\d{1,9})([.)](?:\s|$))")
Block = Heading | Paragraph | Items | Table | Code | Fold


def write_blocks(blocks: Iterable[Block]) -> str:
    """Return blocks as Markdown for a forge."""
    return "\n\n".join(map(_written, blocks))


def _written(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return _unnumbered(text)
        case Items(lead, lines):
            items = (f"- {_unnumbered(line)}" for line in lines)
            return "\n".join([*filter(None, [lead]), *items])
        case Table(header, rows, align):
            return tables.table(header, rows, align)
        case Code(text):
            return tables.fence(text)
        case Fold(summary, inside):
            return tables.details(summary, write_blocks(inside))


def _unnumbered(line: str) -> str:
    """Return a line that begins no list, though outside text is a number and our stop follows."""
    return _NUMBER.sub(r"\1\\\2", line)


def titled(lead: str, lines: Iterable[str]) -> Block:
    """Return a bold lead over a list; a single line follows its lead in one sentence."""
    every = tuple(lines)
    if len(every) == 1:
        return Paragraph(f"**{lead}:** {every[0]}.")
    return Items(f"**{lead}**", every)
