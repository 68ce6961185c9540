"""Rollback: paired losses add up, days are the evidence, and doubt changes nothing."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.adapters.warehouse import DuckDBWarehouse
from ml_gitops.data.schema import Feature
from ml_gitops.document import Missing
from ml_gitops.monitoring.labels import LabelFiles
from ml_gitops.monitoring.log import LogFiles
from ml_gitops.monitoring.look import look_at
from ml_gitops.monitoring.rollback import (
    DayLoss,
    PairedLoss,
    RollbackPolicy,
    answered_rows,
    decide_rollback,
    feature_types,
    pair,
)

FIRST = date(2024, 3, 1)
# Whole numbers, so that sums are exact in any order.
DAY_LOSSES = st.builds(
    DayLoss,
    n=st.integers(min_value=1, max_value=1000),
    serving=st.integers(min_value=0, max_value=10**6).map(float),
    before=st.integers(min_value=0, max_value=10**6).map(float),
)
DAYS = st.dates(min_value=FIRST, max_value=FIRST + timedelta(days=20))
LOSSES = st.builds(PairedLoss, days=st.dictionaries(DAYS, DAY_LOSSES, max_size=8))
POLICY = RollbackPolicy()


@given(LOSSES, LOSSES, LOSSES)
def test_paired_losses_are_a_commutative_monoid(
    a: PairedLoss, b: PairedLoss, c: PairedLoss
) -> None:
    """Batches may be counted in any order and grouping; nothing adds nothing."""
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + PairedLoss() == PairedLoss() + a == a


@given(LOSSES, LOSSES)
def test_totals_add_up(a: PairedLoss, b: PairedLoss) -> None:
    """The total of a sum is the sum of the totals, and no summand is changed."""
    before = a.model_dump_json()

    together = a + b

    assert together.total == a.total + b.total
    assert a.model_dump_json() == before


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(DAYS, st.sampled_from(["0", "1"]), st.floats(0, 1), st.floats(0, 1)),
        min_size=1,
        max_size=30,
    ),
    st.integers(min_value=1, max_value=10),
)
def test_batches_of_any_size_find_the_same(
    rows: list[tuple[date, str, float, float]], size: int
) -> None:
    """Row by row or all at once: the same days, the same counts, the same mean."""
    whole = pair("binary", *map(list, zip(*rows, strict=True)))

    parts = [
        pair("binary", *map(list, zip(*rows[at : at + size], strict=True)))
        for at in range(0, len(rows), size)
    ]
    added = reduce(lambda one, other: one + other, parts, PairedLoss())

    assert added.days.keys() == whole.days.keys()
    assert added.total.n == whole.total.n == len(rows)
    assert added.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-9)


def test_binary_losses_are_log_losses() -> None:
    """The loss is -log of the probability of what happened; certainty in error stays finite."""
    found = pair("binary", [FIRST] * 3, ["1", "0", "true"], [0.8, 0.4, 0.0], [0.5, 0.5, 1.0])

    serving = -math.log(0.8) - math.log(0.6) - math.log(np.finfo(float).eps)
    assert found.total.n == 3
    assert found.total.serving == pytest.approx(serving)
    assert found.total.before == pytest.approx(2 * math.log(2))


def test_regression_losses_are_squared_errors() -> None:
    """The loss is the square of the error, per day."""
    days = [FIRST, FIRST, FIRST + timedelta(days=1)]

    found = pair("regression", days, ["1", "2.5", "-3"], [2.0, 2.5, 0.0], [1.0, 0.5, -3.0])

    assert found.days == {
        FIRST: DayLoss(n=2, serving=1.0, before=4.0, squares=17.0),
        FIRST + timedelta(days=1): DayLoss(n=1, serving=9.0, before=0.0, squares=81.0),
    }


@pytest.mark.parametrize(
    ("label", "now", "then"),
    [
        ("perhaps", 0.5, 0.5),
        ("", 0.5, 0.5),
        ("2", 0.5, 0.5),
        ("1", None, 0.5),
        ("1", 0.5, None),
        ("1", math.nan, 0.5),
        ("1", 0.5, math.inf),
        ("1", 1.2, 0.5),
        ("0", 0.5, -0.1),
    ],
)
def test_rows_that_cannot_be_compared_are_left_out(
    label: str, now: float | None, then: float | None
) -> None:
    """Both releases are compared on the same rows, or not on this one."""
    assert pair("binary", [FIRST], [label], [now], [then]) == PairedLoss()


@pytest.mark.parametrize("label", ["many", "nan", "inf", "1e200", ""])
def test_labels_that_are_no_numbers_are_left_out(label: str) -> None:
    """A regression's label must be a finite number."""
    assert pair("regression", [FIRST], [label], [1.0], [1.0]) == PairedLoss()


def losses(
    gaps: list[float], *, rows: int = 100, serving: float = 0.6, before: float | None = None
) -> PairedLoss:
    """Return one day per gap: how much more the serving release loses per row."""
    days = {}
    for n, gap in enumerate(gaps):
        ours = serving * rows
        theirs = ours - gap * rows if before is None else before * rows
        squares = (ours - theirs) ** 2 / rows
        day = DayLoss(n=rows, serving=ours, before=theirs, squares=squares)
        days[FIRST + timedelta(days=n)] = day
    return PairedLoss(days=days)


def test_the_standard_error_is_that_of_the_mean_of_days() -> None:
    """With equal days it is the textbook's: standard deviation over the root of the days."""
    gaps = [0.02, 0.05, -0.01, 0.08, 0.03]

    loss = losses(gaps)

    assert loss.mean == pytest.approx(np.mean(gaps))
    assert loss.standard_error == pytest.approx(np.std(gaps, ddof=1) / math.sqrt(len(gaps)))


def test_days_that_agree_by_chance_prove_no_more_than_their_rows() -> None:
    """Where rows are noisy, a few days that look alike do not make the error small."""
    noise = np.random.default_rng(7).normal(0.1, 1.0, size=(7, 50))
    noise += 0.1 - noise.mean(axis=1, keepdims=True)  # every day has the very same mean
    days = {
        FIRST + timedelta(days=n): DayLoss(
            n=50, serving=float(day.sum()), before=0.0, squares=float((day**2).sum())
        )
        for n, day in enumerate(noise)
    }

    error = PairedLoss(days=days).standard_error

    assert error == pytest.approx(noise.std(ddof=1) / math.sqrt(noise.size))


@pytest.mark.parametrize("gaps", [[], [0.5]])
def test_one_day_is_no_evidence(gaps: list[float]) -> None:
    """The error of fewer than two days is infinite, however many rows they have."""
    assert losses(gaps, rows=10**6).standard_error == math.inf


def test_rows_of_one_day_do_not_multiply_the_evidence() -> None:
    """A hundred times the rows on the same days is the same evidence."""
    gaps = [0.02, 0.05, -0.01, 0.08, 0.03]

    few, many = losses(gaps), losses(gaps, rows=10_000)

    assert many.standard_error == pytest.approx(few.standard_error)


CLEAR = [0.09, 0.11, 0.10, 0.12, 0.08, 0.10, 0.10]


@pytest.mark.parametrize(
    ("loss", "before", "rolls_back", "said"),
    [
        (losses(CLEAR), "churn@v1.0.0", True, "is better: its mean loss is 0.5000, that of churn@"),
        (losses(CLEAR), None, False, "nothing to go back to"),
        (Missing(reason="there are no labels yet"), "churn@v1.0.0", False, "no labels yet"),
        (losses(CLEAR[:6]), "churn@v1.0.0", False, "on 600 rows of 6 days only"),
        (losses(CLEAR, rows=10), "churn@v1.0.0", False, "on 70 rows of 7 days only"),
        (losses([-one for one in CLEAR]), "churn@v1.0.0", False, "days; higher by 0.1000 (17%)"),
        (losses([0.0] * 7), "churn@v1.0.0", False, "labelled rows of 7 days"),
        (losses([0.005] * 7), "churn@v1.0.0", False, "not better beyond doubt"),
        (losses([0.9, *[-0.05] * 6]), "churn@v1.0.0", False, "not better beyond doubt"),
        (losses([0.05] * 7), "churn@v1.0.0", True, "lower by 0.0500 (8%), alike on every day"),
    ],
    ids=[
        "clear", "first release", "no labels", "a day too few", "rows too few", "worse before",
        "equal", "below the margin", "one bad day", "no spread at all",
    ],
)  # fmt: skip
def test_only_what_is_beyond_doubt_and_matters_goes_back(
    loss: PairedLoss | Missing, before: str | None, *, rolls_back: bool, said: str
) -> None:
    """Enough rows and days, a loss that matters, more than chance; else it says why not."""
    decision = decide_rollback("churn@v1.1.0", before, loss, POLICY)

    assert decision.roll_back is rolls_back
    assert said in decision.headline
    assert decision.to == before


@given(LOSSES)
def test_no_rollback_without_a_mean_that_is_better(loss: PairedLoss) -> None:
    """Whatever the numbers: it goes back only to what lost less, and is a document either way."""
    decision = decide_rollback("churn@v1.1.0", "churn@v1.0.0", loss, POLICY)

    assert not decision.roll_back or loss.total.before < loss.total.serving
    assert type(decision).from_json(decision.to_json(), where="rollback.json") == decision


def test_the_fingerprint_is_the_pair_of_releases() -> None:
    """Other numbers about the same two are the same evidence; refused once, it stays refused."""
    one = decide_rollback("churn@v1.1.0", "churn@v1.0.0", losses(CLEAR), POLICY)
    more = decide_rollback("churn@v1.1.0", "churn@v1.0.0", losses([0.2] * 9), POLICY)
    other = decide_rollback("churn@v1.2.0", "churn@v1.0.0", losses(CLEAR), POLICY)

    assert one.fingerprint == more.fingerprint != other.fingerprint


def test_the_answer_received_first_is_compared(tmp_path: Path) -> None:
    """Asking again, with an earlier time and other values, changes no row of the comparison."""
    first = {"id": "a", "time": "2024-03-02T00:00:00Z", "received": "2024-03-02T00:00:00Z"}
    again = {"id": "a", "time": "2024-03-01T00:00:00Z", "received": "2024-03-02T00:00:01Z"}
    rest = {"release": "r", "score": 0.25, "features": {"load": 1.5, "plan": "pro"}}
    other = {"release": "r", "score": 0.75, "features": {"load": 9.5, "plan": None}}
    records = [*[again | other] * 99, first | rest, *[again | other] * 99]
    log, labels = tmp_path / "log.jsonl", tmp_path / "labels.csv"
    log.write_text("".join(json.dumps(one) + "\n" for one in records))
    labels.write_text("id,y\na,0\na, TRUE\n")
    features = (Feature(name="load", type="number"), Feature(name="plan", type="string"))
    march = (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))

    with (
        DuckDBWarehouse(threads=1) as engine,
        look_at(
            engine,
            LogFiles(paths=(str(log),)),
            LabelFiles(paths=(str(labels),), target="y"),
            fields=feature_types(features),
            spans=[march],
            releases=["r"],
        ) as look,
    ):
        found = engine.rows(answered_rows(look, features, [march]))

    assert found == [(date(2024, 3, 2), "true", 0.25, 1.5, "pro")]
