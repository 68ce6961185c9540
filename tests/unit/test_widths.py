"""The widths of a table's columns where a line is short."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops.render.terminal import Terminal
from ml_gitops.render.widths import whole_widths

SPAN = "2013-08-12..2013-08-19"
HEADER = ["environment", "serves", "since", "history"]
ROWS = [
    ["staging", "delay@v1.1.0", "2013-07-29", "#1 delay@v1.0.0, #2 delay@v1.0.1, #3 delay@v1.1.0"],
    ["production", "delay@v1.0.1", SPAN, ""],
]


def drawn(width: int) -> str:
    """Return the table as a terminal of this width shows it."""
    out = io.StringIO()
    Terminal(out=out, width=width).table(HEADER, ROWS)
    return out.getvalue()


@pytest.mark.parametrize("width", [36, 40, 50, 60, 70, 80, 120])
def test_no_word_is_broken(width: int) -> None:
    """Dates, spans, versions and names stay whole in every width that has room for one of each."""
    text = drawn(width)

    words = {word for row in ROWS for cell in row for word in cell.split()}
    assert words <= set(text.split())
    assert max(map(len, text.splitlines())) <= width


def test_a_table_without_room_is_told_row_by_row() -> None:
    """Every value has its name beside it, rows follow each other, and what is empty is left out."""
    lines = [line.rstrip() for line in drawn(40).splitlines()]

    assert lines[:3] == [
        "environment  staging",
        "  serves     delay@v1.1.0",
        "  since      2013-07-29",
    ]
    assert lines[-3:] == [
        "environment  production",
        "  serves     delay@v1.0.1",
        f"  since      {SPAN}",
    ]


def test_headers_give_way_to_rows() -> None:
    """Where all does not fit on one line, the header takes two and the rows do not."""
    lines = [["days", "versus the promise", "verdict"], [SPAN, "-", "cannot tell ?"]]

    assert whole_widths(lines, 50) == [len(SPAN), 50 - 4 - len(SPAN) - 13, 13]


CELL = st.text(alphabet="ab ", max_size=40)


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n),
       min_size=1, max_size=4)), st.integers(1, 120))  # fmt: skip
def test_widths_hold_words_and_fit(lines: list[list[str]], room: int) -> None:
    """Columns are no wider than the room or what they hold, and no narrower than their words."""
    columns = list(zip(*lines, strict=True))
    words = [max((min(len(w), 22) for c in cells for w in c.split()), default=0)
             for cells in columns]  # fmt: skip
    gaps = 2 * (len(columns) - 1)

    widths = whole_widths(lines, room)

    if widths is None:
        assert sum(words) + gaps > room
        return
    assert sum(widths) + gaps <= room
    wanted = [max(map(len, cells)) for cells in columns]
    for width, word, want in zip(widths, words, wanted, strict=True):
        assert word <= width <= want
    assert widths == wanted or sum(widths) + gaps == room
