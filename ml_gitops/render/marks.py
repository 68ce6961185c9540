"""The states things can be in: one word, one symbol and one tone each, on every surface.

Terminal, Markdown and HTML show the same word and symbol; colour only repeats them.
"""

from typing import Literal, NamedTuple

from ml_gitops.render.numbers import NOTHING

Tone = Literal["good", "bad", "warning", "quiet", "open", "merged"]


class Mark(NamedTuple):
    """How a state is shown: its word, the symbol beside it, and its tone."""

    word: str
    symbol: str
    tone: Tone


MARKS: dict[str, Mark] = {
    "pass": Mark("pass", "✓", "good"),
    "fail": Mark("fail", "✗", "bad"),
    "block": Mark("block", "✗", "bad"),
    "error": Mark("error", "✗", "bad"),
    "warn": Mark("warn", "▲", "warning"),
    "unknown": Mark("cannot tell", "?", "warning"),
    "skip": Mark("skipped", NOTHING, "quiet"),
    "info": Mark("note", "i", "quiet"),
    "keep": Mark("unchanged", NOTHING, "quiet"),
    "open": Mark("open", "○", "open"),
    "draft": Mark("draft", "◌", "quiet"),
    "merged": Mark("merged", "●", "merged"),
    "closed": Mark("closed", "⊘", "bad"),
}


def mark_of(state: str) -> Mark:
    """Return the mark of a state; one we do not know keeps its own word, quietly."""
    return MARKS.get(state) or Mark(state, "·", "quiet")


def mark(state: str) -> str:
    """Return a state as text for a Markdown table: `pass ✓`."""
    word, symbol, _ = mark_of(state)
    return f"{word} {symbol}"
