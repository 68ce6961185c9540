"""Parity compares two sets of answers and knows nothing of who gave them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.serving.parity import ParityPolicy, compare_answers


def probabilities(*positive: float) -> np.ndarray:
    """Return probabilities of two classes from those of the second."""
    second = np.array(positive)
    return np.column_stack([1 - second, second])


def test_rounding_passes_and_is_measured() -> None:
    """Answers that differ like float32 from float64 pass, and the report says by how much."""
    expected = probabilities(*np.linspace(0.01, 0.99, 999))

    report = compare_answers(expected, expected.astype(np.float32))

    assert report.passed
    assert 0 < report.max_discrepancy < 1e-7
    assert report.p999 <= report.max_discrepancy
    assert (report.rows, report.decisions_flipped) == (999, 0)
    assert "999 rows" in report.text


def test_one_row_beyond_the_tolerance_fails() -> None:
    """One wrong row among thousands is enough, and the sentence counts it."""
    expected = probabilities(*[0.2] * 5000)
    actual = expected.copy()
    actual[77] = [0.7, 0.3]

    report = compare_answers(expected, actual)

    assert not report.passed
    assert report.beyond == 1
    assert "1 of 5,000 rows" in report.text


def test_a_flip_beside_a_tie_counts_and_a_flip_of_a_tie_does_not() -> None:
    """Which side of an exact tie is rounding; a decision the estimator did make is not."""
    expected = probabilities(0.5, 0.500002)
    actual = probabilities(0.5000001, 0.499998)

    report = compare_answers(expected, actual)

    assert (report.ties, report.decisions_flipped) == (1, 1)
    assert not report.passed


def test_flips_alone_fail() -> None:
    """A flipped decision fails even where every difference is within the tolerance."""
    report = compare_answers(probabilities(0.500002), probabilities(0.499999))

    assert report.beyond == 0
    assert not report.passed


def test_a_regression_is_judged_by_shares() -> None:
    """Large values may differ more than small ones; near zero their spread is the measure."""
    expected = np.array([1e6, -1e6, 0.0])

    assert compare_answers(expected, expected + np.array([5.0, -5.0, 5.0])).passed
    assert not compare_answers(expected, expected + np.array([50.0, 0.0, 0.0])).passed


def test_a_constant_regression_is_judged_too() -> None:
    """Values without any spread, even all zero, have a finite discrepancy."""
    report = compare_answers(np.zeros(3), np.array([0.0, 0.0, 1e-3]))

    assert report.max_discrepancy == pytest.approx(1e-3)
    assert not report.passed


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2))),
        (probabilities(0.1), np.zeros((1, 3))),
        (probabilities(0.1), probabilities(np.nan)),
        (np.array([np.inf]), np.array([np.inf])),
    ],
    ids=["no rows", "other classes", "NaN", "infinite"],
)
def test_what_cannot_be_compared_does_not_pass(expected: np.ndarray, actual: np.ndarray) -> None:
    """No rows, other shapes or answers that are no numbers fail with a reason, not by an error."""
    report = compare_answers(expected, actual)

    assert not report.passed
    assert report.max_discrepancy is None
    assert report.text


@settings(max_examples=50, derandomize=True, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.lists(st.floats(-1e-3, 1e-3), min_size=30, max_size=30),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_matter(scores: list, noise: list, random: object) -> None:
    """Shuffling rows changes nothing, and answers always agree with themselves."""
    expected = probabilities(*scores)
    actual = probabilities(*np.clip(np.add(scores, noise[: len(scores)]), 0, 1))
    order = list(range(len(scores)))
    random.shuffle(order)

    assert compare_answers(expected, actual) == compare_answers(expected[order], actual[order])
    assert compare_answers(expected, expected).passed


def test_the_policy_decides() -> None:
    """The tolerance is the policy's, and the report says which one applied."""
    expected, actual = probabilities(0.2), probabilities(0.201)

    report = compare_answers(expected, actual, ParityPolicy(tolerance=0.01))

    assert report.passed
    assert report.tolerance == 0.01
