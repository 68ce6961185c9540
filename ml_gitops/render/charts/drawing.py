"""What every chart is drawn with: the SVG frame, text that fits, scales and nice ticks."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape as html_escape
from pathlib import Path

from ml_gitops.render.numbers import MINUS
from ml_gitops.render.tables import plain

WIDTH = 640
"""Width of a chart in its own units; one unit is about one pixel of a page's column."""
_NARROW, _WIDE = set("iljtfrI.,:;|!'()[] "), set("mwMW@%&")


@cache
def style() -> str:
    """Return the style element that every chart carries, so that it stands alone as a file."""
    css = (Path(__file__).parent / "chart.css").read_text(encoding="utf-8")
    return f"<style>{css}</style>"


@dataclass(frozen=True)
class Scale:
    """A linear map from values to positions."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def svg(
    parts: Iterable[str], *, title: str, description: str, height: float, width: float = WIDTH
) -> str:
    """Return a complete SVG document, as wide as what holds it, with its name and description."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="100%" '
        f'viewBox="0 0 {_n(width)} {_n(height)}">'
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
    shown = content if fit is None else shorten(content, fit)
    whole = f"<title>{html_escape(content)}</title>" if shown != content else ""
    return f'<text x="{_n(x)}" y="{_n(y)}"{_css(css)}>{html_escape(shown)}{whole}</text>'


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


def measure(content: str) -> float:
    """Return about how wide a text is at 12 units, a little too wide rather than too narrow."""
    return sum(
        3.9 if c in _NARROW else 11 if c in _WIDE or ord(c) > 0x2E80 else 8.3 if c.isupper() else 7
        for c in content
    )


def shorten(content: str, room: float) -> str:
    """Return as much of a text as fits, with an ellipsis if it is not all."""
    if measure(content) <= room:
        return content
    while content and measure(content) + 7 > room:
        content = content[:-1]
    return content.rstrip() + "…"


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers (1, 2, 2.5 or 5 times a power of ten) that span a range.

    Args:
        low, high: the range; the first tick is at or below, the last at or above.
        about: how many steps are wanted.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("an axis needs finite ends")
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def tick_labels(ticks: Sequence[float], unit: str = "", *, signs: bool = False) -> list[str]:
    """Return labels of ticks with just the decimals that they need.

    Args:
        ticks: evenly spaced numbers.
        unit: appended to each; `%` shows shares (0 to 1) as per cent.
        signs: write a plus before what is above zero.
    """
    factor = 100 if unit == "%" else 1
    values = [round(tick * factor, 12) for tick in ticks]
    digits = max((len(f"{v:.10f}".rstrip("0").partition(".")[2]) for v in values), default=0)
    ending = unit if unit in ("", "%") else f" {unit}"
    return [
        f"{v:{'+' if signs and v else ''},.{digits}f}".replace("-", MINUS) + ending for v in values
    ]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions near the wanted ones, at least a gap apart, inside a range if they fit."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = list(wanted)
    below = low - gap
    for index in order:
        below = places[index] = max(places[index], below + gap)
    above = max(high, below) + gap
    for index in reversed(order):
        above = places[index] = min(places[index], above - gap)
    return places


def _css(names: str) -> str:
    return f' class="{names}"' if names else ""


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
