"""Slips that make a file no TOML are told in words of ours, on the line where they were made."""

import pytest

from ml_gitops.config import parse_params
from ml_gitops.errors import ConfigError

SLIPS: list[tuple[str, int, str]] = [
    ('a = 1\nx = "left\nb = 3\n', 2, 'a text is not closed; end it with ", on the same line'),
    ("x = 'left", 1, "a text is not closed; end it with ', on the same line"),
    ('x = 1\ny = """a\nb\n', 2, 'a text is not closed; end it with """'),
    ('"a = 3', 1, "a text is not closed"),
    ('\n# c\nx = [\n"a",\n[data]\nid = 3\n', 3, "a bracket is not closed; end it with ]"),
    ("x = { a = 1\n", 1, "a bracket is not closed; end it with }"),
    ("[data\nid = 3", 1, "a bracket is not closed; end it with ]"),
    ("[a] b = 3", 1, "this is no header of a table; write it alone on its line"),
    ("x = \u201ca\u201d", 1, "these are typographic quotes; write straight ones"),
    ("x = it's", 1, "it's is a text without quotes; put it in quotes"),
    ("x = True", 1, "True is not how TOML says it; write true"),
    ("# c\n\n  x = None # why", 3, "TOML has no None; leave the key out"),
    ("x = .5", 1, ".5 is no number as TOML writes it; write digits with a point"),
    ("x = 1,5", 1, "1,5 is no number as TOML writes it"),
    ("x = 2024-1-1", 1, "2024-1-1 is no date; write one such as 2024-01-31"),
    ('x = "C:\\data"', 1, "a backslash starts what is no escape; write it twice"),
    ("x =", 1, "x has no value; write one behind ="),
    ("x: 3", 1, "there is no = between key and value; write it like key = value"),
    ("= 3", 1, "there is no key in front of =; write it like key = value"),
    ("max age = 3", 1, 'the key max age needs quotes; write "max age"'),
    ("x = 1\r", 1, "this line holds the invisible sign U+000D; remove it"),
    ("<<<<<<< HEAD\nx = 1", 1, "this is what a merge left behind; settle the conflict"),
    ("x = 1\ny = 2\nx = 3", 3, "this key or table is there already; keep one of the two"),
    ("x = [1,,2]", 1, "what stands here is no value of TOML; write a number"),
]


@pytest.mark.parametrize(("text", "line", "said"), SLIPS)
def test_a_slip_is_told_in_our_words(text: str, line: int, said: str) -> None:
    """What is wrong and what to do, for people who never read the grammar of TOML."""
    with pytest.raises(ConfigError) as found:
        parse_params(text, where="p.toml")

    assert str(found.value).startswith(f"p.toml:{line}: {said}")


@pytest.mark.parametrize("unit", ["[", '"', "a b\n", "x = [\n", '"""', "= 1\n"])
def test_many_slips_are_no_more_work_than_their_length(unit: str) -> None:
    """A file of one slip many times over is refused for the first."""
    with pytest.raises(ConfigError) as found:
        parse_params(unit * 50_000, where="p.toml")

    assert found.value.where is not None
    assert found.value.where.startswith("p.toml:")
    assert len(str(found.value)) < 300
