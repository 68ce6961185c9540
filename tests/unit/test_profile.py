"""The profile: counted by the live SQL, small, and without anybody's single value."""

import math
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.data.schema import Feature, Task, Window
from ml_gitops.errors import DataError
from ml_gitops.model.interval import Measurement
from ml_gitops.monitoring.profile import (
    FEWEST,
    MAX_BYTES,
    Profile,
    bin_edges,
    build_profile,
    weigh,
)

FEATURES = [
    Feature(name="temp", type="number", nullable=True),
    Feature(name='pl"ace', type="string", nullable=True),
    Feature(name="late", type="boolean"),
    Feature(name="month", type="integer"),
]


@pytest.fixture
def engine() -> Iterator[DuckDBWarehouse]:
    """Give an engine of its own to every test."""
    with DuckDBWarehouse(threads=1) as warehouse:
        yield warehouse


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return training data with gaps, odd names and odd values."""
    draw = np.random.default_rng(seed)
    places = np.array(["EWR", "JFK", "it's", 'é "漢"\n'])[draw.integers(0, 4, rows)]
    temp = draw.normal(0, 3, rows)
    temp[::10] = np.nan
    return pd.DataFrame(
        {
            "temp": temp,
            'pl"ace': [None if i % 7 == 0 else place for i, place in enumerate(places)],
            "late": draw.random(rows) < 0.2,
            "month": draw.integers(1, 4, rows),
        }
    )


def build(
    engine: DuckDBWarehouse,
    train: pd.DataFrame,
    *,
    features: list[Feature] = FEATURES,
    task: Task = "binary",
    **changes: object,
) -> Profile:
    """Profile a frame beside 500 answers."""
    draw = np.random.default_rng(9)
    answers = pd.DataFrame({"score": draw.random(500), "label": ["a", "b"] * 250})
    engine.register("train", train)
    engine.register("holdout", answers)
    return build_profile(
        engine,
        model="delay",
        task=task,
        features=features,
        train="train",
        holdout="holdout",
        window=Window(start=date(2013, 1, 1), until=date(2013, 4, 1)),
        **changes,
    )


def test_a_profile_counts_what_is_there(engine: DuckDBWarehouse) -> None:
    """Rows, nulls and values add up, and the document survives its own JSON."""
    data = frame(2000)

    profile = build(
        engine, data, quality={"roc_auc": Measurement(value=0.7, standard_error=0.01, n=500)}
    )
    temp, place, late, month = profile.columns

    assert profile.rows == 2000
    assert all(column.counts.rows == 2000 for column in profile.columns)
    assert temp.counts.nulls == 200
    assert place.counts.nulls == data['pl"ace'].isna().sum()
    assert dict(zip(place.cells.values, place.counts.cells, strict=False)) == dict(
        data['pl"ace'].value_counts()
    )
    assert late.cells.values == ("false", "true")
    assert late.counts.cells == (*data["late"].value_counts(), 0)
    assert sum(month.counts.cells) == 2000
    assert len(month.cells.edges) == 4
    assert temp.mean == pytest.approx(np.nanmean(data["temp"]))
    assert temp.sd == pytest.approx(np.nanstd(data["temp"]))
    assert (temp.minimum, temp.maximum) == (np.nanmin(data["temp"]), np.nanmax(data["temp"]))
    assert profile.prediction.name == "score"
    assert Profile.from_json(profile.to_json(), where="profile.json") == profile


def test_bins_hold_about_equally_many(engine: DuckDBWarehouse) -> None:
    """At most 50 bins; the outer two, outside the reference, are empty, the others alike."""
    (temp, *_) = build(engine, frame(20_000)).columns

    assert 40 <= temp.cells.size <= 50
    assert temp.counts.cells[0] == temp.counts.cells[-1] == 0
    inner = temp.counts.cells[2:-1]
    assert max(inner) - min(inner) <= 2


def test_values_of_fewer_than_twenty_rows_are_never_stored(engine: DuckDBWarehouse) -> None:
    """A rare value, a person's name say, is in no byte of the profile, only in the rest."""
    data = frame(1000)
    rare = ["Ada Lovelace"] * (FEWEST - 1) + [f"single-{i}" for i in range(30)] + ["pair", "pair"]
    data.loc[data.index[: len(rare)], 'pl"ace'] = rare
    data["late"] = [True] * 5 + [False] * 995

    profile = build(engine, data)
    place, late = profile.columns[1:3]

    assert not any(name in profile.to_json() for name in ("Lovelace", "single-", "pair"))
    assert place.counts.cells[-1] == len(rare)
    assert place.singletons == 30
    assert place.unseen_rate == 30 / place.counts.present
    assert late.cells.values == ("false",)


def test_a_wide_profile_stays_small(engine: DuckDBWarehouse) -> None:
    """Where full detail would not fit 200 KB, bins and values become coarser."""
    draw = np.random.default_rng(1)
    wide = pd.DataFrame({f"feature_{i:03}": draw.normal(size=300) for i in range(120)})
    wide["text"] = ["x" * 5000] * 300
    features = [Feature(name=name, type="number") for name in wide.columns[:-1]]

    profile = build(engine, wide, features=[*features, Feature(name="text", type="string")])

    assert len(profile.to_json().encode()) <= MAX_BYTES
    assert profile.columns[0].cells.size >= 10
    assert profile.columns[-1].cells.values == ()


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([None, None, None], (0, 0)),
        ([math.inf, -math.inf, math.nan], (1, 1)),
        ([7.0, 7.0, 7.0], (0, 3, 0)),
        ([-0.0, 0.0, 1e308], (0, 2, 1, 0)),
        ([2.0**70, -(2.0**70), 1.7e308], (0, 1, 1, 1, 0)),
    ],
)
def test_odd_columns_are_profiled(
    engine: DuckDBWarehouse, values: list[float], cells: tuple[int, ...]
) -> None:
    """Nothing, infinities, a constant, both zeros and huge numbers each have their cell."""
    data = pd.DataFrame({"x": pd.Series(values, dtype="float64")})

    (x,) = build(engine, data, features=[Feature(name="x", type="number", nullable=True)]).columns

    assert x.counts.cells == cells
    assert x.counts.rows == 3
    assert list(x.cells.edges) == sorted(set(x.cells.edges))


def test_one_row_is_a_profile_and_no_row_is_none(engine: DuckDBWarehouse) -> None:
    """One row gives a profile; an empty table is refused in one line."""
    assert build(engine, frame(1).fillna({"temp": 1.0})).rows == 1

    with pytest.raises(DataError, match="no rows to profile"):
        build(engine, frame(10).head(0))


def test_a_multiclass_model_is_profiled_by_its_labels(engine: DuckDBWarehouse) -> None:
    """The predictions of a multiclass model are counted by label."""
    profile = build(engine, frame(100), task="multiclass")

    assert profile.prediction.cells.values == ("a", "b")
    assert profile.prediction.counts.cells == (250, 250, 0)


def test_weights_sum_to_one() -> None:
    """Negative and broken importances weigh nothing, the rest sum to one; without any, equal."""
    assert weigh(["a", "b", "c", "d"], {"a": 3.0, "b": 1.0, "c": -5.0, "d": math.nan}) == {
        "a": 0.75,
        "b": 0.25,
        "c": 0.0,
        "d": 0.0,
    }
    assert weigh(["a", "b"], {"a": -1.0}) == {"a": 0.5, "b": 0.5}


def test_edges_are_distinct_and_finite() -> None:
    """Repeated quantiles are one edge, -0.0 is 0.0, infinities are none."""
    edges = bin_edges([-0.0, 0.0, 0.0, 5.0, math.inf], -0.0)

    assert edges == (-5e-324, 0.0, 5.0)
    assert math.copysign(1, edges[1]) == 1
