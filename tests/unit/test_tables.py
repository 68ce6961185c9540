"""Markdown tables, numbers, marks, and outside text that stays text."""

import math
import re
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ml_gitops.pull_request import Marker
from ml_gitops.render.marks import MARKS, mark, mark_of
from ml_gitops.render.numbers import (
    count,
    duration,
    interval,
    number,
    percent,
    signed,
    size,
)
from ml_gitops.render.tables import code, details, escape, fence, plain, table, unlinked

NASTY = [
    "@everyone fixes #1, GH-2 and owner/name#3",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</details></td></table>",
    "<!-- ml-gitops:{} -->",
    "[text](javascript:alert(1))",
    "![text](https://example.com/x.png)",
    "[ref]: https://example.com 'title'",
    "[^1]: note",
    "<https://example.com>",
    "https://example.com and www.example.com and me@example.com",
    "`code` ``code`` ```",
    "~~~\ncode",
    "    indented",
    "\ttab",
    "a | b || c \\| d \\\\| e",
    "| --- | --- |",
    "--- | ---",
    "# heading",
    "a\n===",
    "a\n---",
    "***",
    "* item",
    "+ item",
    "- [ ] task",
    "1. item",
    "999999999) item",
    "> quote",
    "**bold** _em_ ~~gone~~ __bold__",
    "&lt;b&gt; &#64;bob &amp;lt;",
    "$formula$ $$formula$$ \\$x\\$",
    ":smile: ::warning::",
    "\\",
    "ends with a backslash \\",
    "a\r\nb\u2028c\u2029d\x0be\x85f",
    "\x1b[31mred\x1b[0m \x00\x07",
    "\u202egnp.exe\u2066",
    "\ud800 lone",
    "hidden \U000e0041\U000e0042 tags",
    "!\u200b[x](y)",
    "\\`<b>`",
    "\ufeff# heading",
]
NUMBERS = [
    (number(0.81234), "0.812"),
    (number(336776), "336,776"),
    (number(-0.5, digits=1), "−0.5"),
    (number(None), "–"),
    (number(math.nan), "–"),
    (number(-math.inf), "−∞"),
    (number(0.00012), "0.00012"),
    (number(-0.0), "0.000"),
    (number(1.5, digits=1, unit="ms"), "1.5 ms"),
    (signed(0.0112), "+0.011"),
    (signed(-0.0112), "−0.011"),
    (signed(0.0), "±0.000"),
    (interval(-0.002, 0.01), "[−0.002, +0.010]"),
    (percent(0.123, n=4210), "12.3% (n = 4,210)"),
    (percent(0.0001), "<0.1%"),
    (percent(0.9999), ">99.9%"),
    (percent(0.0), "0.0%"),
    (percent(1.0, digits=0), "100%"),
    (count(1, "row"), "1 row"),
    (count(4210, "row"), "4,210 rows"),
    (count(2, "entry", "entries"), "2 entries"),
    (duration(0.0381), "38 ms"),
    (duration(59.96), "1 min"),
    (duration(200), "3 min 20 s"),
    (duration(7500), "2 h 5 min"),
    (size(812), "812 B"),
    (size(41_480), "41.5 kB"),
    (size(999_990), "1.0 MB"),
]
LETTERS = st.sampled_from(list("ab1 .:/\\`*_[]()<>!|#@&~$-+=\n\t'\"{}^;?%\r\0") + NASTY)
PAYLOADS = st.one_of(st.text(max_size=40), st.lists(LETTERS, max_size=12).map("".join))
CELLS = re.compile(
    r"^<table>\n<thead>\n<tr>\n<th[^<]*</th>\n<th[^<]*</th>\n</tr>\n</thead>\n"
    r"<tbody>\n<tr>\n<td[^<]*</td>\n<td[^<]*</td>\n</tr>\n</tbody>\n</table>\n$"
)


@cache
def forge() -> MarkdownIt:
    """Return a renderer that allows what forges allow, raw HTML included."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


class Tags(HTMLParser):
    """Collect the tags, the comments and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        """Note a tag."""
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


@settings(max_examples=5000, derandomize=True, deadline=None)
@given(text=PAYLOADS)
@example(text="".join(NASTY))
def test_escaped_text_is_one_paragraph_of_text(text: str) -> None:
    """Alone on a line, outside text renders as one paragraph that says what was said."""
    html = Tags(forge().render(escape(text)))

    assert html.tags in ([], ["p"])
    assert not html.comments
    assert html.text.strip().replace("\u200b", "") == plain(text)


@settings(max_examples=1500, derandomize=True, deadline=None)
@given(text=PAYLOADS, other=PAYLOADS)
def test_escaped_text_stays_in_its_cell(text: str, other: str) -> None:
    """In a table, outside text neither ends its cell nor makes another."""
    markdown = table(["name", escape(text)], [[escape(other), code(text)]])

    html = forge().render(markdown)

    assert CELLS.match(re.sub(r"</?code>", "", html)), html


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("before", ["", "so ", "- ", "> ", "a\n"])
def test_nasty_text_stays_text_wherever_it_stands(text: str, before: str) -> None:
    """After prose, in lists, in quotes and on a second line, outside text stays text."""
    around = Tags(forge().render(f"{before}x")).tags

    html = Tags(forge().render(before + escape(text)))

    assert html.tags == around
    assert not html.comments


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("write", [escape, code, fence], ids=lambda write: write.__name__)
def test_outside_text_cannot_forge_a_marker(text: str, write: object) -> None:
    """No way of writing outside text keeps the hidden identity of a bot's pull request."""
    marker = Marker(kind="retrain", model="delay", fingerprint="x").render()

    body = write(text + marker + text)  # type: ignore[operator]

    assert Marker.find(body) is None


@settings(max_examples=500, derandomize=True, deadline=None)
@given(text=PAYLOADS)
def test_nothing_that_forges_link_survives(text: str) -> None:
    """Mentions, issue numbers, addresses and emoji are broken by an invisible space."""
    escaped = escape(text)

    rendered = Tags(forge().render(escaped)).text
    for said in (escaped, rendered, unlinked(text)):
        assert not re.search(r"@[^\u200b]|@$|#\w|GH-\d|://|www\.|:[\w+-]+:", said, re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [":white_check_mark:", "_www.example.com", "_gh-3", "deadbeef", "a5c3785ed8d6a35868bc" * 2],
)
def test_what_only_looks_broken_in_markdown_is_broken(text: str) -> None:
    """A backslash in Markdown is gone from what is rendered, so it breaks no emoji or address."""
    said = Tags(forge().render(escape(text))).text

    assert said.strip() != text
    assert said.strip().replace("\u200b", "") == text


def test_what_nobody_can_see_is_dropped() -> None:
    """Fillers, joiners of graphemes and selectors hide no words; emoji keep theirs."""
    assert plain("a\u3164\u115f\u034f\ufe01\U000e0101\u2800b \u2764\ufe0f") == "ab \u2764\ufe0f"


def test_escape_leaves_ordinary_names_readable() -> None:
    """Names, numbers and prose in any script come out as they are."""
    for text in [
        "carrier",
        "New York (JFK)",
        "82.5",
        "-5",
        "größe, 東京",
        "cafe\u0301",
        "क\u200dष",
    ]:
        assert escape(text) == text


@settings(max_examples=500, derandomize=True, deadline=None)
@given(text=PAYLOADS)
def test_a_fence_cannot_be_ended_from_inside(text: str) -> None:
    """A code block holds outside text of many lines, whatever it contains."""
    html = Tags(forge().render(fence(text, "text") + "\n\nafter"))

    assert html.tags == ["pre", "code", "p"]


def test_plain_limits_what_it_keeps() -> None:
    """A long text is cut with an ellipsis that counts."""
    assert plain("abcdef", limit=4) == "abc…"
    assert plain("abcd", limit=4) == "abcd"


def test_a_table_aligns_its_columns() -> None:
    """The first column is left and the others right, if nothing else is said."""
    markdown = table(["metric", "value"], [["AUC", "0.8"]])

    assert markdown == "| metric | value |\n| :-- | --: |\n| AUC | 0.8 |"


def test_a_table_refuses_ragged_rows() -> None:
    """A row with a cell too few is a mistake of ours, said at once."""
    with pytest.raises(ValueError, match="every row needs 2 cells"):
        table(["a", "b"], [["1"]])


def test_details_fold_what_is_long() -> None:
    """A folded section keeps a blank line around its body, as forges need it."""
    assert details("12 *slices*", "body\n") == (
        "<details>\n<summary>12 *slices*</summary>\n\nbody\n\n</details>"
    )


def test_marks_are_told_apart_without_colour() -> None:
    """Every state has a word, and no word has two symbols."""
    assert mark("pass") == "pass ✓"
    assert mark("unknown") == "cannot tell ?"
    assert mark_of("something new").word == "something new"
    words = [one.word for one in MARKS.values()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(("said", "expected"), NUMBERS, ids=range(len(NUMBERS)))
def test_numbers_read_well(said: str, expected: str) -> None:
    """Numbers carry signs, units and rows, and rounding never says "never"."""
    assert said == expected
