"""Blocks, written and read again: a terminal shows no tag, no mark, no line that does not fit."""

import io
from collections.abc import Iterable, Iterator

import pytest

from ml_gitops.render.blocks import (
    Block,
    Code,
    Fold,
    Heading,
    Items,
    Paragraph,
    Table,
    titled,
    write_blocks,
)
from ml_gitops.render.reader import Span, read_blocks, spans
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
    """Headings, paragraphs, lists under their lead, tables, and what is folded."""
    assert list(read_blocks(BODY)) == [
        Heading("✗ `churn` should not merge"),
        Paragraph("**Blocked: log loss is worse.** Run `ml-gitops report`."),
        Items("**What got worse**", ("metrics: precision", "slices: none")),
        Table(
            header=("metric", "now"),
            rows=(("log loss", "0.5000"), (r"a\|b\*c", "`x y`")),
            align=("left", "right"),
        ),
        Fold("Every rule", (Paragraph("One &lt; two."),)),
    ]


BLOCKS: tuple[Block, ...] = (
    Heading("Why now", 3),
    Paragraph("One line."),
    Items("**Lead**", ("one", "two")),
    Items("", ("alone",)),
    Table(("a", "b"), (("1", "2"), (r"x\|y", "`z`")), ("left", "right")),
    Code("# no heading\n- no item"),
)


def test_what_is_written_is_read_again() -> None:
    """Markdown of blocks says what the blocks say, so a forge loses nothing of a report."""
    assert tuple(read_blocks(write_blocks(BLOCKS))) == BLOCKS


def test_a_fold_holds_its_blocks() -> None:
    """On a forge it is folded, and it is read again as it was written."""
    fold = Fold("More", BLOCKS)

    assert write_blocks([fold]) == details("More", write_blocks(BLOCKS))
    assert tuple(read_blocks(write_blocks([fold]))) == (fold,)


def test_a_terminal_says_how_long_a_fold_is_or_shows_it() -> None:
    """Two hundred lines of evidence do not push the verdict away, and none is out of reach."""
    text = write_blocks([Fold("More", BLOCKS), Paragraph("After.")])
    out = io.StringIO()
    Terminal(out=out, width=80).markdown(text, full=False)
    lines = shown(write_blocks(BLOCKS)).count("\n")

    assert out.getvalue() == f"▸ More ({lines} lines)\n\nAfter.\n"
    assert shown(text) == f"▸ More\n\n{shown(write_blocks(BLOCKS))}\nAfter.\n"


@pytest.mark.parametrize(
    ("markdown", "blocks"),
    [
        ("a</details>b", [Paragraph("a"), Paragraph("b")]),
        ("<details><summary>s</summary>a</details>b", [
            Fold("Details", (Paragraph("<summary>s</summary>a"),)), Paragraph("b")]),
        ("<details><summary>s</summary>\na", [Fold("s", (Paragraph("a"),))]),
        ("<details open>\n<details>\na", [Fold("Details", (Fold("Details", (Paragraph("a"),)),))]),
        ("```\n</details>\n```", [Code("\n</details>\n")]),
    ],
)  # fmt: skip
def test_folds_of_people_lose_no_text(markdown: str, blocks: list[Block]) -> None:
    """Folds may never end, never begin, or stand in each other."""
    assert list(read_blocks(markdown)) == blocks


def test_folds_without_end_are_read_in_one_go() -> None:
    """A thousand folds within each other are text, and no deep recursion."""
    text = "".join(block.text for block in _leaves(read_blocks("<details>" * 5000 + "deep")))

    assert text == "deep"


def _leaves(blocks: Iterable[Block]) -> Iterator[Paragraph]:
    for block in blocks:
        if isinstance(block, Fold):
            yield from _leaves(block.blocks)
        elif isinstance(block, Paragraph):
            yield block


def test_blocks_are_drawn_as_their_markdown_is() -> None:
    """A terminal shows a report from its blocks as it shows it from a comment."""
    out = io.StringIO()
    Terminal(out=out, width=80).show(BLOCKS)

    assert out.getvalue() == shown(write_blocks(BLOCKS))


def test_a_single_line_needs_no_list() -> None:
    """A lead and its only line are one sentence."""
    assert titled("What differs", ["trees"]) == Paragraph("**What differs:** trees.")
    assert titled("What differs", ["a", "b"]) == Items("**What differs**", ("a", "b"))


@pytest.mark.parametrize(
    ("markdown", "block"),
    [
        ("- a\n  and more of it\n- b", Items("", ("a and more of it", "b"))),
        ("| a | b |\n| :-- |", Paragraph("| a | b |\n| :-- |")),
        ("| alone |", Paragraph("| alone |")),
        ("```\nnever ends", Code("never ends\n")),
        ("one\n  two", Paragraph("one\ntwo")),
    ],
)
def test_what_people_write_stays_readable(markdown: str, block: Block) -> None:
    """Lines go on, tables may be broken, fences may never end: no text is lost."""
    assert list(read_blocks(markdown)) == [block]


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
        "    # no heading\n    - no item\n\nafter\n"
    )
