"""Data QA: every violation is found, counted and shown, and good rows have none."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_gitops.data.schema import DataSchema, Feature, FeatureType, Task, Window
from ml_gitops.data.validation import ValidationReport, fits, validate

WINDOW = Window(start=date(2024, 1, 1), until=date(2024, 1, 11))
FEATURES = (
    Feature(name="load", type="number", minimum=-10, maximum=10),
    Feature(name="wear", type="number", nullable=True),
    Feature(name="visits", type="integer"),
    Feature(name="new", type="boolean"),
    Feature(name="plan", type="string", values=("basic", "pro")),
)
ROWS = 100

Change = Callable[[pd.DataFrame], pd.DataFrame]


def schema_of(task: Task = "binary") -> DataSchema:
    """Return the contract."""
    return DataSchema(task=task, features=FEATURES, target="left", id="customer", time="asked")


def rows() -> pd.DataFrame:
    """Return rows that keep the contract."""
    draw = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "customer": [f"c{n}" for n in range(ROWS)],
            "asked": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS) * 2, unit="h"),
            "load": draw.uniform(-9, 9, ROWS),
            "wear": np.where(np.arange(ROWS) % 5 == 0, np.nan, draw.normal(size=ROWS)),
            "visits": draw.integers(0, 9, ROWS),
            "new": draw.random(ROWS) < 0.5,
            "plan": draw.choice(["basic", "pro"], ROWS),
            "left": draw.random(ROWS) < 0.5,
        }
    )


def look(frame: pd.DataFrame, task: Task = "binary") -> ValidationReport:
    """Hold rows to the contract."""
    return validate(frame, schema_of(task), WINDOW)


def put(column: str, value: Any, count: int = 3) -> Change:
    """Replace the first values of a column."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].to_list()
        values[:count] = [value] * count
        return frame.assign(**{column: values})

    return change


def test_good_rows_have_no_violation() -> None:
    """Rows that keep the contract pass, and are counted."""
    report = look(rows())

    assert report.violations == ()
    assert report.passed
    assert (report.rows, report.columns) == (ROWS, 8)


VIOLATIONS: list[tuple[str, Change, str, str, int]] = [
    ("null", put("load", None), "load", "3 values are missing", 3),
    ("too low", put("load", -11.0), "load", "3 values are below -10", 3),
    ("too high", put("load", 10.5), "load", "3 values are above 10", 3),
    ("infinite", put("wear", float("inf")), "wear", "3 values are infinite", 3),
    ("undeclared", put("plan", "gold"), "plan", "3 values are not among those declared", 3),
    ("ids missing", put("customer", None), "customer", "3 ids are missing", 3),
    ("ids twice", put("customer", "c99"), "customer", "3 rows repeat an id", 3),
    ("times missing", put("asked", pd.NaT), "asked", "3 times are missing", 3),
    ("before", put("asked", pd.Timestamp("2023-12-31T23:59:59")), "asked", "3 rows lie out", 3),
    ("after", put("asked", pd.Timestamp("2024-01-11")), "asked", "3 rows lie outside", 3),
    ("targets missing", put("left", None), "left", "3 targets are missing", 3),
    ("words as targets", put("left", "perhaps"), "left", "must hold true and false", ROWS),
    ("text", lambda f: f.assign(load="much"), "load", "not number", ROWS),
    ("fractions", lambda f: f.assign(visits=0.5), "visits", "is float64, not integer", ROWS),
    ("numbers as flags", lambda f: f.assign(new=f["visits"]), "new", "not boolean", ROWS),
    ("numbers as text", lambda f: f.assign(plan=f["visits"]), "plan", "not string", ROWS),
    ("all null", lambda f: f.assign(wear=np.nan), "wear", "every value is missing", ROWS),
    ("no time", lambda f: f.assign(asked="noon"), "asked", "not a time", ROWS),
    ("one class", lambda f: f.assign(left=True), "left", "has one class only", ROWS),
    ("no target", lambda f: f.drop(columns="left"), "left", "is missing", ROWS),
    ("no rows", lambda f: f.iloc[:0], "", "there are no rows in the window", 0),
    ("lists", lambda f: f.assign(more=[[1]] * ROWS), "more", "flatten it", ROWS),
]


@pytest.mark.parametrize(
    ("change", "column", "problem", "count"),
    [pytest.param(*case[1:], id=case[0]) for case in VIOLATIONS],
)
def test_a_violation_is_found_and_counted(
    change: Change, column: str, problem: str, count: int
) -> None:
    """Each breach is an error that names its column and counts its rows."""
    report = look(change(rows()))

    (found,) = [one for one in report.errors if one.column == column]
    assert problem in found.problem
    assert found.rows == count
    assert not report.passed


def test_no_violation_hides_another() -> None:
    """Three broken columns are three violations."""
    frame = put("plan", "gold")(put("load", 99.0)(rows())).assign(left=False)

    assert [one.column for one in look(frame).errors] == ["load", "plan", "left"]


def test_a_column_that_never_changes_is_a_warning() -> None:
    """One value only teaches nothing, and stops nothing."""
    report = look(rows().assign(wear=1.0))

    (found,) = report.violations
    assert (found.severity, found.column) == ("warning", "wear")
    assert report.passed


def test_a_name_used_twice_is_told_once() -> None:
    """A doubled column is named, whatever else would follow from it."""
    frame = rows()

    report = look(pd.concat([frame, frame[["load"]]], axis=1))

    assert [(one.column, one.problem) for one in report.errors] == [
        ("load", "the name is used twice")
    ]


def test_times_with_one_zone_are_taken_in_utc() -> None:
    """The window is cut in UTC: an hour of Tokyo's first morning is still December."""
    frame = rows()
    tokyo = frame.assign(asked=frame["asked"].dt.tz_localize("Asia/Tokyo"))

    (found,) = look(tokyo).errors

    assert found.problem == "5 rows lie outside 2024-01-01..2024-01-11"  # 0, 2, 4, 6 and 8 o'clock


def test_mixed_zones_are_named() -> None:
    """Two zones in a column are no column of times."""
    zones = ["UTC", "Asia/Tokyo"]
    frame = rows()
    frame["asked"] = [time.tz_localize(zones[n % 2]) for n, time in enumerate(frame["asked"])]

    (found,) = look(frame).errors

    assert found.problem == "mixes time zones"


def test_examples_are_few_and_short() -> None:
    """Three examples are shown, none longer than forty signs."""
    values = [f"{n}-" + "x" * 100 for n in range(ROWS)]

    (found,) = look(rows().assign(plan=values)).errors

    assert len(found.examples) == 3
    assert max(map(len, found.examples)) == 40
    assert str(found).startswith("column 'plan': 100 values are not among those declared (such as ")


@pytest.mark.parametrize("values", [[0, 1], [0.0, 1.0], [False, True]])
def test_binary_targets_may_be_numbers(values: list[float]) -> None:
    """0 and 1 mean false and true, as numbers of any kind."""
    assert look(rows().assign(left=values * (ROWS // 2))).passed


def test_targets_of_other_tasks() -> None:
    """Classes are any values with two different ones; values of a regression are numbers."""
    frame = rows()

    assert look(frame.assign(left=frame["plan"]), "multiclass").passed
    assert look(frame.assign(left=frame["load"]), "regression").passed
    assert not look(frame.assign(left=frame["plan"]), "regression").passed
    assert not look(frame.assign(left="a"), "multiclass").passed


@pytest.mark.parametrize(
    ("values", "held_by"),
    [
        ([1.5, None], {"number"}),
        ([1, 2], {"number", "integer"}),
        ([True, False], {"boolean"}),
        (["a", None], {"string"}),
        ([None, None], {"string"}),
        (["a", 1], set()),
        (pd.to_datetime(["2024-01-01"]), set()),
    ],
)
def test_types_hold_what_they_can_without_a_change(values: Any, held_by: set[str]) -> None:
    """A column fits a type if no value changes by it."""
    column = pd.Series(values)
    kinds: list[FeatureType] = ["number", "integer", "boolean", "string"]

    assert {kind for kind in kinds if fits(column, Feature(name="x", type=kind))} == held_by
