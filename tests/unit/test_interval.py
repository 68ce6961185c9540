"""Intervals, paired differences, and the adjustment for asking many times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ml_gitops.model.influence import Score, spread
from ml_gitops.model.interval import (
    PairedDifference,
    Spread,
    holm,
    minimum_detectable,
    n_needed,
    probability_below,
    quantile,
)

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


@pytest.mark.parametrize("n", [4, 6, 11, 31, 101, 199])
@pytest.mark.parametrize("p", [0.05, 0.9, 0.95, 0.99])
def test_few_rows_use_students_t(n: int, p: float) -> None:
    """Below 200 rows quantiles are within 3% of Student's, from ten rows within .1%."""
    assert quantile(p, n) == pytest.approx(stats.t.ppf(p, n - 1), rel=0.03 if n < 10 else 0.001)


@pytest.mark.parametrize("n", [11, 101, 199, 200, 10_000])
@pytest.mark.parametrize("t", [-3.0, -1.0, 0.0, 0.5, 2.5])
def test_probability_is_the_inverse_of_the_quantile(n: int, t: float) -> None:
    """The chance of an error below t agrees with scipy, and its quantile leads back to t."""
    chance = probability_below(t, n)

    expected = stats.t.cdf(t, n - 1) if n < 200 else stats.norm.cdf(t)
    assert chance == pytest.approx(expected, abs=3e-4)
    assert quantile(chance, n) == pytest.approx(t, abs=1e-9)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Over 2,000 samples of 30 rows the 90% interval of a mean covers the truth 88 to 92%."""
    samples = np.random.default_rng(0).normal(5, 2, (2000, 30))
    errors = samples.std(1, ddof=1) / np.sqrt(30)

    ends = [
        Spread(standard_error=error, n=30).around(mean)
        for mean, error in zip(samples.mean(1), errors, strict=True)
    ]

    assert 0.88 < np.mean([low < 5 < high for low, high in ends]) < 0.92


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=50))
def test_swapping_the_models_swaps_the_signs(influence: list[float]) -> None:
    """A paired difference is antisymmetric: estimate, interval and nothing else change sign."""
    terms = np.array(influence)
    terms -= terms.mean()

    forth, back = (PairedDifference.of(s * 0.25, spread(Score(0, s * terms))) for s in (1, -1))

    assert forth.standard_error == back.standard_error
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


def test_equal_models_differ_by_nothing() -> None:
    """Where every row agrees, the interval is a point at zero and nothing looks worse."""
    nothing = PairedDifference.of(0.0, Spread(standard_error=0, n=50))

    assert (nothing.low, nothing.high, nothing.p_worse) == (0, 0, 1)
    assert n_needed(nothing, 0.01) == 2


def test_the_power_note_is_the_textbooks() -> None:
    """At a disagreement of 10% and a margin of .01, 6,183 rows are needed (6.18 sigma²/delta²)."""
    n, disagreement = 1000, 0.10
    difference = PairedDifference(
        estimate=0, standard_error=(disagreement / n) ** 0.5, low=0, high=0, n=n
    )

    assert n_needed(difference, 0.01) == 6183
    assert minimum_detectable(difference) == pytest.approx(2.486 * 0.01, rel=1e-3)


@pytest.mark.parametrize(("days", "needed"), [(14, 7), (14, 14), (14, 41)])
def test_as_many_days_as_needed_show_equal_models_four_times_in_five(
    days: int, needed: int
) -> None:
    """The number of days is asked for with Student's quantile, and it keeps its promise."""
    margin = 0.05 * (quantile(0.95, needed) + quantile(0.8, needed)) / needed**0.5 * 1.0001
    measured = Spread(standard_error=0.05 / days**0.5, n=1000 * days, days=days)
    samples = np.random.default_rng(0).normal(0, 0.05, (4000, needed))
    errors = samples.std(1, ddof=1) / needed**0.5

    shown = samples.mean(1) - quantile(0.95, needed) * errors > -margin

    assert n_needed(measured, margin) == needed
    assert 0.78 < shown.mean() < 0.84
    if days == needed:
        assert minimum_detectable(measured) == pytest.approx(margin, rel=1e-3)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(P_VALUES)
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    """Adjusted values are probabilities, not below the raw ones, and in the same order."""
    adjusted = holm(p_values)

    assert all(raw <= one <= 1 for raw, one in zip(p_values, adjusted, strict=True))
    ranked = [adjusted[index] for index in np.argsort(p_values, kind="stable")]
    assert ranked == sorted(ranked)


def test_holm_agrees_with_a_worked_example() -> None:
    """The example of Holm's procedure with four tests: .01, .04, .03, .005."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
