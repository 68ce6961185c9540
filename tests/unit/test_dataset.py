"""Datasets: canonical order, and a digest that means content and nothing else."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.data.dataset import (
    columns_digest,
    frame_digest,
    make_dataset,
    require_frame,
    utc_naive,
)
from ml_gitops.data.schema import DataSchema, Feature, Window
from ml_gitops.errors import DataError

WINDOW = Window(start=date(2024, 1, 1), until=date(2024, 1, 11))
SCHEMA = DataSchema(
    task="binary",
    features=(Feature(name="load", type="number"),),
    target="left",
    id="customer",
    time="asked",
)


def rows() -> pd.DataFrame:
    """Return forty rows of ten days, four a day, two at the same time."""
    n = np.arange(40)
    return pd.DataFrame(
        {
            "customer": [f"c{i:02}" for i in n],
            "asked": pd.Timestamp("2024-01-01") + pd.to_timedelta(n // 2 * 12, unit="h"),
            "load": n * 0.1,
            "note": [None if i % 3 else f"é {i}" for i in n],
            "left": n % 2 == 0,
        }
    )


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.permutations(range(40)), st.permutations(["customer", "asked", "load", "note", "left"]))
def test_order_does_not_count(order: list[int], columns: list[str]) -> None:
    """However the source sorts rows and columns, the dataset is the same."""
    expected = make_dataset(rows(), SCHEMA, WINDOW)

    found = make_dataset(rows().iloc[order][columns], SCHEMA, WINDOW)

    assert found.digest == expected.digest
    assert found.frame["customer"].to_list() == expected.frame["customer"].to_list()


CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a value": lambda f: f.assign(load=f["load"].where(f["load"] > 0, 1e-12)),
    "a missing value": lambda f: f.assign(note=f["note"].fillna("")),
    "a column nobody declared": lambda f: f.assign(more=1),
    "a name": lambda f: f.rename(columns={"note": "notes"}),
    "a type": lambda f: f.assign(left=f["left"].astype("int64")),
    "a row less": lambda f: f.iloc[1:],
    "a row more": lambda f: pd.concat([f, f.iloc[:1]]),
    "two values swapped": lambda f: f.assign(load=f["load"].to_list()[::-1]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_content_changes_the_digest(
    change: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    """One value, name, type or row is enough."""
    before = make_dataset(rows(), SCHEMA, WINDOW).digest

    assert make_dataset(change(rows()), SCHEMA, WINDOW).digest != before


def test_the_kind_of_text_does_not_count() -> None:
    """Text held as objects or as strings is the same text."""
    frame = rows()

    assert frame_digest(frame.astype({"note": object})) == frame_digest(
        frame.astype({"note": "string"})
    )


@settings(max_examples=50, derandomize=True, deadline=None)
@given(
    st.lists(st.none() | st.datetimes(), min_size=1),
    st.sampled_from(["a time", "UTC", "Asia/Tokyo", "a span"]),
)
def test_the_unit_of_times_does_not_count(times: list[datetime | None], kind: str) -> None:
    """Times and spans are the same in every unit that holds them, be they of the year 9999."""
    column = pd.Series(times, dtype="datetime64[s]")
    if kind == "a span":
        column = column - pd.Timestamp("2024-01-01").as_unit("s")
    elif kind != "a time":
        column = column.dt.tz_localize("UTC").dt.tz_convert(kind)
    digests = set()
    for unit in ("s", "ms", "us", "ns"):
        with suppress(ValueError):  # Nanoseconds end in 2262.
            digests.add(frame_digest(pd.DataFrame({"asked": column.dt.as_unit(unit)})))

    assert len(digests) == 1


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_the_smallest_step_of_a_time_counts(unit: str) -> None:
    """No digit of a time is rounded away, also where nanoseconds do not reach."""
    year = "2024" if unit == "ns" else "9999"
    column = pd.Series([np.datetime64(f"{year}-01-01", unit)])
    later = column + pd.Timedelta(np.timedelta64(1, unit))

    assert frame_digest(pd.DataFrame({"asked": column})) != frame_digest(
        pd.DataFrame({"asked": later})
    )


def test_nanoseconds_are_digested_as_they_always_were() -> None:
    """A lock that was written from nanoseconds still holds."""
    times = pd.Series(np.array(["2024-01-01T12:00", "NaT"], dtype="datetime64[ns]"))

    assert (
        frame_digest(pd.DataFrame({"asked": times}))
        == "sha256:32ec8d8b5671287dafc4059de4c7685422e3f23ef9c703919e697596294a5439"
    )


def test_the_digest_is_equal_in_every_process() -> None:
    """A process with other hash seeds finds the same digest."""
    code = (
        "import pandas as pd; from ml_gitops.data.dataset import frame_digest;"
        "print(frame_digest(pd.DataFrame({'a': ['x', None, 'é'], 'b': [1.5, float('nan'), 0]})))"
    )

    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1
    assert found.pop().startswith("sha256:")


def test_columns_are_digested_by_name_and_type_alone() -> None:
    """Other values in the same columns are the same columns."""
    frame = rows()

    assert columns_digest(frame) == columns_digest(frame.iloc[::-1][frame.columns[::-1]])
    assert columns_digest(frame) != columns_digest(frame.rename(columns={"note": "notes"}))
    assert columns_digest(frame) != columns_digest(frame.assign(left=1.0))


def test_parts_are_cut_by_day_and_add_up() -> None:
    """A part holds the rows of its days, and two halves hold every row once."""
    dataset = make_dataset(rows(), SCHEMA, WINDOW)
    middle = date(2024, 1, 6)

    first = dataset.part(Window(start=WINDOW.start, until=middle))
    second = dataset.part(Window(start=middle, until=WINDOW.until))

    assert first["asked"].max() < pd.Timestamp(middle) <= second["asked"].min()
    pd.testing.assert_frame_equal(pd.concat([first, second], ignore_index=True), dataset.frame)


def test_times_are_read_in_utc() -> None:
    """A zone is turned into UTC; times without one are UTC already."""
    noon = pd.Series(pd.to_datetime(["2024-01-01T12:00:00"]))

    assert utc_naive(noon)[0] == pd.Timestamp("2024-01-01T12:00:00")
    assert utc_naive(noon.dt.tz_localize("Asia/Tokyo"))[0] == pd.Timestamp("2024-01-01T03:00:00")


@pytest.mark.parametrize("value", [None, [], {"a": [1]}, "rows", pd.Series([1])])
def test_only_a_frame_is_a_frame(value: object) -> None:
    """What the source returned is named by its type."""
    with pytest.raises(DataError, match=type(value).__name__) as refused:
        require_frame(value, where="model/data.py:load")

    assert refused.value.where == "model/data.py:load"


def test_names_of_columns_are_text() -> None:
    """A column that is called 3 is refused before anything sorts it beside words."""
    with pytest.raises(DataError, match="column 3"):
        require_frame(pd.DataFrame({"a": [1], 3: [2]}), where="x")
