"""Pages: well-formed, self-contained, readable, and safe whatever text is put on them."""

import re
import time
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.render.charts import Bar, bars
from ml_gitops.render.charts.drawing import NARROW, WIDE, safe, style
from ml_gitops.render.components import (
    MOST_LINES,
    NavStep,
    badge,
    card,
    figure,
    step,
    timeline_nav,
    verdict,
)
from ml_gitops.render.diff import diff_to_html
from ml_gitops.render.marks import MARKS
from ml_gitops.render.page import POLICY, fold_tags, markdown_to_html, page, stylesheet
from ml_gitops.render.tables import details, table
from tests.markup import Checked

ALLOWED = {
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "em",
    "strong",
    "s",
    "a",
    "hr",
    "br",
    "div",
    "span",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "details",
    "summary",
    "img",
}
NASTY = '<script>alert(1)</script> & "quoted" \x1b[31m'
DIFF = """diff --git a/params.toml b/params.toml
index 1111111..2222222 100644
--- a/params.toml
+++ b/params.toml
@@ -1,3 +1,3 @@ depth
 [model]
--- old header-like line
+++ <b>new</b>
 seed = 1
diff --git a/old name.txt b/old name.txt
deleted file mode 100644
index 3333333..0000000
--- a/old name.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
\\ No newline at end of file
diff --git a/model.onnx b/model.onnx
Binary files a/model.onnx and b/model.onnx differ
"""


@cache
def everything() -> str:
    """Return a page that uses every component, with nasty text wherever text goes."""
    report = "\n\n".join([table(["a", "b"], [["1", "2"]]), details("more", "text")])
    chart = figure(partial(bars, [Bar(NASTY, 1.0)], title=NASTY), NASTY)
    body = verdict("block", f"<h2>{safe(NASTY)}</h2>")
    body += card(NASTY, markdown_to_html(report), state="merged", meta=NASTY, anchor="report")
    body += "".join(badge(state) for state in MARKS) + diff_to_html(DIFF) + chart
    steps = step(
        1, NASTY, NASTY, outcome="pass", seconds=0.2, body=body, meta=NASTY, why=NASTY, output=NASTY
    )
    nav = timeline_nav([NavStep("report", NASTY), NavStep("step-1", NASTY, "pass")])
    return page(NASTY, steps, kicker=NASTY, lead=NASTY, nav=nav, footer="<p>made</p>")


def test_a_page_is_well_formed_and_whole() -> None:
    """Every tag is closed in order; language, encoding, policy, title and main are there."""
    html = everything()

    read = Checked(html)

    assert html.startswith("<!DOCTYPE html>\n")
    assert ("html", "lang", "en") in read.attributes
    assert ("meta", "charset", "utf-8") in read.attributes
    assert ("meta", "content", POLICY) in read.attributes
    assert (read.tags.count("main"), read.tags.count("h1")) == (1, 1)


def test_a_page_needs_nothing_from_anywhere() -> None:
    """No script, no handler, no address but places on the page itself."""
    html = everything()

    read = Checked(html)

    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & set(read.tags)
    assert not [name for _, name, _ in read.attributes if name.startswith("on")]
    for tag, name, value in read.attributes:
        if name in ("href", "src", "srcset", "action", "data", "xlink:href"):
            assert value.startswith(("#", "data:image/")), f"<{tag} {name}={value}>"
    assert not re.search(r"url\(|@import", html)
    assert "\x1b" not in html


def test_a_page_can_be_used_by_keyboard() -> None:
    """The first link skips to the content, what scrolls takes the focus, the focus is seen."""
    read = Checked(everything())

    links = [value for tag, name, value in read.attributes if (tag, name) == ("a", "href")]
    ids = [value for _, name, value in read.attributes if name == "id"]
    scrolling = [
        value for _, name, value in read.attributes if (name, value) == ("class", "scroll")
    ]
    assert links[0] == "#content"
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert len(ids) == len(set(ids))
    assert [name for _, name, _ in read.attributes].count("tabindex") >= len(scrolling) > 0
    assert ":focus-visible { outline: 3px" in stylesheet()


def test_a_figure_is_drawn_for_a_column_and_for_a_phone() -> None:
    """Both widths are there, one shows, and their style is the page's own, not each chart's."""
    html = figure(partial(bars, [Bar("a", 1.0)], title="t"), "about")

    wide, narrow = re.findall(r'<div class="(\w+)-chart"><svg [^>]*viewBox="0 0 (\d+)', html)
    assert (wide, narrow) == (("wide", str(WIDE)), ("narrow", str(NARROW)))
    assert "<style" not in html
    assert style().removeprefix("<style>").removesuffix("</style>") in stylesheet()
    phone = stylesheet().split("@media (max-width: 34rem)")[1].split("@media")[0]
    assert ".wide-chart { display: none; }" in phone
    assert ".narrow-chart { display: block; }" in phone


def test_only_a_screen_is_dark() -> None:
    """Paper stays light, and what is folded on a screen is printed."""
    css = stylesheet()

    assert set(re.findall(r"@media ([^{]*)\(prefers-color-scheme: dark\)", css)) == {"screen and "}
    assert "details::details-content { content-visibility: visible;" in css.split("@media print")[1]


def test_a_long_output_is_folded() -> None:
    """What a command printed shows below it; more than a screenful opens on demand."""
    short = step(1, "t", "run", outcome="pass", seconds=None, body="", output="one\ntwo\n")
    many = "line\n" * (MOST_LINES + 1)
    long = step(1, "t", "run", outcome="pass", seconds=None, body="", output=many)

    assert "<details" not in short
    assert "one\ntwo</code>" in short
    assert f"<summary>What it printed, {MOST_LINES + 1} lines</summary>" in long


def test_tables_of_a_terminal_keep_their_columns() -> None:
    """Printed sentences wrap on a phone; a table scrolls, so the keyboard can reach it."""
    table_ = step(1, "t", "run", outcome="pass", seconds=None, body="", output="a  b\n────\n1  2")
    said = step(1, "t", "run", outcome="pass", seconds=None, body="", output="a sentence")

    assert '<pre class="output" tabindex="0">' in table_
    assert '<pre class="output wraps"><code>' in said


def test_a_badge_says_its_state_in_words() -> None:
    """The icon is hidden from screen readers because the word says the same."""
    assert badge("unknown").endswith("cannot tell</span>")
    assert 'aria-hidden="true"' in badge("merged")
    assert badge("pass", "released <1>").endswith("released &lt;1&gt;</span>")


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2.2)."""
    full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
    parts = [int(full[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palettes(css: str) -> list[dict[str, str]]:
    """Return the light and the dark colours of a stylesheet."""
    light, dark = css.split("prefers-color-scheme: dark", 1)
    pattern = r"--([\w-]+): (?:var\([\w-]+, )?(#[0-9a-f]{3,6})\b"
    return [dict(re.findall(pattern, light)), dict(re.findall(pattern, dark.split("} }")[0]))]


@pytest.mark.parametrize("index", [0, 1], ids=["light", "dark"])
def test_text_of_a_page_has_contrast(index: int) -> None:
    """Ink, quiet text, links and every badge reach 4.5 to 1 on what they stand on."""
    colours = palettes(stylesheet())[index]

    pairs = [
        (ink, on) for ink in ("ink", "muted", "accent") for on in ("ground", "surface", "code")
    ]
    pairs += [
        (tone, f"{tone}-soft") for tone in ["good", "bad", "warning", "quiet", "open", "merged"]
    ]
    pairs += [("good", "code"), ("bad", "code")]
    weak = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: round(value, 2) for pair, value in weak.items() if value < 4.5} == {}


@pytest.mark.parametrize("index", [0, 1], ids=["light", "dark"])
def test_charts_have_contrast(index: int) -> None:
    """Lines and labels of charts reach 4.5 to 1 on their paper, shapes reach 3 to 1."""
    css = Path(__file__).parents[2] / "ml_gitops" / "render" / "charts" / "chart.css"
    colours = palettes(css.read_text())[index]

    names = ["c-ink", "c-quiet", "c-good", "c-bad", "c-0", "c-1", "c-2", "c-3"]
    weak = {name: contrast(colours[name], colours["c-paper"]) for name in names}
    assert {name: round(value, 2) for name, value in weak.items() if value < 4.5} == {}
    assert contrast(colours["c-edge"], colours["c-paper"]) >= 3  # bars of the reference
    assert contrast(colours["c-0"], colours["c-soft"]) >= 3  # the current window's line on them


def test_markdown_becomes_html() -> None:
    """Headings move below the page's own, tables scroll, tasks have boxes."""
    html = markdown_to_html("# Title\n\n- [x] ~~done~~\n- [ ] open\n\n| a |\n| --: |\n| 1 |")

    assert html == (
        "<h2>Title</h2>\n"
        '<ul>\n<li class="task">☑ <s>done</s></li>\n<li class="task">☐ open</li>\n</ul>\n'
        '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'
        '<thead>\n<tr>\n<th style="text-align:right">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n'
        '<td style="text-align:right">1</td>\n</tr>\n</tbody>\n</table></div>\n'
    )


def test_headings_begin_where_the_page_wants_them() -> None:
    """The highest heading of a text becomes the level asked for; the others keep their distance."""
    html = markdown_to_html("### a\n\n#### b\n\n### c", heading=4)

    assert html == "<h4>a</h4>\n<h5>b</h5>\n<h4>c</h4>\n"


def test_our_own_folds_work() -> None:
    """Sections that reports fold stay folded, nested ones too, with Markdown inside."""
    inner = details("in *it*", "- a")

    html = markdown_to_html("before\n" + details("out", f"text\n\n{inner}", opened=True))

    assert html == (
        "<p>before</p>\n<details open>\n<summary>out</summary>\n<p>text</p>\n"
        "<details>\n<summary>in <em>it</em></summary>\n<ul>\n<li>a</li>\n</ul>\n"
        "</details>\n</details>\n"
    )


def test_folds_on_one_line_work() -> None:
    """People write a fold's first line in one piece; it means the same."""
    html = markdown_to_html("<details><summary>a</summary>\n\nb\n\n</details>")

    assert html == "<details>\n<summary>a</summary>\n<p>b</p>\n</details>\n"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("a\n\n<!-- hidden -->\n\nb", "<p>a</p>\n<p>b</p>\n"),
        ("a\n<!-- one --> <!-- two -->", "<p>a</p>\n"),
        ("<!-- a --> b", "<p>&lt;!-- a --&gt; b</p>\n"),
        ("</details>", ""),
        ("<details>", "<details>\n</details>\n"),
        ("<details onclick=x>", "<p>&lt;details onclick=x&gt;</p>\n"),
        ("> <details>", "<blockquote>\n<p>&lt;details&gt;</p>\n</blockquote>\n"),
        ("    <details>", "<pre><code>&lt;details&gt;\n</code></pre>\n"),
        ("```\n<details>\n```", "<pre><code>&lt;details&gt;\n</code></pre>\n"),
        (
            "<summary><b>x</b></summary>",
            "<p>&lt;summary&gt;&lt;b&gt;x&lt;/b&gt;&lt;/summary&gt;</p>\n",
        ),
        ("- a\n\n<details>\n\nb", "<ul>\n<li>a</li>\n</ul>\n<details>\n<p>b</p>\n</details>\n"),
        ("![plot](https://example.com/x.png)", '<p><span class="image">[image: plot]</span></p>\n'),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
    ],
    ids=range(13),
)
def test_markdown_means_only_what_we_say(markdown: str, expected: str) -> None:
    """Comments hide, folds balance, all other HTML shows as text, pictures are not fetched."""
    assert markdown_to_html(markdown) == expected


def test_pictures_of_ours_are_carried_along() -> None:
    """An address that we drew ourselves becomes the drawing, as an image that runs nothing."""
    html = markdown_to_html("![a <plot>](plots/x.svg)", images={"plots/x.svg": "<svg/>"})

    assert html == (
        '<p><img class="chart-image" src="data:image/svg+xml;base64,PHN2Zy8+" '
        'alt="a &lt;plot&gt;"></p>\n'
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<details>", ("<details>", None, "")),
        ("<details open> <summary>a</summary>", ("<details open>", "a", "")),
        ("<summary></summary>", ("", "", "")),
        ("<details><summary>a</summary> </details>", ("<details>", "a", "</details>")),
        ("</details>", ("", None, "</details>")),
        ("<details> x", None),
        ("<summary>a</summary> x", None),
        ("<summary>a", None),
        ("<summary>", None),
        ("</summary>", None),
        ("<details></details></details>", None),
    ],
)
def test_folds_are_read_tag_by_tag(line: str, expected: tuple[str, str | None, str] | None) -> None:
    """A line is an opening, a summary and an end, in this order, or it is none of ours."""
    assert fold_tags(line) == expected


HOSTILE = {
    "spaces in a fold": "<details>{} x",
    "spaces after a summary": "<details><summary>a</summary>{} x",
    "spaces after comments": "<!-- a -->{} x",
    "spaces before an end": "{}</details> x",
    "a comment without an end": "<!-- {} x",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text_not_with_its_square(name: str) -> None:
    """A line of a megabyte that almost is a fold takes about twice as long as half of it."""

    def seconds(spaces: int) -> float:
        text = HOSTILE[name].format(" " * spaces)
        taken = []
        for _ in range(5):
            started = time.process_time()
            markdown_to_html(text)
            taken.append(time.process_time() - started)
        return min(taken)

    small, large = seconds(30_000), seconds(60_000)
    assert large < 3.2 * small  # a square would be four times as long
    assert "x" in markdown_to_html(HOSTILE[name].format(" " * 1_000_000))


def test_a_day_is_never_broken_at_its_hyphens() -> None:
    """Days stay on one line, in prose and in the first column of a narrow table; code is code."""
    html = markdown_to_html("2013-06-24..07-01, 2013-07-01..2013-07-15, `2013-07-01`, 12013-07-01")

    assert html == (
        '<p><span class="day">2013-06-24..07-01</span>, '
        '<span class="day">2013-07-01</span>..<span class="day">2013-07-15</span>, '
        "<code>2013-07-01</code>, 12013-07-01</p>\n"
    )
    assert ".day { white-space: nowrap; }" in stylesheet()


def test_bars_of_a_cell_have_air_between_them() -> None:
    """Bars one beside the other would be one black block; a single one, or code, stays as it is."""
    html = markdown_to_html("w ▁▃·█ and █, `▁▃`")

    assert html == '<p>w <span class="spark">▁▃·█</span> and █, <code>▁▃</code></p>\n'
    assert ".spark { letter-spacing: " in stylesheet()


PIECES = st.sampled_from(
    [
        "<details>",
        "</details>",
        "<details open>",
        "<summary>a</summary>",
        "<summary>",
        "<!-- -->",
        "<script>",
        "<b>",
        "\n",
        "\n\n",
        "\n> ",
        "\n- ",
        "\n1. ",
        "\n    ",
        "|",
        "---",
        "*",
        "_",
        "~~",
        "`",
        "```",
        "[a](b)",
        "![a](b)",
        "#",
        "&",
        "a",
        "\\",
        "\t",
    ]
)


@settings(max_examples=600, derandomize=True, deadline=None)
@given(
    text=st.lists(PIECES, max_size=24).map("\n".join) | st.lists(PIECES, max_size=24).map("".join)
)
def test_no_markdown_breaks_the_page(text: str) -> None:
    """Whatever is written, the HTML is balanced and made of nothing but Markdown's tags."""
    read = Checked(markdown_to_html(text))

    assert set(read.tags) <= ALLOWED
    assert {name for _, name, _ in read.attributes} <= {
        "href",
        "rel",
        "class",
        "style",
        "role",
        "aria-label",
        "tabindex",
        "start",
        "title",
        "open",
    }


def test_a_diff_keeps_its_signs() -> None:
    """Lines keep plus and minus beside the colours, and content is never taken for a header."""
    html = diff_to_html(DIFF)

    read = Checked(html)

    assert read.tags.count("details") == 3
    assert (
        '<summary>params.toml <span class="added">+1</span> <span class="removed">−1</span>' in html
    )
    assert '<span class="minus">--- old header-like line</span>' in html
    assert '<span class="plus">+++ &lt;b&gt;new&lt;/b&gt;</span>' in html
    assert "<summary>old name.txt " in html
    assert "\\ No newline at end of file" in read.text
    assert "Binary files a/model.onnx and b/model.onnx differ" in read.text


def test_a_long_diff_is_folded_and_says_what_it_leaves_out() -> None:
    """Many lines are folded; more than a page can bear are counted instead of shown."""
    lines = "\n".join(f"+{number}" for number in range(700))
    diff = f"--- /dev/null\n+++ b/data.json\n@@ -0,0 +1,700 @@\n{lines}\n"

    html = diff_to_html(diff)

    assert html.startswith('<details class="diff"><summary>data.json <span class="added">+700<')
    assert "101 more lines are not shown here." in html
    assert diff_to_html(DIFF).startswith('<details class="diff" open>')


def test_no_changes_are_said() -> None:
    """An empty diff is a sentence, not an empty box."""
    assert diff_to_html("") == '<p class="meta">No changes.</p>'
