"""Markdown that people read on a forge, and outside text made safe to stand in it.

Outside text is whatever our code did not write: column names, categories, branch
names, titles, messages of the author's code. `escape` is the only way in.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Align = Literal["left", "right", "center"]

_ZERO_WIDTH_SPACE = "\u200b"
_JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji are written with them
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_RULES: dict[Align, str] = {"left": ":--", "right": "--:", "center": ":-:"}
# Forges look for these in the rendered text, where no backslash protects them any more:
# mentions, issue numbers, addresses, emoji and formulas. An invisible space breaks them, also
# where our own words would complete them: `:x` and the colon of a sentence of ours are an emoji.
_LIVE = re.compile(
    r"@|#(?=\w|$)|GH-(?=\d|$)|:(?=//)|:(?=[\w+-]+(?::|$))|www(?=\.)|\$", re.IGNORECASE
)
# A word that could be a commit's; forges ask for seven digits at least.
_COMMIT = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9a-f]{6}(?=.)", re.IGNORECASE)
# Letters and marks that nobody can see: fillers, joiners of graphemes, selectors of variants but
# those of emoji, the Braille pattern without dots.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0"
    "\U000e0100-\U000e01ef]"
)
_INLINE = re.compile(r"[\\`*_\[\]~|!<>&$]")
_LINE_START = re.compile(r"^(?:(\d{1,9})(?=[.)](?:\s|$))|(?=[#=:]|[+\-](?!\d)))")


def plain(text: str, *, limit: int | None = None) -> str:
    """Return outside text as one line of visible characters.

    Control characters, terminal escapes, direction overrides and other invisible
    characters are dropped, white space becomes single spaces.

    Args:
        text: anything.
        limit: the most characters to keep; an ellipsis says that there were more.
    """
    line = " ".join(text.split())
    line = " ".join("".join(map(_visible, line)).split())
    if limit is not None and len(line) > limit:
        line = line[: max(limit - 1, 0)].rstrip() + "…"
    return line


def visible(text: str, *, hidden: str = "") -> str:
    """Return outside text of many lines with only characters that can be seen.

    Args:
        text: anything.
        hidden: what stands for each control character, override or lone surrogate.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(
        "".join(c if c == "\t" else _visible(c, hidden) for c in line) for line in lines
    )


def escape(text: str, *, limit: int | None = None) -> str:
    """Return outside text that stays text inside Markdown tables and prose.

    It makes no mention, link, image, HTML, formula, table cell or line of its own,
    wherever it is put on a line, on GitHub as in CommonMark.

    Args:
        text: anything.
        limit: the most characters of the text to keep.
    """
    return _LINE_START.sub(r"\1\\", _INLINE.sub(_inert, unlinked(text, limit=limit)))


def unlinked(text: str, *, limit: int | None = None) -> str:
    """Return outside text as one line of plain text in which a forge finds nothing to link.

    For what is no Markdown and is searched all the same, such as the message of a commit.

    Args:
        text: anything.
        limit: the most characters of the text to keep.
    """
    line = _LIVE.sub(_broken, plain(text, limit=limit))
    return _COMMIT.sub(lambda word: _DIGITS.sub(_broken, word.group()), line)


def as_read(markdown: str) -> str:
    """Return what people read of Markdown: what keeps it from being obeyed must not hide it."""
    return html.unescape(markdown.replace("\\", "").replace(_ZERO_WIDTH_SPACE, ""))


def code(text: str, *, limit: int | None = None) -> str:
    """Return outside text as inline code where that is safe in a table, escaped otherwise."""
    line = plain(text, limit=limit)
    if not line or set(line) & set("`|\\<"):
        return escape(line)
    return f"`{line}`"


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], align: Sequence[Align] | None = None
) -> str:
    """Return a Markdown table.

    Args:
        header: the names of the columns.
        rows: Markdown cells, as many per row as columns; outside text must be escaped.
        align: one per column; the first is left and the others right, if not given.

    Raises:
        ValueError: a row or `align` has not as many cells as the header.
    """
    aligned = align or ["left" if index == 0 else "right" for index in range(len(header))]
    rules = [_RULES[side] for side in aligned]
    lines = [header, rules, *rows]
    if any(len(line) != len(header) for line in lines):
        raise ValueError(f"every row needs {len(header)} cells")
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def details(summary: str, body: str, *, opened: bool = False) -> str:
    """Return a folded section: a summary line (Markdown, one line) over a Markdown body."""
    tag = "<details open>" if opened else "<details>"
    return f"{tag}\n<summary>{_cell(summary)}</summary>\n\n{body.strip()}\n\n</details>"


def fence(text: str, language: str = "") -> str:
    """Return outside text of many lines as a code block that it cannot end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    kept = visible(text).rstrip("\n")
    kept = kept.replace("<!--", f"<!{_ZERO_WIDTH_SPACE}--")  # no marker of ours from outside
    return f"{ticks}{language}\n{kept}\n{ticks}"


def _cell(text: str) -> str:
    """Return Markdown of our own on one line."""
    return " ".join(text.split("\n"))


def _broken(found: re.Match[str]) -> str:
    return found.group() + _ZERO_WIDTH_SPACE


def _inert(found: re.Match[str]) -> str:
    character = found.group()
    return _ENTITIES.get(character) or f"\\{character}"


def _visible(character: str, hidden: str = "") -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    unseen = category[0] == "C" or category in {"Zl", "Zp"} or _BLANK.match(character)
    if unseen and character not in _JOINERS:
        return hidden
    return character
