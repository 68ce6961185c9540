"""The line that says how far work is, once it takes a while."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ml_gitops.render.numbers import percent

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

_PATIENCE = 2.0
"""Seconds before work says that it is still going on; shorter work needs no words."""


class ProgressLine:
    """One line that stays empty until the work has taken a while.

    Args:
        now: seconds of a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since = now()
        self._said: Text | None = None
        self._done: float | None = None

    def show(self, said: "Text", done: float | None) -> None:
        """Take what is being done, and which share of it is (0 to 1), if anybody knows."""
        self._said, self._done = said, done

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Draw a spinner or a bar, the work, and how long it has taken."""
        from rich.progress_bar import ProgressBar
        from rich.spinner import Spinner
        from rich.table import Table

        took = self._now() - self._since
        if took < _PATIENCE or self._said is None:
            return
        share = self._done
        turning = Spinner("dots" if options.encoding.startswith("utf") else "line")
        grid = Table.grid(padding=(0, 1))
        if share is None:
            grid.add_row(turning, self._said, f"{took:.0f} s")
        else:
            bar = ProgressBar(total=1.0, completed=share, width=24)
            grid.add_row(bar, percent(share, digits=0), self._said, f"{took:.0f} s")
        yield grid
