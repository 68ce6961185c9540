"""Columns of a few rows beside their contract: names and types are judged, values are not."""

import pandas as pd

from ml_gitops.config import parse_config
from ml_gitops.data.columns import compare_columns, infer_features
from ml_gitops.data.schema import DataSchema
from tests.builders import config_text

SCHEMA: DataSchema = parse_config(config_text()).data_schema


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
    assert compare_columns(rows(), SCHEMA) == []


def test_every_missing_column_is_named() -> None:
    """What the source does not return is listed, one by one."""
    found = compare_columns(rows().drop(columns=["load", "left"]), SCHEMA)

    assert [(one.column, one.problem) for one in found] == [
        ("load", "is missing"),
        ("left", "is missing"),
    ]


def test_types_are_compared() -> None:
    """Text where a number or a time was promised is named with an example."""
    found = compare_columns(rows(load=["1", "2"], asked=["soon", "later"]), SCHEMA)

    assert {one.column for one in found} == {"load", "asked"}
    assert found[0].examples == ("1", "2")


def test_mixed_time_zones_are_named() -> None:
    """Times of several zones cannot be cut into days."""
    mixed = [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-01", tz="Asia/Tokyo")]

    (found,) = compare_columns(rows(asked=pd.Series(mixed, dtype=object)), SCHEMA)

    assert found.problem == "mixes time zones"


def test_a_quiet_day_has_names_and_no_types() -> None:
    """Rows that are not there, or hold nothing, say nothing about types."""
    empty = pd.DataFrame({name: [] for name in rows().columns})

    assert compare_columns(empty, SCHEMA) == []
    assert compare_columns(rows(wear=[None, None]), SCHEMA) == []


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

    found = infer_features(frame, SCHEMA)

    assert [(one.name, one.type, one.nullable) for one in found] == [
        ("age", "integer", False),
        ("paid", "boolean", False),
        ("town", "string", True),
    ]
