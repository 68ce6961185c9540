"""A remedy fits the column that it is about, and is one that works."""

from typing import Any

import pandas as pd
import pytest

from ml_gitops.data.remedy import correct_type, find_missing, parse_time
from ml_gitops.data.schema import Feature, FeatureType

TIMES: list[tuple[list[Any], str]] = [
    (["2024-01-31 08:00"], ', format="%Y-%m-%d %H:%M")'),
    (["31.01.2024"], ', format="%d.%m.%Y")'),
    (["01/02/2024", "13/02/2024"], ', format="%d/%m/%Y")'),
    (["02/01/2024", "02/13/2024"], ', format="%m/%d/%Y")'),
    (["2024-01-31T08:00:00+02:00"], ', format="%Y-%m-%dT%H:%M:%S%z", utc=True)'),
    ([1_706_688_000], ', unit="s")'),
    ([1_706_688_000_000], ', unit="ms")'),
]


@pytest.mark.parametrize(("values", "end"), TIMES)
def test_the_line_that_parses_times_does(values: list[Any], end: str) -> None:
    """The line of the remedy turns the column into days that are those it tells."""
    rows = pd.DataFrame({"asked": values})

    remedy = parse_time(rows["asked"])

    assert remedy.endswith(end)
    exec(remedy.partition(": ")[2], {"rows": rows, "pd": pd})  # noqa: S102
    assert rows["asked"].dtype.kind == "M"
    assert set(rows["asked"].dt.year) == {2024}


@pytest.mark.parametrize("values", [["soon"], [True], [None]])
def test_what_is_no_time_gets_no_line(values: list[Any]) -> None:
    """Where nobody can tell how a time is written, another column is asked for first."""
    assert parse_time(pd.Series(values, name="asked")).startswith("name a column of times")


@pytest.mark.parametrize(
    ("values", "declared", "remedy"),
    [
        (["a", "b"], "number", '{ type = "string" }'),
        (["1", "2"], "number", "pd.to_numeric(rows['x'])"),
        ([1.0, None], "integer", '{ type = "number", nullable = true }'),
        ([1, 2], "boolean", '{ type = "integer" }'),
        ([1, "a"], "string", "values of one type only"),
        (pd.to_datetime(["2024-01-01"]), "string", "derive numbers from it"),
    ],
)
def test_column_and_feature_come_to_one_type(
    values: Any, declared: FeatureType, remedy: str
) -> None:
    """The config is told the type that the column has, unless the source should change."""
    column = pd.Series(values, name="x")

    assert remedy in correct_type(column, Feature(name="x", type=declared))


@pytest.mark.parametrize(
    ("others", "remedy"),
    [
        (["waer", "tear"], "did you mean 'waer'?"),
        (["Wear"], "did you mean 'Wear'?"),
        (["wear "], "the source has 'wear ', which looks the same: rename one of them"),
        (["w\u0435ar"], "the source has 'w\\u0435ar', which looks the same: rename one of them"),
        (["refund"], ""),
    ],
)
def test_a_missing_column_is_looked_for(others: list[str], remedy: str) -> None:
    """The nearest name of the source is offered; one that looks the same is shown in its signs."""
    assert find_missing("wear", others) == remedy
