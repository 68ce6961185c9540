"""The pieces a page is made of.

Text arguments are escaped here; `body` and `svg` are HTML of ours.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple, Protocol

from ml_gitops.render.charts.drawing import NARROW, WIDE, style
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

MOST_LINES = 14
"""Of a command's output that shows; a longer one is folded."""


class NavStep(NamedTuple):
    """A line of the contents: the id it leads to, its title, its state; a chapter has none."""

    anchor: str
    title: str
    state: str | None = None


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


class Drawing(Protocol):
    """A chart of `render.charts` that still asks how wide it shall be."""

    def __call__(self, *, width: float) -> str:
        """Return the chart as SVG."""


def figure(draw: Drawing, caption: str = "") -> str:
    """Return a chart with its caption, drawn for a column and for a phone; one of them shows."""
    words = f"<figcaption>{escape(plain(caption))}</figcaption>" if caption else ""
    # The page's own stylesheet holds the charts' style, once.
    drawn = [draw(width=width).replace(style(), "").strip() for width in (WIDE, NARROW)]
    return (
        f'<figure><div class="wide-chart">{drawn[0]}</div>'
        f'<div class="narrow-chart">{drawn[1]}</div>{words}</figure>'
    )


def verdict(state: str, body: str) -> str:
    """Return what a page comes to, before anything else: HTML with a heading, in its tone."""
    tone = mark_of(state).tone
    return f'<section class="verdict {tone}" aria-label="Verdict">\n{body}\n</section>'


def step(
    number: int,
    title: str,
    command: str,
    *,
    outcome: str,
    seconds: float | None,
    body: str,
    word: str | None = None,
    meta: str = "",
    why: str = "",
    output: str = "",
) -> str:
    """Return one step of a story: what was run and why, how it ended, what it said and left.

    Args:
        number: of the step; links lead to `#step-<number>`.
        title: text.
        command: as typed, without a prompt; empty if nothing was typed.
        outcome: a state, shown as a badge.
        seconds: how long it took; None if that means nothing.
        body: HTML below the command.
        word: what the badge says instead of the state's own word.
        meta: a quiet line below the title: when, who.
        why: text above the command.
        output: what the command printed; a long one is folded.
    """
    took = duration(seconds) if seconds is not None else ""
    about = " · ".join(part for part in (plain(meta), took) if part)
    quiet = f'<p class="meta">{escape(about)}</p>\n' if about else ""
    reason = f"<p>{escape(plain(why))}</p>\n" if why else ""
    return (
        f'<section class="step" id="step-{number}">\n'
        f'<header><h3><span class="number">{number}</span> {escape(plain(title))}</h3>'
        f"{badge(outcome, word)}</header>\n"
        f"{quiet}{reason}{_terminal(command, output)}{body}\n</section>"
    )


def _terminal(command: str, output: str) -> str:
    """Return a command over what it printed, as on a screen."""
    if not command:
        return ""
    printed = escape(visible(output.strip("\n").rstrip()))
    lines = printed.count("\n") + 1
    # A table keeps its columns and scrolls, so it takes the focus; sentences wrap.
    kind = '"output" tabindex="0"' if "──" in printed else '"output wraps"'
    said = f"<pre class={kind}><code>{printed}</code></pre>" if printed else ""
    if lines > MOST_LINES:
        said = f"<details><summary>What it printed, {lines} lines</summary>{said}</details>"
    typed = escape(visible(command.strip()))
    return f'<div class="terminal"><pre class="command"><code>{typed}</code></pre>{said}</div>\n'


def timeline_nav(steps: Sequence[NavStep], *, title: str = "The story") -> str:
    """Return the contents as a line of stops: chapters, and below each its turns."""
    stops = "\n".join(map(_stop, steps))
    return (
        f'<nav class="timeline-nav" aria-labelledby="contents">\n'
        f'<h2 id="contents">{escape(plain(title))}</h2>\n'
        f"<ol>\n{stops}\n</ol>\n</nav>"
    )


def _stop(one: NavStep) -> str:
    link = f'<a href="#{escape(one.anchor)}">{escape(plain(one.title))}</a>'
    if one.state is None:
        return f'<li class="chapter">{link}</li>'
    dot = f'<span class="dot {mark_of(one.state).tone}">{icon(one.state)}</span>'
    return f'<li class="turn">{dot}{link}</li>'


def _id(anchor: str | None) -> str:
    return f' id="{escape(anchor)}"' if anchor else ""
