"""A text that is too long for a forge, cut where a reader notices it least."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^(`{3,}|~{3,})")


class _Place(NamedTuple):
    """Where a text may be cut.

    Attributes:
        at: so many characters stay.
        ends: what has to be closed there, the innermost first: fences and folded sections.
    """

    at: int
    ends: tuple[str, ...]


def shortened(text: str, room: int, said: str) -> str:
    """Return a text that fits, with a last paragraph where something is left out.

    It is cut between two of its blocks; only where that would leave less than half of the room is
    a block itself cut, after one of its lines, and what is open there is closed.

    Args:
        text: Markdown.
        room: the most characters.
        said: the last paragraph, which says where the rest is.
    """
    if len(text) <= room:
        return text
    left = room - len(said) - 2
    places = [it for it in _places(text) if it.at + _closing(it) <= left]
    between = [it for it in places if not it.ends and text[it.at : it.at + 2] == "\n\n"]
    chosen = _Place(max(left, 0), ())
    if between and between[-1].at >= left // 2:
        chosen = between[-1]
    elif places:
        chosen = places[-1]
    kept = text[: chosen.at]
    if kept.rfind("<!--") > kept.rfind("-->"):
        kept = kept[: kept.rfind("<!--")]  # or all that follows would be hidden with it
    return "".join([kept.rstrip(), *(f"\n{it}" for it in chosen.ends), "\n\n", said])


def _places(text: str) -> Iterator[_Place]:
    """Yield the end of every line, with what is open there."""
    at, fence, folds = 0, "", 0
    for line in text.split("\n"):
        at += len(line)
        found = _FENCE.match(line)
        if fence:
            fence = "" if line.rstrip() == fence else fence
        elif found:
            fence = found[1]
        else:
            folds = max(folds + line.count("<details") - line.count("</details>"), 0)
        ends = (*([fence] if fence else []), *(["\n</details>"] * folds))
        yield _Place(at, ends)
        at += 1


def _closing(place: _Place) -> int:
    return sum(len(it) + 1 for it in place.ends)
