"""A long text is cut where it can be, and closes what it opened."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.pull_request.shortening import shortened

SAID = "*The rest is elsewhere.*"

quick = settings(derandomize=True, deadline=None, max_examples=200)
words = st.text(alphabet="ab |`-\n", max_size=60)
blocks = st.recursive(
    words | words.map(lambda it: f"```\n{it.replace('`', '')}\n```"),
    lambda inside: st.lists(inside, max_size=3).map(
        lambda it: "<details>\n<summary>More</summary>\n\n" + "\n\n".join(it) + "\n\n</details>"
    ),
    max_leaves=6,
)
texts = st.lists(blocks, max_size=8).map("\n\n".join)


@quick
@given(texts, st.integers(80, 400))
def test_what_is_cut_fits_and_is_closed(text: str, room: int) -> None:
    """A cut text is no longer than the room, says where the rest is, and leaves nothing open."""
    cut = shortened(text, room, SAID)

    assert len(cut) <= room
    if len(text) <= room:
        assert cut == text
        return
    assert cut.endswith(f"\n\n{SAID}")
    assert cut.count("<details>") == cut.count("</details>")


def test_a_cut_falls_between_two_blocks() -> None:
    """Headings, tables and folded sections stay whole, where there is any choice."""
    table = "| a | b |\n| :-- | --: |\n" + "| 1 | 2 |\n" * 30
    fold = f"<details>\n<summary>More</summary>\n\n{'x' * 50}\n\n{'y' * 50}\n\n</details>"
    text = "\n\n".join(["# Title", table.strip(), fold, "z" * 500])
    until_fold = text.index(fold) + len(fold)

    for room in range(until_fold + 30, len(text), 7):
        assert shortened(text, room, SAID) == f"{text[:until_fold]}\n\n{SAID}"
    short = shortened(text, until_fold, SAID)
    assert short == f"{text[: text.index(fold)].rstrip()}\n\n{SAID}"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("<details>\n<summary>S</summary>\n\n" + "row\n" * 100, "row\n\n</details>"),
        ("````\n" + "row\n" * 100, "row\n````"),
        ("<details>\n\n```\n" + "row\n" * 100, "row\n```\n\n</details>"),
        ("word " * 100, "word"),
    ],
    ids=["fold", "fence", "both", "line"],
)
def test_one_giant_block_is_cut_after_a_line_and_closed(text: str, cut: str) -> None:
    """Where no block ends in time, what is open is closed, the innermost first."""
    short = shortened(text, 200, SAID)

    assert len(short) <= 200
    assert short.removesuffix(f"\n\n{SAID}").endswith(cut)


def test_a_comment_that_is_cut_hides_nothing() -> None:
    """Half a comment of HTML would swallow what follows, the marker above all."""
    short = shortened("a <!-- " + "x" * 500 + " -->", 200, SAID)

    assert short == f"a\n\n{SAID}"
