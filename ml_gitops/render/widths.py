"""How wide the columns of a table are where a line is short: numbers and dates stay whole."""

from collections.abc import Sequence

_WORD = 20
"""The longest word that a table keeps whole."""
_SENTENCE = 10
"""Columns that a sentence in a table needs at least."""


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
