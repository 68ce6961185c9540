"""What a change does to the checks that judge it is named, test by test."""

import pytest

from ml_gitops.checks import CheckOutcome, CheckOutcomes
from ml_gitops.workflows.check_changes import MOST, check_changes, with_absent

A = "checks/test_a.py"
BEFORE = {
    A: b"""\
import pytest

LIMIT = 0.7

def test_good(candidate):
    assert candidate > LIMIT

@pytest.mark.parametrize("x", [1, 2])
def test_each(x): pass

class TestSlices:
    def test_small(self): pass

@pytest.fixture
def test_rows(): return 1
""",
    "checks/golden.csv": b"1\n",
    "checks/conftest.py": b"",
}


def change(old: str, new: str, path: str = A) -> dict[str, bytes]:
    """Return the files with one text replaced."""
    text = BEFORE[path].decode()
    assert old in text
    return {**BEFORE, path: text.replace(old, new).encode()}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (BEFORE, []),
        (change("> LIMIT", ">  LIMIT  # as agreed"), []),
        (change("class TestSlices", "def test_more(): pass\n\n\nclass TestSlices"), []),
        (change("> LIMIT", "> 0"), [f"{A}::test_good changed"]),
        (change("0.7", "0.1"), [f"{A} changed beside its tests"]),
        (change("[1, 2]", "[1]"), [f"{A}::test_each changed"]),
        (change("def test_each", "def each"), [f"{A}::test_each is gone"]),
        (
            change("def test_small", "def small"),
            [f"{A}::TestSlices::test_small is gone", f"{A} changed beside its tests"],
        ),
        (
            change("@pytest.mark.parametrize", "@pytest.mark.skip\n@pytest.mark.parametrize"),
            [f"{A}::test_each changed"],
        ),
        ({**BEFORE, "checks/golden.csv": b"2\n"}, ["checks/golden.csv changed"]),
        ({**BEFORE, "checks/more.py": b""}, ["checks/more.py is new"]),
        ({**BEFORE, "checks/test_b.py": b"def test_b(): pass"}, []),
        ({**BEFORE, "pytest.ini": b"[pytest]"}, ["pytest.ini is new"]),
        ({**BEFORE, "pyproject.toml": b'[project]\nname = "x"'}, []),
        (
            {**BEFORE, "pyproject.toml": b'[tool.pytest.ini_options]\naddopts = "-k x"'},
            ["[tool.pytest] of pyproject.toml is new"],
        ),
        ({**BEFORE, "pyproject.toml": b"\xff"}, ["pyproject.toml is new"]),
        ({**BEFORE, "pyproject.toml": b"tool = 1"}, []),
        (change("LIMIT = 0.7", "LIMIT = ("), [f"{A} changed beside its tests"]),
        (
            {path: text for path, text in BEFORE.items() if path != A}
            | {"checks/test_z.py": BEFORE[A]},
            [f"{A} is gone", f"{A}::test_good moved to checks/test_z.py::test_good"],
        ),
    ],
    ids=range(19),
)
def test_changes_are_named(now: dict[str, bytes], said: list[str]) -> None:
    """Gone, moved, different and new: what a reviewer has to look at, and no layout."""
    told = check_changes(BEFORE, now)

    assert set(said) <= set(told)
    assert bool(said) == bool(told)


def test_a_file_that_is_no_python_is_a_change_of_all_its_tests() -> None:
    """Whatever cannot be parsed is compared as a whole: its tests are gone."""
    deep = {A: b"x = " + b"(" * 50_000, "checks/conftest.py": b"\x00"}

    told = check_changes(BEFORE, {**BEFORE, **deep})

    assert f"{A}::test_good is gone" in told
    assert "checks/conftest.py changed" in told


def test_many_changes_are_counted() -> None:
    """A reviewer reads the first ones and the number of the others."""
    many = {"checks/test_m.py": b"".join(b"def test_%d(): pass\n" % n for n in range(50))}

    told = check_changes(many, {})

    assert len(told) == MOST + 1
    assert told[-1] == "and 31 more"


def test_a_test_that_left_no_outcome_is_skipped_and_not_forgotten() -> None:
    """Whoever takes a test out of the session leaves it in the report."""
    ran = (f"{A}::test_good", f"{A}::test_each[1]")
    outcomes = CheckOutcomes(
        outcomes=tuple(CheckOutcome(nodeid=name, outcome="passed") for name in ran)
    )
    broken = CheckOutcomes(outcomes=(CheckOutcome(nodeid=A, outcome="failed"),))

    told = with_absent(outcomes, BEFORE)

    assert told.outcomes[:2] == outcomes.outcomes
    (absent,) = told.outcomes[2:]
    assert (absent.nodeid, absent.outcome) == (f"{A}::TestSlices::test_small", "skipped")
    assert with_absent(broken, BEFORE) == broken
