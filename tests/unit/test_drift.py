"""Drift: quiet on the same distribution, loud on a real shift, and in words."""

# ruff: noqa: S311 (draws of a simulation)

import random
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from ml_gitops.data.schema import Window
from ml_gitops.monitoring.counts import Cells, ColumnCounts, Counts
from ml_gitops.monitoring.drift import DriftPolicy, DriftReport, measure_drift
from ml_gitops.monitoring.profile import ColumnProfile, Profile

SINCE, UNTIL = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 8, tzinfo=UTC)
POLICY = DriftPolicy()
TEN = (1000,) * 10


def numeric(
    name: str, cells: tuple[int, ...] = TEN, nulls: int = 0, weight: float = 0.0
) -> ColumnProfile:
    """Return a numeric column with these reference counts."""
    edges = tuple(float(i) for i in range(len(cells) - 1))
    return ColumnProfile(
        cells=Cells(name=name, kind="numeric", edges=edges),
        counts=ColumnCounts(nulls=nulls, cells=cells),
        weight=weight,
    )


def categorical(
    name: str, cells: tuple[int, ...], singletons: int = 0, weight: float = 0.0
) -> ColumnProfile:
    """Return a categorical column; the last cell holds the unlisted values."""
    values = tuple(f"v{i}" for i in range(len(cells) - 1))
    return ColumnProfile(
        cells=Cells(name=name, kind="categorical", values=values),
        counts=ColumnCounts(nulls=0, cells=cells),
        singletons=singletons,
        weight=weight,
    )


def profile_of(*columns: ColumnProfile) -> Profile:
    """Return a profile of these columns."""
    return Profile(
        model="delay",
        task="binary",
        window=Window(start=date(2013, 1, 1), until=date(2013, 4, 1)),
        rows=columns[0].counts.rows,
        columns=columns,
        prediction=numeric("score"),
    )


def window(
    *columns: tuple[str, tuple[int, ...], int], prediction: tuple[int, ...] = (100,) * 10
) -> Counts:
    """Return the counts of a window: (name, cells, nulls) for each column."""
    return Counts(
        since=SINCE,
        until=UNTIL,
        rows=sum(prediction),
        columns={name: ColumnCounts(nulls=nulls, cells=cells) for name, cells, nulls in columns},
        prediction=ColumnCounts(nulls=0, cells=prediction),
    )


def sample(draw: random.Random, weights: list[float], rows: int) -> list[int]:
    """Draw rows from weighted cells and count them."""
    tally = Counter(draw.choices(range(len(weights)), weights, k=rows))
    return [tally[i] for i in range(len(weights))]


def test_the_same_shares_are_stable() -> None:
    """A window with the reference's own shares has no distance and no reason."""
    profile = profile_of(numeric("temp", weight=1.0))

    report = measure_drift(profile, window(("temp", (100,) * 10, 0)), POLICY)

    (temp,) = report.columns
    assert report.verdict == "stable"
    assert (temp.effect, temp.psi, temp.js, temp.ks) == (0, 0, 0, pytest.approx(0))
    assert temp.text == "temp: moved by w = 0.00, and 0.15 would count"
    assert "0 of 1 features drifted" in report.text


def test_a_shift_is_named_and_weighed() -> None:
    """The share of importance that drifted decides between stable, warning and alarm."""
    moved = (300, 200, 100, 100, 100, 100, 50, 50, 0, 0)
    still = (100,) * 10
    verdicts = {}

    for weight in (0.1, 0.3, 0.5):
        profile = profile_of(numeric("temp", weight=weight), numeric("wind", weight=1 - weight))
        report = measure_drift(profile, window(("temp", moved, 0), ("wind", still, 0)), POLICY)
        verdicts[weight] = report.verdict
        assert [column.name for column in report.drifted] == ["temp"]
        assert report.share == pytest.approx(weight)

    assert verdicts == {0.1: "stable", 0.3: "warning", 0.5: "alarm"}
    assert report.columns[0].text.startswith("temp: its distribution moved by w = 0.")
    assert DriftReport.from_json(report.to_json(), where="drift.json") == report


def test_drifted_predictions_alarm_alone() -> None:
    """Predictions that moved alarm, whatever the features did."""
    profile = profile_of(numeric("temp", weight=1.0))
    moved = (50, 50, 100, 100, 100, 100, 100, 100, 150, 150)

    report = measure_drift(profile, window(("temp", (100,) * 10, 0), prediction=moved), POLICY)

    assert report.verdict == "alarm"
    assert "the predictions moved by w = " in report.text


def test_large_windows_do_not_alarm_on_small_shifts() -> None:
    """With a million rows a harmless shift is significant, and still no drift."""
    profile = profile_of(numeric("temp", cells=(100_000,) * 10, weight=1.0))
    shifted = (102_000, 101_000, *(100_000,) * 6, 99_000, 98_000)

    report = measure_drift(profile, window(("temp", shifted, 0)), POLICY)

    assert report.columns[0].q < 1e-6
    assert not report.columns[0].drifted


def test_small_windows_say_that_they_are_small() -> None:
    """Below the minimum of rows the verdict is insufficient, whatever the numbers."""
    profile = profile_of(numeric("temp", weight=1.0))

    for rows in (0, 1, 29):
        counts = window(("temp", (rows * 10, *(0,) * 9), 0), prediction=(rows,) * 10)
        report = measure_drift(profile, counts, POLICY)
        assert (report.verdict, report.breaks) == ("insufficient", ())
        assert "are too few to tell; 300 are needed" in report.text
        assert not report.columns[0].enough


def test_a_column_of_few_values_is_not_called_steady() -> None:
    """Where nearly every row has no value, the values that are left say nothing either way."""
    profile = profile_of(numeric("temp", nulls=100_000, weight=1.0), numeric("wind"))

    counts = window(("temp", (10,) * 10, 900), ("wind", (100,) * 10, 0))
    report = measure_drift(profile, counts, POLICY)

    temp, wind = report.columns
    assert (temp.enough, wind.enough) == (False, True)
    assert temp.text == "temp: 100 rows are too few to say"
    assert ", 1 with too few rows to say; the predictions moved by" in report.text


def test_first_mistake_rare_values_are_no_drift() -> None:
    """Values the reference never saw raise no alarm where rare values are usual.

    An "unseen" cell put straight into the chi-square test gave a false alarm in every run.
    """
    draw, false_alarms = random.Random(11), 0
    weights = [1 / (i + 1) ** 1.1 for i in range(5000)]

    for _ in range(30):
        reference = sample(draw, weights, 4000)
        listed = sorted(
            (i for i, n in enumerate(reference) if n >= 20), key=lambda i: -reference[i]
        )[:100]
        current = sample(draw, weights, 2000)
        before = [reference[i] for i in listed]
        now = [current[i] for i in listed]
        column = categorical(
            "tail", (*before, 4000 - sum(before)), singletons=reference.count(1), weight=1.0
        )
        report = measure_drift(
            profile_of(column), window(("tail", (*now, 2000 - sum(now)), 0)), POLICY
        )
        assert sum(n for i, n in enumerate(current) if not reference[i]) > 100
        false_alarms += bool(report.drifted or report.breaks)

    assert false_alarms == 0


def test_second_mistake_small_cells_are_no_drift() -> None:
    """A value that one row in a hundred thousand has raises no alarm in a small window.

    Pooled into a cell that is itself tiny, such values gave false alarms in 20% of reports.
    """
    draw, met = random.Random(12), 0
    column = categorical("kind", (70_000, 29_995, 1, 1, 1, 1, 1, 0), weight=1.0)

    for _ in range(300):
        current = (*sample(draw, [0.7, 0.29995] + [0.00001] * 5, 500), 0)
        report = measure_drift(
            profile_of(column), window(("kind", current, 0), prediction=(50,) * 10), POLICY
        )
        met += sum(current[2:]) > 0
        assert not report.drifted

    assert met > 3


def test_stable_data_stays_quiet_and_shifted_data_is_found() -> None:
    """Of 40 windows without drift of 20 columns at most one is named; a moved one always is."""
    draw, named = random.Random(13), 0
    flat = [1.0] * 50

    for _ in range(40):
        columns = [
            numeric(f"x{i}", cells=tuple(sample(draw, flat, 3000)), weight=0.05) for i in range(20)
        ]
        live = [(f"x{i}", tuple(sample(draw, flat, 1000)), 0) for i in range(20)]
        tilted = sample(draw, [1 + (i - 25) / 50 for i in range(50)], 1000)
        quiet = measure_drift(profile_of(*columns), window(*live), POLICY)
        loud = measure_drift(
            profile_of(*columns), window(("x0", tuple(tilted), 0), *live[1:]), POLICY
        )
        named += len(quiet.drifted)
        assert "x0" in {column.name for column in loud.drifted}

    assert named <= 1


def test_broken_contracts_are_listed_apart() -> None:
    """A column that is empty, constant, full of holes or full of new values is said to be."""
    profile = profile_of(
        *(numeric(name) for name in ("gone", "stuck", "holes", "fine")),
        categorical("closed", (6000, 4000, 0)),
        categorical("open", (6000, 2000, 2000), singletons=1500),
    )
    counts = window(
        ("gone", (0,) * 10, 1000),
        ("stuck", (0, 1000, *(0,) * 8), 0),
        ("holes", (90,) * 10, 100),
        ("fine", (100,) * 10, 0),
        ("closed", (500, 350, 150), 0),
        ("open", (500, 150, 350), 0),
    )

    report = measure_drift(profile, counts, POLICY)
    found = {(one.column, one.kind, one.severity) for one in report.breaks}

    assert found == {
        ("gone", "empty", "error"),
        ("stuck", "constant", "error"),
        ("holes", "null rate", "warning"),
        ("closed", "unseen values", "warning"),
    }
    assert "gone has no value in any of 1,000 rows" in {one.text for one in report.breaks}
    assert "open" in {column.name for column in report.drifted}
    assert report.columns[-1].name == "fine"


def test_values_beyond_the_reference_are_drift_and_no_broken_contract() -> None:
    """A heat wave above every known temperature drifts, and is no stuck sensor."""
    profile = profile_of(numeric("temp"))
    counts = window(("temp", (*(0,) * 9, 1000), 0))

    report = measure_drift(profile, counts, POLICY)

    assert not report.breaks
    assert [column.name for column in report.drifted] == ["temp"]


def test_merging_order_does_not_matter() -> None:
    """The report on a sum of windows is the same in whichever order they are added."""
    draw = random.Random(14)
    profile = profile_of(numeric("temp", weight=1.0), categorical("place", (500, 400, 100)))
    days = [
        window(
            ("temp", tuple(sample(draw, [1.0] * 10, 400)), draw.randrange(40)),
            ("place", tuple(sample(draw, [5, 4, 1], 400)), draw.randrange(9)),
            prediction=(40,) * 10,
        )
        for _ in range(3)
    ]

    reports = {
        measure_drift(profile, days[i] + days[j] + days[k], POLICY).to_json()
        for i, j, k in ((0, 1, 2), (2, 1, 0), (1, 2, 0))
    }

    assert len(reports) == 1
