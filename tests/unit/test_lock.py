"""The data lock: windows are cut without a gap, and other rows are refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_gitops.data.lock import DataLock, check_locked, split
from ml_gitops.data.schema import Window
from ml_gitops.document import sha256
from ml_gitops.errors import DataError, DocumentError

WINDOW = Window(start=date(2024, 1, 1), until=date(2024, 3, 1))
LOCK = DataLock(
    source="model/data.py:load",
    window=WINDOW,
    rows=1800,
    digest=sha256(b"rows"),
    schema_digest=sha256(b"columns"),
)

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2900, 1, 1))


@given(DAYS, st.integers(min_value=2, max_value=4000), st.data())
def test_both_parts_are_the_window(start: date, days: int, data: st.DataObject) -> None:
    """Train and holdout touch, overlap nowhere, and are the window together."""
    window = Window(start=start, until=start + timedelta(days=days))
    holdout_days = data.draw(st.integers(min_value=1, max_value=days - 1))

    cut = split(window, holdout_days)

    assert (cut.train.start, cut.holdout.until) == (window.start, window.until)
    assert cut.train.until == cut.holdout.start
    assert cut.holdout.days == holdout_days
    assert cut.train.days >= 1


@given(DAYS, st.integers(min_value=1, max_value=100), st.integers(min_value=0, max_value=100))
def test_a_holdout_that_takes_everything_is_refused(start: date, days: int, more: int) -> None:
    """Nothing to learn from is an error that names window and remedy."""
    window = Window(start=start, until=start + timedelta(days=days))

    with pytest.raises(DataError, match="no day left to train on") as refused:
        split(window, days + more)

    assert refused.value.where == "data.lock.json"


def test_the_rows_that_were_locked_pass() -> None:
    """Equal count and digest are the rows; nothing is raised."""
    check_locked(LOCK, rows=1800, digest=LOCK.digest, schema_digest=LOCK.schema_digest)


def test_other_rows_are_counted() -> None:
    """The message says how many there are and were."""
    with pytest.raises(DataError, match=r"1,799 rows, 1,800 locked"):
        check_locked(LOCK, rows=1799, digest=sha256(b"x"), schema_digest=LOCK.schema_digest)


def test_the_same_number_of_other_rows_is_refused() -> None:
    """The digest decides, not the count."""
    with pytest.raises(DataError, match=r"other rows for 2024-01-01\.\.2024-03-01"):
        check_locked(LOCK, rows=1800, digest=sha256(b"x"), schema_digest=LOCK.schema_digest)


def test_other_columns_are_told_apart_from_other_rows() -> None:
    """A new column changes the digest too, and is the better word for it."""
    with pytest.raises(DataError, match="other columns"):
        check_locked(LOCK, rows=1800, digest=sha256(b"x"), schema_digest=sha256(b"y"))


def test_a_lock_round_trips() -> None:
    """Its file reads back, and diffs by line."""
    text = LOCK.to_json()

    assert DataLock.from_json(text, where="data.lock.json") == LOCK
    assert '\n    "until": "2024-03-01"' in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"rows": 1800', '"rows": "many"'),
        ("sha256:", "md5:"),
        ("2024-03-01", "2024-02-31"),
        ('"schema_version": 1', '"schema_version": 9'),
        ('"source"', '"sauce"'),
    ],
)
def test_a_lock_edited_by_hand_is_refused(old: str, new: str) -> None:
    """What does not fit the form is named, and Git is the remedy."""
    with pytest.raises(DocumentError, match="restore the file from Git"):
        DataLock.from_json(LOCK.to_json().replace(old, new), where="data.lock.json")


def test_the_first_days_of_the_calendar_are_refused_like_any_other() -> None:
    """A window too short for its holdout is too short, even where no earlier day exists."""
    with pytest.raises(DataError, match="no day left to train on"):
        split(Window(start=date.min, until=date.min + timedelta(days=2)), 14)
