"""Markdown to HTML, and the one self-contained page that every report is set in."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ml_gitops.render.blocks import Block, write_blocks
from ml_gitops.render.charts.drawing import chart_css
from ml_gitops.render.tables import plain, visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The page loads nothing from anywhere, whatever is written on it."""

_OPEN = ("<details>", "<details open>")
_COMMENT = re.compile(r"^(?:<!--(?:(?!-->).)*-->\s*)+$")
_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:\.\.\d{2}-\d{2})?\b", re.ASCII)
"""A day, or a window of which only the first one names its year."""
_BARS = re.compile("[▁-█·]{2,}")
"""Bars of a cell, as `charts.sparkline` writes them; without air between them they are a block."""
_TASK = re.compile(r"^\[([ xX])\] ")


def markdown_to_html(
    text: str, *, heading: int = 2, images: Mapping[str, str] | None = None
) -> str:
    """Return Markdown as HTML in which nothing but Markdown has a meaning.

    CommonMark with tables and strikethrough. HTML shows as text, except what our
    reports use: `<details>`, `<summary>` and comments, each on lines of their own
    and outside lists and quotes; sections left open are closed.

    Args:
        text: Markdown from anyone.
        heading: the level that the highest heading becomes on the page.
        images: addresses to SVG text of our own; other images show as their description.
    """
    environment = {"folds": 0, "heading": heading, "images": images or {}}
    return str(_markdown().render(visible(text), environment))


def set_on_page(blocks: Iterable[Block], *, heading: int = 2) -> str:
    """Return blocks as HTML; the highest heading becomes one of this level."""
    return markdown_to_html(write_blocks(blocks), heading=heading)


def page(
    title: str,
    body: str,
    *,
    kicker: str = "",
    lead: str = "",
    nav: str = "",
    footer: str = "",
    language: str = "en",
) -> str:
    """Return a complete HTML document that needs nothing else: no script, no font, no network.

    Args:
        title: outside text; the heading and the name of the page.
        body: HTML.
        kicker: a few words above the title (text).
        lead: one or two sentences below it (text).
        nav: HTML of `timeline_nav`, beside the body where there is room.
        footer: HTML.
        language: of the text.
    """
    name = escape(plain(title))
    above = f'<p class="kicker">{escape(plain(kicker))}</p>\n' if kicker else ""
    below = f'\n<p class="lead">{escape(plain(lead))}</p>' if lead else ""
    beside = " beside-nav" if nav else ""
    foot = f'\n<footer class="colophon{beside}">\n{footer}\n</footer>' if footer else ""
    sheet = f'<main class="sheet" id="content" tabindex="-1">\n{body}\n</main>'
    whole = f'<div class="with-nav">\n{nav}\n{sheet}\n</div>' if nav else sheet
    return f"""<!DOCTYPE html>
<html lang="{escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{name}</title>
<style>
{stylesheet()}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="masthead{beside}">
{above}<h1>{name}</h1>{below}
</header>
{whole}{foot}
</body>
</html>
"""


@cache
def stylesheet() -> str:
    """Return the one stylesheet of every page, with that of the charts on it."""
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8") + chart_css()


def data_uri(svg: str) -> str:
    """Return an SVG as an address that carries it; inside an image it can run nothing."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # The preset is given by name; `html` off is what keeps the page ours.
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    interrupts = ["paragraph", "reference", "blockquote", "list", "table"]
    parser.block.ruler.before("fence", "fold", _fold, {"alt": interrupts})
    parser.core.ruler.push("close_folds", _close_folds)
    parser.core.ruler.push("page", _fit_to_page)
    parser.add_render_rule("text", _text)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _fold(state: "StateBlock", line: int, _last: int, silent: bool) -> bool:  # noqa: FBT001
    """Recognise a line of our own details, summary and comments at the top level."""
    if state.is_code_block(line):
        return False
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip()
    found = fold_tags(text)
    if not text or not (found or _COMMENT.match(text)):
        return False
    if found and found.summary is not None and not (found.start or state.env["folds"]):
        return False  # a summary of nothing
    if silent:
        return True
    if state.level > 0:
        return False
    state.line = line + 1
    if found:
        _push_fold(state, line, *found)
    return True


class FoldTags(NamedTuple):
    """The tags on a line: an opening, a summary's text, an end; each may be missing."""

    start: str
    summary: str | None
    end: str


def fold_tags(text: str) -> FoldTags | None:
    """Return the tags of a line that consists of nothing else, read once from both of its ends."""
    start = next((tag for tag in _OPEN if text.startswith(tag)), "")
    rest = text.removeprefix(start).strip()
    end = "</details>" if rest.endswith("</details>") else ""
    rest = rest.removesuffix(end).strip()
    if not rest:
        return FoldTags(start, None, end)
    inner = rest.removeprefix("<summary>").removesuffix("</summary>")
    return FoldTags(start, inner, end) if rest == f"<summary>{inner}</summary>" else None


def _push_fold(state: "StateBlock", line: int, start: str, summary: str | None, end: str) -> None:
    def push(html: str) -> None:
        state.push("html_block", "", 0).content = html

    if start:
        state.env["folds"] += 1
        push(f"{start}\n")
    if summary is not None:
        push("<summary>")
        inline = state.push("inline", "", 0)
        inline.content, inline.map, inline.children = summary, [line, line + 1], []
        push("</summary>\n")
    if end and state.env["folds"]:
        state.env["folds"] -= 1
        push("</details>\n")


def _close_folds(state: "StateCore") -> None:
    """Close what was left open, so that no text can swallow the rest of the page."""
    from markdown_it.token import Token

    for _ in range(state.env["folds"]):
        state.tokens.append(Token("html_block", "", 0, content="</details>\n"))
    state.env["folds"] = 0


def _fit_to_page(state: "StateCore") -> None:
    """Move headings below the page's own, and draw the boxes of task lists."""
    levels = [int(token.tag[1]) for token in state.tokens if token.type == "heading_open"]
    down = state.env["heading"] - min(levels, default=1)
    for index, token in enumerate(state.tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + down, 6)}"
        task = _TASK.match(token.content) if token.type == "inline" else None
        if task and index >= 2 and state.tokens[index - 2].type == "list_item_open":
            box = "☐ " if task.group(1) == " " else "☑ "
            state.tokens[index - 2].attrJoin("class", "task")
            children = token.children or []
            if children and children[0].type == "text":
                children[0].content = box + children[0].content[4:]


def _text(
    _self: "RendererHTML", tokens: Sequence["Token"], index: int, _options: Any, _env: Any
) -> str:
    """Return text in which no day is broken at its hyphens, and bars stand apart."""
    said = _DAY.sub(r'<span class="day">\g<0></span>', escape(tokens[index].content))
    return _BARS.sub(r'<span class="spark">\g<0></span>', said)


def _image(
    self: "RendererHTML", tokens: Sequence["Token"], index: int, options: Any, env: Any
) -> str:
    """Show a picture of ours; of any other only the description, for a page loads nothing."""
    token = tokens[index]
    words = escape(self.renderInlineAsText(token.children or [], options, env))
    drawn = env["images"].get(str(token.attrs.get("src", "")))
    if drawn is None:
        return f'<span class="image">[image: {words}]</span>'
    return f'<img class="chart-image" src="{data_uri(drawn)}" alt="{words}">'


def _link_open(
    self: "RendererHTML", tokens: Sequence["Token"], index: int, options: Any, env: Any
) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return self.renderToken(tokens, index, options, env)


def _table_open(*_: Any) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'
