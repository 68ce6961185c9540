"""Live quality: predictions joined with the labels that came later; only aggregates leave."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field

from ml_gitops.data.schema import Task
from ml_gitops.document import Part
from ml_gitops.errors import DataError
from ml_gitops.model.interval import Measurement, Units, spread_over_days
from ml_gitops.model.metrics import SMALLEST_PROBABILITY
from ml_gitops.monitoring.labels import LARGEST_ERROR, TRUTH, LabelFiles
from ml_gitops.monitoring.look import Look
from ml_gitops.monitoring.query import Span


class WindowQuality(Part):
    """How good the predictions of one window were.

    Attributes:
        predictions: how many were made (each id once).
        labelled: how many of them have a label by now.
        positives: labelled rows of the positive class; None where there is none.
        unusable: labelled rows whose label or score is not one.
        metrics: metric to its value and standard error, over the usable rows.
    """

    since: datetime
    until: datetime
    predictions: int = 0
    labelled: int = 0
    positives: int | None = None
    unusable: int = 0
    metrics: dict[str, Measurement] = Field(default_factory=dict)

    @property
    def coverage(self) -> float:
        """The share of predictions that have a label."""
        return self.labelled / self.predictions if self.predictions else 0.0


class QualityScan(Part):
    """Quality window by window, and how many labels were read to find it.

    Attributes:
        label_rows: labels in the files; if there are many and none joined, the ids differ.
    """

    windows: tuple[WindowQuality, ...]
    label_rows: int = 0


def scan_quality(
    look: Look, labels: LabelFiles, *, task: Task, windows: Sequence[Span], units: Units = "days"
) -> QualityScan:
    """Measure the quality of every window.

    Args:
        look: log and labels as they were read.
        labels: where they came from, for who has to correct them.
        task: decides the metrics. A multiclass log holds one probability per row, so its quality
            is accuracy alone.
        windows: spans that do not overlap, among those of the look, by the time of the prediction.
        units: what standard errors take as independent: days, or rows.

    Raises:
        DataError: labels and predictions have nothing to do with each other.
    """
    refuse_strangers(look, labels)
    days: dict[int, list[Sequence[Any]]] = {}
    for window, _, *sums in look.engine.rows(quality_sql(task, joined(look, windows))):
        days.setdefault(window, []).append(sums)
    return QualityScan(
        windows=tuple(
            _read(task, WindowQuality(since=since, until=until), days.get(index), units)
            for index, (since, until) in enumerate(windows)
        ),
        label_rows=look.label_rows,
    )


def count_labelled(look: Look, *, since: date) -> int:
    """Count labelled predictions from a day on, of every release: what there is to learn from."""
    ((found,),) = look.engine.rows(
        f"SELECT count(DISTINCT hash(id)) FROM {look.name} WHERE y IS NOT NULL"
        f" AND t >= TIMESTAMPTZ '{since.isoformat()} 00:00:00+00'"
    )
    return int(found)


def refuse_strangers(look: Look, labels: LabelFiles) -> None:
    """Refuse labels none of which is of any prediction, whichever window or release.

    Labels of other windows are late or early; labels of no prediction are a mistake.
    """
    ((rows, labelled),) = look.engine.rows(f"SELECT count(*), count(y) FROM {look.name}")
    if look.label_rows and rows and not labelled:
        raise DataError(
            f"none of {look.label_rows:,} labels has the id of a prediction",
            hint=f"give labels the same {labels.id!r} as requests, or correct `id` in [data]",
            where=labels.paths[0],
        )


def joined(look: Look, windows: Sequence[Span]) -> str:
    """Return the SQL of one row per id: w, day, score, label, y (null: no label yet)."""
    return (
        "SELECT w, t::DATE AS day, score, label, y"
        f" FROM ({look.inside(windows)}) WHERE id IS NOT NULL"
    )


def quality_sql(task: Task, rows: str) -> str:
    """Return the statement that reduces joined rows to one row of sums per window and day."""
    body = {"binary": _BINARY, "multiclass": _MULTICLASS, "regression": _REGRESSION}[task]
    return body.replace("{joined}", rows)


_HEAD = "w, day, count(*) AS predictions, count(y) AS labelled"

_BINARY = (
    f"WITH rated AS (SELECT *, {TRUTH.format('y', 'y')} AS truth,"
    f" {TRUTH.format('label', 'label')} AS said,"
    " coalesce(y IS NOT NULL AND truth IS NOT NULL AND score BETWEEN 0 AND 1, false) AS usable"
    " FROM ({joined})),"
    # Placements (DeLong 1988): the share of the other class that a score is on the right side of.
    " tied AS (SELECT w, score, sum(truth) AS p, count(*) - sum(truth) AS q"
    " FROM rated WHERE usable GROUP BY w, score),"
    " ranked AS (SELECT w, score, p, q, sum(p) OVER whole AS ps, sum(q) OVER whole AS qs,"
    " sum(p) OVER below AS p_to, sum(q) OVER below AS q_to FROM tied"
    " WINDOW whole AS (PARTITION BY w), below AS (PARTITION BY w ORDER BY score)),"
    " placed AS (SELECT w, score, p, ps, qs, (q_to - q / 2) / nullif(qs, 0) AS v,"
    " (ps - p_to + p / 2) / nullif(ps, 0) AS u FROM ranked),"
    " areas AS (SELECT *, sum(p * v) OVER (PARTITION BY w) / nullif(ps, 0) AS area FROM placed),"
    # What each row adds to the area, so that any grouping of rows gives a standard error.
    " pulled AS (SELECT rated.w AS w, day, y, usable, truth, area, coalesce(said,"
    " (rated.score >= 0.5)::INTEGER) = truth AS hit,"
    " CASE WHEN usable THEN -ln(greatest(CASE WHEN truth = 1 THEN rated.score ELSE 1 - rated.score"
    f" END, {SMALLEST_PROBABILITY!r})) END AS loss,"
    " CASE WHEN usable THEN (rated.score - truth) ** 2 END AS square,"
    " CASE WHEN truth = 1 THEN (v - area) / ps ELSE (u - area) / qs END AS pull,"
    " CASE WHEN truth = 1 THEN ps / nullif(ps - 1, 0) ELSE qs / nullif(qs - 1, 0) END AS small"
    " FROM rated LEFT JOIN areas ON usable AND rated.w = areas.w AND rated.score = areas.score)"
    f" SELECT {_HEAD}, count_if(y IS NOT NULL AND NOT usable), count(loss),"
    " sum(truth) FILTER (WHERE usable), any_value(area), sum(pull), sum(pull ** 2 * small),"
    " sum(loss), sum(loss ** 2), sum(square), sum(square ** 2),"
    " count_if(hit AND usable), count_if(hit AND usable)"
    " FROM pulled GROUP BY w, day ORDER BY w, day"
)

_MULTICLASS = (
    f"SELECT {_HEAD}, count_if(y IS NOT NULL AND label IS NULL),"
    " count(*) FILTER (WHERE y IS NOT NULL AND label IS NOT NULL),"
    " count_if(label = y), count_if(label = y)"
    " FROM ({joined}) GROUP BY w, day ORDER BY w, day"
)

_REGRESSION = (
    "WITH rated AS (SELECT *, TRY_CAST(y AS DOUBLE) - score AS error,"
    f" CASE WHEN abs(error) < {LARGEST_ERROR!r} THEN error END AS usable FROM ({{joined}}))"
    f" SELECT {_HEAD}, count(y) - count(usable), count(usable),"
    " sum(abs(usable)), sum(usable ** 2), sum(usable ** 2), sum(usable ** 4)"
    " FROM rated GROUP BY w, day ORDER BY w, day"
)

_MEANS: dict[Task, tuple[str, ...]] = {
    "binary": ("log_loss", "brier", "accuracy"),
    "multiclass": ("accuracy",),
    "regression": ("mae", "mse"),
}


def _read(
    task: Task, window: WindowQuality, days: Sequence[Sequence[Any]] | None, units: Units
) -> WindowQuality:
    """Return a window with the metrics that its days add up to."""
    if not days:
        return window
    predictions, labelled, unusable, n = (sum(row[place] for row in days) for place in range(4))
    positives = int(sum(row[4] or 0 for row in days)) if task == "binary" else None
    first = 8 if task == "binary" else 4
    counts = [row[3] for row in days]
    metrics: dict[str, Measurement] = {}
    for place, name in enumerate(_MEANS[task]):
        sums = [row[first + 2 * place] or 0.0 for row in days]
        squares = [row[first + 2 * place + 1] or 0.0 for row in days]
        metrics |= _mean(name, counts, sums, squares, units)
    if task == "binary":
        metrics |= _area(days, n, units)
    if "mse" in metrics:
        metrics["rmse"] = _root(metrics["mse"])
    return window.model_copy(
        update={
            "predictions": predictions,
            "labelled": labelled,
            "positives": positives,
            "unusable": unusable,
            "metrics": metrics,
        }
    )


def _mean(
    name: str,
    counts: Sequence[int],
    sums: Sequence[float],
    squares: Sequence[float],
    units: Units,
) -> dict[str, Measurement]:
    """Return a mean with its error over days (Liang and Zeger 1986) or over rows."""
    n = sum(counts)
    if n < 2:
        return {}
    mean = math.fsum(sums) / n
    by_row = math.sqrt(max(math.fsum(squares) - n * mean**2, 0.0) / (n - 1) / n)
    if units == "rows":
        return {name: Measurement(value=mean, standard_error=by_row, n=n)}
    days = zip(sums, counts, strict=True)
    pulls = [(total - mean * one) / n for total, one in days if one]
    return _over_days(name, mean, pulls, by_row, n)


def _area(days: Sequence[Sequence[Any]], n: int, units: Units) -> dict[str, Measurement]:
    """Return the area under the ROC curve with its error over days, or DeLong's over rows."""
    area = next((row[5] for row in days if row[5] is not None), None)
    labelled = [row for row in days if row[3]]
    if area is None or any(row[7] is None for row in labelled):
        return {}
    by_row = math.sqrt(math.fsum(row[7] for row in labelled))
    if units == "rows":
        return {"roc_auc": Measurement(value=area, standard_error=by_row, n=n)}
    return _over_days("roc_auc", area, [row[6] for row in labelled], by_row, n)


def _over_days(
    name: str, value: float, pulls: Sequence[float], by_row: float, n: int
) -> dict[str, Measurement]:
    """Return a metric with the error of what its labelled days add up to; one day has none."""
    if len(pulls) < 2:
        return {}
    return {name: Measurement.of(value, spread_over_days(pulls, by_row, n))}


def _root(square: Measurement) -> Measurement:
    """Return the square root of a measurement, its standard error by the delta method."""
    root = math.sqrt(square.value)
    error = square.standard_error / (2 * root) if root else 0.0
    return square.model_copy(update={"value": root, "standard_error": error})
