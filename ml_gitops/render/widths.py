"""How wide the columns of a table are where a line is short: dates and words stay whole."""

from collections.abc import Sequence

_WORD = 22
"""The longest word that a table keeps whole: a span of days."""


def whole_widths(lines: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Return the widths of columns of which no word is broken; None where there is no room.

    Args:
        lines: the header and the rows of a table.
        room: characters of a line; what is left over goes to the columns that need little first.
    """
    columns = list(zip(*lines, strict=True))
    widths = [
        max((min(len(word), _WORD) for cell in cells for word in cell.split()), default=0)
        for cells in columns
    ]
    spare = room - 2 * (len(columns) - 1) - sum(widths)
    if spare < 0:
        return None
    # One header that takes two lines costs less than every row that does.
    for wanted in ([max(map(len, cells[1:]), default=0) for cells in columns],
                   [max(map(len, cells)) for cells in columns]):  # fmt: skip
        spare = _spread(spare, widths, wanted)
    return widths


def _spread(spare: int, widths: list[int], wanted: Sequence[int]) -> int:
    """Widen columns towards what they want, those that need little first; return what is left."""
    needs = [max(want - width, 0) for want, width in zip(wanted, widths, strict=True)]
    waiting = sorted(range(len(needs)), key=needs.__getitem__)
    for left, place in zip(range(len(needs), 0, -1), waiting, strict=True):
        more = min(needs[place], spare // left)
        widths[place], spare = widths[place] + more, spare - more
    return spare
