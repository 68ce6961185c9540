"""What an evaluation says of a model, overall, by slice and by feature."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.errors import DataError, TrainingError
from ml_gitops.model.evaluation import Answers, Evaluation, evaluate
from ml_gitops.model.importance import permutation_importance
from ml_gitops.model.slices import MAX_VALUES, cut
from ml_gitops.model.target import encode

DIGEST = "sha256:" + "0" * 64


def binary(chances: np.ndarray, classes: tuple[str, str] = ("false", "true")) -> Answers:
    """Answer with chances of the second class."""
    return Answers("binary", classes, np.column_stack([1 - chances, chances]))


def regression(values: np.ndarray) -> Answers:
    """Answer with values."""
    return Answers("regression", values=values)


@pytest.fixture
def flights() -> tuple[np.ndarray, Answers, dict[str, np.ndarray]]:
    """Make 3,000 rows whose probabilities are true, with a text and a number column."""
    random = np.random.default_rng(0)
    chances = random.beta(2, 5, 3000)
    late = random.random(3000) < chances
    slices = {
        "origin": random.choice(["EWR", "JFK", "LGA"], 3000),
        "temp": np.where(random.random(3000) < 0.1, np.nan, random.normal(50, 15, 3000)),
    }
    return late, binary(chances), slices


def test_an_evaluation_survives_its_file(
    flights: tuple[np.ndarray, Answers, dict[str, np.ndarray]],
) -> None:
    """What is written down reads back equal, and every interval holds its value."""
    late, answers, slices = flights

    evaluation = evaluate(late, answers, holdout_digest=DIGEST, slices=slices)

    assert Evaluation.from_json(evaluation.to_json(), where="test") == evaluation
    assert (evaluation.n, evaluation.positives) == (3000, late.sum())
    for one in evaluation.metrics.values():
        low, high = one.interval
        assert low <= one.value <= high


def test_slices_of_a_column_are_the_whole_cut_in_parts(
    flights: tuple[np.ndarray, Answers, dict[str, np.ndarray]],
) -> None:
    """Rows and positives of a column's slices add up; numbers become quartile ranges."""
    late, answers, slices = flights

    evaluation = evaluate(late, answers, holdout_digest=DIGEST, slices=slices)

    for column in slices:
        parts = [one for one in evaluation.slices if one.column == column]
        assert sum(one.n for one in parts) == 3000
        assert sum(one.positives or 0 for one in parts) == late.sum()
    temperatures = [one.value for one in evaluation.slices if one.column == "temp"]
    assert len(temperatures) == 5
    assert temperatures[-1] == "missing"
    assert temperatures[0].split(" to ")[1] == temperatures[1].split(" to ")[0]


def test_true_probabilities_are_calibrated(
    flights: tuple[np.ndarray, Answers, dict[str, np.ndarray]],
) -> None:
    """Probabilities that the rows were drawn from have a small error, inflated ones a large."""
    late, answers, _ = flights

    honest = evaluate(late, answers, holdout_digest=DIGEST).calibration
    loud = evaluate(late, binary(answers.scores**0.3), holdout_digest=DIGEST).calibration

    assert honest is not None
    assert loud is not None
    assert len(honest.bins) == 15
    assert {one.n for one in honest.bins} == {200}
    assert honest.error < 0.04
    assert loud.error > 0.2


def test_the_histogram_counts_every_row(
    flights: tuple[np.ndarray, Answers, dict[str, np.ndarray]],
) -> None:
    """Scores of exactly 0 and 1 are counted, too."""
    late, answers, _ = flights
    answers.predicted[:2] = [[1, 0], [0, 1]]

    histogram = evaluate(late, answers, holdout_digest=DIGEST).histogram

    assert sum(histogram.counts) == 3000
    assert sum(histogram.events or ()) == late.sum()


def test_a_metric_that_rows_do_not_define_is_named_with_the_reason() -> None:
    """One class only: ranks are undefined, losses are not, and nothing is NaN."""
    evaluation = evaluate(np.zeros(50, dtype=int), binary(np.full(50, 0.1)), holdout_digest=DIGEST)

    assert "one class" in evaluation.undefined["roc_auc"]
    assert evaluation.metrics["log_loss"].value == pytest.approx(-np.log(0.9))
    assert not set(evaluation.undefined) & set(evaluation.metrics)


def test_regression_has_errors_and_no_classes() -> None:
    """A regression is evaluated in the target's unit, without calibration or positives."""
    target = np.arange(100.0)

    evaluation = evaluate(target, regression(target + 2), holdout_digest=DIGEST)

    assert evaluation.metrics["mae"].value == 2
    assert (evaluation.calibration, evaluation.positives) == (None, None)
    assert sum(evaluation.histogram.counts) == 100


@pytest.mark.parametrize(
    ("target", "classes"),
    [
        ([True, False], ("false", "true")),
        ([True, False], ("False", "True")),
        ([1, 0], ("false", "true")),
        ([1.0, 0.0], ("0", "1")),
        (["true", "false"], ("0", "1")),
        (["late", "in time"], ("in time", "late")),
    ],
)
def test_truth_is_recognised_in_every_spelling(
    target: list[object], classes: tuple[str, str]
) -> None:
    """Booleans, 0/1, their names and plain text find their class."""
    assert encode(pd.Series(target), "binary", classes).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0, 1, None], "1 of 3 rows have no target"),
        ([0, 1, 2], "the value '2', which is no class"),
        ([0, 1], "2 true values stand beside 3 answers"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused(target: list[object], message: str) -> None:
    """Missing, unknown and misaligned truth is one line, not a wrong number."""
    with pytest.raises(DataError, match=message):
        evaluate(pd.Series(target), binary(np.full(3, 0.5)), holdout_digest=DIGEST)


def test_no_rows_are_no_evaluation() -> None:
    """An empty holdout is one line, not a division by zero."""
    with pytest.raises(DataError, match="no rows to judge"):
        evaluate(np.zeros(0), binary(np.zeros(0)), holdout_digest=DIGEST)


def test_answers_that_are_no_numbers_are_refused() -> None:
    """A model that answers NaN is not evaluated on the other rows in silence."""
    with pytest.raises(TrainingError, match="2 of the model's answers are not finite"):
        evaluate(np.array([0, 1]), binary(np.array([0.5, np.nan])), holdout_digest=DIGEST)


@pytest.mark.parametrize(
    ("task", "classes", "shape"),
    [("binary", ("a", "b", "c"), (4, 3)), ("binary", ("a", "b"), (4, 3)), ("regression", (), (4,))],
)
def test_answers_of_another_shape_are_refused(
    task: str, classes: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    """Classes and columns must fit each other and the task."""
    with pytest.raises(TrainingError, match="shape"):
        Answers(task, classes, probabilities=np.zeros(shape))  # type: ignore[arg-type]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.one_of(
        st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=60),
        st.lists(st.one_of(st.none(), st.text(max_size=2)), min_size=1, max_size=60),
        st.lists(st.booleans(), min_size=1, max_size=60),
        st.lists(st.integers(-50, 50), min_size=1, max_size=60),
    )
)
def test_cutting_puts_every_row_into_one_slice(column: list[object]) -> None:
    """Whatever a column holds, its slices are not empty, named apart, and share no row."""
    found = cut(column)

    rows = np.concatenate([rows for _, rows in found])
    assert sorted(rows) == list(range(len(column)))
    assert all(len(rows) for _, rows in found)


def test_rare_values_share_a_slice() -> None:
    """A column of 100 airports gives 20 slices, the last one for all the others."""
    column = np.repeat([f"A{index:02}" for index in range(100)], np.arange(100, 0, -1))

    found = cut(column)

    assert len(found) == MAX_VALUES
    assert found[0][0] == "A00"
    assert found[-1][0] == "81 other values"


def test_a_column_that_is_mostly_one_number_is_cut_beside_it() -> None:
    """Rain is zero most of the time: dry and wet are the two slices."""
    rain = np.concatenate([np.zeros(90), np.linspace(0.1, 3, 10 + 4)])

    assert [(value, len(rows)) for value, rows in cut(rain)] == [("0", 90), ("over 0 to 3", 14)]


def test_importance_finds_the_feature_that_is_used() -> None:
    """The used feature's importance is many standard errors from zero, the other's is zero."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"used": random.normal(size=8000), "unused": random.normal(size=8000)})
    target = random.random(8000) < 1 / (1 + np.exp(-frame["used"]))

    def predict(rows: pd.DataFrame) -> Answers:
        assert len(rows) == 5000
        return binary(1 / (1 + np.exp(-rows["used"].to_numpy())))

    used, unused, again = (
        permutation_importance(
            predict, frame, target.to_numpy(), features, metric="roc_auc", seed=3
        )
        for features in (["used"], ["unused"], ["used"])
    )

    assert used[0].value > 10 * used[0].standard_error > 0
    assert used[0].value == pytest.approx(0.235, abs=0.03)
    assert (unused[0].value, unused[0].standard_error) == pytest.approx((0, 0))
    assert used == again


def test_importance_says_how_far_it_is() -> None:
    """Before each feature the share that is done is told."""
    frame = pd.DataFrame({"a": [0.1, 0.9] * 20, "b": [0.5] * 40})
    shares: list[float] = []

    permutation_importance(
        lambda rows: binary(rows["a"].to_numpy()),
        frame,
        np.array([False, True] * 20),
        ["a", "b"],
        metric="roc_auc",
        seed=0,
        told=shares.append,
    )

    assert shares == [0.0, 0.5]
