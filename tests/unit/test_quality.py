"""Quality from the log and late labels: held against scikit-learn and DeLong by hand."""

# ruff: noqa: S608 (our own path)

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.data.schema import Task
from ml_gitops.errors import DataError
from ml_gitops.model.evaluation import Answers, measure
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.quality import QualityScan, scan_quality
from ml_gitops.monitoring.rollback import pair

START = datetime(2013, 4, 1, tzinfo=UTC)
WEEKS = [(START + timedelta(days=7 * i), START + timedelta(days=7 * i + 7)) for i in range(3)]
RELEASE = "delay@v1.0.0"


@pytest.fixture
def engine() -> Iterator[DuckDBWarehouse]:
    """Give an engine of its own to every test."""
    with DuckDBWarehouse(threads=1) as warehouse:
        yield warehouse


def write_log(folder: Path, scores: list[Any], **changes: Any) -> LogFiles:
    """Write a log with these scores, `row-0` first."""
    path = folder / "log.jsonl"
    records = [
        {
            "id": f"row-{i}",
            "time": (START + timedelta(hours=i % 100)).isoformat(),
            "release": RELEASE,
            "features": {},
            "score": score,
            "label": None,
        }
        | {name: value[i] if isinstance(value, list) else value for name, value in changes.items()}
        for i, score in enumerate(scores)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return LogFiles(paths=(str(path),))


def write_labels(folder: Path, rows: list[tuple[str, Any]], name: str = "a.csv") -> LabelFiles:
    """Write a CSV of ids and labels."""
    lines = [f'"{key}","{value}"' for key, value in rows]
    (folder / name).write_text("\n".join(['"id","was late"', *lines]) + "\n")
    return LabelFiles(paths=(str(folder / "*.csv"),), target="was late")


def look(
    engine: DuckDBWarehouse,
    log: LogFiles,
    labels: LabelFiles,
    task: Task = "binary",
    **changes: Any,
) -> QualityScan:
    """Measure quality in three weeks."""
    asked: dict[str, Any] = {"windows": WEEKS, "units": "rows"} | changes
    with look_at(engine, log, labels, spans=asked["windows"], releases=[RELEASE]) as seen:
        return scan_quality(seen, labels, task=task, **asked)


def delong(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Return AUC and its standard error, by comparing every pair."""
    positive, negative = scores[truth == 1], scores[truth == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    by_positive, by_negative = wins.mean(axis=1), wins.mean(axis=0)
    variance = by_positive.var(ddof=1) / len(positive) + by_negative.var(ddof=1) / len(negative)
    return wins.mean(), variance**0.5


@pytest.mark.parametrize("digits", [1, 12])
def test_binary_quality_equals_scikit_learn(
    engine: DuckDBWarehouse, tmp_path: Path, digits: int
) -> None:
    """Log loss, Brier, accuracy and AUC with their errors are exact, with and without ties."""
    from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

    draw = np.random.default_rng(digits)
    truth = draw.integers(0, 2, 400)
    scores = np.clip(0.5 * draw.random(400) + 0.4 * truth * draw.random(400), 0, 1).round(digits)
    log = write_log(tmp_path, scores.tolist())
    labels = write_labels(tmp_path, [(f"row-{i}", y) for i, y in enumerate(truth)])

    window = look(engine, log, labels).windows[0]
    found = {name: one.value for name, one in window.metrics.items()}
    area, error = delong(truth, scores)
    safe = np.clip(scores, np.finfo(float).eps, 1)
    losses = -np.log(np.where(truth == 1, safe, 1 - scores))

    assert (window.predictions, window.labelled, window.positives) == (400, 400, truth.sum())
    assert window.coverage == 1
    assert found["roc_auc"] == pytest.approx(roc_auc_score(truth, scores)) == area
    assert window.metrics["roc_auc"].standard_error == pytest.approx(error)
    assert found["log_loss"] == pytest.approx(log_loss(truth, scores))
    assert window.metrics["log_loss"].standard_error == pytest.approx(losses.std(ddof=1) / 400**0.5)
    assert found["brier"] == pytest.approx(brier_score_loss(truth, scores))
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, scores >= 0.5))


def test_a_certain_mistake_costs_the_same_everywhere(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """Scores of 0 and 1 that are wrong cost one log loss on the holdout, live and in a rollback."""
    truth, scores = np.array([1, 0, 1, 0]), np.array([0.0, 1.0, 1.0, 0.25])
    answers = Answers("binary", ("false", "true"), np.column_stack([1 - scores, scores]))
    log = write_log(tmp_path, scores.tolist())
    labels = write_labels(tmp_path, [(f"row-{i}", y) for i, y in enumerate(truth)])

    holdout, _ = measure(truth, answers, ["log_loss"])
    window = look(engine, log, labels).windows[0]
    paired = pair("binary", [START.date()] * 4, [str(y) for y in truth], scores.tolist(), [0.5] * 4)

    expected = holdout["log_loss"].value
    assert expected == pytest.approx((2 * 36.0436534 - np.log(0.75)) / 4)
    assert window.metrics["log_loss"].value == pytest.approx(expected)
    assert paired.total.serving / paired.total.n == pytest.approx(expected)


def test_regression_quality(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """MAE, MSE and RMSE are exact; a label that is no number, or beyond any, is unusable."""
    draw = np.random.default_rng(3)
    truth, scores = draw.normal(10, 3, 200), draw.normal(10, 3, 200)
    log = write_log(tmp_path, [*scores.tolist(), 1.0, None, 1.0])
    rows = [(f"row-{i}", y) for i, y in enumerate(truth)]
    odd = [("row-200", "unknown"), ("row-201", 1), ("row-202", "1e200")]
    labels = write_labels(tmp_path, [*rows, *odd])

    window = look(engine, log, labels, task="regression").windows[0]
    errors = truth - scores

    assert (window.labelled, window.unusable) == (203, 3)
    assert window.metrics["mae"].value == pytest.approx(abs(errors).mean())
    assert window.metrics["mae"].standard_error == pytest.approx(abs(errors).std(ddof=1) / 200**0.5)
    assert window.metrics["rmse"].value == pytest.approx((errors**2).mean() ** 0.5)
    assert window.metrics["mse"].value == pytest.approx((errors**2).mean())


def test_multiclass_quality_is_accuracy(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """The log has one probability per row, so a multiclass model is judged by its labels."""
    log = write_log(tmp_path, [0.5] * 4, label=["a", "b", "é", None])
    labels = write_labels(
        tmp_path, [("row-0", "a"), ("row-1", "a"), ("row-2", "é"), ("row-3", "a")]
    )

    window = look(engine, log, labels, task="multiclass").windows[0]

    assert set(window.metrics) == {"accuracy"}
    assert window.metrics["accuracy"].value == pytest.approx(2 / 3)
    assert window.unusable == 1


def test_the_last_label_wins_and_the_first_prediction_counts(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """A later row or file corrects a label; a prediction that is logged again changes nothing."""
    log = write_log(
        tmp_path,
        [0.9, 0.2, 0.1],
        id=["a", "b", "a"],
        time=["2013-04-01T00:00:00Z", "2013-04-01T00:00:00Z", "2013-04-02T00:00:00Z"],
    )
    write_labels(tmp_path, [("a", "false"), ("a", "true")], "1.csv")
    labels = write_labels(tmp_path, [("b", "true"), ("b", "false"), ("z", "true")], "2.csv")

    found = look(engine, log, labels)
    window = found.windows[0]

    assert (window.predictions, window.labelled) == (2, 2)
    assert window.positives == 1
    assert window.metrics["accuracy"].value == 1
    assert found.label_rows == 5


def test_what_was_received_first_is_held_to_the_label(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """A client cannot change what is judged by asking again with an earlier time."""
    log = write_log(
        tmp_path,
        [0.1, *[0.9] * 500, 0.8],
        id=["a"] * 501 + ["b"],
        time=["2013-04-02T00:00:00Z"] + ["2013-04-01T00:00:00Z"] * 501,
        received=["2013-04-02T00:00:00Z"] + ["2013-04-02T00:00:01Z"] * 501,
    )

    window = look(engine, log, write_labels(tmp_path, [("a", 0), ("b", 1)])).windows[0]

    assert (window.predictions, window.labelled) == (2, 2)
    assert window.metrics["accuracy"].value == 1


def test_labels_that_arrive_later_are_not_known_yet(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """With a column of arrival, only the labels known at `as_of` count, the newest of them."""
    log = write_log(tmp_path, [0.9, 0.2])
    (tmp_path / "l.csv").write_text(
        "id,y,seen\nrow-0,1,2013-04-05\nrow-0,0,2013-04-03\nrow-1,1,2013-05-01\n"
    )
    labels = LabelFiles(paths=(str(tmp_path / "l.csv"),), target="y", arrived="seen")

    tenth = datetime(2013, 4, 10, tzinfo=UTC)
    early = look(engine, log, labels.model_copy(update={"as_of": tenth})).windows[0]
    late = look(engine, log, labels).windows[0]

    assert (early.labelled, early.positives) == (1, 1)
    assert (late.labelled, late.positives) == (2, 2)


def test_every_window_and_only_our_releases(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Windows are told apart by the time of the prediction; other releases do not count."""
    times = [(START + timedelta(days=day)).isoformat() for day in (0, 7, 8, 14, 60)]
    releases = [RELEASE, RELEASE, RELEASE, "delay@v0.9.0", RELEASE]
    log = write_log(tmp_path, [0.5] * 5, time=times, release=releases)
    labels = write_labels(tmp_path, [("row-0", 1), ("row-1", 0)])

    windows = look(engine, log, labels).windows

    assert [window.predictions for window in windows] == [1, 2, 0]
    assert [window.labelled for window in windows] == [1, 1, 0]
    assert windows[1].coverage == 0.5


@pytest.mark.parametrize("truth", [[1, 1, 1], [0, 0, 0]])
def test_one_class_only_has_no_auc(
    engine: DuckDBWarehouse, tmp_path: Path, truth: list[int]
) -> None:
    """Where a class is missing there is no AUC, and the other metrics stand."""
    log = write_log(tmp_path, [0.0, 1.0, 0.5])
    labels = write_labels(tmp_path, [(f"row-{i}", y) for i, y in enumerate(truth)])

    window = look(engine, log, labels).windows[0]

    assert set(window.metrics) == {"log_loss", "brier", "accuracy"}
    assert window.metrics["log_loss"].value < 40


def test_what_is_no_label_or_no_score_is_unusable(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Labels beyond true and false and scores beyond 0 to 1 are counted and left out."""
    log = write_log(tmp_path, [0.5, None, 1.5, 0.9, 0.1])
    rows = [("row-0", "maybe"), ("row-1", 1), ("row-2", 1), ("row-3", "TRUE"), ("row-4", " 0 ")]

    window = look(engine, log, write_labels(tmp_path, rows)).windows[0]

    assert (window.labelled, window.unusable, window.positives) == (5, 3, 1)
    assert window.metrics["accuracy"].n == 2


def test_no_labels_and_no_log_are_empty(engine: DuckDBWarehouse, tmp_path: Path) -> None:
    """Without label files predictions are still counted; without a log there is nothing."""
    log = write_log(tmp_path, [0.5, 0.6])
    none = LabelFiles(paths=(str(tmp_path / "*.csv"),), target="was late")

    window = look(engine, log, none).windows[0]
    nothing = look(engine, LogFiles(paths=(str(tmp_path / "*.parquet"),)), none).windows[0]

    assert (window.predictions, window.labelled, window.metrics) == (2, 0, {})
    assert (nothing.predictions, nothing.coverage) == (0, 0)


def test_a_label_file_without_the_target_is_refused(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """The column that is missing is named, and the file; what is in it is not told."""
    log = write_log(tmp_path, [0.5])
    (tmp_path / "l.csv").write_text("id,other\nrow-0,1\n")

    with pytest.raises(DataError, match=r"l\.csv: there is no column 'y'; it has 2;"):
        look(engine, log, LabelFiles(paths=(str(tmp_path / "l.csv"),), target="y"))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_labels_come_in_other_formats(engine: DuckDBWarehouse, tmp_path: Path, form: str) -> None:
    """JSON lines and Parquet labels join as CSV does, with their own types."""
    import duckdb

    log = write_log(tmp_path, [0.9, 0.1])
    path = tmp_path / f"labels.{form}"
    with duckdb.connect() as connection:
        kind = "json" if form == "jsonl" else "parquet"
        connection.execute(
            "COPY (SELECT * FROM (VALUES ('row-0', true), ('row-1', NULL)) t(id, y))"
            f" TO '{path}' (FORMAT {kind})"
        )

    window = look(engine, log, LabelFiles(paths=(str(path),), target="y")).windows[0]

    assert (window.labelled, window.positives) == (1, 1)


def test_errors_over_days_are_those_of_the_evaluation(
    engine: DuckDBWarehouse, tmp_path: Path
) -> None:
    """Live errors by day equal those that the evaluation gives the same rows, collapsed by day."""
    random = np.random.default_rng(5)
    days = random.integers(0, 7, 600)
    truth = (random.random(600) < 0.2 + 0.05 * days).astype(int)
    scores = np.clip(0.2 + 0.2 * truth + random.normal(0, 0.1, 600), 0.01, 0.99).round(2)
    answers = Answers("binary", ("false", "true"), np.column_stack([1 - scores, scores]))
    log = tmp_path / "log.jsonl"
    log.write_text(
        "".join(
            json.dumps(
                {
                    "id": str(row),
                    "time": (START + timedelta(days=int(day), minutes=row)).isoformat(),
                    "release": RELEASE,
                    "score": float(score),
                    "label": None,
                }
            )
            + "\n"
            for row, (day, score) in enumerate(zip(days, scores, strict=True))
        )
    )
    labels = tmp_path / "labels.csv"
    labels.write_text("id,late\n" + "".join(f"{row},{y}\n" for row, y in enumerate(truth)))
    span = (START, START + timedelta(days=8))

    found = look(
        engine,
        LogFiles(paths=(str(log),)),
        LabelFiles(paths=(str(labels),), target="late"),
        windows=[span],
        units="days",
    )
    expected, _ = measure(truth, answers, ["roc_auc", "log_loss", "brier"], days)

    (window,) = found.windows
    for name, one in expected.items():
        assert window.metrics[name].value == pytest.approx(one.value)
        # The evaluation's terms carry the small-sample factor of rows as well.
        assert window.metrics[name].standard_error == pytest.approx(one.standard_error, rel=0.005)
