"""What people read in a terminal: tables, states, panels, progress, errors.

Results go to stdout; progress and errors to stderr. Text from outside is shown, never
interpreted: not as markup, not as terminal escapes, not as commands to a runner.
"""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from ml_gitops.render.blocks import Block, Code, Fold, Heading, Items, Paragraph, Table
from ml_gitops.render.console import carried, console_of, text_of
from ml_gitops.render.marks import Tone, mark_of
from ml_gitops.render.numbers import count
from ml_gitops.render.progress import ProgressLine
from ml_gitops.render.reader import read_blocks, spans
from ml_gitops.render.runner import unobeyed_json
from ml_gitops.render.tables import Align, visible
from ml_gitops.render.widths import whole_widths

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

_STYLES: dict[Tone, str] = {
    "good": "green",
    "bad": "red",
    "warning": "yellow",
    "quiet": "dim",
    "open": "cyan",
    "merged": "magenta",
}


class Terminal:
    """Write results for people, or JSON for machines, never both.

    It satisfies `ports.Progress`. Leave it (`with`, or `close`) to take the progress
    line away.

    Args:
        machine: the answer is JSON; everything else on stdout and all progress is silent.
        out, err: the streams; the process's own if not given.
        width: columns; found if not given, 80 where there is no terminal.
        now: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        *,
        machine: bool = False,
        out: IO[str] | None = None,
        err: IO[str] | None = None,
        width: int | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._out = console_of(out or sys.stdout, width)
        self._err = console_of(err or sys.stderr, width)
        self._now = now
        self._live: Live | None = None
        self._line = ProgressLine(now)
        self._step = ""

    def __enter__(self) -> Self:
        """Return the terminal itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the progress line away, however the work ended."""
        self.close()

    def close(self) -> None:
        """Take the progress line away; the next step begins a new one."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def line(self, text: str = "") -> None:
        """Write one line."""
        self._print(self._text(text))

    def status(self, state: str, text: str) -> None:
        """Write a state (symbol and word) and what it is about."""
        word, symbol, tone = mark_of(state)
        # The words are padded so that lines below each other align.
        said = self._text(f"{symbol} {word}", _STYLES[tone])
        said.pad_right(max(9 - len(said), 0) + 2)
        self._print(said.append(self._text(text)))

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        align: Sequence[Align] | None = None,
        title: str = "",
    ) -> None:
        """Write a table that fits; long cells wrap.

        Args:
            header: the names of the columns.
            rows: text, as many cells per row as columns; None of it is markup.
            align: one per column; the first is left and the others right, if not given.
            title: a line above.
        """
        aligned = align or ["left" if index == 0 else "right" for index in range(len(header))]
        if title:
            self._print(self._text(title, "bold"))
        self._grid(list(map(self._text, header)), [map(self._text, row) for row in rows], aligned)

    def markdown(self, text: str, *, full: bool = True) -> None:
        """Write Markdown from a forge as people read it: no tags, no marks, tables that fit."""
        self.show(read_blocks(text), full=full)

    def show(self, blocks: Iterable[Block], *, full: bool = True) -> None:
        """Write blocks with a gap between them.

        Args:
            blocks: what there is to say.
            full: what is folded stands under its summary; else the summary says how long it is.
        """
        for place, block in enumerate(blocks):
            if place:
                self._print("")
            self._show(block, full=full)

    def _show(self, block: Block, *, full: bool) -> None:
        match block:
            case Heading(text):
                self._bold(text)
            case Paragraph(text):
                self._lines(self._spans(line) for line in text.split("\n"))
            case Items(lead, lines):
                self._lines(self._spans(line) for line in filter(None, lead.split("\n")))
                self._lines(self._item(self._spans(line)) for line in lines)
            case Table(header, rows, align):
                cells = [list(map(self._spans, row)) for row in rows]
                self._grid(list(map(self._spans, header)), cells, align)
            case Code(text):
                self._lines(self._text(f"    {line}") for line in text.split("\n"))
            case Fold(summary, inside) if full:
                self.show([Heading(f"▸ {summary}"), *inside])
            case Fold(summary, inside):
                self._lines([self._spans(f"▸ {summary} ({count(self._height(inside), 'line')})")])

    def _height(self, blocks: Iterable[Block]) -> int:
        """Return how many lines blocks take."""
        with self._out.capture() as drawn:
            self.show(blocks)
        return drawn.get().count("\n")

    def _lines(self, lines: "Iterable[RenderableType]") -> None:
        for line in lines:
            self._print(line)

    def _bold(self, text: str) -> None:
        said = self._spans(text)
        said.stylize("bold")
        self._print(said)

    def _grid(
        self, header: "Sequence[Text]", rows: "Iterable[Iterable[Text]]", align: Sequence[Align]
    ) -> None:
        from rich import box
        from rich.table import Table

        cells = [list(row) for row in rows]
        lines = [[one.plain for one in row] for row in (header, *cells)]
        widths = whole_widths(lines, self._out.width)
        if widths is None:
            self._records(header, cells)
            return
        grid = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            show_edge=False,
            show_header=any(name.plain for name in header),
            header_style="bold",
            padding=(0, 1, 0, 0),
        )
        for name, side, width in zip(header, align, widths, strict=True):
            grid.add_column(name, justify=side, overflow="fold", width=width)
        for row in cells:
            grid.add_row(*row)
        self._print(grid)

    def _records(self, header: "Sequence[Text]", rows: "Iterable[Sequence[Text]]") -> None:
        """Write a table that has no room as one name and value a line, row after row."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", overflow="fold", max_width=self._out.width // 2)
        grid.add_column(overflow="fold")
        for row in rows:
            for place, (name, value) in enumerate(zip(header, row, strict=True)):
                if value.plain:
                    grid.add_row(self._text("  " * bool(place)).append(name), value)
        self._print(grid)

    def _item(self, said: "Text") -> "RenderableType":
        from rich.table import Table

        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row("-", said)
        return grid

    def panel(self, title: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Write names and what they are, one pair a line, under a title."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            grid.add_row(self._text(f"  {name}" if title else name), self._text(value))
        if title:
            self._print(self._text(title, "bold"))
        self._print(grid)

    def json(self, text: str) -> None:
        """Write JSON; nothing else goes to stdout when a machine reads."""
        self.close()
        self._out.file.write(unobeyed_json(f"{text.rstrip()}\n"))
        self._out.file.flush()

    def error(self, problem: object) -> None:
        """Write `error: ...` on one line of stderr, wrapped only by the terminal itself."""
        self.close()
        said = text_of("error:", self._err, "bold red").append(" ")
        said.append(text_of(str(problem), self._err))
        self._err.print(said, soft_wrap=True)

    def step(self, text: str, done: float | None = None) -> None:
        """Say what is being done: on a terminal once it takes a while, elsewhere one line.

        Args:
            text: the work, in a few words.
            done: which share of it is done (0 to 1); None if nobody knows.
        """
        if self._machine:
            return
        if not self._err.is_terminal:
            if text != self._step:  # A log gets each step once, whatever its share.
                self._err.print(text_of(text, self._err), soft_wrap=True)
            self._step = text
            return
        if self._live is None:
            from rich.live import Live

            self._line = ProgressLine(self._now)
            self._live = Live(
                self._line,
                console=self._err,
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._line.show(text_of(text, self._err), done)
        if done is not None and done >= 1:
            self.close()

    def _print(self, content: "RenderableType") -> None:
        if self._machine:
            return
        self.close()
        self._out.print(content)

    def _text(self, text: str, style: str = "") -> "Text":
        return text_of(text, self._out, style)

    def _spans(self, text: str) -> "Text":
        """Return one line of Markdown with what is bold in it."""
        from rich.text import Text

        said = Text()
        for span in spans(visible(text)):
            said.append(carried(span.text, self._out), style="bold" if span.bold else "")
        return said
