"""The profile: what the champion's data looked like, as counts; no rows, a few kilobytes."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from ml_gitops.data.schema import Feature, Task, Window
from ml_gitops.document import Document, Part
from ml_gitops.errors import DataError
from ml_gitops.model.interval import Measurement
from ml_gitops.monitoring.counts import Cells, ColumnCounts
from ml_gitops.monitoring.query import Engine, Table
from ml_gitops.monitoring.scan import Counted, count
from ml_gitops.monitoring.sql import identifier
from ml_gitops.names import PROFILE_FILE

MAX_BYTES = 200_000
"""Of the file: a reviewer's diff and every clone carry it."""
FEWEST = 20
"""Rows that share a value before it is written down: nobody's single value is."""
LONGEST = 200
"""Characters of a value that is written down."""
_SIZES = ((50, 100), (25, 40), (10, 15), (5, 5))
"""Bins of a number and values of a category, tried from fine to coarse until the file fits."""
_SCORE, _LABEL = Feature(name="score", type="number"), Feature(name="label", type="string")
_ANSWERS: dict[Task, Feature] = {"binary": _SCORE, "regression": _SCORE, "multiclass": _LABEL}
"""What is profiled of the model's answers."""


class ColumnProfile(Part):
    """The reference of one column.

    Attributes:
        cells: how it is counted; `counts` are the reference's.
        weight: share of the model's permutation importance; all weights sum to 1.
        minimum, maximum, mean, sd: of the finite values of a numeric column.
        singletons: values of a categorical column that only one row has.
    """

    cells: Cells
    counts: ColumnCounts
    weight: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    sd: float | None = None
    singletons: int = 0

    @property
    def name(self) -> str:
        """The column."""
        return self.cells.name

    @property
    def unseen_rate(self) -> float:
        """The expected share of values never seen before (Good-Turing)."""
        return self.singletons / self.counts.present if self.counts.present else 0.0

    @property
    def null_rate(self) -> float:
        """The share of rows without a value."""
        return self.counts.nulls / self.counts.rows if self.counts.rows else 0.0


class Profile(Document):
    """What a model was trained on and how good it was: the reference of every later window.

    Attributes:
        window: the days of the training data.
        rows: how many rows were profiled.
        prediction: the score (the label, for multiclass models) on the holdout.
        quality: metric to its value on the holdout.
    """

    file_name: ClassVar[str] = PROFILE_FILE

    model: str
    task: Task
    window: Window
    rows: int
    columns: tuple[ColumnProfile, ...]
    prediction: ColumnProfile
    quality: dict[str, Measurement] = Field(default_factory=dict)

    @property
    def cells(self) -> list[Cells]:
        """How the features of a live window are counted."""
        return [column.cells for column in self.columns]


def build_profile(
    engine: Engine,
    *,
    model: str,
    task: Task,
    features: Sequence[Feature],
    train: str,
    holdout: str,
    window: Window,
    importances: Mapping[str, float] | None = None,
    quality: Mapping[str, Measurement] | None = None,
) -> Profile:
    """Summarise the training data with the SQL that will count the live window.

    Args:
        engine: where the tables are registered.
        train: table with a column per feature.
        holdout: table of the model's answers: `score` (`label`, for multiclass models).
        window: the days of the training data.
        importances: feature to permutation importance; negative ones count as 0. Without any
            positive one, every feature weighs the same.
        quality: metric to its value on the holdout.

    Raises:
        DataError: the tables are empty, or no summary is small enough.
    """
    rows = engine.rows(f"SELECT count(*) FROM {identifier(train)}")[0][0]
    if not rows:
        raise DataError("there are no rows to profile", hint="train on a window that has rows")
    weights = weigh([feature.name for feature in features], importances or {})
    answer = _ANSWERS[task]
    for size in _SIZES:
        columns = _profile_table(engine, train, features, weights, size)
        (prediction,) = _profile_table(engine, holdout, [answer], {}, size)
        profile = Profile(
            model=model,
            task=task,
            window=window,
            rows=rows,
            columns=tuple(columns),
            prediction=prediction,
            quality=dict(quality or {}),
        )
        if len(profile.to_json().encode()) <= MAX_BYTES:
            return profile
    raise DataError(
        f"the profile of {len(features)} features is larger than {MAX_BYTES // 1000} KB",
        hint="give the model fewer features",
    )


def weigh(names: Sequence[str], importances: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of every feature: importances cut at 0, as shares of their sum."""
    positive = {
        name: value if math.isfinite(value := importances.get(name, 0.0)) and value > 0 else 0.0
        for name in names
    }
    total = sum(positive.values())
    if not total:
        return dict.fromkeys(names, 1 / len(names)) if names else {}
    return {name: value / total for name, value in positive.items()}


def _profile_table(
    engine: Engine,
    table: str,
    features: Sequence[Feature],
    weights: Mapping[str, float],
    size: tuple[int, int],
) -> list[ColumnProfile]:
    """Profile columns of one registered table, with so many bins and values."""
    summaries = [_summarise(engine, table, feature, *size) for feature in features]
    columns = [Counted(cells, identifier(cells.name)) for cells, _ in summaries]
    rows = Table(f"SELECT 0 AS w, * FROM {identifier(table)}")
    (counts,) = count(engine, rows, columns, 1)
    return [
        ColumnProfile(cells=cells, counts=part, weight=weights.get(cells.name, 0.0), **summary)
        for (cells, summary), part in zip(summaries, counts, strict=True)
    ]


def _summarise(
    engine: Engine, table: str, feature: Feature, bins: int, values: int
) -> tuple[Cells, dict[str, Any]]:
    """Return how a column is to be counted, and what else is known of it."""
    if feature.type in ("number", "integer"):
        return _summarise_numbers(engine, table, feature.name, bins)
    cells = Cells(name=feature.name, kind="boolean" if feature.type == "boolean" else "categorical")
    value = Counted(cells, identifier(feature.name)).sql
    grouped = (
        f"SELECT {value} AS value, count(*) AS n FROM {identifier(table)}"
        " WHERE value IS NOT NULL GROUP BY value"
    )
    top = engine.rows(
        f"SELECT value FROM ({grouped}) WHERE n >= {FEWEST} AND length(value) <= {LONGEST}"
        f" ORDER BY n DESC, value LIMIT {values}"
    )
    ((singletons,),) = engine.rows(f"SELECT count(*) FILTER (WHERE n = 1) FROM ({grouped})")
    listed = tuple(name for (name,) in top)
    return cells.model_copy(update={"values": listed}), {"singletons": singletons}


def _summarise_numbers(
    engine: Engine, table: str, name: str, bins: int
) -> tuple[Cells, dict[str, Any]]:
    """Return the edges of a numeric column and its moments, over its finite values."""
    cells = Cells(name=name, kind="numeric")
    value = Counted(cells, identifier(name)).sql
    inner = bins - 2
    levels = ", ".join(repr(i / (inner - 1)) for i in range(inner))
    # The mean of scaled values, so that sums of very large ones do not overflow.
    quantiles, low, high, mean, sd = engine.rows(
        f"SELECT quantile_disc(x, [{levels}]), min(x), max(x), avg(x), sqrt(avg(d * d)) FROM"
        " (SELECT x, x - avg(x) OVER () AS d FROM"
        f" (SELECT {value} AS x FROM {identifier(table)}) WHERE isfinite(x))"
    )[0]
    if low is None:
        return cells.model_copy(update={"edges": (0.0,)}), {}
    moments = {"mean": mean, "sd": sd}
    return cells.model_copy(update={"edges": bin_edges(quantiles, low)}), {
        "minimum": low,
        "maximum": high,
        **{key: x for key, x in moments.items() if x is not None and math.isfinite(x)},
    }


def bin_edges(quantiles: Sequence[float], low: float) -> tuple[float, ...]:
    """Return the edges of bins: just below the smallest value, then the distinct quantiles.

    The outer bins hold what lies outside the reference, so that values that never occurred are
    not lost in the bin beside them.

    Args:
        quantiles: values of the column, in order, the smallest and the largest among them.
        low: the smallest value.
    """
    edges = [math.nextafter(low, -math.inf), *quantiles]
    # Adding 0.0 turns -0.0 into 0.0: two names of one edge.
    distinct = [edge for edge, _ in itertools.groupby(edge + 0.0 for edge in edges)]
    return tuple(edge for edge in distinct if math.isfinite(edge))
