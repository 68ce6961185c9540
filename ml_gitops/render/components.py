"""The pieces a page is made of.

Text arguments are escaped here; `body` and `svg` are HTML of ours.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from ml_gitops.render.marks import Tone, mark_of
from ml_gitops.render.numbers import duration
from ml_gitops.render.tables import plain, visible

_CHECK = '<path d="M3 8.5l3.4 3.4L13 4.8"/>'
_CROSS = '<path d="M4 4l8 8M12 4l-8 8"/>'
_BRANCH = '<circle cx="4" cy="3.2" r="1.7"/><circle cx="4" cy="12.8" r="1.7"/><path d="M4 5v6'
_ICONS = {
    "open": f'{_BRANCH}M8 4h2.4a1.6 1.6 0 0 1 1.6 1.6V11"/><circle cx="12" cy="12.8" r="1.7"/>',
    "merged": f'{_BRANCH}M4 5.4c.4 3 3 4 6 4"/><circle cx="12" cy="9.4" r="1.7"/>',
    "closed": '<circle cx="8" cy="8" r="6"/><path d="M4 12l8-8"/>',
    "draft": '<circle cx="8" cy="8" r="6" stroke-dasharray="2.5 3"/>',
    "unknown": '<path d="M5.4 6a2.6 2.6 0 1 1 4 2.2c-.9.6-1.4 1-1.4 2"/><path d="M8 13.2v.1"/>',
    "warn": '<path d="M8 2.2L14.4 13.6H1.6ZM8 6.6v3M8 11.6v.1"/>',
}
_TONE_ICONS: dict[Tone, str] = {
    "good": _CHECK,
    "bad": _CROSS,
    "warning": _ICONS["warn"],
    "open": '<circle cx="8" cy="8" r="5.6"/>',
    "merged": _CHECK,
    "quiet": '<path d="M3.5 8h9"/>',
}


class NavStep(NamedTuple):
    """A line of the contents: the id it leads to, its title, its state."""

    anchor: str
    title: str
    state: str


def icon(state: str) -> str:
    """Return the small picture of a state; the word beside it says the same."""
    drawn = _ICONS.get(state) or _TONE_ICONS[mark_of(state).tone]
    return f'<svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">{drawn}</svg>'


def badge(state: str, word: str | None = None) -> str:
    """Return a pill with icon and word.

    Args:
        state: a key of `marks.MARKS`: pass, block, warn, unknown, open, merged, closed, ...
        word: what it says instead of the state's own word.
    """
    said = escape(plain(word if word is not None else mark_of(state).word))
    return f'<span class="badge {mark_of(state).tone}">{icon(state)}{said}</span>'


def card(
    title: str,
    body: str,
    *,
    state: str | None = None,
    meta: str = "",
    level: int = 3,
    anchor: str | None = None,
) -> str:
    """Return a framed section.

    Args:
        title: text of the heading.
        body: HTML.
        state: shown as a badge.
        meta: a quiet line below the title: who, when, which branch.
        level: of the heading.
        anchor: the id that links lead to.
    """
    pill = badge(state) if state else ""
    line = f'<p class="meta">{escape(plain(meta))}</p>' if meta else ""
    heading = f"<h{level}>{escape(plain(title))}</h{level}>"
    return (
        f'<section class="card"{_id(anchor)}>\n<header>{heading}{pill}{line}</header>\n'
        f"{body}\n</section>"
    )


def figure(svg: str, caption: str = "") -> str:
    """Return a chart of `render.charts` with its caption; on narrow screens it scrolls."""
    words = f"<figcaption>{escape(plain(caption))}</figcaption>" if caption else ""
    return (
        f'<figure><div class="scroll" role="region" aria-label="Chart" tabindex="0">'
        f"{svg.strip()}</div>{words}</figure>"
    )


def step(
    number: int,
    title: str,
    command: str,
    *,
    outcome: str,
    seconds: float | None,
    body: str,
    word: str | None = None,
) -> str:
    """Return one step of a story: what was run, how it ended, how long it took, what it left.

    Args:
        number: of the step; links lead to `#step-<number>`.
        title: text.
        command: as typed, without a prompt; empty if nothing was typed.
        outcome: a state, shown as a badge.
        seconds: how long it took; None if that means nothing.
        body: HTML.
        word: what the badge says instead of the state's own word.
    """
    took = f'<span class="meta">{duration(seconds)}</span>' if seconds is not None else ""
    typed = (
        f'<pre class="command" tabindex="0"><code>{escape(visible(command.strip()))}</code></pre>\n'
    )
    return (
        f'<section class="step" id="step-{number}">\n'
        f'<header><h2><span class="number">{number}</span>{escape(plain(title))}</h2>'
        f"{badge(outcome, word)}{took}</header>\n"
        f"{typed if command else ''}{body}\n</section>"
    )


def timeline_nav(steps: Sequence[NavStep], *, title: str = "The story") -> str:
    """Return the contents as a line of stops, each with its state."""
    stops = "\n".join(
        f'<li><span class="dot {mark_of(one.state).tone}">{icon(one.state)}</span>'
        f'<a href="#{escape(one.anchor)}">{escape(plain(one.title))}</a></li>'
        for one in steps
    )
    return (
        f'<nav class="timeline-nav" aria-labelledby="contents">\n'
        f'<h2 id="contents">{escape(plain(title))}</h2>\n<ol>\n{stops}\n</ol>\n</nav>'
    )


def _id(anchor: str | None) -> str:
    return f' id="{escape(anchor)}"' if anchor else ""
