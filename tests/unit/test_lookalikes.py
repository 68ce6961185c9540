"""Names that the eye takes for others are told apart; names that are merely foreign are let be."""

import pytest

from ml_gitops.data.lookalikes import as_seen, nearest, strange_names


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("load ", "has blanks around it"),
        ("\u00a0load", "has blanks around it"),
        ("  ", "is a name that cannot be seen"),
        ("lo\u200bad", "holds the invisible sign U+200B"),
        ("l\u043ead", "holds cyrillic small letter o, which looks like 'o'"),
    ],
)
def test_what_fools_the_eye_is_named(name: str, said: str) -> None:
    """Blanks, invisible signs and letters of another script are told with what they are."""
    assert list(strange_names(["load", name, "wear"])) == [(name, said)]


def test_twins_are_named_together() -> None:
    """Two names that look the same are both told, though each is fine by itself."""
    composed, decomposed = "caf\u00e9", "cafe\u0301"

    assert [name for name, _ in strange_names([composed, decomposed])] == [composed, decomposed]


@pytest.mark.parametrize(
    "name", ["\u0440\u043e\u0441\u0442", "μ_load", "größe", "a b", "Load", "\u6e29\u5ea6", "id"]
)
def test_foreign_names_are_let_be(name: str) -> None:
    """A name of one script, with capitals or blanks inside, fools nobody."""
    assert list(strange_names([name, "load"])) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("wear", "wear "), ("Wear", "wear "), ("l\u043ead", "load"), ("laod", "load"), ("plan", None)],
)
def test_the_name_that_was_meant_is_found(name: str, meant: str | None) -> None:
    """What looks the same comes first, then other capitals, then a slip of the pen."""
    assert nearest(name, ["load", "wear ", "refund"]) == meant


def test_seen_names_have_no_invisible_part() -> None:
    """What stands on the screen is one line in one script."""
    assert as_seen(" l\u043e\u200bad\tx ") == "load x"
