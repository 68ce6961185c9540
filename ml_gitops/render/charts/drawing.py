"""What every chart is drawn with: the SVG frame, text that fits, scales and nice ticks."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from html import escape as html_escape
from pathlib import Path
from typing import NamedTuple

from ml_gitops.render.numbers import MINUS
from ml_gitops.render.tables import plain

WIDE, NARROW = 640, 340
"""Widths of a chart in its own units, for a page's column and for a phone; a unit is about a pixel,
so that letters keep their size."""
MARGIN = 14
_BOLD = ("heading", "label")
_NARROW, _WIDE = set("iljtfrI.,:;|!'()[] "), set("mwMW@%&+=<>±≥≤→" + MINUS)


@cache
def chart_css() -> str:
    """Return how charts look, in light, in dark and in print."""
    return (Path(__file__).parent / "chart.css").read_text(encoding="utf-8")


@cache
def style() -> str:
    """Return the style element that every chart carries, so that it stands alone as a file."""
    return f"<style>{chart_css()}</style>"


def svg(parts: Iterable[str], *, title: str, description: str, height: float, width: float) -> str:
    """Return a complete SVG document, as wide as what holds it, with its name and description."""
    most = width * (1.2 if width > NARROW else 1.6)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="100%" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" style="max-width:{most:.0f}px">'
        f"<title>{safe(title)}</title><desc>{safe(description)}</desc>{style()}"
        f'<rect class="paper" width="{_n(width)}" height="{_n(height)}" rx="6"/>'
        f"{''.join(parts)}</svg>\n"
    )


def safe(text: str) -> str:
    """Return outside text for the inside of an element or an attribute."""
    return html_escape(plain(text))


def text(x: float, y: float, content: str, css: str = "", *, fit: float | None = None) -> str:
    """Return a text element; one that does not fit is cut and keeps its whole as a tooltip."""
    content = plain(content)
    shown = content if fit is None else shorten(content, fit, bold=css in _BOLD)
    whole = f"<title>{html_escape(content)}</title>" if shown != content else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{_css(css)}>{html_escape(shown)}{whole}</text>'


def heading(title: str, width: float) -> tuple[list[str], float]:
    """Return a chart's title, in as many lines as it needs, and where the rest may begin."""
    lines = wrap(plain(title), width - 2 * MARGIN, bold=True)
    parts = [text(MARGIN, 22 + 17 * row, one, "heading") for row, one in enumerate(lines)]
    return parts, 24 + 17 * len(lines)


class Key(NamedTuple):
    """An entry of a legend: its words, and what draws its sample of 24 units at a place."""

    label: str
    sample: Callable[[float, float], Sequence[str]]
    css: str = "quiet"


def legend(keys: Sequence[Key], top: float, width: float) -> tuple[list[str], float]:
    """Return entries in as many lines as they need, and where the rest may begin."""
    if not keys:
        return [], top
    parts: list[str] = []
    x, y = float(MARGIN), top + 12
    for key in keys:
        room = width - 2 * MARGIN - 30
        wide = min(measure(key.label, bold=key.css in _BOLD) * 0.92, room)
        if x > MARGIN and x + 30 + wide > width - MARGIN:
            x, y = MARGIN, y + 19
        parts += [*key.sample(x, y - 4), text(x + 30, y, key.label, key.css, fit=room)]
        x += 30 + wide + 16
    return parts, y + 8


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Return a straight line."""
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"{_css(css)}/>'


def rect(x: float, y: float, width: float, height: float, css: str, *, tip: str = "") -> str:
    """Return a rectangle, with a tooltip if there is one."""
    inside = f"><title>{safe(tip)}</title></rect>" if tip else "/>"
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" '
        f'height="{_n(max(height, 0))}"{_css(css)}{inside}'
    )


def path(
    points: Sequence[tuple[float, float]], css: str, *, dash: str = "", closed: bool = False
) -> str:
    """Return a line through points, dashed if asked for."""
    steps = " L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="M{steps}{"Z" if closed else ""}"{_css(css)}{dashes}/>'


def shape(kind: int, x: float, y: float, css: str, *, tip: str = "", radius: float = 4) -> str:
    """Return one of four marks (circle, square, triangle, diamond), told apart without colour."""
    inside = f"><title>{safe(tip)}</title>" if tip else ">"
    r = radius
    if kind % 4 == 0:
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"{_css(css)}{inside}</circle>'
    corners = (
        [],
        [(-r, -r), (r, -r), (r, r), (-r, r)],
        [(0, -1.2 * r), (1.15 * r, 0.9 * r), (-1.15 * r, 0.9 * r)],
        [(0, -1.35 * r), (1.35 * r, 0), (0, 1.35 * r), (-1.35 * r, 0)],
    )[kind % 4]
    places = " ".join(f"{_n(x + dx)},{_n(y + dy)}" for dx, dy in corners)
    return f'<polygon points="{places}"{_css(css)}{inside}</polygon>'


def measure(content: str, *, bold: bool = False) -> float:
    """Return about how wide a text is at 12 units, rather too much than too little."""
    return sum(map(_advance, content)) * (1.12 if bold else 1)


def _advance(character: str) -> float:
    if character in _NARROW:
        return 4.4
    if character in _WIDE or ord(character) > 0x2E80:
        return 12
    return 8.6 if character.isupper() else 7.6


def wrap(content: str, room: float, *, bold: bool = False) -> list[str]:
    """Return a text in lines that fit; a word longer than a line is cut."""
    lines: list[str] = []
    for word in content.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and measure(longer, bold=bold) <= room:
            lines[-1] = longer
        else:
            lines.append(shorten(word, room, bold=bold))
    return lines or [""]


def shorten(content: str, room: float, *, bold: bool = False) -> str:
    """Return as much of a text as fits, with an ellipsis if it is not all."""
    if measure(content, bold=bold) <= room:
        return content
    while content and measure(content, bold=bold) + 8 > room:
        content = content[:-1]
    return content.rstrip() + "…"


def _css(names: str) -> str:
    return f' class="{names}"' if names else ""


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
