"""A unified diff as HTML: one folded section per file, signs kept beside the colours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from ml_gitops.render.numbers import MINUS
from ml_gitops.render.tables import visible

_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_KINDS = {"+": "plus", "-": "minus", "@": "hunk"}


@dataclass
class _File:
    """One file of a diff while it is read."""

    path: str
    about: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    _old: int = 0
    _new: int = 0

    @property
    def inside_hunk(self) -> bool:
        """Whether the hunk's header promised more lines, so that none of them is a header."""
        return self._old > 0 or self._new > 0

    def read(self, line: str) -> None:
        """Take the next line, of a header or of a hunk."""
        hunk = _HUNK.match(line)
        if self.inside_hunk:
            self._old -= line[:1] in ("-", " ", "")
            self._new -= line[:1] in ("+", " ", "")
            self.lines.append(line)
        elif hunk:
            self._old, self._new = (int(size or 1) for size in hunk.groups())
            self.lines.append(line)
        elif line.startswith(("--- ", "+++ ")):
            self.path = _path(line) or self.path
        elif line.startswith("\\"):
            self.lines.append(line)
        elif line and not line.startswith("index "):
            self.about.append(line)

    def count(self, sign: str) -> int:
        """Return how many lines were added or removed."""
        return sum(line.startswith(sign) for line in self.lines)


def diff_to_html(diff: str, *, open_lines: int = 60, max_lines: int = 600) -> str:
    """Return a unified diff, coloured, file by file.

    Args:
        diff: as `git diff` writes it.
        open_lines: a file with more lines than this is folded.
        max_lines: lines shown of one file; how many are left out is said.
    """
    # What hides in a change must be seen in its diff.
    files = list(_files(visible(diff, hidden="\N{REPLACEMENT CHARACTER}")))
    if not files:
        return '<p class="meta">No changes.</p>'
    return "\n".join(_file(one, open_lines, max_lines) for one in files)


def _files(diff: str) -> Iterator[_File]:
    current: _File | None = None
    for line in diff.split("\n"):
        inside = current is not None and current.inside_hunk
        plain_start = line.startswith("--- ") and (current is None or bool(current.lines))
        if not inside and (line.startswith("diff --git ") or plain_start):
            if current is not None:
                yield current
            current = _File(line.rpartition(" b/")[2] if line.startswith("diff") else _path(line))
        elif current is not None:
            current.read(line)
    if current is not None:
        yield current


def _path(header: str) -> str:
    name = header[4:].partition("\t")[0].strip('"')
    return "" if name == "/dev/null" else name.removeprefix("a/").removeprefix("b/")


def _file(one: _File, open_lines: int, max_lines: int) -> str:
    opened = " open" if len(one.lines) <= open_lines else ""
    shown = [_line(line) for line in one.lines[:max_lines]]
    if len(one.lines) > max_lines:
        rest = len(one.lines) - max_lines
        shown.append(f'<span class="hunk">{rest:,d} more lines are not shown here.</span>')
    about = f'<p class="meta">{escape("; ".join(one.about))}</p>' if one.about else ""
    lines = f'<pre tabindex="0">{"".join(shown)}</pre>' if shown else ""
    return (
        f'<details class="diff"{opened}><summary>{escape(one.path)} '
        f'<span class="added">+{one.count("+"):,d}</span> '
        f'<span class="removed">{MINUS}{one.count("-"):,d}</span></summary>{about}{lines}</details>'
    )


def _line(line: str) -> str:
    kind = _KINDS.get(line[:1], "same")
    return f'<span class="{kind}">{escape(line) or " "}</span>'
