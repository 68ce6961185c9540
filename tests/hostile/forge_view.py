"""What a forge makes of a text: GitHub's own renderer, and what GitHub links afterwards.

`cmark-gfm` is GitHub's. What follows it there (mentions, references, emoji, formulas) is closed
source; `LIVE` finds more than GitHub does: whatever could be one of them counts as one.
"""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple

import cmarkgfm
from cmarkgfm.cmark import Options

EXTENSIONS = ["table", "strikethrough", "autolink", "tagfilter", "tasklist"]
OPTIONS = (
    Options.CMARK_OPT_UNSAFE
    | Options.CMARK_OPT_FOOTNOTES
    | Options.CMARK_OPT_GITHUB_PRE_LANG
    | Options.CMARK_OPT_HARDBREAKS
)
"""As in comments. Raw HTML is let through, so that what came through is seen."""

LIVE = {
    "mention": re.compile(r"@(?=\w)"),
    "issue": re.compile(r"#(?=\w)|gh-(?=\d)", re.IGNORECASE),
    "commit": re.compile(r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE),
    "emoji": re.compile(r":[\w+-]+:"),
    "address": re.compile(r"\w://|www\.", re.IGNORECASE),
    "formula": re.compile(r"\$(?!\u200b)"),
}
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_QUIET = {"code", "pre", "a", "tt", "style"}
"""Where GitHub looks for nothing."""
_VOID = {"area", "base", "br", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class View(NamedTuple):
    """What people get to see.

    Attributes:
        tree: tags with their attributes, their ends, and where text stands.
        live: what a forge makes clickable, or a picture, out of plain text, and how often.
        comments: what HTML hides.
        text: what is read.
    """

    tree: tuple[str, ...]
    live: Counter[str]
    comments: tuple[str, ...]
    text: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tree: list[str] = []
        self.comments: list[str] = []
        self.text: list[str] = []
        self.looked_at: list[str] = []
        self._said = ""
        self._quiet: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._settle()
        given = "".join(f" {name}={value!r}" for name, value in sorted(attrs))
        self.tree.append(f"<{tag}{given}>")
        if tag in _QUIET:
            self._quiet.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._settle()
        if tag not in _VOID:
            self.tree.append(f"</{tag}>")
        if tag in self._quiet:
            self._quiet.remove(tag)

    def handle_comment(self, data: str) -> None:
        self._settle()
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        self._settle()
        self.tree.append(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        self._settle()
        self.tree.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self._settle()
        self.tree.append(f"<![{data}>")

    def handle_data(self, data: str) -> None:
        self._said += data

    def _settle(self) -> None:
        """Take the text up to here, whole as a forge does."""
        said, self._said = self._said, ""
        if said.strip(" \n\u200b"):
            self.tree.append("…")
        self.text.append(said)
        if said and not self._quiet:
            self.looked_at.append(said)


def render(markdown: str) -> str:
    """Return the HTML that GitHub's renderer makes."""
    return str(cmarkgfm.markdown_to_html_with_extensions(markdown, OPTIONS, EXTENSIONS))


def look_at(markdown: str) -> View:
    """Return what people get to see of a text on a forge."""
    reader = _Reader()
    reader.feed(render(markdown))
    reader.close()
    reader._settle()
    live = links("\0".join(reader.looked_at))
    return View(tuple(reader.tree), live, tuple(reader.comments), "".join(reader.text))


def links(text: str) -> Counter[str]:
    """Return what a forge may link in plain text, and how often."""
    return Counter({kind: n for kind, it in LIVE.items() if (n := len(it.findall(text)))})


def escapes(view: View, harmless: View) -> list[str]:
    """Return in words what a text came to be besides text, beside the same with a harmless word."""
    told = []
    if view.tree != harmless.tree:
        tags = Counter(view.tree) - Counter(harmless.tree)
        told.append(f"structure: {' '.join(tags) or 'something is gone'}")
    told += [f"live: {kind}" for kind in view.live - harmless.live]
    if view.comments != harmless.comments:
        told.append("a hidden comment")
    if UNSEEN.search(view.text):
        told.append("something that cannot be seen")
    return told
