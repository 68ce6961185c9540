"""The assertions that authors write: true of good models, false of bad ones, with the worst row."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml_gitops.checks import (
    CheckOutcome,
    CheckOutcomes,
    at_least,
    directional,
    handles_missing,
    handles_unseen,
    invariant,
    no_worse,
)
from ml_gitops.errors import ConfigError
from ml_gitops.model.comparison import compare
from ml_gitops.model.evaluation import Answers
from ml_gitops.model.gate import judge
from ml_gitops.model.policy import CheckPolicy, GatePolicy


class Scorer:
    """A model that scores rows by a function of the frame."""

    def __init__(self, score: Callable[[pd.DataFrame], object]) -> None:
        self._score = score

    def predict(self, frame: pd.DataFrame) -> Answers:
        """Answer with the logistic of the score."""
        chances = 1 / (1 + np.exp(-np.asarray(self._score(frame), dtype=float)))
        return Answers("binary", ("0", "1"), np.column_stack([1 - chances, chances]))


@pytest.fixture
def frame() -> pd.DataFrame:
    """Make 500 rows of rain, wind, carrier and whether the flight was late."""
    random = np.random.default_rng(0)
    rain, wind = random.exponential(1, 500), random.normal(10, 3, 500)
    late = (random.random(500) < 1 / (1 + np.exp(2 - 2 * rain))).astype(int)
    carrier = random.choice(["UA", "DL"], 500)
    return pd.DataFrame({"rain": rain, "wind": wind, "carrier": carrier, "late": late})


RAIN = Scorer(lambda frame: 2 * frame["rain"] - 2)


def test_at_least_holds_the_point_value_to_the_limit(frame: pd.DataFrame) -> None:
    """A score must reach its limit and a loss stay under it; the sentence shows the interval."""
    reached = at_least(RAIN, frame, "late", "roc_auc", 0.7)
    missed = at_least(RAIN, frame, frame["late"], "roc_auc", 0.99)
    loss = at_least(RAIN, frame, "late", "log_loss", 0.1)

    assert reached
    assert missed.ok is False
    assert "is not at least 0.9900" in repr(missed)
    assert "is not at most 0.1000" in repr(loss)


def test_rows_that_do_not_define_the_metric_cannot_tell(frame: pd.DataFrame) -> None:
    """A slice of one class is neither passed nor failed, and an assertion on it fails."""
    verdict = at_least(RAIN, frame[frame["late"] == 0], "late", "roc_auc", 0.5)

    assert verdict.ok is None
    assert not verdict
    assert "one class" in repr(verdict)


def test_a_misspelt_metric_is_named(frame: pd.DataFrame) -> None:
    """The author's typing error is one line with the right name."""
    with pytest.raises(ConfigError, match="did you mean 'roc_auc'"):
        at_least(RAIN, frame, "late", "rocauc", 0.5)


def test_no_worse_compares_on_the_same_rows(frame: pd.DataFrame) -> None:
    """A model is not worse than itself, and worse than one that knows more."""
    blind = Scorer(lambda frame: 0 * frame["rain"])

    assert no_worse(RAIN, RAIN, frame, "late", "roc_auc")
    assert no_worse(blind, RAIN, frame, "late", "roc_auc").ok is False


@pytest.mark.parametrize("units", ["days", "rows"])
@pytest.mark.parametrize(("days", "doubt"), [(3, 0.3), (14, 0.0), (14, 0.05), (14, 0.3), (14, 2.0)])
def test_a_check_says_what_the_gate_says(
    frame: pd.DataFrame, units: str, days: int, doubt: float
) -> None:
    """Of the same rows, check and gate have one answer and one interval, metric by metric."""
    random = np.random.default_rng(days)
    noise = doubt * random.normal(size=len(frame))
    rows = frame.assign(
        asked=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(500) % days, unit="D")
    )
    policy = GatePolicy(margin=0.03, units=units, secondary=("log_loss",))  # type: ignore[arg-type]
    shared = CheckPolicy(gate=policy, time="asked")
    unsure, blind = Scorer(lambda frame: 2 * frame["rain"] - 2 + noise), Scorer(lambda _: 0 * noise)

    gate = judge(
        compare(
            rows["late"].to_numpy(),
            *(model.predict(rows) for model in (unsure, RAIN, blind)),
            primary="roc_auc",
            holdout_digest="sha256:" + "0" * 64,
            days=shared.days(rows),
            champion_name="the champion",
        ),
        policy,
    )
    check = shared.attach(rows)

    for rule, metric in (("champion", "roc_auc"), ("secondary", "log_loss")):
        (asked,) = (one for one in gate.findings if one.rule == rule)
        said = no_worse(unsure, RAIN, check, "late", metric)
        assert (said.ok, said.text, said.data) == (asked.ok, asked.text, asked.data)


def test_what_is_selected_of_the_holdout_is_judged_by_its_days(frame: pd.DataFrame) -> None:
    """A mask, a group or another column leave the policy on the rows; foreign rows have none."""
    shared = CheckPolicy(time="asked")
    rows = shared.attach(frame.assign(asked=pd.Timestamp("2024-01-01")))
    rows["asked"] += pd.to_timedelta(np.arange(500) // 25, unit="D")

    parts = [rows[rows["wind"] > 5], rows.assign(wind=0.0), rows.query("carrier == 'UA'")]
    parts += [part for _, part in rows.groupby("carrier")]

    for part in parts:
        assert no_worse(RAIN, RAIN, part, "late", "brier").data["days"] == 20
    assert no_worse(RAIN, RAIN, frame, "late", "brier").data["days"] is None
    assert at_least(RAIN, rows[rows["asked"] == rows["asked"].min()], "late", "brier", 0.5)


def test_invariance_shows_the_worst_row(frame: pd.DataFrame) -> None:
    """A column that moves the answer is caught, with the row that moved most."""
    snob = Scorer(lambda frame: (frame["carrier"] == "UA") * (frame.index == 17))

    assert invariant(RAIN, frame, "carrier", ["UA", "DL"])
    caught = invariant(snob, frame, "carrier", ["UA", "DL"], share=1.0)
    assert caught.ok is False
    assert "in row 17" in repr(caught)


def test_direction_is_one_sided(frame: pd.DataFrame) -> None:
    """More rain may only raise the score; lowering it is caught, leaving it is fine."""
    more = {"rain": lambda inches: inches + 1}

    assert directional(RAIN, frame, more, "up")
    assert directional(Scorer(lambda frame: frame["wind"]), frame, more, "up")
    caught = directional(RAIN, frame, more, "down")
    assert caught.ok is False
    assert "never raises the score in" in repr(caught)
    assert directional(RAIN, frame, {"rain": 0}, "down")


def test_missing_values_must_be_answered(frame: pd.DataFrame) -> None:
    """NaN out of a missing value is caught, and so is a crash; columns are found by themselves."""
    gappy = frame.assign(rain=frame["rain"].where(frame.index > 5))

    filled = Scorer(lambda frame: frame["rain"].fillna(0))
    assert handles_missing(filled, gappy)
    silent, crash = (
        handles_missing(RAIN, gappy),
        handles_missing(
            Scorer(lambda frame: frame["carrier"].str.len()), frame, ["rain", "carrier"]
        ),
    )
    assert "answers every row without rain: no, 500 of 500" in repr(silent)
    assert (crash.ok, crash.rule) == (False, "missing")
    assert handles_missing(filled, frame).ok is None


def test_unseen_values_must_be_answered(frame: pd.DataFrame) -> None:
    """A model that knows two carriers only is caught by a third."""
    strict = Scorer(lambda frame: [{"UA": 0, "DL": 1}[one] for one in frame["carrier"]])

    assert handles_unseen(RAIN, frame, "carrier")
    caught = handles_unseen(strict, frame, "carrier")
    assert caught.ok is False
    assert "KeyError" in repr(caught)


def test_an_empty_frame_proves_nothing(frame: pd.DataFrame) -> None:
    """No rows hold no expectation: the verdict is that it cannot tell."""
    assert invariant(RAIN, frame[:0], "carrier", ["UA"]).ok is None


def test_answers_that_are_no_numbers_hold_no_expectation(frame: pd.DataFrame) -> None:
    """NaN is not within any tolerance."""
    assert invariant(RAIN, frame, "rain", [float("nan")]).ok is False


def test_outcomes_are_counted() -> None:
    """One failed check fails the whole; skipped ones are counted apart."""
    one = CheckOutcome(nodeid="a", outcome="passed")
    outcomes = CheckOutcomes(outcomes=(one, one.model_copy(update={"outcome": "skipped"})))

    failed = CheckOutcomes(outcomes=(one.model_copy(update={"outcome": "failed"}),))

    assert (outcomes.passed, outcomes.count("skipped"), failed.passed) == (True, 1, False)
    assert CheckOutcomes.from_json(failed.to_json(), where="test") == failed
