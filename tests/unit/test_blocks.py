"""Markdown of ours in a terminal: no tag, no mark, no line that does not fit."""

import io

import pytest

from ml_gitops.render.blocks import Block, Span, blocks, spans
from ml_gitops.render.tables import code, details, escape, fence, table
from ml_gitops.render.terminal import Terminal
from tests.unit.test_tables import NASTY

BODY = "\n\n".join(
    [
        "## ✗ `churn` should not merge",
        "**Blocked: log loss is worse.** Run `ml-gitops report`.",
        "**What got worse**\n- metrics: precision\n- slices: none",
        table(["metric", "now"], [["log loss", "0.5000"], [escape("a|b*c"), code("x y")]]),
        details("Every rule", "One &lt; two."),
        "<!-- ml-gitops:{} -->",
    ]
)


def shown(markdown: str, width: int = 80) -> str:
    """Return what a terminal of this width shows."""
    out = io.StringIO()
    Terminal(out=out, width=width).markdown(markdown)
    return out.getvalue()


def test_a_body_becomes_blocks() -> None:
    """Headings, paragraphs, items and tables, apart where they are apart; a fold is a section."""
    assert list(blocks(BODY)) == [
        Block("heading", "✗ `churn` should not merge"),
        Block("gap"),
        Block("text", "**Blocked: log loss is worse.** Run `ml-gitops report`."),
        Block("gap"),
        Block("text", "**What got worse**"),
        Block("item", "metrics: precision"),
        Block("item", "slices: none"),
        Block("gap"),
        Block(
            "table",
            rows=(("metric", "now"), ("log loss", "0.5000"), (r"a\|b\*c", "`x y`")),
            align=("left", "right"),
        ),
        Block("gap"),
        Block("section", "Every rule"),
        Block("gap"),
        Block("text", "One &lt; two."),
    ]


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("**a** b", [Span("a", bold=True), Span(" b")]),
        ("**a `b c` *d* e**", [Span("a ", bold=True), Span("`b c`", bold=True),
                               Span(" ", bold=True), Span("d", bold=True), Span(" e", bold=True)]),
        ("*so be it*", [Span("so be it")]),
        ("2 * 3 * 4", [Span("2 * 3 * 4")]),
        (r"snake\_case", [Span("snake"), Span("_"), Span("case")]),
        ("`churn@v1`", [Span("churn@v1")]),
    ],
)  # fmt: skip
def test_marks_become_runs(text: str, runs: list[Span]) -> None:
    """Bold is kept, light and escapes are taken off, a command keeps its marks."""
    assert list(spans(text)) == runs


def test_a_terminal_shows_neither_tags_nor_marks() -> None:
    """What is read is what a forge would show, section by section."""
    text = shown(BODY)

    for hidden in ("<", "**", "|", "`churn`", "##", "ml-gitops:{}", ":--", "\\"):
        assert hidden not in text.replace("a|b", "").replace("One < two", ""), hidden
    assert "▸ Every rule\n\nOne < two." in text
    assert "a|b*c" in text
    assert "Run `ml-gitops report`." in text


def test_wide_tables_fit_and_break_no_number() -> None:
    """Six columns fit: sentences and headers wrap, dates and numbers keep to one line."""
    header = ["window", "predictions", "labelled", "balanced accuracy", "std. errors", ""]
    row = ["2013-06-24..07-01", "6,148", "100%", "0.6771", "−5.9", "drifts ▲ (distribution)"]

    text = shown(table(header, [row] * 2))

    assert max(map(len, text.splitlines())) <= 80
    assert text.count("2013-06-24..07-01") == text.count("−5.9") == 2


def test_a_narrow_terminal_breaks_what_it_must_and_loses_nothing() -> None:
    """In thirty columns words are folded, and every letter is still there."""
    text = shown(table(["window", "what"], [["2013-06-24..07-01", "drifts ▲ (null rate)"]]), 24)

    assert max(map(len, text.splitlines())) <= 24
    letters = "".join(text.split())
    assert all(
        letters.count(one) >= "2013-06-24..07-01driftsnullrate".count(one) for one in "2.drn"
    )


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_outside_text_arrives_as_text(text: str) -> None:
    """Whatever stands in a comment or a cell, the terminal gets neither an escape nor an error."""
    for markdown in (text, escape(text), code(text), fence(text), table(["a"], [[escape(text)]])):
        assert "\x1b" not in shown(markdown)


def test_code_keeps_its_lines() -> None:
    """A code block is indented and not read as anything else."""
    assert shown("```toml\n# no heading\n- no item\n```\nafter") == (
        "    # no heading\n    - no item\nafter\n"
    )
