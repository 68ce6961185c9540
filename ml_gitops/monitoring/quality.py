"""Live quality: predictions joined with the labels that came later; only aggregates leave."""

# Statements are composed of quoted identifiers and literals (`sql.py`) and of parameters.
# ruff: noqa: S608

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from ml_gitops.data.schema import Task
from ml_gitops.document import Part
from ml_gitops.monitoring.profile import Measurement
from ml_gitops.monitoring.query import Engine, LabelFiles, PredictionLog, Span, Table, inside

_CLIP = 2.220446049250313e-16
"""Probabilities are kept this far from 0 and 1, as scikit-learn's log loss does."""
_TRUTH = (
    "CASE WHEN lower(trim({})) IN ('1', '1.0', 'true', 't', 'yes') THEN 1.0"
    " WHEN lower(trim({})) IN ('0', '0.0', 'false', 'f', 'no') THEN 0.0 END"
)


class WindowQuality(Part):
    """How good the predictions of one window were.

    Attributes:
        predictions: how many were made (each id once).
        labelled: how many of them have a label by now.
        positives: labelled rows of the positive class; None where there is none.
        repeated_labels: labels that a later one replaced.
        unusable: labelled rows whose label or score is not one.
        metrics: metric to its value and standard error, over the usable rows.
    """

    since: datetime
    until: datetime
    predictions: int = 0
    labelled: int = 0
    positives: int | None = None
    repeated_labels: int = 0
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
    engine: Engine,
    log: PredictionLog,
    labels: LabelFiles,
    *,
    task: Task,
    windows: Sequence[Span],
    releases: Sequence[str],
    as_of: datetime | None = None,
) -> QualityScan:
    """Measure the quality of every window.

    Args:
        engine: where the rows are.
        log: the prediction log; of a repeated id the earliest prediction counts.
        labels: the label files; of a repeated id the last label counts.
        task: decides the metrics. A multiclass log holds one probability per row, so its quality
            is accuracy alone.
        windows: spans that do not overlap, by the time of the prediction.
        releases: releases whose answers count.
        as_of: ignore labels that arrived later, where the files say when.

    Raises:
        DataError: a file is missing, damaged or lacks a column.
    """
    empty = [WindowQuality(since=since, until=until) for since, until in windows]
    predictions = log.table(engine)
    truth = labels.table(engine, until=as_of)
    if predictions is None or not windows or not releases:
        return QualityScan(windows=tuple(empty))
    # Without files nothing is labelled, but predictions are still counted.
    truth = truth or Table(
        "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS y, 0 AS position WHERE false"
    )
    label_rows = engine.rows(f"SELECT count(*) FROM ({truth.sql})", truth.parameters)[0][0]
    joined = join(inside(predictions, windows, releases), truth)
    found = {
        row[0]: _read(task, empty[row[0]], row[1:])
        for row in engine.rows(quality_sql(task, joined.sql), joined.parameters)
    }
    return QualityScan(
        windows=tuple(found.get(index, window) for index, window in enumerate(empty)),
        label_rows=label_rows,
    )


def join(predictions: Table, labels: Table) -> Table:
    """Return one row per predicted id: w, score, label, y (null: no label yet) and repeats."""
    return Table(
        "WITH asked AS (SELECT id, min({'t': t, 'score': score, 'label': label, 'w': w}) AS one"
        f" FROM ({predictions.sql}) WHERE id IS NOT NULL GROUP BY id),"
        " known AS (SELECT id, arg_max(y, position) AS y, count(*) - 1 AS repeats"
        f" FROM ({labels.sql}) SEMI JOIN asked USING (id) GROUP BY id)"
        " SELECT one.w AS w, one.score AS score, one.label AS label, y, repeats"
        " FROM asked LEFT JOIN known USING (id)",
        (*predictions.parameters, *labels.parameters),
    )


def quality_sql(task: Task, joined: str) -> str:
    """Return the statement that reduces joined rows to one row of aggregates per window."""
    body = {"binary": _BINARY, "multiclass": _MULTICLASS, "regression": _REGRESSION}[task]
    return body.replace("{joined}", joined)


_HEAD = "w, count(*) AS predictions, count(y) AS labelled, coalesce(sum(repeats), 0) AS repeats"

_BINARY = (
    # One row per window and score: every aggregate of a binary model is a sum over these.
    f"WITH rated AS (SELECT *, {_TRUTH.format('y', 'y')} AS truth,"
    f" {_TRUTH.format('label', 'label')} AS said,"
    " y IS NOT NULL AND truth IS NOT NULL AND score BETWEEN 0 AND 1 AS usable FROM ({joined})),"
    f" heads AS (SELECT {_HEAD}, count(y) - count(*) FILTER (WHERE usable) AS unusable"
    " FROM rated GROUP BY w),"
    f" losses AS (SELECT w, truth, -ln(greatest(CASE WHEN truth = 1 THEN score ELSE 1 - score END,"
    f" {_CLIP!r})) AS loss, (score - truth) ** 2 AS square,"
    " (coalesce(said, (score >= 0.5)::INTEGER) = truth)::INTEGER AS hit FROM rated WHERE usable),"
    " means AS (SELECT w, count(*) AS n, sum(truth) AS positives, avg(loss), var_samp(loss),"
    " avg(square), var_samp(square), avg(hit), var_samp(hit) FROM losses GROUP BY w),"
    " tied AS (SELECT w, score, sum(truth) AS p, count(*) - sum(truth) AS q"
    " FROM rated WHERE usable GROUP BY w, score),"
    " ranked AS (SELECT w, p, q, sum(p) OVER whole AS ps, sum(q) OVER whole AS qs,"
    " sum(p) OVER below AS p_to, sum(q) OVER below AS q_to FROM tied"
    " WINDOW whole AS (PARTITION BY w), below AS (PARTITION BY w ORDER BY score)),"
    # Placements (DeLong 1988): the share of the other class that a score is on the right side of.
    " placed AS (SELECT w, p, q, ps, qs, (q_to - q / 2) / nullif(qs, 0) AS v,"
    " (ps - p_to + p / 2) / nullif(ps, 0) AS u FROM ranked),"
    " areas AS (SELECT *, sum(p * v) OVER (PARTITION BY w) / nullif(ps, 0) AS area FROM placed),"
    " auc AS (SELECT w, any_value(area) AS area,"
    " sum(p * (v - area) ** 2) / nullif(any_value(ps) - 1, 0) / any_value(ps)"
    " + sum(q * (u - area) ** 2) / nullif(any_value(qs) - 1, 0) / any_value(qs) AS variance"
    " FROM areas GROUP BY w)"
    " SELECT heads.*, means.* EXCLUDE (w), area, variance FROM heads"
    " LEFT JOIN means USING (w) LEFT JOIN auc USING (w) ORDER BY w"
)

_MULTICLASS = (
    f"SELECT {_HEAD}, count(y) - count(label = y) AS unusable, count(label = y) AS n,"
    " avg((label = y)::INTEGER), var_samp((label = y)::INTEGER)"
    " FROM ({joined}) GROUP BY w ORDER BY w"
)

_REGRESSION = (
    "WITH rated AS (SELECT *, TRY_CAST(y AS DOUBLE) - score AS error,"
    " CASE WHEN isfinite(error) THEN error END AS usable FROM ({joined}))"
    f" SELECT {_HEAD}, count(y) - count(usable) AS unusable, count(usable) AS n,"
    " avg(abs(usable)), var_samp(abs(usable)), avg(usable ** 2), var_samp(usable ** 2)"
    " FROM rated GROUP BY w ORDER BY w"
)


def _read(task: Task, window: WindowQuality, row: Sequence[Any]) -> WindowQuality:
    """Return a window with the aggregates of one row."""
    predictions, labelled, repeats, unusable, n, *rest = row
    positives = None
    if task == "binary":
        positives, *rest = rest
        names: tuple[str, ...] = ("log_loss", "brier", "accuracy")
        *rest, area, variance = rest
    else:
        names = ("accuracy",) if task == "multiclass" else ("mae", "mse")
        area = variance = None
    pairs = zip(rest[::2], rest[1::2], strict=True)
    metrics = {
        name: Measurement(value=mean, standard_error=math.sqrt((spread or 0.0) / n), n=n)
        for name, (mean, spread) in zip(names, pairs, strict=True)
        if mean is not None and n > 1
    }
    if area is not None and variance is not None:
        metrics["roc_auc"] = Measurement(value=area, standard_error=math.sqrt(variance), n=n)
    if "mse" in metrics:
        metrics["rmse"] = _root(metrics["mse"])
    return window.model_copy(
        update={
            "predictions": predictions,
            "labelled": labelled,
            "positives": None if task != "binary" else int(positives or 0),
            "repeated_labels": int(repeats),
            "unusable": unusable,
            "metrics": metrics,
        }
    )


def _root(square: Measurement) -> Measurement:
    """Return the square root of a measurement, its standard error by the delta method."""
    root = math.sqrt(square.value)
    error = square.standard_error / (2 * root) if root else 0.0
    return Measurement(value=root, standard_error=error, n=square.n)
