"""Columns of a few rows beside their contract: what a day can tell is judged, the rest is not."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from ml_gitops.config import parse_config
from ml_gitops.data import columns
from ml_gitops.data.schema import DataSchema, Task, Window
from tests.builders import config_text

SCHEMA: DataSchema = parse_config(config_text()).data_schema
DAY = Window(start=date(2024, 1, 1), until=date(2024, 1, 2))


def compare(frame: pd.DataFrame, schema: DataSchema = SCHEMA) -> list[columns.Violation]:
    """Hold the rows of a day to the schema."""
    return columns.compare_columns(frame, schema, DAY)


def rows(**columns: object) -> pd.DataFrame:
    """Return two rows that keep the contract, with some columns changed."""
    usual: dict[str, object] = {
        "customer": ["a", "b"],
        "asked": pd.to_datetime(["2024-01-01", "2024-01-01"]),
        "load": [1.0, 2.0],
        "wear": [0.5, float("nan")],
        "plan": ["basic", "pro"],
        "left": [True, True],
    }
    return pd.DataFrame(usual | columns)


def test_columns_that_fit_are_not_mentioned() -> None:
    """One class and few values are no fault of a single day."""
    assert compare(rows()) == []


def test_every_missing_column_is_named() -> None:
    """What the source does not return is listed, one by one."""
    found = compare(rows().drop(columns=["load", "left"]))

    assert [(one.column, one.problem) for one in found] == [
        ("load", "is missing"),
        ("left", "is missing"),
    ]


def test_types_are_compared() -> None:
    """Text where a number or a time was promised is named with an example."""
    found = compare(rows(load=["1", "2"], asked=["soon", "later"]))

    assert {one.column for one in found} == {"load", "asked"}
    assert found[0].examples == ("1", "2")


def test_mixed_time_zones_are_named() -> None:
    """Times of several zones cannot be cut into days."""
    mixed = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-01", tz="Asia/Tokyo")]

    (found,) = compare(rows(asked=pd.Series(mixed, dtype=object)))

    assert found.problem == "mixes time zones"


def test_a_quiet_day_has_names_and_no_types() -> None:
    """Rows that are not there, or hold nothing, say nothing about types."""
    empty = pd.DataFrame({name: [] for name in rows().columns})

    assert compare(empty) == []
    assert compare(rows(wear=[None, None])) == []


def test_other_columns_are_offered_as_features() -> None:
    """What no table names is offered with its type; times, lists and odd names are not."""
    frame = rows(
        refund=[1.0, 2.0],
        age=[30, 40],
        paid=[True, False],
        town=["Bonn", None],
        born=pd.to_datetime(["2000-01-01", "2001-01-01"]),
        tags=[["a"], ["b"]],
    ).assign(**{" odd": 1, "": 2})

    found = columns.infer_features(frame, SCHEMA)

    assert [(one.name, one.type, one.nullable) for one in found] == [
        ("age", "integer", False),
        ("paid", "boolean", False),
        ("town", "string", True),
    ]


def other_task(task: Task) -> DataSchema:
    """Return the schema for another task."""
    return SCHEMA.model_copy(update={"task": task})


TARGETS: list[tuple[Task, list[Any], str, str]] = [
    ("binary", ["no", "yes"], "must hold true and false", "rows['left'] = rows['left'] == 'yes'"),
    ("binary", [0.5, 0.7], "must hold true and false", "rows['left'] = rows['left'] == 0.7"),
    ("binary", [0.5, 0.7, 0.9], "must hold true and false", 'task = "regression"'),
    ("binary", ["a", "b", "c"], "must hold true and false", 'task = "multiclass"'),
    ("binary", [None, True, True], "1 targets are missing", ""),
    ("regression", ["a", "b"], "not a number", 'task = "multiclass"'),
    ("regression", ["1.5", "2"], "not a number", "pd.to_numeric(rows['left'])"),
    ("regression", [True, False], "not a number", 'task = "binary"'),
    ("regression", [0, 1], "0 and 1 alone", 'task = "binary"'),
    ("multiclass", [0.5, 0.7], "holds amounts", 'task = "regression"'),
]


@pytest.mark.parametrize(("task", "values", "problem", "remedy"), TARGETS)
def test_targets_that_contradict_the_task_are_named(
    task: Task, values: list[Any], problem: str, remedy: str
) -> None:
    """What a target holds is held to the task, and the remedy fits what it holds."""
    frame = pd.concat([rows()] * 2).iloc[: len(values)]
    frame = frame.assign(customer=range(len(values)), left=pd.Series(values).to_numpy())

    (found,) = compare(frame, other_task(task))

    assert found.column == "left"
    assert problem in found.problem
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("task", "values"),
    [
        ("binary", [1, 1]),
        ("binary", [0.0, 1.0]),
        ("multiclass", ["a", "a"]),
        ("multiclass", [1, 2]),
        ("regression", [0, 2]),
        ("regression", [0, 0]),
    ],
)
def test_targets_of_one_day_that_fit_are_not_mentioned(task: Task, values: list[Any]) -> None:
    """A day of one class, or of whole numbers, contradicts nothing."""
    assert compare(rows(left=values), other_task(task)) == []


def test_ids_and_times_of_a_day_are_judged() -> None:
    """A repeated id, and rows of days that nobody asked for, are found before the lock."""
    late = pd.to_datetime(["2024-01-01", "2024-01-02"])

    twice, outside = compare(rows(customer=["a", "a"], asked=late))

    assert twice.problem == "1 rows repeat an id"
    assert outside.problem == "1 rows lie outside 2024-01-01..2024-01-02"
    assert "from start to before end" in outside.remedy


def test_what_is_there_is_judged_beside_what_is_missing() -> None:
    """A missing column hides no other fault, and a cell that holds a list is no crash."""
    frame = rows(load=["1", "2"], left=[[1], [2]]).drop(columns="wear")

    found = {one.column: one.problem for one in compare(frame)}

    assert set(found) == {"wear", "load", "left"}
    assert "flatten it" in found["left"]


def test_columns_that_could_play_a_part_are_guessed() -> None:
    """Ids repeat nothing, times are times or tell them, a target holds what the task predicts."""
    frame = pd.DataFrame(
        {
            "customer": ["a", "b", "c"],
            "asked": pd.to_datetime(["2024-01-01"] * 3),
            "day": ["2024-01-01", "2024-01-02", "2024-01-02"],
            "load": [1.5, 1.5, 0.5],
            "visits": [2, 2, 2],
            "plan": ["x", "x", "x"],
            "kept": ["yes", "no", "no"],
            "left": [True, False, True],
            "tags": [["a"], ["b"], ["c"]],
        }
    )

    assert columns.guess_parts(frame, "binary") == (
        ["customer"],
        ["asked", "day"],
        ["kept", "left"],
    )
    assert columns.guess_parts(frame, "regression").target == ["load", "visits"]
    assert columns.guess_parts(frame, "multiclass").target == ["visits", "plan", "kept"]
