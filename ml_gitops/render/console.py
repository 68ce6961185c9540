"""Consoles, and outside text on them: shown, never interpreted, in what the stream can carry."""

from typing import IO, TYPE_CHECKING

from ml_gitops.render.runner import guarded
from ml_gitops.render.tables import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def text_of(text: str, console: "Console", style: str = "") -> "Text":
    """Return outside text in characters that the stream can carry; leading spaces are ours."""
    from rich.text import Text

    shown = text[: len(text) - len(text.lstrip(" "))] + plain(text)
    # The style is a span, so that what is appended does not wear it.
    return Text().append(carried(shown, console), style=style)


def carried(text: str, console: "Console") -> str:
    """Return text in characters that the stream can carry."""
    encoding = console.encoding
    return text.encode(encoding, "replace").decode(encoding)


def console_of(stream: IO[str], width: int | None) -> "Console":
    """Return a console on a stream that obeys nothing of what it shows; 80 columns if unknown."""
    from rich.console import Console

    found = width if width is not None or stream.isatty() else 80
    return Console(file=guarded(stream), width=found, markup=False, emoji=False, highlight=False)
